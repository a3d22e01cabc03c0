/* The client with several tokens: who asks, what moves it, validators, files. */
#include <stdio.h>

#include "base/clock.h"
#include "sync/github/gh_token.h"
#include "test/unit/sync/gh_rig.h"

#define REPOSITORY "owner/repo"
#define TEXT "one\ntwo\nthree\n"
#define DATE "date: Sun, 06 Nov 1994 08:49:37 GMT\n"
#define BUDGET(remaining)                                                                      \
	DATE "x-ratelimit-limit: 5000\nx-ratelimit-remaining: " remaining                      \
	     "\nx-ratelimit-reset: 784111877\n"

struct tokens_rig {
	struct gh_rig gh;
	char path[64];
	char order[3][GH_TOKEN_MAX]; /* "Bearer ..." as this repository prefers them */
};

static void
write_tokens(const char *path, const char *text)
{
	char next[80];
	FILE *f;

	snprintf(next, sizeof(next), "%s.new", path);
	f = fopen(next, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(rename(next, path), 0);
}

static int
prepare(void **state)
{
	struct tokens_rig *fx = mem_zalloc(sizeof(*fx));
	struct gh_tokens list;

	snprintf(fx->path, sizeof(fx->path), "/tmp/gh_tokens.%d", (int)getpid());
	write_tokens(fx->path, TEXT);
	assert_int_equal(gh_tokens_parse(SLICE(TEXT), REPOSITORY, &list, NULL), 0);
	for (int i = 0; i < 3; i++)
		strcpy(fx->order[i], list.items[i].authorize);
	gh_tokens_clear(&list);
	*state = fx;
	return 0;
}

static int
clean_up(void **state)
{
	struct tokens_rig *fx = *state;

	stop(&fx->gh);
	unlink(fx->path);
	mem_free(fx);
	return 0;
}

static void
begin(struct tokens_rig *fx, const struct http_scripted *answers, size_t count, bool impatient)
{
	const struct gh_opts o = { .repository = REPOSITORY, .token_file = fx->path };

	assert_int_equal(start_with(&fx->gh, answers, count, impatient, o, NULL), 0);
}

#define BEGIN(fx, answers, impatient)                                                          \
	begin((fx), (answers), sizeof(answers) / sizeof((answers)[0]), (impatient))

static int
get(struct tokens_rig *fx, const char *etag)
{
	int rc = gh_get(fx->gh.gh, BASE "/x", etag, true, &fx->gh.page, NULL);

	gh_page_clear(&fx->gh.page);
	return rc;
}

/* The requests so far must have been made with these tokens: "0 1 2". */
static void
assert_asked(struct tokens_rig *fx, const char *places)
{
	const char *at = buf_cstr(&fx->gh.recorder.asked);

	for (; *places != '\0'; places++) {
		char want[GH_TOKEN_MAX + 32];

		if (*places == ' ')
			continue;
		snprintf(want, sizeof(want), "|Authorization: %s", fx->order[*places - '0']);
		assert_non_null(at = strstr(at, BASE));
		at += strlen(BASE);
		assert_non_null(strstr(at, "\n"));
		assert_non_null(
		    memmem(at, (size_t)(strchr(at, '\n') - at), want, strlen(want)));
	}
	assert_null(strstr(at, BASE));
}

static void
the_preferred_token_is_used_until_it_is_refused(void **state)
{
	static const struct http_scripted answers[] = { OK("[]"), OK("[]"), STATUS(401),
		OK("[]"), OK("[]") };
	struct tokens_rig *fx = *state;

	BEGIN(fx, answers, false);
	assert_int_equal(gh_stats(fx->gh.gh)->tokens, 3);
	for (int i = 0; i < 4; i++)
		assert_int_equal(get(fx, NULL), 0);
	assert_asked(fx, "0 0 0 1 1");
	assert_int_equal(gh_stats(fx->gh.gh)->rejected, 1);
	assert_int_equal(count_of(&fx->gh.told, "of 3, another is used"), 1);
	assert_int_equal(gh_stats(fx->gh.gh)->retries, 0);
}

static void
when_all_are_refused_it_is_an_error_and_each_was_asked_once(void **state)
{
	static const struct http_scripted answers[] = { STATUS(401), STATUS(401), STATUS(401),
		STATUS(401), OK("[]") };
	struct tokens_rig *fx = *state;

	BEGIN(fx, answers, false);
	assert_int_equal(get(fx, NULL), ERR_AUTH);
	assert_asked(fx, "0 1 2");
	/* the next question begins with the one refused longest ago, and may be answered */
	assert_int_equal(get(fx, NULL), ERR_AUTH);
	assert_int_equal(get(fx, NULL), 0);
	assert_int_equal(gh_stats(fx->gh.gh)->requests, 5);
}

static void
a_spent_budget_moves_on_and_back_after_its_reset(void **state)
{
	static const struct http_scripted answers[] = {
		{ .status = 200, .headers = BUDGET("0"), .body = "[]" },
		{ .status = 200, .headers = BUDGET("4000"), .body = "[]" },
		/* GitHub's clock, a second before the reset, and then past it */
		{ .status = 200,
		    .headers = "date: Sun, 06 Nov 1994 08:51:16 GMT\n",
		    .body = "[]" },
		{ .status = 200,
		    .headers = "date: Sun, 06 Nov 1994 08:51:17 GMT\n",
		    .body = "[]" },
		{ .status = 200, .headers = BUDGET("4999"), .body = "[]" },
	};
	struct tokens_rig *fx = *state;
	char first[GH_TOKEN_DIGEST];

	BEGIN(fx, answers, true);
	memcpy(first, gh_token_digest(fx->gh.gh), sizeof(first));
	for (int i = 0; i < 5; i++) {
		bool away = i > 0 && i < 4;

		assert_int_equal(strcmp(gh_token_digest(fx->gh.gh), first) != 0, away);
		assert_int_equal(get(fx, NULL), 0);
		assert_int_equal(strcmp(fx->gh.page.token_digest, first) != 0, away);
	}
	assert_asked(fx, "0 1 1 1 0");
}

static void
a_refusal_for_a_spent_budget_moves_on_at_once(void **state)
{
	static const struct http_scripted answers[] = {
		{ .status = 403, .headers = BUDGET("0"), .body = "{}" }, OK("[]")
	};
	struct tokens_rig *fx = *state;

	BEGIN(fx, answers, true);
	assert_int_equal(get(fx, NULL), 0);
	assert_asked(fx, "0 1");
	assert_int_equal(gh_stats(fx->gh.gh)->waits, 0);
}

static void
a_secondary_limit_is_sat_out_with_the_same_token(void **state)
{
	static const struct http_scripted answers[] = { { .status = 429, .headers = DATE },
		OK("[]") };
	struct tokens_rig *fx = *state;

	BEGIN(fx, answers, false);
	assert_int_equal(get(fx, NULL), 0);
	assert_asked(fx, "0 0");
	assert_int_equal(gh_stats(fx->gh.gh)->waits, 1);
}

static void
a_validator_goes_only_with_its_own_token(void **state)
{
	static const struct http_scripted answers[] = { STATUS(401), OK("[]"),
		{ .status = 304 } };
	struct tokens_rig *fx = *state;

	BEGIN(fx, answers, false);
	(void)gh_token_digest(fx->gh.gh);
	assert_int_equal(get(fx, "W/\"first\""), 0); /* moves on within the question */
	assert_asked(fx, "0 1");
	assert_int_equal(count_of(&fx->gh.recorder.asked, "If-None-Match"), 1);
	assert_string_equal(gh_token_digest(fx->gh.gh), fx->gh.page.token_digest);
	assert_int_equal(get(fx, "W/\"second\""), 0);
	assert_int_equal(count_of(&fx->gh.recorder.asked, "If-None-Match: W/\"second\""), 1);
}

static void
background_work_leaves_a_reserve(void **state)
{
	static const struct http_scripted answers[] = {
		{ .status = 200, .headers = BUDGET("400"), .body = "[]" }, OK("[]"), OK("[]")
	};
	struct tokens_rig *fx = *state;

	BEGIN(fx, answers, true);
	assert_int_equal(get(fx, NULL), 0);
	gh_set_background(fx->gh.gh, true);
	assert_int_equal(get(fx, NULL), 0);
	gh_set_background(fx->gh.gh, false);
	assert_int_equal(get(fx, NULL), 0);
	assert_asked(fx, "0 1 0");
	assert_int_equal(gh_stats(fx->gh.gh)->waits, 0);
}

/* Wait until the client may look at the file again. */
static void
let_it_look(void)
{
	usleep(1010 * 1000);
}

static void
a_changed_file_is_read_again(void **state)
{
	static const struct http_scripted answers[] = { STATUS(401), OK("[]"), OK("[]") };
	struct tokens_rig *fx = *state;

	BEGIN(fx, answers, false);
	assert_int_equal(get(fx, NULL), 0);
	write_tokens(fx->path, TEXT "# a remark\n");
	let_it_look();
	assert_int_equal(get(fx, NULL), 0);
	assert_asked(fx, "0 1 0"); /* the refusal is forgotten */
	assert_int_equal(count_of(&fx->gh.told, "was read again: 3 tokens"), 1);
}

static void
a_file_that_became_unreadable_changes_nothing_and_is_told_once(void **state)
{
	static const struct http_scripted answers[] = { OK("[]"), OK("[]"), OK("[]"),
		OK("[]") };
	struct tokens_rig *fx = *state;

	BEGIN(fx, answers, false);
	assert_int_equal(get(fx, NULL), 0);
	write_tokens(fx->path, "# none\n");
	let_it_look();
	assert_int_equal(get(fx, NULL), 0);
	assert_int_equal(get(fx, NULL), 0);
	assert_int_equal(count_of(&fx->gh.told, "no token; the tokens read before"), 1);
	let_it_look();
	assert_int_equal(unlink(fx->path), 0);
	assert_int_equal(get(fx, NULL), 0);
	assert_int_equal(count_of(&fx->gh.told, fx->path), 2);
	assert_int_equal(count_of(&fx->gh.told, "one"), 0);
	assert_asked(fx, "0 0 0 0");
}

static void
a_long_wait_ends_when_another_token_is_found(void **state)
{
	static const struct http_scripted answers[] = {
		{ .status = 200, .headers = BUDGET("0"), .body = "[]" }, OK("[]")
	};
	struct tokens_rig *fx = *state;
	/* half a minute of waiting is some milliseconds */
	const struct gh_opts o = {
		.repository = REPOSITORY, .token_file = fx->path, .time_scale = 30
	};

	write_tokens(fx->path, "alone\n");
	assert_int_equal(start_with(&fx->gh, answers, 2, false, o, NULL), 0);
	assert_int_equal(get(fx, NULL), 0);
	write_tokens(fx->path, "fresh\n");
	assert_int_equal(get(fx, NULL), 0);
	assert_int_equal(count_of(&fx->gh.recorder.asked, "Bearer fresh"), 1);
	assert_in_range(gh_stats(fx->gh.gh)->waited_ms, 0, 70000); /* of 101 s */
}

static void
a_bad_file_is_an_error_at_the_start(void **state)
{
	struct tokens_rig *fx = *state;
	const struct gh_opts o = { .token_file = fx->path };
	struct err_info ei = { .text = "" };

	write_tokens(fx->path, "good\nb ad\n");
	assert_int_equal(start_with(&fx->gh, NULL, 0, false, o, &ei), ERR_INVAL);
	assert_non_null(strstr(ei.text, fx->path));
	assert_non_null(strstr(ei.text, "line 2"));
	assert_null(strstr(ei.text, "b ad"));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, prepare, clean_up)
	const struct CMUnitTest tests[] = {
		TEST(the_preferred_token_is_used_until_it_is_refused),
		TEST(when_all_are_refused_it_is_an_error_and_each_was_asked_once),
		TEST(a_spent_budget_moves_on_and_back_after_its_reset),
		TEST(a_refusal_for_a_spent_budget_moves_on_at_once),
		TEST(a_secondary_limit_is_sat_out_with_the_same_token),
		TEST(a_validator_goes_only_with_its_own_token),
		TEST(background_work_leaves_a_reserve),
		TEST(a_changed_file_is_read_again),
		TEST(a_file_that_became_unreadable_changes_nothing_and_is_told_once),
		TEST(a_long_wait_ends_when_another_token_is_found),
		TEST(a_bad_file_is_an_error_at_the_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
