/* SPDX-License-Identifier: MIT */
/* CTEST: env:ASAN_OPTIONS=intercept_tls_get_addr=0 */
/* Goal: what people are told of an error, and what the log keeps of it. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "test.h"

#include <errno.h>

static LEAT_ERROR_TYPE(lowlevel);
static LEAT_ERROR_TYPE(intermediate);
static LEAT_ERROR_OF(lowlevel, no_disk, -ENODEV, "no disk");

/* A stream whose text is *text once it is closed. */
static FILE *to_memory(char **text)
{
	static size_t n;
	FILE *f = open_memstream(text, &n);

	CHECK(f != NULL);
	return f;
}

static void check_text(const leat_error *e, const leat_error_type *type, uint64_t id,
                       const char *want)
{
	char *text = leat_error_text(e, type, id), *written = NULL;
	FILE *f = to_memory(&written);

	leat_error_print(f, e, type, id);
	fclose(f);
	CHECK_STR(text, want);
	CHECK_STR(written, want);
	free(text);
	free(written);
}

/*
 * Text matches a pattern: '#' is one or more digits, '~' the rest of the line, which may be empty, and "@\n" any
 * number of lines that begin with two tabs or name a function.
 */
static bool like(const char *text, const char *pattern)
{
	for (; *pattern; pattern++) {
		if (*pattern == '#') {
			if (*text < '0' || *text > '9')
				return false;
			while (*text >= '0' && *text <= '9')
				text++;
		} else if (*pattern == '~') {
			text += strcspn(text, "\n");
		} else if (*pattern == '@') {
			pattern++;
			while (strncmp(text, "\t\t/", 3) == 0 || strncmp(text, "\t\t.", 3) == 0 ||
			       (*text == '\t' && strchr(text, '\n') &&
			        (strncmp(strchr(text, '\n') - 5, "(...)", 5) == 0 ||
			         strstr(text, " +0x") < strchr(text, '\n'))))
				text = strchr(text, '\n') + 1;
		} else if (*text++ != *pattern) {
			return false;
		}
	}
	return !*text;
}

static void check_log(const leat_error *e, uint64_t id, const char *pattern)
{
	char *text = leat_error_log_text(e, id), *written = NULL;
	FILE *f = to_memory(&written);

	leat_error_log(f, e, id);
	fclose(f);
	if (!like(text, pattern)) {
		fprintf(stderr, "\"%s\" is not like \"%s\"\n", text, pattern);
		exit(1);
	}
	CHECK_STR(written, text);
	free(text);
	free(written);
}

TEST(for_people)
{
	leat_error *e = leat_error_new(&intermediate, "cannot run job \"%d\"", 1);

	check_text(e, &intermediate, 0, "cannot run job \"1\"\n");
	check_text(e, NULL, 0, "cannot run job \"1\"\n");
	check_text(e, NULL, 3, "[3] cannot run job \"1\"\n");
	leat_error_set_log_id(e, UINT64_MAX);
	check_text(e, &intermediate, 0, "[18446744073709551615] cannot run job \"1\"\n");
	check_text(e, &intermediate, 4, "[4] cannot run job \"1\"\n");
	leat_error_set_help(e, "https://example.org/jobs");
	check_text(e, &intermediate, 4, "[4] cannot run job \"1\"\nSee https://example.org/jobs\n");
	leat_error_free(e);
	check_text(&no_disk, &lowlevel, 0, "no disk\n");
	check_text(NULL, &lowlevel, 3, "");
}

TEST(of_another_type_it_is_a_bug)
{
	leat_error *e = leat_error_new(&lowlevel, "stat /bad: secret");

	leat_error_set_help(e, "https://example.org/inside");
	check_text(e, &intermediate, 0,
	           "There was an unexpected issue; please report this as a bug.\n");
	check_text(e, &intermediate, 1,
	           "[1] There was an unexpected issue; please report this as a bug.\n");
	/* Neither of no type, nor with a cause of the right one. */
	e = leat_errorf(leat_error_wrap(e, &intermediate, "inside"), "outside");
	check_text(e, &intermediate, 2,
	           "[2] There was an unexpected issue; please report this as a bug.\n");
	check_text(leat_error_errno(-EIO), &intermediate, 0,
	           "There was an unexpected issue; please report this as a bug.\n");
	leat_error_free(e);
}

TEST(for_the_log)
{
	leat_error *low = leat_error_wrap(leat_error_errno(-ENOENT), &lowlevel, "stat %s", "/bad"), *e;

	leat_error_put(low, "path", "/bad");
	leat_error_put(low, "lines", "one\ntwo\nthree");
	e = leat_error_wrap(leat_errorf(low, "errorf"), &intermediate, "of two\nlines");
	leat_error_set_help(e, "man 7 jobs");
	check_log(e, 0,
	          "#-#-#T#:#:#.#Z intermediate: of two\n\tlines\n\thelp: man 7 jobs\n"
	          "\tat for_the_log (~\n@\n"
	          "caused by: errorf: stat /bad\n"
	          "caused by: #-#-#T#:#:#.#Z lowlevel: stat /bad\n\tpath: /bad\n"
	          "\tlines: one\n\t\ttwo\n\t\tthree\n"
	          "\tat for_the_log (~\n@\n"
	          "caused by: No such file or directory\n");
	leat_error_set_log_id(e, 12);
	check_log(leat_error_unwrap(e), 9,
	          "[logID: 9] errorf: stat /bad\n"
	          "[logID: 9] caused by: #-#-#T#:#:#.#Z lowlevel: stat /bad\n\tpath: /bad\n"
	          "\tlines: one\n\t\ttwo\n\t\tthree\n"
	          "\tat for_the_log (~\n@\n"
	          "[logID: 9] caused by: No such file or directory\n");
	leat_error_free(e);
	check_log(&no_disk, 3, "[logID: 3] lowlevel: no disk\n");
	check_log(NULL, 3, "");
}

TEST(joined_ones_each_in_turn)
{
	const leat_error *inner[] = {leat_errorf(&no_disk, "a"), leat_error_errno(-ENOENT)}, *outer[3];
	const leat_error *e;

	outer[0] = leat_errorf(NULL, "b");
	outer[1] = leat_error_join(inner, 2);
	outer[2] = &no_disk;
	e = leat_error_join(outer, 3);
	check_text(e, NULL, 1, "[1] b\na: no disk\nNo such file or directory\nno disk\n");
	check_log(e, 0,
	          "3 joined errors\ncaused by: b\ncaused by: 2 joined errors\ncaused by: a: no disk\n"
	          "caused by: lowlevel: no disk\ncaused by: No such file or directory\n"
	          "caused by: lowlevel: no disk\n");
	/* One that is extended. */
	outer[0] = e;
	outer[1] = leat_errorf(NULL, "c");
	e = leat_error_join(outer, 2);
	check_text(e, NULL, 1, "[1] b\na: no disk\nNo such file or directory\nno disk\nc\n");
	check_log(e, 0,
	          "4 joined errors\ncaused by: b\ncaused by: 2 joined errors\ncaused by: a: no disk\n"
	          "caused by: lowlevel: no disk\ncaused by: No such file or directory\n"
	          "caused by: lowlevel: no disk\ncaused by: c\n");
	leat_error_free(e);
}

TEST(the_time_is_in_utc)
{
	const leat_error *e = leat_error_new(NULL, "now");
	time_t seconds = (time_t)(leat_error_time(e) / 1000000000);
	char want[64], *text;
	struct tm t;

	setenv("TZ", "Asia/Tokyo", 1);
	tzset();
	strftime(want, sizeof want, "%Y-%m-%dT%H:%M:%S", gmtime_r(&seconds, &t));
	text = leat_error_log_text(e, 0);
	CHECK(strncmp(text, want, strlen(want)) == 0 && strlen(want) == 19 && text[19] == '.');
	free(text);
	leat_error_free(e);
}

/* --- the report */

static char *user, *logged;

static uint64_t report(const leat_error *e, bool to_user, bool to_log)
{
	FILE *u = to_memory(&user), *l = to_memory(&logged);
	uint64_t id = leat_error_report(e, &intermediate, to_user ? u : NULL, to_log ? l : NULL);

	fclose(u);
	fclose(l);
	return id;
}

static void forget(void)
{
	free(user);
	free(logged);
}

TEST(a_report_tells_both_the_same_id)
{
	leat_error *e = leat_error_new(&intermediate, "x");
	uint64_t id;
	char want[200];

	id = report(e, true, true);
	CHECK(id > 0);
	snprintf(want, sizeof want, "[%" PRIu64 "] x\n", id);
	CHECK_STR(user, want);
	snprintf(want, sizeof want, "[logID: %" PRIu64 "] ", id);
	CHECK(strncmp(logged, want, strlen(want)) == 0);
	CHECK(strstr(logged, "intermediate: x\n") != NULL);
	forget();
	CHECK_EQ(report(e, true, true), id + 1); /* it has none of its own */
	forget();
	leat_error_set_log_id(e, 500);
	CHECK_EQ(report(e, true, false), 500);
	CHECK_STR(user, "[500] x\n");
	CHECK_STR(logged, "");
	forget();
	CHECK_EQ(report(e, false, true), 500);
	CHECK_STR(user, "");
	CHECK(strncmp(logged, "[logID: 500] ", 13) == 0);
	forget();
	leat_error_free(e);
	CHECK_EQ(report(&no_disk, true, true), id + 2);
	snprintf(want, sizeof want,
	         "[%" PRIu64 "] There was an unexpected issue; please report this as a bug.\n", id + 2);
	CHECK_STR(user, want);
	CHECK(strstr(logged, "lowlevel: no disk\n") != NULL);
	forget();
	CHECK_EQ(report(NULL, true, true), 0);
	CHECK_STR(user, "");
	CHECK_STR(logged, "");
	forget();
}

TEST_MAIN
