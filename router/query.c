/* query.c - see query.h. */
#include "router/query.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/repo_list.h"

#define TOKEN_VERSION 1
#define DIGEST_LEN 8
#define AT_NAME (1 + DIGEST_LEN)
#define TOKEN_MAX (AT_NAME + REPO_NAME_MAX + 4)

_Static_assert(PAGE_NAME_TOKEN > 4 * (TOKEN_MAX + 2) / 3, "a token's text fits");

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* application/x-www-form-urlencoded, as queries are. */
static int
decode(struct slice s, struct arena *a, struct slice *ret, struct err_info *ei)
{
	char *out = arena_alloc(a, s.len + 1);
	size_t n = 0;

	if (out == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] != '%') {
			out[n++] = s.ptr[i] == '+' ? ' ' : s.ptr[i];
			continue;
		}
		if (i + 2 >= s.len || hex(s.ptr[i + 1]) < 0 || hex(s.ptr[i + 2]) < 0)
			return err_set(ei, ERR_INVAL, "the query has a broken percent code");
		out[n++] = (char)(16 * hex(s.ptr[i + 1]) + hex(s.ptr[i + 2]));
		i += 2;
	}
	*ret = (struct slice){ out, n };
	return 0;
}

static int
parse_size(struct slice v, unsigned *ret, struct err_info *ei)
{
	char text[24], *end;
	long n;

	if (v.len == 0 || v.len >= sizeof(text))
		return err_set(ei, ERR_INVAL, "pageSize is not a number");
	memcpy(text, v.ptr, v.len);
	text[v.len] = '\0';
	n = strtol(text, &end, 10);
	if (*end != '\0' || isspace((unsigned char)text[0]))
		return err_set(ei, ERR_INVAL, "pageSize is not a number");
	*ret = n < 1 || n > PAGE_SIZE_MAX ? PAGE_SIZE_MAX : (unsigned)n;
	return 0;
}

static int
take_pair(struct slice pair, struct arena *a, struct page_query *q, struct err_info *ei)
{
	const char *eq = pair.len > 0 ? memchr(pair.ptr, '=', pair.len) : NULL;
	size_t n = eq != NULL ? (size_t)(eq - pair.ptr) : pair.len;
	struct slice name, value,
	    raw = { eq != NULL ? eq + 1 : pair.ptr + n, eq != NULL ? pair.len - n - 1 : 0 };
	int rc = decode((struct slice){ pair.ptr, n }, a, &name, ei);

	if (rc == 0)
		rc = decode(raw, a, &value, ei);
	if (rc != 0)
		return rc;
	if (slice_is(name, "pageSize") || slice_is(name, "page_size"))
		return parse_size(value, &q->size, ei);
	if (slice_is(name, "pageToken") || slice_is(name, "page_token"))
		q->token = value;
	if (slice_is(name, "filter"))
		q->filter = value;
	return 0;
}

int
page_query_parse(
    struct slice query, struct arena *a, struct page_query *ret, struct err_info *ei)
{
	struct page_query q = { .size = PAGE_SIZE_MAX };

	if (query.len > QUERY_BYTES_MAX)
		return err_set(
		    ei, ERR_LIMIT, "the query is longer than %zu bytes", QUERY_BYTES_MAX);
	while (query.len > 0) {
		const char *amp = memchr(query.ptr, '&', query.len);
		size_t n = amp != NULL ? (size_t)(amp - query.ptr) : query.len;
		int rc = take_pair((struct slice){ query.ptr, n }, a, &q, ei);

		if (rc != 0)
			return rc;
		n += amp != NULL;
		query.ptr += n;
		query.len -= n;
	}
	*ret = q;
	return 0;
}

static void
query_digest(const char *owner, struct slice filter, unsigned char out[DIGEST_LEN])
{
	unsigned char raw[SHA256_LEN] = { 0 };
	struct buf b;

	buf_init(&b, 2 * QUERY_BYTES_MAX);
	for (; *owner != '\0'; owner++)
		buf_char(&b, (char)tolower((unsigned char)*owner));
	buf_char(&b, '\0');
	buf_slice(&b, filter);
	sha256(buf_view(&b), raw);
	memcpy(out, raw, DIGEST_LEN);
	buf_clear(&b);
}

void
page_name_token(const char *owner, struct slice filter, const char *name, char *out)
{
	unsigned char raw[TOKEN_MAX] = { TOKEN_VERSION };
	size_t n = strlen(name);

	query_digest(owner, filter, raw + 1);
	memcpy(raw + AT_NAME, name, n);
	put_be32(raw + AT_NAME + n, crc32c(0, raw, AT_NAME + n));
	base64url_encode(raw, AT_NAME + n + 4, out);
}

int
page_name_parse(
    struct slice token, const char *owner, struct slice filter, char *ret, struct err_info *ei)
{
	unsigned char raw[TOKEN_MAX], digest[DIGEST_LEN];
	size_t len = base64url_decode(token, raw, sizeof(raw)), n;

	if (len == SIZE_MAX || len < AT_NAME + 4 || raw[0] != TOKEN_VERSION ||
	    get_be32(raw + len - 4) != crc32c(0, raw, len - 4))
		return err_set(ei, ERR_INVAL, "pageToken is damaged; start again without it");
	query_digest(owner, filter, digest);
	if (memcmp(digest, raw + 1, DIGEST_LEN) != 0)
		return err_set(ei, ERR_INVAL,
		    "pageToken belongs to another query: keep owner and filter while paging");
	n = len - AT_NAME - 4;
	memcpy(ret, raw + AT_NAME, n);
	ret[n] = '\0';
	return 0;
}
