/*
 * logs.c - GET /api/v1/{owner}/{repo}/logs and /logs/{n}: maintner's log shipping, so
 * that programs written against its network source can follow a repository of ours.
 *
 * The list comes from the snapshot's table of durable segments, bytes from the log.
 * Protocol: golang.org/x/build/maintner, netsource.go (client) and its server.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/digest.h"
#include "fcgi/responder.h"

#define POLL_MS 500          /* between two looks of a long poll */
#define LONG_POLL_MS 55000   /* then 304, before proxies lose patience */
#define REPLACED_WAIT_MS 200 /* the tail was replaced while it was asked for: look again */
#define REPLACED_MAX_MS 5000
#define READ_LOOK_MS 2         /* is a segment's part there? */
#define READ_LOOK_LATER_MS 20  /* the same, when it takes longer */
#define READ_WAIT_MAX_MS 30000 /* with the reads that others asked for before */

/* The sum of all sizes is what a client waits to change. */
static int
sum_sizes(struct snap_view *v, uint64_t *ret)
{
	struct snap_segment s;
	uint64_t sum = 0;
	int rc = 0;

	for (uint32_t n = 0; (rc = snap_segment_get(v, n, &s)) == 0; n++)
		sum += s.size;
	if (rc == ERR_NOENT)
		*ret = sum;
	return rc == ERR_NOENT ? 0 : rc;
}

static int
add_segments(struct exchange *x)
{
	struct buf *out = x->req->out;
	struct snap_segment s;
	uint32_t n = x->params.start_segment;
	int rc;

	buf_char(out, '[');
	for (; (rc = snap_segment_get(x->view, n, &s)) == 0; n++) {
		if (n > x->params.start_segment)
			buf_char(out, ',');
		buf_fmt(out,
		    "{\"number\":%u,\"size\":%llu,\"sha224\":\"%.*s\",\"url\":\"logs/%u\"}", n,
		    (unsigned long long)s.size, (int)s.sha224.len, s.sha224.ptr, n);
	}
	buf_char(out, ']');
	return rc == ERR_NOENT ? 0 : rc;
}

void
handle_logs(struct exchange *x)
{
	struct snap_repo repo;
	uint64_t sum = 0;
	int rc;

	if (!exchange_is_ours(x, &repo))
		return;
	rc = sum_sizes(x->view, &sum);
	if (rc == 0 && sum == x->params.wait_size_not) {
		if (x->req->waited_ms < LONG_POLL_MS)
			request_again(x->req, POLL_MS);
		else
			request_reply(x->req, 304, NULL, NULL, NULL);
		return;
	}
	if (rc == 0)
		rc = add_segments(x);
	if (rc == 0)
		answer_json(x);
	else
		answer_error(x, rc);
}

/* --- bytes --- */

/* What a Range header asks for; RFC 9110 section 14.  Others than one range are ignored. */
struct wanted {
	uint64_t from, to; /* inclusive */
	bool partial;
	bool unsatisfiable;
};

static bool
take_number(const char **p, const char *end, uint64_t *ret)
{
	const char *start = *p;

	while (*p < end && **p >= '0' && **p <= '9')
		(*p)++;
	return *p > start &&
	       parse_decimal((struct slice){ start, (size_t)(*p - start) }, INT64_MAX, ret);
}

static struct wanted
parse_range(struct slice header, uint64_t size)
{
	struct wanted all = { 0, size - 1, false, false }, w = all;
	const char *p, *end;
	uint64_t first = 0, last = 0;
	bool has_first, has_last;

	if (header.len < 7 || memcmp(header.ptr, "bytes=", 6) != 0)
		return all;
	p = header.ptr + 6;
	end = header.ptr + header.len;
	has_first = take_number(&p, end, &first);
	if (p == end || *p++ != '-')
		return all;
	has_last = take_number(&p, end, &last);
	if (p != end || (!has_first && !has_last) || (has_first && has_last && last < first))
		return all;
	w.partial = true;
	if (!has_first) { /* the last so many bytes */
		w.from = last < size ? size - last : 0;
		w.unsatisfiable = last == 0;
	} else {
		w.from = first;
		w.to = has_last && last < size ? last : size - 1;
		w.unsatisfiable = first >= size;
	}
	return w;
}

/* A part of a segment that is being read; lies in the request's arena. */
struct part {
	struct segment_read *read;
	struct wanted wanted;
	uint64_t size; /* of the whole segment, as its digest is */
	char sha224[SHA224_HEX_LEN + 1];
};

static void
drop_part(void *state)
{
	struct part *p = state;

	segment_read_end(p->read);
}

/* The responder's reader, made when first asked for. */
static int
reader_of(struct responder *r, struct segment_reader **ret)
{
	int rc = 0;

	pthread_mutex_lock(&r->lock);
	if (r->segments == NULL)
		rc = segment_reader_new(r->log_url, r->ca_file, &r->segments);
	*ret = r->segments;
	pthread_mutex_unlock(&r->lock);
	return rc;
}

static void
reply_bytes(struct exchange *x, const struct part *p, struct buf *bytes)
{
	const struct wanted *w = &p->wanted;
	char range[96], tag[80];
	struct request_field fields[] = { { "Accept-Ranges", SLICE("bytes") },
		{ "ETag", { 0 } }, { NULL, { 0 } }, { NULL, { 0 } } };
	int n = snprintf(tag, sizeof(tag), "\"%s\"", p->sha224);

	fields[1].value = (struct slice){ tag, (size_t)n };
	n = snprintf(range, sizeof(range), "bytes %llu-%llu/%llu", (unsigned long long)w->from,
	    (unsigned long long)w->to, (unsigned long long)p->size);
	if (w->partial)
		fields[2] = (struct request_field){ "Content-Range", { range, (size_t)n } };
	request_reply(
	    x->req, w->partial ? 206 : 200, "application/octet-stream", fields, bytes);
	atomic_fetch_add_explicit(&x->r->answers[2], 1, memory_order_relaxed);
}

static void
refuse_range(struct exchange *x, uint64_t size)
{
	char range[48];
	int n = snprintf(range, sizeof(range), "bytes */%llu", (unsigned long long)size);
	struct request_field fields[] = { { "Content-Range", { range, (size_t)n } },
		{ NULL, { 0 } } };

	answer_status(x, 416, 11, "the segment is shorter than that", fields);
}

/* Answer with what was read, or look again later. */
static void
look(struct exchange *x, struct part *p)
{
	const struct wanted *w = &p->wanted;
	unsigned later =
	    x->req->waited_ms < READ_LOOK_LATER_MS ? READ_LOOK_MS : READ_LOOK_LATER_MS;
	struct segment_read *read = p->read;
	struct buf *bytes;
	int rc;

	if (!segment_read_done(read, &rc, &bytes, &x->ei)) {
		if (x->req->waited_ms < READ_WAIT_MAX_MS) {
			request_again_with(x->req, later, p, drop_part);
			return;
		}
		rc = err_set(&x->ei, ERR_TIMEOUT, "the log's store does not answer");
	}
	if (rc == ERR_NOENT && x->req->waited_ms < REPLACED_MAX_MS)
		request_again(x->req, REPLACED_WAIT_MS);
	else if (rc == 0 && bytes->len == w->to - w->from + 1)
		reply_bytes(x, p, bytes);
	else if (rc == ERR_CANCELED)
		answer_status(x, 503, 14, "the responder is being stopped", NULL);
	else
		answer_error(x, rc != 0 ? rc : ERR_CORRUPT);
	segment_read_end(read); /* the request's memory, and `p`, ended with the answer */
}

static int
begin_part(struct exchange *x, const struct snap_repo *repo, const struct snap_segment *s,
    struct part *p)
{
	const struct store_range range = { .generation = STORE_ANY,
		.offset = p->wanted.from,
		.len = (size_t)(p->wanted.to - p->wanted.from + 1) };
	struct segment_reader *reader;
	char name[STORE_NAME_MAX + 1];
	int rc = reader_of(x->r, &reader);

	if (rc != 0)
		return rc;
	snprintf(name, sizeof(name), "%.*s%s%04u.%s.mutlog",
	    x->r->log_exact ? 0 : (int)repo->name.len, repo->name.ptr,
	    x->r->log_exact ? "" : "/", s->number, p->sha224);
	return segment_read_begin(reader, name, &range, &p->read);
}

static void
serve_bytes(struct exchange *x, const struct snap_repo *repo, const struct snap_segment *s)
{
	struct part *p = arena_alloc(x->req->arena, sizeof(*p));
	int rc;

	if (p == NULL) {
		answer_error(x, ERR_NOMEM);
		return;
	}
	*p = (struct part){ .size = s->size,
		.wanted = parse_range(request_header(x->req, "Range"), s->size) };
	snprintf(p->sha224, sizeof(p->sha224), "%.*s", (int)s->sha224.len, s->sha224.ptr);
	if (p->wanted.unsatisfiable) {
		refuse_range(x, s->size);
		return;
	}
	rc = begin_part(x, repo, s, p);
	if (rc == 0)
		look(x, p);
	else
		answer_error(x, rc);
}

void
handle_log_segment(struct exchange *x)
{
	struct part *p = request_take_state(x->req);
	struct snap_segment s;
	struct snap_repo repo;
	uint64_t number;
	int rc;

	if (p != NULL) {
		look(x, p);
		return;
	}
	if (!exchange_is_ours(x, &repo))
		return;
	if (x->r->log_url == NULL) {
		answer_status(x, 501, 12, "this responder was started without --log", NULL);
		return;
	}
	if (!parse_decimal(x->match.number, 9999, &number)) {
		answer_status(x, 400, 3, "a segment's number is a whole number", NULL);
		return;
	}
	rc = snap_segment_get(x->view, (uint32_t)number, &s);
	if (rc == ERR_NOENT || (rc == 0 && s.size == 0))
		answer_status(x, 404, 5, "the log has no such segment", NULL);
	else if (rc != 0)
		answer_error(x, rc);
	else
		serve_bytes(x, &repo, &s);
}
