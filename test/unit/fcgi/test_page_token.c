/* Page tokens: round trips, damage, and tokens of other queries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/digest.h"
#include "fcgi/page_token.h"

#define REPO SLICE("acme/widgets")
#define RAW 34

static const struct params query = { .order = SNAP_BY_UPDATED,
	.descending = true,
	.classes = 5,
	.page_size = 100,
	.filter = SLICE_INIT("issue.closed") };

static int
parse(const char *token, size_t len, struct snap_list_pos *ret, struct err_info *ei)
{
	return page_token_parse((struct slice){ token, len }, &query, REPO, ret, ei);
}

static void
a_token_gives_back_its_place(void **state)
{
	static const struct snap_list_pos places[] = { { 0, 1 }, { UINT64_MAX, UINT32_MAX },
		{ UINT64_C(0x8000000000000000), 7 }, { 1, 0 },
		{ UINT64_C(0x0123456789abcdef), 0x89abcdef } };

	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		char token[PAGE_TOKEN_TEXT];
		struct snap_list_pos got;

		page_token_make(&query, REPO, places[i], token);
		assert_int_equal(strspn(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrst"
					       "uvwxyz0123456789-_"),
		    strlen(token));
		assert_int_equal(parse(token, strlen(token), &got, NULL), 0);
		assert_true(got.key == places[i].key);
		assert_int_equal(got.number, places[i].number);
	}
}

static void
every_flipped_bit_is_noticed(void **state)
{
	const struct snap_list_pos place = { UINT64_C(1700000000000), 4711 };
	char token[PAGE_TOKEN_TEXT], damaged[PAGE_TOKEN_TEXT];
	unsigned char raw[RAW];
	struct snap_list_pos got = { 9, 9 };

	(void)state;
	page_token_make(&query, REPO, place, token);
	assert_int_equal(base64url_decode(slice_str(token), raw, sizeof(raw)), RAW);
	for (size_t bit = 0; bit < 8 * RAW; bit++) {
		raw[bit / 8] ^= (unsigned char)(1U << bit % 8);
		base64url_encode(raw, RAW, damaged);
		assert_int_equal(parse(damaged, strlen(damaged), &got, NULL), ERR_INVAL);
		raw[bit / 8] ^= (unsigned char)(1U << bit % 8);
	}
	/* and in the text, where some bits carry nothing */
	for (size_t bit = 0; bit < 8 * strlen(token); bit++) {
		memcpy(damaged, token, sizeof(token));
		damaged[bit / 8] = (char)(damaged[bit / 8] ^ (1 << bit % 8));
		assert_int_equal(parse(damaged, strlen(token), &got, NULL), ERR_INVAL);
	}
	assert_int_equal(got.number, 9);
}

/* The last character holds two bits that belong to nothing. */
static void
a_token_is_spelt_in_one_way_only(void **state)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				       "0123456789-_";
	char token[PAGE_TOKEN_TEXT];
	struct snap_list_pos got;
	int accepted = 0;

	(void)state;
	page_token_make(&query, REPO, (struct snap_list_pos){ 1, 2 }, token);
	for (size_t i = 0; i < 64; i++) {
		token[strlen(token) - 1] = alphabet[i];
		accepted += parse(token, strlen(token), &got, NULL) == 0;
	}
	assert_int_equal(accepted, 1);
}

static void
every_truncation_and_addition_is_noticed(void **state)
{
	char token[PAGE_TOKEN_TEXT], longer[2 * PAGE_TOKEN_TEXT];
	struct snap_list_pos got;

	(void)state;
	page_token_make(&query, REPO, (struct snap_list_pos){ 1, 2 }, token);
	for (size_t len = 0; len < strlen(token); len++)
		assert_int_equal(parse(token, len, &got, NULL), ERR_INVAL);
	for (int c = 1; c < 256; c++) {
		memcpy(longer, token, sizeof(token));
		longer[strlen(token)] = (char)c;
		assert_int_equal(parse(longer, strlen(token) + 1, &got, NULL), ERR_INVAL);
		longer[0] = (char)c;
		memcpy(longer + 1, token, sizeof(token));
		assert_int_equal(parse(longer, strlen(token) + 1, &got, NULL), ERR_INVAL);
	}
}

static void
junk_is_damaged(void **state)
{
	static const char *const junk[] = { "x", "null", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"                                   ",
		"===================================", "+++++++++++++++++++++++++++++++++++",
		"\n\n\n\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(junk) / sizeof(junk[0]); i++) {
		struct err_info ei = { .text = "" };
		struct snap_list_pos got;

		assert_int_equal(parse(junk[i], strlen(junk[i]), &got, &ei), ERR_INVAL);
		assert_non_null(strstr(ei.text, "damaged"));
	}
}

static void
a_token_of_another_query_is_refused(void **state)
{
	struct params others[4] = { query, query, query, query };
	char token[PAGE_TOKEN_TEXT];
	struct err_info ei = { .text = "" };
	struct snap_list_pos got;

	(void)state;
	others[0].order = SNAP_BY_CREATED;
	others[1].descending = false;
	others[2].classes = 7;
	others[3].filter = SLICE("issue.open");
	page_token_make(&query, REPO, (struct snap_list_pos){ 1, 2 }, token);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(
		    page_token_parse(slice_str(token), &others[i], REPO, &got, &ei), ERR_INVAL);
		assert_non_null(strstr(ei.text, "another query"));
	}
	assert_int_equal(
	    page_token_parse(slice_str(token), &query, SLICE("acme/gadgets"), &got, &ei),
	    ERR_INVAL);
}

static void
a_token_carries_the_total(void **state)
{
	static const uint64_t totals[] = { 0, 1, 123456, UINT64_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof(totals) / sizeof(totals[0]); i++) {
		char token[PAGE_TOKEN_TEXT];
		struct snap_list_pos got;
		uint64_t total = 7;

		page_token_make_counted(
		    &query, REPO, (struct snap_list_pos){ 1, 2 }, totals[i], token);
		assert_int_equal(page_token_parse_counted(
				     slice_str(token), &query, REPO, &got, &total, NULL),
		    0);
		assert_true(total == totals[i]);
	}
}

/* A token that a version before this one made. */
static void
a_token_of_another_version_is_damaged(void **state)
{
	struct err_info ei = { .text = "" };
	struct snap_list_pos got;

	(void)state;
	assert_int_equal(page_token_parse(SLICE("AQDjNDMfwNZ8_IAAAYvP5WgAAAASZ5qwhJw"), &query,
			     REPO, &got, &ei),
	    ERR_INVAL);
	assert_non_null(strstr(ei.text, "damaged"));
}

/* A client may change these in the middle of a walk. */
static void
page_size_and_fields_do_not_bind_a_token(void **state)
{
	struct params other = query;
	char token[PAGE_TOKEN_TEXT];
	struct snap_list_pos got;

	(void)state;
	other.page_size = 7;
	other.fields = 1;
	page_token_make(&query, REPO, (struct snap_list_pos){ 1, 2 }, token);
	assert_int_equal(page_token_parse(slice_str(token), &other, REPO, &got, NULL), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_gives_back_its_place),
		cmocka_unit_test(every_flipped_bit_is_noticed),
		cmocka_unit_test(a_token_is_spelt_in_one_way_only),
		cmocka_unit_test(every_truncation_and_addition_is_noticed),
		cmocka_unit_test(junk_is_damaged),
		cmocka_unit_test(a_token_of_another_query_is_refused),
		cmocka_unit_test(a_token_carries_the_total),
		cmocka_unit_test(a_token_of_another_version_is_damaged),
		cmocka_unit_test(page_size_and_fields_do_not_bind_a_token),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
