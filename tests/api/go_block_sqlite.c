/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 nomigrate noemulator */
/*
 * Goal: a database that is busy inside sqlite3_step delays the goroutine that called it alone.
 * Method: at one processor one goroutine holds the database while others wait for it inside the library,
 * which sleeps and computes there; the holder needs the processor to go on.
 */
#include "test.h"

#include <sqlite3.h>
#include <stdatomic.h>

enum { WRITERS = 4, ROWS = 50 };

static char path[] = "/tmp/leat-sqlite-XXXXXX";

static sqlite3 *open_database(void)
{
	sqlite3 *db;

	CHECK_EQ(sqlite3_open(path, &db), SQLITE_OK);
	CHECK_EQ(sqlite3_busy_timeout(db, 60000), SQLITE_OK);
	return db;
}

static void execute(sqlite3 *db, const char *sql)
{
	char *message = NULL;

	if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK) {
		fprintf(stderr, "%s: %s\n", sql, message);
		CHECK(!"executed");
	}
}

struct writer {
	leat_waitgroup *wg;
	int me;
	atomic_int *waiting;
};

static void writer(struct writer *a)
{
	sqlite3 *db = open_database();
	sqlite3_stmt *insert;

	atomic_fetch_add(a->waiting, 1);
	CHECK_EQ(sqlite3_prepare_v2(db, "insert into t values (?, ?)", -1, &insert, NULL), SQLITE_OK);
	execute(db, "begin immediate"); /* waits until main has committed */
	for (int i = 0; i < ROWS; i++) {
		sqlite3_bind_int(insert, 1, a->me);
		sqlite3_bind_int(insert, 2, i);
		CHECK_EQ(sqlite3_step(insert), SQLITE_DONE);
		CHECK_EQ(sqlite3_reset(insert), SQLITE_OK);
	}
	sqlite3_finalize(insert);
	execute(db, "commit");
	CHECK_EQ(sqlite3_close(db), SQLITE_OK);
	leat_waitgroup_done(a->wg);
}

static int count(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *query;
	int n;

	CHECK_EQ(sqlite3_prepare_v2(db, sql, -1, &query, NULL), SQLITE_OK);
	CHECK_EQ(sqlite3_step(query), SQLITE_ROW);
	n = sqlite3_column_int(query, 0);
	sqlite3_finalize(query);
	return n;
}

TEST(line_30_sqlite3_step)
{
	leat_waitgroup wg = {0};
	atomic_int waiting = 0;
	int procs = leat_procs(1), fd = mkstemp(path);
	sqlite3 *db;

	CHECK(fd >= 0);
	close(fd);
	db = open_database();
	execute(db, "pragma synchronous = off");
	execute(db, "create table t (writer int, row int)");
	execute(db, "begin exclusive");
	leat_waitgroup_add(&wg, WRITERS);
	for (int i = 0; i < WRITERS; i++)
		go(writer, &wg, i, &waiting);
	test_until(atomic_load(&waiting) == WRITERS);
	/* All sit in the library, or are about to, and main still sleeps, yields and writes. */
	for (int i = 0; i < 20; i++) {
		leat_sleep(LEAT_MILLISECOND);
		leat_yield();
		execute(db, "insert into t values (-1, 0)");
	}
	execute(db, "commit");
	leat_waitgroup_wait(&wg);
	CHECK_EQ(count(db, "select count(*) from t"), WRITERS * ROWS + 20);
	CHECK_EQ(count(db, "select count(distinct writer * 1000 + row) from t where writer >= 0"),
	         WRITERS * ROWS);

	/* A query that computes for long inside a single step. */
	CHECK_EQ(
	    count(db, "with recursive n(i) as (select 1 union all select i + 1 from n where i < 300000)"
	              " select sum(i % 7) > 0 from n"),
	    1);
	CHECK_EQ(sqlite3_close(db), SQLITE_OK);
	unlink(path);
	leat_procs(procs);
}

TEST_MAIN
