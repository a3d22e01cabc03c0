/* record.c - FastCGI bytes in and out; must not know sockets, requests or handlers. */
#include "base/fcgi/record.h"

#define FCGI_VERSION 1
#define LENGTH_LONG 0x80000000u /* 3.4: the high bit says that a length has four bytes */

int
fcgi_header_decode(const char raw[FCGI_HEADER_BYTES], struct fcgi_header *ret)
{
	const unsigned char *p = (const unsigned char *)raw;

	if (p[0] != FCGI_VERSION)
		return ERR_PROTO;
	ret->type = p[1];
	ret->id = (uint16_t)(p[2] << 8 | p[3]);
	ret->content_bytes = (uint16_t)(p[4] << 8 | p[5]);
	ret->padding_bytes = p[6];
	return 0;
}

void
fcgi_header_encode(char raw[FCGI_HEADER_BYTES], const struct fcgi_header *h)
{
	raw[0] = FCGI_VERSION;
	raw[1] = (char)h->type;
	raw[2] = (char)(h->id >> 8);
	raw[3] = (char)(h->id & 0xff);
	raw[4] = (char)(h->content_bytes >> 8);
	raw[5] = (char)(h->content_bytes & 0xff);
	raw[6] = (char)h->padding_bytes;
	raw[7] = 0;
}

void
fcgi_begin_decode(const char content[FCGI_BODY_BYTES], struct fcgi_begin *ret)
{
	const unsigned char *p = (const unsigned char *)content;

	ret->role = (uint16_t)(p[0] << 8 | p[1]);
	ret->flags = p[2];
}

void
fcgi_end_decode(const char content[FCGI_BODY_BYTES], struct fcgi_end *ret)
{
	ret->app_status = get_be32(content);
	ret->protocol_status = (uint8_t)content[4];
}

static void
add_header(struct buf *b, uint8_t type, uint16_t id, size_t content_bytes)
{
	struct fcgi_header h = {
		.type = type, .id = id, .content_bytes = (uint16_t)content_bytes
	};
	char raw[FCGI_HEADER_BYTES];

	fcgi_header_encode(raw, &h);
	buf_add(b, raw, sizeof(raw));
}

void
fcgi_add_begin(struct buf *b, uint16_t id, const struct fcgi_begin *begin)
{
	char body[FCGI_BODY_BYTES] = { (char)(begin->role >> 8), (char)(begin->role & 0xff),
		(char)begin->flags };

	add_header(b, FCGI_BEGIN_REQUEST, id, sizeof(body));
	buf_add(b, body, sizeof(body));
}

void
fcgi_add_abort(struct buf *b, uint16_t id)
{
	add_header(b, FCGI_ABORT_REQUEST, id, 0);
}

void
fcgi_add_unknown_type(struct buf *b, uint8_t type)
{
	char body[FCGI_BODY_BYTES] = { (char)type };

	add_header(b, FCGI_UNKNOWN_TYPE, 0, sizeof(body));
	buf_add(b, body, sizeof(body));
}

void
fcgi_end_encode(char raw[FCGI_END_BYTES], uint16_t id, const struct fcgi_end *end)
{
	struct fcgi_header h = {
		.type = FCGI_END_REQUEST, .id = id, .content_bytes = FCGI_BODY_BYTES
	};
	char *body = raw + FCGI_HEADER_BYTES;

	fcgi_header_encode(raw, &h);
	put_be32(body, end->app_status);
	put_be32(body + 4, (uint32_t)end->protocol_status << 24);
}

void
fcgi_add_end(struct buf *b, uint16_t id, const struct fcgi_end *end)
{
	char raw[FCGI_END_BYTES];

	fcgi_end_encode(raw, id, end);
	buf_add(b, raw, sizeof(raw));
}

void
fcgi_add_stream(struct buf *b, uint8_t type, uint16_t id, struct slice data)
{
	while (data.len > 0) {
		size_t n = data.len < FCGI_CONTENT_ALIGNED ? data.len : FCGI_CONTENT_ALIGNED;

		add_header(b, type, id, n);
		buf_add(b, data.ptr, n);
		data.ptr += n;
		data.len -= n;
	}
}

void
fcgi_add_stream_end(struct buf *b, uint8_t type, uint16_t id)
{
	add_header(b, type, id, 0);
}

/* A length of one or four bytes; false when `rest` is too short for it. */
static bool
take_length(struct slice *rest, uint32_t *ret)
{
	if (rest->len == 0)
		return false;
	if ((unsigned char)rest->ptr[0] < 0x80) {
		*ret = (unsigned char)rest->ptr[0];
		rest->ptr++;
		rest->len--;
		return true;
	}
	if (rest->len < 4)
		return false;
	*ret = get_be32(rest->ptr) & ~LENGTH_LONG;
	rest->ptr += 4;
	rest->len -= 4;
	return true;
}

int
fcgi_pair_next(struct slice *rest, struct fcgi_pair *ret)
{
	struct slice s = *rest;
	uint32_t name_bytes, value_bytes;

	if (s.len == 0)
		return 0;
	if (!take_length(&s, &name_bytes) || !take_length(&s, &value_bytes))
		return ERR_PROTO;
	/* Each is below 2^31, so the sum fits. */
	if ((uint64_t)name_bytes + value_bytes > s.len)
		return ERR_PROTO;
	ret->name = (struct slice){ s.ptr, name_bytes };
	ret->value = (struct slice){ s.ptr + name_bytes, value_bytes };
	rest->ptr = s.ptr + name_bytes + value_bytes;
	rest->len = s.len - name_bytes - value_bytes;
	return 1;
}

static void
add_length(struct buf *b, size_t len)
{
	if (len < 0x80)
		buf_char(b, (char)len);
	else
		buf_be32(b, (uint32_t)len | LENGTH_LONG);
}

void
fcgi_pair_add(struct buf *b, struct slice name, struct slice value)
{
	if (name.len >= LENGTH_LONG || value.len >= LENGTH_LONG) {
		if (b->err == 0)
			b->err = ERR_LIMIT;
		return;
	}
	add_length(b, name.len);
	add_length(b, value.len);
	buf_slice(b, name);
	buf_slice(b, value);
}

/* One answer of GET_VALUES; the text is at most ten digits. */
static void
add_value(struct buf *b, struct slice name, unsigned value)
{
	char digits[10];
	size_t i = sizeof(digits);

	do {
		digits[--i] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	fcgi_pair_add(b, name, (struct slice){ digits + i, sizeof(digits) - i });
}

int
fcgi_add_values(struct buf *b, struct slice names, unsigned conns_max, unsigned requests_max)
{
	bool conns = false, requests = false, mpxs = false;
	size_t start = b->len;
	struct fcgi_pair pair;
	struct fcgi_header h = { .type = FCGI_GET_VALUES_RESULT };
	int rc;

	/* Each is answered once, however often it was asked for. */
	while ((rc = fcgi_pair_next(&names, &pair)) == 1) {
		conns |= slice_is(pair.name, "FCGI_MAX_CONNS");
		requests |= slice_is(pair.name, "FCGI_MAX_REQS");
		mpxs |= slice_is(pair.name, "FCGI_MPXS_CONNS");
	}
	if (rc != 0)
		return rc;
	add_header(b, FCGI_GET_VALUES_RESULT, 0, 0);
	if (conns)
		add_value(b, SLICE("FCGI_MAX_CONNS"), conns_max);
	if (requests)
		add_value(b, SLICE("FCGI_MAX_REQS"), requests_max);
	if (mpxs)
		add_value(b, SLICE("FCGI_MPXS_CONNS"), 1);
	if (buf_err(b) != 0)
		return buf_err(b);
	h.content_bytes = (uint16_t)(b->len - start - FCGI_HEADER_BYTES);
	fcgi_header_encode(b->ptr + start, &h);
	return 0;
}

void
fcgi_reader_init(struct fcgi_reader *r)
{
	*r = (struct fcgi_reader){ .raw_have = 0 };
}

bool
fcgi_reader_at_start(const struct fcgi_reader *r)
{
	return r->raw_have == 0;
}

static bool
has_fixed_body(uint8_t type)
{
	return type == FCGI_BEGIN_REQUEST || type == FCGI_END_REQUEST ||
	       type == FCGI_UNKNOWN_TYPE;
}

static void
skip(struct slice *in, size_t n)
{
	in->ptr += n;
	in->len -= n;
}

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Collect the header; 0 also when more bytes are needed. */
static int
read_header(struct fcgi_reader *r, struct slice *in, fcgi_piece_fn fn, void *ctx)
{
	size_t n = least(FCGI_HEADER_BYTES - r->raw_have, in->len);

	memcpy(r->raw + r->raw_have, in->ptr, n);
	r->raw_have += (unsigned)n;
	skip(in, n);
	if (r->raw_have < FCGI_HEADER_BYTES)
		return 0;
	if (fcgi_header_decode(r->raw, &r->header) != 0)
		return ERR_PROTO;
	if (has_fixed_body(r->header.type) && r->header.content_bytes != FCGI_BODY_BYTES)
		return ERR_PROTO;
	r->content_left = r->header.content_bytes;
	r->padding_left = r->header.padding_bytes;
	r->body_have = 0;
	return r->content_left > 0 ? 0 : fn(ctx, &r->header, SLICE(""), true);
}

static int
read_content(struct fcgi_reader *r, struct slice *in, fcgi_piece_fn fn, void *ctx)
{
	struct slice piece = { in->ptr, least(r->content_left, in->len) };

	skip(in, piece.len);
	r->content_left -= piece.len;
	if (has_fixed_body(r->header.type)) {
		memcpy(r->body + r->body_have, piece.ptr, piece.len);
		r->body_have += (unsigned)piece.len;
		if (r->content_left > 0)
			return 0;
		piece = (struct slice){ r->body, FCGI_BODY_BYTES };
	}
	return fn(ctx, &r->header, piece, r->content_left == 0);
}

int
fcgi_reader_feed(struct fcgi_reader *r, struct slice in, fcgi_piece_fn fn, void *ctx)
{
	int rc = 0;

	while (rc == 0 && in.len > 0) {
		if (r->raw_have < FCGI_HEADER_BYTES) {
			rc = read_header(r, &in, fn, ctx);
		} else if (r->content_left > 0) {
			rc = read_content(r, &in, fn, ctx);
		} else {
			size_t n = least(r->padding_left, in.len);

			skip(&in, n);
			r->padding_left -= n;
		}
		if (r->raw_have == FCGI_HEADER_BYTES && r->content_left == 0 &&
		    r->padding_left == 0)
			r->raw_have = 0;
	}
	return rc;
}
