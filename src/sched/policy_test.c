/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1 nofenced notsan */
/*
 * Goal: with a policy, set before the first call, and one processor the policy's choices are the
 * schedule: the same choices give the same interleaving, others another one; and time is the policy's.
 *
 * Method: a small program that writes down who runs when, in a child per run, since the runtime begins
 * once in a process.  The choices come from a seed, or are counted through exhaustively.
 */
#include "base/random.h"
#include "sched/policy.h"

#include "test.h"

#include <sys/wait.h>

enum { STORY = 256, ACTORS = 3, ACTS = 3 };

static struct story {
	int events;
	char text[STORY];
	int choices;             /* asked by the scheduler with more than one answer */
	unsigned char of[STORY]; /* how many answers each had */
} story;

static uint64_t seed;
static unsigned char script[STORY]; /* the answers, 0 after its end; or by the seed */
static bool scripted;
static bool retaking; /* retakes are chosen, too; else there are none */

static uint32_t choose(enum leat__choice what, uint32_t n)
{
	uint32_t answer;

	CHECK(what <= LEAT__CHOOSE_RETAKE);
	CHECK(n >= 1);
	if (n == 1 || (what == LEAT__CHOOSE_RETAKE && !retaking))
		return 0;
	CHECK(story.choices < STORY);
	answer = scripted ? script[story.choices] : leat__random_below(leat__random_next(&seed), n);
	CHECK(answer < n);
	story.of[story.choices++] = (unsigned char)n;
	return answer;
}

/* Before any instant of the machine's own clock, which may have been started a minute ago: a thread must
   not wait until then for real. */
static _Atomic int64_t virtual = -30 * 24 * LEAT_HOUR;
static int64_t stride; /* by which every look at the clock advances it */

static int64_t now(void)
{
	return fetch_add_relaxed(&virtual, stride);
}

static const struct leat__policy policy = {.choose = choose, .now = now};

struct actor {
	char name;
	leat_waitgroup *left;
};

static void actor(struct actor *a)
{
	for (int i = 0; i < ACTS; i++) {
		CHECK(story.events < STORY - 1);
		story.text[story.events++] = a->name;
		leat_yield();
	}
	leat_waitgroup_done(a->left);
}

static void play(void)
{
	leat_waitgroup left = {0};

	leat_waitgroup_add(&left, ACTORS);
	for (int i = 0; i < ACTORS; i++)
		go(actor, .name = (char)('a' + i), .left = &left);
	leat_waitgroup_wait(&left);
}

/* fn in a child with the policy; what the story is afterwards. */
static struct story in_child(void (*fn)(void))
{
	struct story told;
	int ends[2], status;
	pid_t child;
	size_t n = 0;

	CHECK(pipe(ends) == 0);
	child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		leat__policy = &policy;
		fn();
		CHECK(write(ends[1], &story, sizeof story) == sizeof story);
		_exit(0);
	}
	close(ends[1]);
	while (n < sizeof told) {
		ssize_t r = read(ends[0], (char *)&told + n, sizeof told - n);

		CHECK(r > 0);
		n += (size_t)r;
	}
	close(ends[0]);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_EQ(status, 0);
	return told;
}

TEST(same_choices_same_interleaving)
{
	struct story first, again;
	int different = 0;

	scripted = false;
	for (uint64_t s = 1; s <= 20; s++) {
		seed = leat__random_seed(s);
		first = in_child(play);
		CHECK_EQ(first.events, ACTORS * ACTS);
		for (int i = 0; i < 3; i++) {
			again = in_child(play);
			CHECK_STR(again.text, first.text);
			CHECK_EQ(again.choices, first.choices);
		}
		seed = leat__random_seed(s + 1000);
		again = in_child(play);
		different += strcmp(again.text, first.text) != 0;
	}
	CHECK(different > 10);
}

/* All stories of two actors with two acts each: every order in which they could run is among them. */
static void play_two(void)
{
	leat_waitgroup left = {0};

	leat_waitgroup_add(&left, 2);
	for (int i = 0; i < 2; i++)
		go(actor, .name = (char)('a' + i), .left = &left);
	leat_waitgroup_wait(&left);
}

TEST(all_choices_all_interleavings)
{
	static char seen[64][8];
	int distinct = 0;

	scripted = true;
	memset(script, 0, sizeof script);
	for (;;) {
		struct story told = in_child(play_two);
		int i, last;

		for (i = 0; i < distinct && strcmp(seen[i], told.text) != 0; i++)
			;
		if (i == distinct) {
			CHECK(distinct < 64);
			strcpy(seen[distinct++], told.text);
		}
		/* The next script: as numbers are counted, from the last choice that has another answer. */
		for (last = told.choices - 1; last >= 0 && script[last] + 1 >= told.of[last]; last--)
			script[last] = 0;
		if (last < 0)
			break;
		script[last]++;
	}
	/* The interleavings of aaa and bbb. */
	CHECK_EQ(distinct, 20);
}

static void sleep_long(void)
{
	int64_t before;

	stride = LEAT_MINUTE;
	before = leat_now();
	leat_sleep(LEAT_HOUR);
	CHECK(leat_now() - before >= LEAT_HOUR);
}

TEST(time_is_virtual)
{
	int64_t begun = leat__os_now();

	in_child(sleep_long);
	CHECK(leat__os_now() - begun < LEAT_MINUTE);
}

/* Never gives up its processor, but enters and leaves the runtime. */
static void stubborn(struct actor *a)
{
	for (int i = 0; i < ACTS; i++) {
		CHECK(story.events < STORY - 1);
		story.text[story.events++] = a->name;
		leat_procs(0);
	}
	leat_waitgroup_done(a->left);
}

static void play_stubborn(void)
{
	leat_waitgroup left = {0};

	leat_waitgroup_add(&left, ACTORS);
	for (int i = 0; i < ACTORS; i++)
		go_as(actor, stubborn, .name = (char)('a' + i), .left = &left);
	leat_waitgroup_wait(&left);
}

/* Does anybody act between two acts of another? */
static bool interleaved(const struct story *s)
{
	int turns = 0;

	for (int i = 1; i < s->events; i++)
		turns += s->text[i] != s->text[i - 1];
	return turns >= ACTORS;
}

TEST(a_policy_takes_the_processor_at_any_entry)
{
	struct story told;
	int mixed = 0;

	scripted = false;
	retaking = false;
	seed = leat__random_seed(1);
	told = in_child(play_stubborn);
	CHECK_EQ(told.events, ACTORS * ACTS);
	CHECK(!interleaved(&told));
	retaking = true;
	for (uint64_t s = 1; s <= 20; s++) {
		seed = leat__random_seed(s);
		told = in_child(play_stubborn);
		CHECK_EQ(told.events, ACTORS * ACTS);
		mixed += interleaved(&told);
	}
	CHECK(mixed >= 10);
	retaking = false;
}

TEST_MAIN
