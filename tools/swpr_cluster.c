/* swpr_cluster.c - FastCGI questions to router and sync daemons; see swpr_cluster.h. */
#include "tools/swpr_cluster.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/http.h"
#include "base/json_text.h"
#include "tools/fcgi_ask.h"

#define ORDER_BYTES_MAX ((size_t)4 << 20)
#define ORDER_MAX 5000 /* numbers of one order; sync takes 10,000 */
#define LIST_MS 60000  /* a page; the router gives up before */
#define BURY_MS 65000  /* sync answers within 55 s */
#define POKE_MS 10000
#define TOKEN_MAX 2048 /* bytes of a page token, encoded */

/* --- the mirror's numbers --- */

static int
add_page(const json_t *issues, struct swpr_numbers *ret, struct err_info *ei)
{
	size_t i;
	json_t *v;

	json_array_foreach(issues, i, v)
	{
		json_int_t n = json_integer_value(json_object_get(v, "issueId"));
		int rc =
		    n < 1 || n > INT32_MAX ? ERR_PROTO : swpr_numbers_add(ret, (uint32_t)n);

		if (rc != 0)
			return err_set(ei, rc, "the mirror's list: element %zu", i);
	}
	return 0;
}

/* Take one page; `token` is the encoded token of the next one afterwards. */
static int
list_page(const struct fcgi_question *q, char token[TOKEN_MAX], struct swpr_numbers *ret,
    struct err_info *ei)
{
	json_t *doc = NULL;
	const char *next;
	struct buf encoded;
	int rc = fcgi_ask(q, &doc, NULL, ei);

	if (rc != 0)
		return rc;
	next = json_string_value(json_object_get(doc, "nextPageToken"));
	buf_init(&encoded, TOKEN_MAX);
	http_encode(&encoded, next != NULL ? next : "");
	if (!json_is_array(json_object_get(doc, "issues")) || next == NULL ||
	    buf_cstr(&encoded) == NULL)
		rc = err_set(ei, ERR_PROTO, "the mirror's list is none");
	else if (encoded.len >= TOKEN_MAX ||
		 (next[0] != '\0' && strcmp(buf_cstr(&encoded), token) == 0))
		rc = err_set(ei, ERR_PROTO, "the mirror's list does not go on");
	else
		rc = add_page(json_object_get(doc, "issues"), ret, ei);
	if (rc == 0)
		snprintf(token, TOKEN_MAX, "%s", buf_cstr(&encoded));
	buf_clear(&encoded);
	json_decref(doc);
	return rc;
}

int
swpr_mirror_list(const struct swpr_cluster *c, const struct repo_entry *e,
    struct swpr_numbers *ret, struct err_info *ei)
{
	char token[TOKEN_MAX] = "", target[TOKEN_MAX + 400];
	struct fcgi_question q = { .who = "the router",
		.addr = &c->router,
		.method = "GET",
		.target = target,
		.timeout_ms = LIST_MS };
	struct swpr_numbers found = { .items = NULL };
	int rc = 0;

	do {
		snprintf(target, sizeof(target),
		    "/api/v1/%s/issues?fieldMask=issueId&pageSize=500&orderBy=number%s%s",
		    e->name, token[0] != '\0' ? "&pageToken=" : "", token);
		rc = list_page(&q, token, &found, ei);
	} while (rc == 0 && token[0] != '\0');
	if (rc != 0) {
		swpr_numbers_clear(&found);
		return err_wrap(ei, rc, "listing what the mirror has");
	}
	swpr_numbers_sort(&found);
	*ret = found;
	return 0;
}

/* --- orders --- */

static int
address_of(const struct swpr_cluster *c, const struct repo_entry *e, struct addr *ret,
    struct err_info *ei)
{
	struct buf b;
	int rc;

	buf_init(&b, (size_t)4 << 10);
	rc = repo_template_fill(c->internal, e, &b);
	if (rc == 0)
		rc = buf_cstr(&b) != NULL ? addr_parse(buf_cstr(&b), ret, ei) : buf_err(&b);
	buf_clear(&b);
	return rc;
}

static int
order(const struct swpr_cluster *c, const struct repo_entry *e, struct fcgi_question q,
    json_t **ret, int *ret_status, struct err_info *ei)
{
	struct addr addr;
	int rc = address_of(c, e, &addr, ei);

	if (rc != 0)
		return rc;
	q.who = "the sync daemon";
	q.method = "POST";
	q.addr = &addr;
	q.secret = c->secret;
	return fcgi_ask(&q, ret, ret_status, ei);
}

static void
order_text(const struct swpr_burial *burials, size_t count, struct buf *out)
{
	buf_str(out, "{\"numbers\":[");
	for (size_t i = 0; i < count; i++) {
		buf_fmt(out, "%s{\"number\":%" PRIu32 ",\"reason\":\"%s\"", i == 0 ? "" : ",",
		    burials[i].number, burials[i].moved_to != NULL ? "transferred" : "gone");
		if (burials[i].moved_to != NULL) {
			buf_str(out, ",\"transferredTo\":");
			json_text_quote(out, slice_str(burials[i].moved_to));
		}
		buf_str(out, "}");
	}
	buf_str(out, "]}");
}

static int
read_results(const json_t *doc, struct swpr_burial *burials, size_t count, struct err_info *ei)
{
	const json_t *list = json_object_get(doc, "numbers");

	if (json_array_size(list) != count)
		return err_set(ei, ERR_PROTO, "the sync daemon's answer has other numbers");
	for (size_t i = 0; i < count; i++) {
		const json_t *v = json_array_get(list, i);
		const char *word = json_string_value(json_object_get(v, "result"));

		if (json_integer_value(json_object_get(v, "number")) != burials[i].number ||
		    word == NULL)
			return err_set(
			    ei, ERR_PROTO, "the sync daemon's answer has other numbers");
		if (strcmp(word, "tombstoned") == 0)
			burials[i].result = SWPR_BURIED;
		else if (strcmp(word, "already") == 0)
			burials[i].result = SWPR_BURIED_BEFORE;
		else
			burials[i].result = SWPR_NEVER_SEEN;
	}
	return 0;
}

static int
bury_some(const struct swpr_cluster *c, const struct repo_entry *e, struct swpr_burial *burials,
    size_t count, struct err_info *ei)
{
	struct fcgi_question q = { .target = "/internal/v1/tombstones?wait=true",
		.timeout_ms = BURY_MS };
	json_t *doc = NULL;
	struct buf body;
	int rc, status = 0;

	buf_init(&body, ORDER_BYTES_MAX);
	order_text(burials, count, &body);
	q.body = buf_view(&body);
	rc = buf_err(&body);
	if (rc == 0)
		rc = order(c, e, q, &doc, &status, ei);
	if (rc == 0 && status == 200)
		rc = read_results(doc, burials, count, ei);
	json_decref(doc);
	buf_clear(&body);
	return rc;
}

int
swpr_bury(const struct swpr_cluster *c, const struct repo_entry *e, struct swpr_burial *burials,
    size_t count, struct err_info *ei)
{
	int rc = 0;

	for (size_t i = 0; i < count && rc == 0; i += ORDER_MAX)
		rc = bury_some(
		    c, e, burials + i, count - i < ORDER_MAX ? count - i : ORDER_MAX, ei);
	return rc == 0 ? 0 : err_wrap(ei, rc, "asking for tombstones");
}

int
swpr_poke(const struct swpr_cluster *c, const struct repo_entry *e, struct err_info *ei)
{
	struct fcgi_question q = { .target = "/internal/v1/sync", .timeout_ms = POKE_MS };
	json_t *doc = NULL;
	int rc = order(c, e, q, &doc, NULL, ei);

	json_decref(doc);
	return rc == 0 ? 0 : err_wrap(ei, rc, "asking for a sync");
}
