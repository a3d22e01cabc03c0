/* page_token.c - packing and checking page tokens. */
#include "fcgi/page_token.h"

#include "base/buf.h"
#include "base/digest.h"
#include "base/hex.h"

#define TOKEN_VERSION 1
#define DIGEST_LEN 8
#define AT_DIGEST 2
#define AT_KEY (AT_DIGEST + DIGEST_LEN)
#define AT_NUMBER (AT_KEY + 8)
#define AT_CRC (AT_NUMBER + 4)
#define TOKEN_LEN (AT_CRC + 4)

_Static_assert(PAGE_TOKEN_TEXT > 2 * TOKEN_LEN, "a token's text fits");

/* What a token must not be moved between: repository, order, classes, filter. */
static void
query_digest(const struct params *p, struct slice repo, unsigned char out[DIGEST_LEN])
{
	unsigned char raw[SHA256_LEN] = { 0 };
	struct buf b;

	buf_init(&b, (size_t)1 << 20);
	buf_slice(&b, repo);
	buf_char(&b, '\0');
	buf_fmt(&b, "%d %d %u ", (int)p->order, p->descending, p->classes);
	buf_slice(&b, p->filter);
	sha256(buf_view(&b), raw);
	memcpy(out, raw, DIGEST_LEN);
	buf_clear(&b);
}

void
page_token_make(const struct params *p, struct slice repo, struct snap_list_pos at,
    char out[PAGE_TOKEN_TEXT])
{
	unsigned char raw[TOKEN_LEN] = { TOKEN_VERSION, (unsigned char)p->order };

	query_digest(p, repo, raw + AT_DIGEST);
	put_be64(raw + AT_KEY, at.key);
	put_be32(raw + AT_NUMBER, at.number);
	put_be32(raw + AT_CRC, crc32c(0, raw, AT_CRC));
	hex_encode(raw, sizeof(raw), out);
}

int
page_token_parse(struct slice token, const struct params *p, struct slice repo,
    struct snap_list_pos *ret, struct err_info *ei)
{
	unsigned char raw[TOKEN_LEN], digest[DIGEST_LEN];

	if (hex_decode(token, raw, sizeof(raw)) != sizeof(raw) ||
	    get_be32(raw + AT_CRC) != crc32c(0, raw, AT_CRC) || raw[0] != TOKEN_VERSION)
		return err_set(ei, ERR_INVAL, "pageToken is damaged; start again without it");
	query_digest(p, repo, digest);
	if (memcmp(digest, raw + AT_DIGEST, DIGEST_LEN) != 0)
		return err_set(ei, ERR_INVAL,
		    "pageToken belongs to another query: keep repository, orderBy, closed, "
		    "pullRequest and filter while paging");
	ret->key = get_be64(raw + AT_KEY);
	ret->number = get_be32(raw + AT_NUMBER);
	return 0;
}
