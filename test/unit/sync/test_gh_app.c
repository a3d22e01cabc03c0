/* A GitHub App: what it signs, when it asks for a token, and what refusals mean. */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/digest.h"
#include "sync/github/gh_app.h"
#include "test/unit/sync/gh_rig.h"

#define T0 INT64_C(784111777) /* Sun, 06 Nov 1994 08:49:37 GMT */
#define AT(time) "date: Sun, 06 Nov 1994 " time " GMT\n"
#define D0 AT("08:49:37")
#define LOOKUP BASE "/repos/owner/repo/installation"
#define MINT BASE "/app/installations/42/access_tokens"
#define TOKEN(text, expires) "{\"token\":\"" text "\",\"expires_at\":\"" expires "\"}"
#define FOUND                                                                                  \
	{                                                                                      \
		LOOKUP, 0, 200, D0, "{\"id\":42,\"app_id\":7}"                                 \
	}
#define MINTED(text)                                                                           \
	{                                                                                      \
		MINT, 0, 201, D0, TOKEN(text, "1994-11-06T09:49:37Z")                          \
	}
#define ANSWER                                                                                 \
	{                                                                                      \
		BASE "/x", 0, 200, D0, "[]"                                                    \
	}

static EVP_PKEY *key, *other_key;

struct app_rig {
	struct gh_rig gh;
	char path[64];
	struct err_info ei;
};

static void
write_key(const char *path, EVP_PKEY *k)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	if (k != NULL)
		assert_int_equal(PEM_write_PrivateKey(f, k, NULL, NULL, 0, NULL, NULL), 1);
	else
		assert_true(fputs("-----BEGIN NONSENSE-----\n", f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static int
make_keys(void **state)
{
	(void)state;
	key = EVP_RSA_gen(2048);
	other_key = EVP_RSA_gen(2048);
	return key != NULL && other_key != NULL ? 0 : -1;
}

static int
free_keys(void **state)
{
	(void)state;
	EVP_PKEY_free(key);
	EVP_PKEY_free(other_key);
	return 0;
}

static int
prepare(void **state)
{
	struct app_rig *fx = mem_zalloc(sizeof(*fx));

	snprintf(fx->path, sizeof(fx->path), "/tmp/gh_app.%d.pem", (int)getpid());
	write_key(fx->path, key);
	*state = fx;
	return 0;
}

static int
clean_up(void **state)
{
	struct app_rig *fx = *state;

	stop(&fx->gh);
	unlink(fx->path);
	mem_free(fx);
	return 0;
}

static struct gh_opts
options(const struct app_rig *fx, int64_t installation)
{
	return (struct gh_opts){ .repository = "owner/repo",
		.app_id = "Iv1.abc",
		.app_key_file = fx->path,
		.installation_id = installation };
}

static void
begin(struct app_rig *fx, const struct http_scripted *answers, size_t count, bool impatient,
    int64_t installation)
{
	assert_int_equal(
	    start_with(&fx->gh, answers, count, impatient, options(fx, installation), NULL), 0);
}

#define BEGIN(fx, answers, impatient, installation)                                            \
	begin((fx), (answers), sizeof(answers) / sizeof((answers)[0]), (impatient),            \
	    (installation))

static int
get(struct app_rig *fx, const char *etag)
{
	int rc;

	fx->ei = (struct err_info){ .text = "" };
	rc = gh_get(fx->gh.gh, BASE "/x", etag, true, &fx->gh.page, &fx->ei);
	gh_page_clear(&fx->gh.page);
	return rc;
}

/* The nth assertion sent (from 0), its claims parsed, its signature checked. */
static json_t *
claims_of(struct app_rig *fx, int nth, EVP_PKEY *signer)
{
	const char *at = buf_cstr(&fx->gh.recorder.asked), *dot1, *dot2;
	char claims[1024];
	unsigned char signature[512];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	json_t *doc;
	size_t len;

	for (int i = 0; i <= nth; i++)
		assert_non_null(at = strstr(at + 1, "Bearer eyJ"));
	at += strlen("Bearer ");
	dot1 = strchr(at, '.');
	dot2 = strchr(dot1 + 1, '.');
	len = base64url_decode(
	    (struct slice){ dot2 + 1, strcspn(dot2 + 1, "|\n") }, signature, sizeof(signature));
	assert_int_equal(len, 256);
	assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, signer), 1);
	assert_int_equal(EVP_DigestVerify(ctx, signature, len, (const unsigned char *)at,
			     (size_t)(dot2 - at)),
	    1);
	EVP_MD_CTX_free(ctx);
	len = base64url_decode(
	    (struct slice){ dot1 + 1, (size_t)(dot2 - dot1 - 1) }, claims, sizeof(claims));
	assert_in_range(len, 1, sizeof(claims) - 1);
	assert_int_equal(json_in_parse((struct slice){ claims, len }, "claims", &doc, NULL), 0);
	return doc;
}

static void
assert_claims(struct app_rig *fx, int nth, EVP_PKEY *signer, int64_t now_s)
{
	json_t *doc = claims_of(fx, nth, signer);
	struct json_in in = { .what = "claims" };
	int64_t iat;

	assert_string_equal(json_in_str(&in, doc, "iss"), "Iv1.abc");
	iat = json_in_i64(&in, doc, "iat");
	assert_in_range(iat, now_s - 60, now_s - 50); /* on a slow machine */
	assert_int_equal(json_in_i64(&in, doc, "exp"), iat + 600);
	assert_int_equal(json_object_size(doc), 3);
	json_decref(doc);
}

static void
the_installation_is_found_and_its_token_used(void **state)
{
	static const struct http_scripted answers[] = { FOUND, MINTED("tok1"), ANSWER, ANSWER };
	struct app_rig *fx = *state;

	BEGIN(fx, answers, false, 0);
	assert_true(gh_has_token(fx->gh.gh));
	assert_int_equal(get(fx, NULL), 0);
	assert_int_equal(get(fx, NULL), 0);
	assert_int_equal(count_of(&fx->gh.recorder.asked, "Bearer tok1"), 2);
	assert_int_equal(count_of(&fx->gh.recorder.asked, "Bearer eyJ"), 2);
	assert_int_equal(count_of(&fx->gh.recorder.asked, "POST {} " MINT), 1);
	/* the first assertion goes by our clock, the second by GitHub's */
	assert_claims(fx, 1, key, T0);
}

static void
a_given_installation_is_not_looked_for(void **state)
{
	static const struct http_scripted answers[] = { MINTED("tok1"), ANSWER };
	struct app_rig *fx = *state;

	BEGIN(fx, answers, false, 42);
	assert_int_equal(get(fx, NULL), 0);
}

static void
a_wrong_clock_is_set_by_githubs(void **state)
{
	static const struct http_scripted answers[] = {
		{ MINT, 0, 401, D0, "{\"message\":\"'Issued at' claim is in the future\"}" },
		MINTED("tok1"), ANSWER
	};
	struct app_rig *fx = *state;

	BEGIN(fx, answers, false, 42);
	assert_int_equal(get(fx, NULL), 0);
	assert_claims(fx, 1, key, T0);
	assert_int_equal(gh_stats(fx->gh.gh)->retries, 0);
}

static void
a_token_is_replaced_after_fifty_minutes(void **state)
{
	static const struct http_scripted answers[] = { MINTED("tok1"), ANSWER,
		{ BASE "/x", 0, 200, AT("09:39:36"), "[]" },
		{ BASE "/x", 0, 200, AT("09:39:37"), "[]" },
		{ MINT, 0, 201, AT("09:39:37"), TOKEN("tok2", "1994-11-06T10:39:37Z") },
		{ BASE "/x", 0, 200, AT("09:39:37"), "[]" } };
	struct app_rig *fx = *state;
	char digests[2][GH_TOKEN_DIGEST];

	BEGIN(fx, answers, false, 42);
	assert_string_equal(gh_token_digest(fx->gh.gh), ""); /* not known before */
	assert_int_equal(get(fx, "W/\"old\""), 0);
	assert_int_equal(count_of(&fx->gh.recorder.asked, "If-None-Match"), 0);
	memcpy(digests[0], gh_token_digest(fx->gh.gh), GH_TOKEN_DIGEST);
	assert_string_equal(fx->gh.page.token_digest, digests[0]);
	assert_int_equal(get(fx, "W/\"a\""), 0);
	assert_int_equal(get(fx, "W/\"b\""), 0);
	assert_int_equal(count_of(&fx->gh.recorder.asked, "If-None-Match"), 2);
	assert_string_equal(gh_token_digest(fx->gh.gh), "");
	assert_int_equal(get(fx, "W/\"c\""), 0);
	assert_int_equal(count_of(&fx->gh.recorder.asked, "If-None-Match"), 2);
	memcpy(digests[1], gh_token_digest(fx->gh.gh), GH_TOKEN_DIGEST);
	assert_int_equal(strlen(digests[1]), GH_TOKEN_DIGEST - 1);
	assert_string_not_equal(digests[0], digests[1]);
	assert_int_equal(count_of(&fx->gh.recorder.asked, "Bearer tok1"), 3);
	assert_int_equal(count_of(&fx->gh.recorder.asked, "Bearer tok2"), 1);
}

static void
a_refused_token_is_replaced_once(void **state)
{
	static const struct http_scripted answers[] = { MINTED("tok1"),
		{ BASE "/x", 0, 401, D0, "{\"message\":\"Bad credentials\"}" }, MINTED("tok2"),
		ANSWER, { BASE "/x", 0, 401, D0, "{}" }, MINTED("tok3"),
		{ BASE "/x", 0, 401, D0, "{\"message\":\"Bad credentials\"}" } };
	struct app_rig *fx = *state;

	BEGIN(fx, answers, false, 42);
	assert_int_equal(get(fx, NULL), 0);
	assert_int_equal(count_of(&fx->gh.recorder.asked, "Bearer tok2"), 1);
	assert_int_equal(get(fx, NULL), ERR_AUTH);
	assert_non_null(strstr(fx->ei.text, "Bad credentials"));
	assert_int_equal(count_of(&fx->gh.recorder.asked, "Bearer tok3"), 1);
	assert_int_equal(count_of(&fx->gh.told, "tok"), 3); /* "token", thrice */
}

static void
a_living_token_outlasts_a_server_that_gives_no_other(void **state)
{
	static const struct http_scripted answers[] = { MINTED("tok1"),
		{ BASE "/x", 0, 200, AT("09:45:00"), "[]" },
		{ MINT, 0, 503, AT("09:45:00"), "{}" },
		{ BASE "/x", 0, 200, AT("09:45:01"), "[]" },
		{ BASE "/x", 0, 200, AT("09:46:30"),
		    "[]" }, /* asked again only a minute later */
		{ MINT, 0, 201, AT("09:46:30"), TOKEN("tok2", "1994-11-06T10:46:30Z") },
		{ BASE "/x", 0, 200, AT("09:46:30"), "[]" } };
	struct app_rig *fx = *state;

	BEGIN(fx, answers, false, 42);
	for (int i = 0; i < 4; i++)
		assert_int_equal(get(fx, NULL), 0);
	assert_int_equal(count_of(&fx->gh.recorder.asked, "Bearer tok1"), 3);
	assert_int_equal(count_of(&fx->gh.recorder.asked, "Bearer tok2"), 1);
}

static void
faults_of_the_token_server_are_tried_again(void **state)
{
	static const struct http_scripted answers[] = { { MINT, 0, 502, D0, "" },
		FAILS(ERR_TIMEOUT), { MINT, 0, 201, D0, "[]" }, { MINT, 0, 201, D0, "{}" },
		{ MINT, 0, 201, D0, TOKEN("late", "1994-11-06T08:49:36Z") }, MINTED("tok1"),
		{ .status = 200, .headers = D0, .body = "{}" } };
	struct app_rig *fx = *state;

	BEGIN(fx, answers, false, 42);
	/* for GraphQL, too: it was not the query that took long */
	assert_int_equal(
	    gh_post_json(fx->gh.gh, BASE "/graphql", "{}", 2, GH_GRAPHQL, &fx->gh.page, NULL),
	    0);
	assert_int_equal(gh_stats(fx->gh.gh)->retries, 5);
}

/* A 404 of the App must not look like the end of an issue. */
static void
what_refuses_the_app_is_an_error_of_its_credentials(void **state)
{
	static const struct http_scripted lookups[] = { { LOOKUP, 0, 404, D0,
							    "{\"message\":\"Not Found\"}" },
		{ LOOKUP, 0, 403, D0, "{\"message\":\"Suspended\"}" },
		{ LOOKUP, 0, 410, D0, "{\"message\":\"Gone\"}" },
		{ LOOKUP, 0, 422, D0, "{\"message\":\"Unprocessable\"}" },
		{ LOOKUP, 0, 301, D0 "location: https://evil.test/x\n",
		    "{\"message\":\"Moved\"}" } };
	static const char *const told[] = { "Not Found", "Suspended", "Gone", "Unprocessable",
		"Moved" };
	struct app_rig *fx = *state;

	BEGIN(fx, lookups, false, 0);
	for (size_t i = 0; i < sizeof(lookups) / sizeof(lookups[0]); i++) {
		assert_int_equal(get(fx, NULL), ERR_AUTH);
		assert_int_equal(fx->ei.http_status, 0);
		assert_non_null(strstr(fx->ei.text, told[i]));
		assert_null(strstr(fx->ei.text, "eyJ"));
	}
}

static void
a_renamed_repository_is_followed_and_a_new_installation_found(void **state)
{
	static const struct http_scripted answers[] = {
		{ LOOKUP, 0, 301, D0 "location: " BASE "/repositories/9/installation\n", "{}" },
		{ BASE "/repositories/9/installation", 0, 200, D0, "{\"id\":41}" },
		{ BASE "/app/installations/41/access_tokens", 0, 404, D0, "{}" }, FOUND,
		MINTED("tok1"), ANSWER
	};
	struct app_rig *fx = *state;

	BEGIN(fx, answers, false, 0);
	assert_int_equal(get(fx, NULL), ERR_AUTH); /* the installation went meanwhile */
	assert_int_equal(get(fx, NULL), 0);
}

static void
a_limit_on_tokens_is_sat_out(void **state)
{
	static const struct http_scripted answers[] = { { MINT, 0, 403, D0 "retry-after: 30\n",
	    "{}" } };
	struct app_rig *fx = *state;

	BEGIN(fx, answers, true, 42);
	assert_int_equal(get(fx, NULL), ERR_CANCELED);
	assert_int_equal(memcmp(fx->gh.waits.ptr, "rate limit ", 11), 0);
	assert_in_range(strtoll(buf_cstr(&fx->gh.waits) + 11, NULL, 10), 30000, 33000);
}

static void
a_changed_key_is_read_again_and_a_bad_one_is_not_taken(void **state)
{
	static const struct http_scripted answers[] = { MINTED("tok1"),
		{ BASE "/x", 0, 401, D0, "{}" }, MINTED("tok2"), ANSWER,
		{ BASE "/x", 0, 401, D0, "{}" }, MINTED("tok3"), ANSWER };
	struct app_rig *fx = *state;

	BEGIN(fx, answers, false, 42);
	write_key(fx->path, NULL);
	assert_int_equal(get(fx, NULL), 0);
	assert_int_equal(count_of(&fx->gh.told, "the key read before stays in use"), 1);
	assert_int_equal(count_of(&fx->gh.told, "NONSENSE"), 0);
	assert_claims(fx, 1, key, T0);
	write_key(fx->path, other_key);
	usleep(1010 * 1000);
	assert_int_equal(get(fx, NULL), 0);
	assert_claims(fx, 2, other_key, T0);
	assert_int_equal(count_of(&fx->gh.told, "key file was read again"), 1);
}

static void
settings_are_checked_at_the_start(void **state)
{
	struct app_rig *fx = *state;
	struct gh_opts cases[6];
	static const char *const told[] = { "GitHub App id", "GitHub App id", "key file",
		"installation", "repository", "/nowhere/key" };

	for (int i = 0; i < 6; i++)
		cases[i] = options(fx, 0);
	cases[0].app_id = "";
	cases[1].app_id = "1\"2";
	cases[2].app_key_file = NULL;
	cases[3].repository = NULL;
	cases[4].repository = "a/b?c";
	cases[5].app_key_file = "/nowhere/key";
	for (int i = 0; i < 6; i++) {
		struct err_info ei = { .text = "" };
		struct gh *g = NULL;

		cases[i].base_url = BASE;
		assert_int_equal(gh_new(&cases[i], &g, &ei), i == 5 ? ERR_NOENT : ERR_INVAL);
		assert_non_null(strstr(ei.text, told[i]));
		assert_null(g);
	}
	write_key(fx->path, NULL);
	assert_int_equal(
	    start_with(&fx->gh, NULL, 0, false, options(fx, 42), &fx->ei), ERR_INVAL);
	assert_non_null(strstr(fx->ei.text, "no RSA key"));
}

static void
a_start_survives_every_allocation_failure(void **state)
{
	struct app_rig *fx = *state;
	struct gh_opts o = options(fx, 42);
	struct gh *g = NULL;
	int rc = ERR_NOMEM;

	o.base_url = BASE;
	for (long n = 0; rc != 0; n++) {
		mem_fail_after(n);
		rc = gh_new(&o, &g, NULL);
		mem_fail_after(MEM_NEVER);
		assert_true(rc == 0 || (rc == ERR_NOMEM && g == NULL));
	}
	gh_free(g);
	assert_int_equal(start_with(&fx->gh, NULL, 0, false, o, NULL), 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, prepare, clean_up)
	const struct CMUnitTest tests[] = {
		TEST(the_installation_is_found_and_its_token_used),
		TEST(a_given_installation_is_not_looked_for),
		TEST(a_wrong_clock_is_set_by_githubs),
		TEST(a_token_is_replaced_after_fifty_minutes),
		TEST(a_refused_token_is_replaced_once),
		TEST(a_living_token_outlasts_a_server_that_gives_no_other),
		TEST(faults_of_the_token_server_are_tried_again),
		TEST(what_refuses_the_app_is_an_error_of_its_credentials),
		TEST(a_renamed_repository_is_followed_and_a_new_installation_found),
		TEST(a_limit_on_tokens_is_sat_out),
		TEST(a_changed_key_is_read_again_and_a_bad_one_is_not_taken),
		TEST(settings_are_checked_at_the_start),
		TEST(a_start_survives_every_allocation_failure),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
