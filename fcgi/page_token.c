/* page_token.c - packing and checking page tokens. */
#include "fcgi/page_token.h"

#include "base/base64.h"
#include "base/hash.h"

#define TOKEN_VERSION 2
#define AT_DIGEST 2
#define AT_KEY (AT_DIGEST + 8)
#define AT_NUMBER (AT_KEY + 8)
#define AT_TOTAL (AT_NUMBER + 4)
#define AT_CRC (AT_TOTAL + 8)
#define TOKEN_LEN (AT_CRC + 4)

_Static_assert(PAGE_TOKEN_TEXT > 4 * (TOKEN_LEN + 2) / 3, "a token's text fits");

/* What a token must not be moved between: list, order, classes, filter. */
static uint64_t
query_digest(const struct params *p, struct slice scope)
{
	const char how[] = { '\0', (char)p->order, (char)p->descending, (char)p->classes };
	uint64_t h = hash64_add(HASH64_START, scope);

	h = hash64_add(h, (struct slice){ how, sizeof(how) });
	return hash64_end(hash64_add(h, p->filter));
}

void
page_token_make_counted(const struct params *p, struct slice scope, struct snap_list_pos at,
    uint64_t total, char out[PAGE_TOKEN_TEXT])
{
	unsigned char raw[TOKEN_LEN] = { TOKEN_VERSION, (unsigned char)p->order };

	put_be64(raw + AT_DIGEST, query_digest(p, scope));
	put_be64(raw + AT_KEY, at.key);
	put_be32(raw + AT_NUMBER, at.number);
	put_be64(raw + AT_TOTAL, total);
	put_be32(raw + AT_CRC, crc32c(0, raw, AT_CRC));
	base64url_encode(raw, sizeof(raw), out);
}

void
page_token_make(const struct params *p, struct slice scope, struct snap_list_pos at,
    char out[PAGE_TOKEN_TEXT])
{
	page_token_make_counted(p, scope, at, 0, out);
}

int
page_token_parse_counted(struct slice token, const struct params *p, struct slice scope,
    struct snap_list_pos *ret, uint64_t *ret_total, struct err_info *ei)
{
	unsigned char raw[TOKEN_LEN];

	if (base64url_decode(token, raw, sizeof(raw)) != sizeof(raw) ||
	    get_be32(raw + AT_CRC) != crc32c(0, raw, AT_CRC) || raw[0] != TOKEN_VERSION)
		return err_set(ei, ERR_INVAL, "pageToken is damaged; start again without it");
	if (get_be64(raw + AT_DIGEST) != query_digest(p, scope) ||
	    raw[1] != (unsigned char)p->order)
		return err_set(ei, ERR_INVAL,
		    "pageToken belongs to another query: keep repository, orderBy, closed, "
		    "pullRequest and filter while paging");
	ret->key = get_be64(raw + AT_KEY);
	ret->number = get_be32(raw + AT_NUMBER);
	*ret_total = get_be64(raw + AT_TOTAL);
	return 0;
}

int
page_token_parse(struct slice token, const struct params *p, struct slice scope,
    struct snap_list_pos *ret, struct err_info *ei)
{
	uint64_t total;

	return page_token_parse_counted(token, p, scope, ret, &total, ei);
}
