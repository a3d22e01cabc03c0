/* params.c - decoding a query string and one reader per parameter. */
#include "fcgi/params.h"

#include <stdlib.h>
#include <string.h>

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 32);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int
params_decode(struct slice raw, bool plus, struct arena *a, struct slice *ret)
{
	char *out = arena_alloc(a, raw.len + 1);
	size_t len = 0;

	if (out == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < raw.len; i++) {
		char c = raw.ptr[i];

		if (c == '%') {
			bool whole = raw.len - i > 2;
			int high = whole ? hex_value(raw.ptr[i + 1]) : -1;
			int low = whole ? hex_value(raw.ptr[i + 2]) : -1;

			if (high < 0 || low < 0)
				return ERR_INVAL;
			c = (char)(high * 16 + low);
			i += 2;
		} else if (plus && c == '+') {
			c = ' ';
		}
		if (c == '\0')
			return ERR_INVAL;
		out[len++] = c;
	}
	*ret = (struct slice){ out, len };
	return 0;
}

/* What the readers fill before it becomes classes and fields. */
struct raw {
	struct params *p;
	struct arena *arena;
	struct err_info *ei;
	int closed, pull; /* -1 = any */
	bool comments, reviews, review_comments;
	struct slice mask;
};

static int
bad(struct raw *r, const char *name, struct slice value, const char *expected)
{
	return err_set(r->ei, ERR_INVAL, "%s: \"%.*s\" is not %s", name,
	    (int)(value.len < 100 ? value.len : 100), value.ptr, expected);
}

static int
read_bool(struct raw *r, const char *name, struct slice value, bool *ret)
{
	if (slice_is(value, "true") || slice_is(value, "1"))
		*ret = true;
	else if (slice_is(value, "false") || slice_is(value, "0"))
		*ret = false;
	else
		return bad(r, name, value, "true or false");
	return 0;
}

/* 0, negative and too large all mean the largest page, as in the reference API. */
static int
read_page_size(struct raw *r, const char *name, struct slice value)
{
	char text[24], *end;
	long long n;

	if (value.len == 0 || value.len >= sizeof(text))
		return bad(r, name, value, "a number");
	memcpy(text, value.ptr, value.len);
	text[value.len] = '\0';
	n = strtoll(text, &end, 10);
	if (*end != '\0' || (text[0] != '-' && (text[0] < '0' || text[0] > '9')))
		return bad(r, name, value, "a number");
	r->p->page_size = n < 1 || n > PARAMS_PAGE_MAX ? PARAMS_PAGE_MAX : (uint32_t)n;
	return 0;
}

static int
read_u64(struct raw *r, const char *name, struct slice value, uint64_t max, uint64_t *ret)
{
	uint64_t n = 0;

	for (size_t i = 0; i < value.len; i++) {
		if (value.ptr[i] < '0' || value.ptr[i] > '9' || n > max / 10)
			return bad(r, name, value, "a number");
		n = n * 10 + (uint64_t)(value.ptr[i] - '0');
	}
	if (n > max)
		return bad(r, name, value, "a number in range");
	*ret = n;
	return 0;
}

static int
read_start_segment(struct raw *r, const char *name, struct slice value)
{
	uint64_t n = 0;
	int rc = read_u64(r, name, value, 9999, &n);

	r->p->start_segment = (uint32_t)n;
	return rc;
}

static int
read_wait_size_not(struct raw *r, const char *name, struct slice value)
{
	return read_u64(r, name, value, INT64_MAX, &r->p->wait_size_not);
}

static int
read_page_token(struct raw *r, const char *name, struct slice value)
{
	(void)name;
	r->p->page_token = value;
	return 0;
}

static int
read_filter(struct raw *r, const char *name, struct slice value)
{
	(void)name;
	r->p->filter = value;
	return 0;
}

static int
read_order(struct raw *r, const char *name, struct slice value)
{
	static const char *const words[SNAP_ORDERS] = { "number", "created", "updated",
		"comments" };
	struct slice word = value;

	r->p->descending = value.len > 0 && value.ptr[0] == '-';
	if (r->p->descending)
		word = (struct slice){ value.ptr + 1, value.len - 1 };
	for (unsigned o = 0; o < SNAP_ORDERS; o++) {
		if (slice_is(word, words[o])) {
			r->p->order = (enum snap_order)o;
			return 0;
		}
	}
	return bad(
	    r, name, value, "number, created, updated or comments, or one of them after \"-\"");
}

static int
read_comments(struct raw *r, const char *name, struct slice value)
{
	return read_bool(r, name, value, &r->comments);
}

static int
read_reviews(struct raw *r, const char *name, struct slice value)
{
	return read_bool(r, name, value, &r->reviews);
}

static int
read_review_comments(struct raw *r, const char *name, struct slice value)
{
	return read_bool(r, name, value, &r->review_comments);
}

static int
read_closed(struct raw *r, const char *name, struct slice value)
{
	bool v = false;
	int rc = read_bool(r, name, value, &v);

	r->closed = v;
	return rc;
}

static int
read_pull(struct raw *r, const char *name, struct slice value)
{
	bool v = false;
	int rc = read_bool(r, name, value, &v);

	r->pull = v;
	return rc;
}

static int
read_compliant(struct raw *r, const char *name, struct slice value)
{
	bool v = false;
	int rc = read_bool(r, name, value, &v);

	r->p->compliant = v;
	return rc;
}

static int
read_format(struct raw *r, const char *name, struct slice value)
{
	if (!format_of_word(value, &r->p->format))
		return bad(r, name, value, "json, csv or ndjson");
	r->p->format_given = true;
	return 0;
}

static int
read_csv_raw(struct raw *r, const char *name, struct slice value)
{
	return read_bool(r, name, value, &r->p->csv_raw);
}

static int
read_mask(struct raw *r, const char *name, struct slice value)
{
	(void)name;
	r->mask = value;
	return 0;
}

static const struct reader {
	const char *camel, *snake;
	int (*read)(struct raw *r, const char *name, struct slice value);
} readers[] = {
	{ "pageSize", "page_size", read_page_size },
	{ "pageToken", "page_token", read_page_token },
	{ "filter", "filter", read_filter },
	{ "orderBy", "order_by", read_order },
	{ "comments", "comments", read_comments },
	{ "reviews", "reviews", read_reviews },
	{ "reviewComments", "review_comments", read_review_comments },
	{ "closed", "closed", read_closed },
	{ "pullRequest", "pull_request", read_pull },
	{ "fieldMask", "field_mask", read_mask },
	{ "format", "format", read_format },
	{ "csvRaw", "csv_raw", read_csv_raw },
	{ "compliant", "compliant", read_compliant },
	{ "startseg", "startseg", read_start_segment },
	{ "waitsizenot", "waitsizenot", read_wait_size_not },
};

static int
read_pair(struct raw *r, struct slice name, struct slice value)
{
	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
		struct slice decoded = { 0 };
		int rc;

		if (!slice_is(name, readers[i].camel) && !slice_is(name, readers[i].snake))
			continue;
		rc = params_decode(value, true, r->arena, &decoded);
		if (rc == ERR_INVAL)
			return bad(r, readers[i].camel, value, "percent-encoded correctly");
		if (rc != 0)
			return rc;
		if (decoded.len == 0)
			return 0; /* ?closed= is as good as not given */
		return readers[i].read(r, readers[i].camel, decoded);
	}
	return 0;
}

static unsigned
classes_of(const struct raw *r)
{
	unsigned mask = 0;

	for (unsigned c = 0; c < SNAP_CLASS_COUNT; c++) {
		bool pull = (c & 1U) != 0, closed = (c & 2U) != 0;

		if ((r->pull < 0 || (r->pull != 0) == pull) &&
		    (r->closed < 0 || (r->closed != 0) == closed))
			mask |= 1U << c;
	}
	return mask;
}

int
params_parse(struct slice query, struct arena *a, struct params *ret, struct err_info *ei)
{
	struct params p = { .page_size = PARAMS_PAGE_MAX,
		.order = SNAP_BY_NUMBER,
		.compliant = -1,
		.wait_size_not = PARAMS_NO_SIZE };
	struct raw r = { .p = &p, .arena = a, .ei = ei, .closed = -1, .pull = -1 };
	const char *at = query.ptr, *end = query.ptr + query.len;
	int rc = 0;

	if (query.len > PARAMS_QUERY_MAX)
		return err_set(
		    ei, ERR_INVAL, "the query is longer than %zu bytes", PARAMS_QUERY_MAX);
	while (rc == 0 && at != NULL && at < end) {
		const char *amp = memchr(at, '&', (size_t)(end - at)), *equals;

		if (amp == NULL)
			amp = end;
		equals = memchr(at, '=', (size_t)(amp - at));
		if (equals == NULL)
			equals = amp;
		rc = read_pair(&r, (struct slice){ at, (size_t)(equals - at) },
		    equals < amp ? (struct slice){ equals + 1, (size_t)(amp - equals - 1) }
				 : (struct slice){ 0 });
		at = amp + 1;
	}
	if (rc == 0)
		rc = fields_parse(r.mask, &p.fields, &p.paths, ei);
	if (rc != 0)
		return rc;
	p.fields |= (r.comments ? FIELD_BIT(FIELD_COMMENTS) : 0) |
		    (r.reviews ? FIELD_BIT(FIELD_REVIEWS) : 0) |
		    (r.review_comments ? FIELD_BIT(FIELD_REVIEW_COMMENTS) : 0);
	p.classes = classes_of(&r);
	p.closed_given = r.closed >= 0;
	p.mask_given = r.mask.len > 0;
	*ret = p;
	return 0;
}
