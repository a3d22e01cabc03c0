/*
 * fanout.c - GET /api/v1/owners/{owner}/repositories: every repository's responder knows
 * itself; their answers together are the list.
 *
 * Which repositories there are, and their order, the router knows itself, so only those
 * of one page are asked, some at once, until a deadline.  Who did not answer is named.
 */
#include <stdlib.h>
#include <strings.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/json_text.h"
#include "base/mem.h"
#include "router/call.h"
#include "router/head.h"
#include "router/query.h"

#define FETCH_BYTES_MAX ((size_t)64 << 10)
#define TARGET_MAX (REPO_PART_MAX + 64)

struct fetch {
	struct fanout *fanout;
	struct backend *backend; /* held */
	struct fcgi_exchange *x;
	struct buf answer;
	char *json; /* of the cache or the answer; NULL: unreachable */
	bool done, match;
};

struct fanout {
	struct call *call;
	struct page_query query;
	struct filter *filter;         /* NULL: all match */
	char after[REPO_NAME_MAX + 1]; /* the last name of the page before, "" at first */
	struct fetch *fetches;
	size_t count, next, running, done;
	size_t total; /* of all pages */
	bool more;
	bool pumping;
};

static void pump(struct fanout *f);

static bool
is_filtered(const struct fanout *f)
{
	return f->filter != NULL;
}

/*
 * The end.
 */

static void
clear_fetches(struct fanout *f)
{
	for (size_t i = 0; i < f->count; i++) {
		struct fetch *e = &f->fetches[i];

		if (e->x != NULL)
			fcgi_exchange_abort(e->x);
		e->x = NULL;
		buf_clear(&e->answer);
		mem_free(e->json);
		backend_release(e->backend);
	}
	f->count = 0;
	filter_free(f->filter);
	f->filter = NULL;
}

static void
write_names(const struct fanout *f, struct buf *out)
{
	bool first = true;

	for (size_t i = 0; i < f->count; i++) {
		if (f->fetches[i].json != NULL)
			continue;
		buf_str(out, first ? "" : ",");
		json_text_quote(out, slice_str(f->fetches[i].backend->name));
		first = false;
	}
}

/* Without a filter every repository of the page matches, whether it answered or not. */
static int
match_all(struct fanout *f, struct err_info *ei)
{
	int rc = 0;

	for (size_t i = 0; i < f->count && rc == 0; i++) {
		struct fetch *e = &f->fetches[i];

		e->match = !is_filtered(f);
		if (is_filtered(f) && e->json != NULL)
			rc = filter_match(f->filter, &e->backend->counts.row, &e->match, ei);
		f->total += is_filtered(f) && e->match;
	}
	return rc;
}

/* The page's objects; returns the name of the last one if others follow. */
static const char *
write_page(const struct fanout *f, struct buf *out)
{
	const char *last = NULL;
	size_t written = 0, seen = 0;

	for (size_t i = 0; i < f->count; i++) {
		const struct fetch *e = &f->fetches[i];

		if (!e->match || strcasecmp(e->backend->name, f->after) <= 0)
			continue;
		if (seen++ == f->query.size)
			return last;
		last = e->backend->name;
		if (e->json == NULL)
			continue;
		buf_str(out, written++ > 0 ? "," : "");
		buf_str(out, e->json);
	}
	return f->more ? last : NULL;
}

static void
write_answer(const struct fanout *f, struct buf *out)
{
	char token[PAGE_NAME_TOKEN] = "";
	const char *last;

	buf_str(out, "{\"repositories\":[");
	last = write_page(f, out);
	if (last != NULL)
		page_name_token(f->call->path.owner, f->query.filter, last, token);
	buf_fmt(
	    out, "],\"nextPageToken\":\"%s\",\"total\":%zu,\"unreachable\":[", token, f->total);
	write_names(f, out);
	buf_str(out, "]}");
}

#define TAG_BYTES 16

/* The tag of these bytes, with its quotation marks. */
static void
make_tag(struct slice body, char ret[2 * TAG_BYTES + 3])
{
	unsigned char raw[SHA256_LEN] = { 0 };

	sha256(body, raw);
	ret[0] = '"';
	hex_encode(raw, TAG_BYTES, ret + 1);
	ret[2 * TAG_BYTES + 1] = '"';
	ret[2 * TAG_BYTES + 2] = '\0';
}

static bool
has_tag(struct slice list, const char *tag)
{
	return slice_is(list, "*") ||
	       (list.len > 0 && memmem(list.ptr, list.len, tag, strlen(tag)) != NULL);
}

static void
answer_page(struct call *c, struct slice body)
{
	char tag[2 * TAG_BYTES + 3];
	const struct call_field fields[] = { { "Cache-Control", "no-cache" }, { "ETag", tag },
		{ NULL, NULL } };

	make_tag(body, tag);
	if (has_tag(fcgi_request_param(c->req, "HTTP_IF_NONE_MATCH"), tag))
		call_answer(c, OUTCOME_OWN, 304, NULL, fields, SLICE(""));
	else
		call_answer(c, OUTCOME_OWN, 200, "application/json", fields, body);
}

static void
finish(struct fanout *f)
{
	struct call *c = f->call;
	struct err_info ei = { .text = "" };
	struct buf out;
	int rc = match_all(f, &ei);

	buf_init(&out, ANSWER_BYTES_MAX);
	if (rc == 0)
		write_answer(f, &out);
	clear_fetches(f);
	if (rc == ERR_TIMEOUT)
		call_error(c, OUTCOME_BAD_REQUEST, 504, ei.text, NULL);
	else if (rc != 0)
		call_error(c, OUTCOME_BAD_REQUEST, 400, ei.text, NULL);
	else if (buf_err(&out) != 0)
		call_error(c, OUTCOME_ERROR, 500, "the answer is too long", NULL);
	else
		answer_page(c, buf_view(&out));
	buf_clear(&out);
	call_release(c);
}

static void
on_abort(struct fcgi_request *req)
{
	struct call *c = fcgi_request_data(req);

	clear_fetches(c->part);
	c->status = 499;
	call_ended(c, OUTCOME_CLIENT_GONE);
	call_release(c);
}

static void
on_deadline(struct fcgi_request *req)
{
	struct call *c = fcgi_request_data(req);
	struct fanout *f = c->part;

	for (size_t i = 0; i < f->count; i++) {
		if (f->fetches[i].x != NULL)
			backend_failed(f->fetches[i].backend, ERR_TIMEOUT);
	}
	finish(f);
}

/*
 * One backend.
 */

static void
keep_counts(struct backend *b, const char *json, const json_t *item)
{
	struct backend_counts *n = &b->counts;

	mem_free(n->json);
	n->json = mem_strdup(json);
	n->at_ms = clock_mono_ms();
	n->row.name = b->name;
	for (unsigned i = 0; i < FILTER_COUNTS; i++)
		n->row.counts[i] =
		    json_integer_value(json_object_get(item, filter_count_name(i)));
}

/* The object of this very repository out of an answer, kept, and a copy of it; or NULL. */
static char *
take_object(struct backend *b, struct slice body)
{
	struct json_in in = { .what = "answer" };
	json_t *doc = NULL, *item;
	char *text = NULL, *copy = NULL;

	if (json_in_parse(body, "answer", &doc, NULL) != 0)
		return NULL;
	item = json_array_get(json_in_array(&in, doc, "repositories"), 0);
	if (in.err == 0 && item != NULL &&
	    strcasecmp(json_in_str(&in, item, "name"), b->name) == 0)
		text = json_dumps(item, JSON_COMPACT);
	if (text != NULL) {
		keep_counts(b, text, item);
		copy = mem_strdup(text);
	}
	free(text); /* jansson's own */
	json_decref(doc);
	return copy;
}

static void
fetch_done(struct fetch *e)
{
	struct fanout *f = e->fanout;

	e->done = true;
	f->done++;
	buf_clear(&e->answer);
}

static void
on_stdout(void *ctx, struct slice data)
{
	buf_slice(&((struct fetch *)ctx)->answer, data);
}

static void
on_end(void *ctx, const struct fcgi_end *end)
{
	struct fetch *e = ctx;
	struct slice text = buf_view(&e->answer);
	struct head h;
	bool ok = end->protocol_status == FCGI_REQUEST_COMPLETE && end->app_status == 0 &&
		  buf_err(&e->answer) == 0 && text.len > 0 && head_check(text, &h) == 1;

	e->x = NULL;
	e->fanout->running--;
	if (ok)
		backend_answered(e->backend);
	else
		backend_failed(e->backend, ERR_PROTO);
	if (ok && h.status == 200)
		e->json = take_object(
		    e->backend, (struct slice){ text.ptr + h.bytes, text.len - h.bytes });
	fetch_done(e);
	pump(e->fanout);
}

static void
on_error(void *ctx, int code)
{
	struct fetch *e = ctx;

	e->x = NULL;
	e->fanout->running--;
	backend_failed(e->backend, code);
	fetch_done(e);
	pump(e->fanout);
}

static void
start_fetch(struct fetch *e)
{
	static const struct fcgi_exchange_events events = {
		.on_stdout = on_stdout, .on_end = on_end, .on_error = on_error
	};
	const struct backend *b = e->backend;
	struct fcgi_pair params[FCGI_CALL_PARAMS + 1];
	struct fcgi_exchange_spec spec = { .params = params, .repeatable = true };
	struct buf target;

	buf_init(&target, TARGET_MAX);
	buf_fmt(&target, "/api/v1/owners/%.*s/repositories", (int)b->owner_len, b->name);
	buf_init(&e->answer, FETCH_BYTES_MAX);
	if (buf_cstr(&target) != NULL) {
		spec.param_count = fcgi_call_params("GET", target.ptr, NULL, params);
		params[spec.param_count++] = (struct fcgi_pair){ SLICE("HTTP_X_REQUEST_ID"),
			slice_str(e->fanout->call->id) };
		if (backend_ask(e->backend, false, &spec, &events, e, &e->x) != 0)
			e->x = NULL;
	}
	buf_clear(&target);
	if (e->x != NULL)
		e->fanout->running++;
	else
		fetch_done(e);
}

/* True if the cache has it. */
static bool
from_cache(struct fetch *e)
{
	const struct backend_counts *n = &e->backend->counts;

	if (n->json == NULL ||
	    clock_mono_ms() - n->at_ms >= (int64_t)e->fanout->call->rt->opts.counts_ms)
		return false;
	e->json = mem_strdup(n->json);
	return e->json != NULL;
}

static void
pump(struct fanout *f)
{
	unsigned at_once = f->call->rt->opts.fanout_at_once;

	if (f->pumping)
		return;
	f->pumping = true;
	while (f->running < at_once && f->next < f->count) {
		struct fetch *e = &f->fetches[f->next++];

		if (from_cache(e))
			fetch_done(e);
		else
			start_fetch(e);
	}
	f->pumping = false;
	if (f->done == f->count)
		finish(f);
}

/*
 * The page.
 */

static bool
is_owner(const struct repo_entry *e, const char *owner)
{
	size_t n = strlen(owner);

	return strcmp(owner, "-") == 0 ||
	       (e->owner_len == n && strncasecmp(e->name, owner, n) == 0);
}

/*
 * Whom to ask: the page's repositories, or under a filter all of the owner's, since any of
 * them may match.  The list is sorted as pages are.
 */
static int
pick(struct fanout *f, size_t most, struct err_info *ei)
{
	struct call *c = f->call;
	struct table *t = &c->rt->table;
	int rc = 0;

	f->fetches = arena_alloc(fcgi_request_arena(c->req), (most + 1) * sizeof(*f->fetches));
	if (f->fetches == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < t->list.count && rc == 0; i++) {
		struct fetch *e = &f->fetches[f->count];

		if (!is_owner(&t->list.items[i], c->path.owner))
			continue;
		f->total += !is_filtered(f);
		if (!is_filtered(f) && strcasecmp(t->list.items[i].name, f->after) <= 0)
			continue;
		f->more = f->count == most;
		if (f->more)
			continue;
		rc = table_backend_at(t, &c->rt->backend_opts, i, &e->backend, ei);
		if (rc != 0)
			break;
		backend_hold(e->backend);
		e->fanout = f;
		f->count++;
	}
	return rc;
}

static int
prepare(struct fanout *f, struct err_info *ei)
{
	struct call *c = f->call;
	int rc = page_query_parse(fcgi_request_param(c->req, "QUERY_STRING"),
	    fcgi_request_arena(c->req), &f->query, ei);

	if (rc == 0 && f->query.token.len > 0)
		rc = page_name_parse(
		    f->query.token, c->path.owner, f->query.filter, f->after, ei);
	if (rc == 0 && f->query.filter.len > 0)
		rc = filter_new(f->query.filter, &f->filter, ei);
	if (rc != 0)
		return rc;
	return pick(f, is_filtered(f) ? c->rt->table.list.count : f->query.size, ei);
}

static void
refuse(struct call *c, int rc, const char *text)
{
	if (rc == ERR_INVAL || rc == ERR_LIMIT)
		call_error(c, OUTCOME_BAD_REQUEST, 400, text, NULL);
	else
		call_error(c, OUTCOME_ERROR, 500, "out of memory", NULL);
	call_release(c);
}

void
fanout_start(struct call *c)
{
	struct fanout *f = arena_alloc(fcgi_request_arena(c->req), sizeof(*f));
	struct err_info ei = { .text = "" };
	int rc;

	if (f == NULL) {
		refuse(c, ERR_NOMEM, "");
		return;
	}
	f->call = c;
	c->part = f;
	rc = prepare(f, &ei);
	if (rc != 0) {
		clear_fetches(f);
		refuse(c, rc, ei.text);
		return;
	}
	fcgi_request_on_abort(c->req, on_abort);
	fcgi_request_defer(c->req, c->rt->opts.fanout_ms, on_deadline);
	pump(f);
}
