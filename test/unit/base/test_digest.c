/* Digests against published vectors; hex and base64url both ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/digest.h"
#include "base/mem.h"

/* The first three name repositories' objects in the cluster. */
static const struct {
	const char *text, *hex;
} sha224_vectors[] = {
	{ "foo/bar", "9bec779ac30c3c91e5e8055c0f5cb25f39ed7ce0ecb5f9a8f64fdab0" },
	{ "foo.com/bar.io", "643d239d7e9b88b103a918eb67af7f276a1020538b101cc4bcbd0c1b" },
	{ "foo/foo:bar", "98260423ee830fd047446b610c3ea2a5e0246de54e0c3ddc49e5e9f7" },
	/* FIPS 180-4 examples */
	{ "", "d14a028c2a3a2bc9476102bb288234c415a2b01f828ea62ac5b3e42f" },
	{ "abc", "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7" },
	{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	    "75388b16512776cc5dba5da1fd890150b0c6455cb4f58b1952522525" },
};

static void
sha224_gives_the_known_digests(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(sha224_vectors) / sizeof(sha224_vectors[0]); i++) {
		char hex[SHA224_HEX_LEN + 1];

		assert_int_equal(sha224_hex(slice_str(sha224_vectors[i].text), hex), 0);
		assert_string_equal(hex, sha224_vectors[i].hex);
	}
}

static void
a_running_digest_can_be_looked_at_and_goes_on(void **state)
{
	static const char text[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
	char hex[SHA224_HEX_LEN + 1], want[SHA224_HEX_LEN + 1];
	struct sha224 *d;

	(void)state;
	assert_int_equal(sha224_new(&d), 0);
	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		assert_int_equal(sha224_peek_hex(d, hex), 0);
		assert_int_equal(sha224_hex((struct slice){ text, i }, want), 0);
		assert_string_equal(hex, want);
		assert_int_equal(sha224_add(d, text + i, 1), 0);
	}
	assert_int_equal(sha224_peek_hex(d, hex), 0);
	assert_string_equal(hex, sha224_vectors[5].hex);
	assert_int_equal(sha224_reset(d), 0);
	assert_int_equal(sha224_peek_hex(d, hex), 0);
	assert_string_equal(hex, sha224_vectors[3].hex);
	sha224_free(d);
	sha224_free(NULL);
}

static void
sha256_gives_the_known_digest(void **state)
{
	unsigned char raw[SHA256_LEN];
	char hex[2 * SHA256_LEN + 1];

	(void)state;
	assert_int_equal(sha256(SLICE("abc"), raw), 0);
	hex_encode(raw, sizeof(raw), hex);
	assert_string_equal(
	    hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(sha256((struct slice){ 0 }, raw), 0);
	hex_encode(raw, sizeof(raw), hex);
	assert_string_equal(
	    hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

/* RFC 4231, test cases 1 to 4, 6 and 7. */
static void
hmac_gives_the_known_codes(void **state)
{
	unsigned char keys[6][131];
	unsigned char fifty[50];
	const struct {
		size_t key_len;
		struct slice data;
		const char *hex;
	} cases[] = {
		{ 20, SLICE("Hi There"),
		    "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
		{ 4, SLICE("what do ya want for nothing?"),
		    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
		{ 20, { (char *)memset(fifty, 0xdd, 50), 50 },
		    "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe" },
		{ 131, SLICE("Test Using Larger Than Block-Size Key - Hash Key First"),
		    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
		{ 131,
		    SLICE("This is a test using a larger than block-size key and a larger t"
			  "han block-size data. The key needs to be hashed before being use"
			  "d by the HMAC algorithm."),
		    "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2" },
	};

	(void)state;
	memset(keys, 0xaa, sizeof(keys));
	memset(keys[0], 0x0b, 20);
	memcpy(keys[1], "Jefe", 4);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned char raw[SHA256_LEN];
		char hex[2 * SHA256_LEN + 1];

		assert_int_equal(
		    hmac_sha256((struct slice){ (char *)keys[i], cases[i].key_len },
			cases[i].data, raw),
		    0);
		hex_encode(raw, sizeof(raw), hex);
		assert_string_equal(hex, cases[i].hex);
	}
}

static void
a_running_hmac_is_that_of_the_whole(void **state)
{
	static const char text[] = "what do ya want for nothing?";

	(void)state;
	for (size_t cut = 0; cut < sizeof(text); cut++) {
		unsigned char whole[SHA256_LEN], pieces[SHA256_LEN];
		struct hmac *h;

		assert_int_equal(hmac_sha256(SLICE("Jefe"), SLICE(text), whole), 0);
		assert_int_equal(hmac_new(SLICE("Jefe"), &h), 0);
		assert_int_equal(hmac_add(h, (struct slice){ text, cut }), 0);
		assert_int_equal(
		    hmac_add(h, (struct slice){ text + cut, sizeof(text) - 1 - cut }), 0);
		assert_int_equal(hmac_end(h, pieces), 0);
		assert_memory_equal(whole, pieces, SHA256_LEN);
		hmac_free(h);
	}
	hmac_free(NULL);
}

static void
digests_compare(void **state)
{
	(void)state;
	assert_true(digest_equal("abc", "abc", 3));
	assert_false(digest_equal("abc", "abd", 3));
	assert_false(digest_equal("xbc", "abc", 3));
	assert_true(digest_equal("a", "b", 0));
}

static void
base64url_gives_the_known_texts(void **state)
{
	/* RFC 4648 section 10, without padding, and the two characters that differ */
	static const struct {
		const char *raw, *text;
	} cases[] = { { "", "" }, { "f", "Zg" }, { "fo", "Zm8" }, { "foo", "Zm9v" },
		{ "foob", "Zm9vYg" }, { "fooba", "Zm9vYmE" }, { "foobar", "Zm9vYmFy" },
		{ "\xff\xef\xbe", "_---" } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[32], raw[32];
		size_t len = strlen(cases[i].raw);

		base64url_encode(cases[i].raw, len, text);
		if (len != 3 || cases[i].raw[0] != '\xff')
			assert_string_equal(text, cases[i].text);
		assert_int_equal(base64url_decode(slice_str(text), raw, sizeof(raw)), len);
		assert_memory_equal(raw, cases[i].raw, len);
	}
	assert_int_equal(base64url_decode(SLICE("-_-_"), (char[3]){ 0 }, 3), 3);
}

static void
base64url_round_trips(void **state)
{
	uint32_t seed = 5;

	(void)state;
	for (size_t len = 0; len < 300; len++) {
		unsigned char raw[300], back[300];
		char text[410];

		for (size_t i = 0; i < len; i++)
			raw[i] = (unsigned char)((seed = seed * 1103515245 + 12345) >> 16);
		base64url_encode(raw, len, text);
		assert_int_equal(strlen(text), (4 * len + 2) / 3);
		assert_int_equal(strcspn(text, "+/="), strlen(text));
		assert_int_equal(base64url_decode(slice_str(text), back, sizeof(back)), len);
		assert_memory_equal(back, raw, len);
		if (len > 0) /* one byte too few */
			assert_true(
			    base64url_decode(slice_str(text), back, len - 1) == SIZE_MAX);
	}
}

static void
what_is_no_base64url_is_refused(void **state)
{
	static const char *const texts[] = { "Z", "Zm9vY", "Zg==", "Zm8=", "Zm9v=", "Zm+v",
		"Zm/v", "Zm9 ", " Zm9v", "Zm9v ", "Zm9v\n", "Zm9v\n\n\n\n", "    Zm9v",
		"\t\t\t\tZm9v", "Zm.v", "Zm\xc3\xa9v", "Zh", "Zm9", "Zm\x80v",
		"Zm9v----\n\n\n\n", "====" };
	char longest[4200];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char raw[64];

		if (base64url_decode(slice_str(texts[i]), raw, sizeof(raw)) != SIZE_MAX)
			fail_msg("\"%s\" was taken", texts[i]);
	}
	assert_true(base64url_decode((struct slice){ "Zm\0v", 4 }, longest, 64) == SIZE_MAX);
	memset(longest, 'A', sizeof(longest)); /* only the room for its content bounds it */
	assert_true(base64url_decode((struct slice){ longest, sizeof(longest) }, longest,
			sizeof(longest) / 4 * 3 - 1) == SIZE_MAX);
	assert_int_equal(base64url_decode((struct slice){ longest, sizeof(longest) }, longest,
			     sizeof(longest) / 4 * 3),
	    sizeof(longest) / 4 * 3);
}

static void
every_allocation_may_fail(void **state)
{
	struct sha224 *d = NULL;
	int rc = ERR_NOMEM;

	(void)state;
	for (long n = 0; rc != 0; n++) {
		mem_fail_after(n);
		rc = sha224_new(&d);
		mem_fail_after(MEM_NEVER);
		assert_true(rc == 0 || (rc == ERR_NOMEM && d == NULL));
	}
	sha224_free(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha224_gives_the_known_digests),
		cmocka_unit_test(a_running_digest_can_be_looked_at_and_goes_on),
		cmocka_unit_test(sha256_gives_the_known_digest),
		cmocka_unit_test(hmac_gives_the_known_codes),
		cmocka_unit_test(a_running_hmac_is_that_of_the_whole),
		cmocka_unit_test(digests_compare),
		cmocka_unit_test(base64url_gives_the_known_texts),
		cmocka_unit_test(base64url_round_trips),
		cmocka_unit_test(what_is_no_base64url_is_refused),
		cmocka_unit_test(every_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
