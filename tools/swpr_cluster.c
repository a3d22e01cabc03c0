/* swpr_cluster.c - FastCGI questions to router and sync daemons; see swpr_cluster.h. */
#include "tools/swpr_cluster.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/fcgi/client.h"
#include "base/http.h"
#include "base/json.h"
#include "base/json_text.h"

#define ANSWER_BYTES_MAX ((size_t)16 << 20)
#define ORDER_BYTES_MAX ((size_t)4 << 20)
#define ORDER_MAX 5000 /* numbers of one order; sync takes 10,000 */
#define LIST_MS 60000  /* a page; the router gives up before */
#define BURY_MS 65000  /* sync answers within 55 s */
#define POKE_MS 10000
#define TOKEN_MAX 2048 /* bytes of a page token, encoded */

struct question {
	const char *who; /* for messages */
	const struct addr *addr;
	const char *method, *target;
	const char *secret; /* NULL: none is sent */
	struct slice body;
	unsigned timeout_ms;
};

/* What an error's JSON says, or "". */
static void
message_of(struct slice body, char *out, size_t size)
{
	json_t *doc = NULL;
	const char *text = NULL;

	out[0] = '\0';
	if (json_in_parse(body, "answer", &doc, NULL) != 0)
		return;
	text = json_string_value(json_object_get(doc, "message"));
	snprintf(out, size, ": %.200s", text != NULL ? text : "");
	json_decref(doc);
}

static int
judge(const struct question *q, int status, struct slice body, struct err_info *ei)
{
	char message[256];
	int rc = http_status_err(status);

	if (rc == 0)
		return 0;
	message_of(body, message, sizeof(message));
	if (rc == ERR_AUTH && q->secret != NULL)
		return err_set(ei, rc, "%s refuses the secret of --internal-secret-file%s",
		    q->who, message);
	return err_set(ei, rc, "%s answers %d%s", q->who, status, message);
}

/* Ask and parse; *ret_status may be NULL. */
static int
ask(const struct question *q, json_t **ret, int *ret_status, struct err_info *ei)
{
	struct fcgi_pair params[FCGI_CALL_PARAMS + 2];
	char length[24];
	struct buf answer;
	struct cgi_head head;
	struct slice body;
	size_t n;
	int rc;

	snprintf(length, sizeof(length), "%zu", q->body.len);
	n = fcgi_call_params(q->method, q->target, length, params);
	if (q->secret != NULL)
		params[n++] =
		    (struct fcgi_pair){ SLICE("HTTP_X_MAINTNER_SECRET"), slice_str(q->secret) };
	buf_init(&answer, ANSWER_BYTES_MAX);
	rc = fcgi_call(q->addr, params, n, q->body, q->timeout_ms, &answer, &head, ei);
	if (rc != 0) {
		rc = err_wrap(ei, rc, "%s cannot be asked", q->who);
	} else {
		body = (struct slice){ answer.ptr + head.bytes, answer.len - head.bytes };
		rc = judge(q, head.status, body, ei);
		if (rc == 0)
			rc = json_in_parse(body, q->who, ret, ei);
		if (rc == 0 && ret_status != NULL)
			*ret_status = head.status;
	}
	buf_clear(&answer);
	return rc;
}

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
list_page(const struct question *q, char token[TOKEN_MAX], struct swpr_numbers *ret,
    struct err_info *ei)
{
	json_t *doc = NULL;
	const char *next;
	struct buf encoded;
	int rc = ask(q, &doc, NULL, ei);

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
	struct question q = { .who = "the router",
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
order(const struct swpr_cluster *c, const struct repo_entry *e, struct question *q,
    json_t **ret, int *ret_status, struct err_info *ei)
{
	struct addr addr;
	int rc = address_of(c, e, &addr, ei);

	if (rc != 0)
		return rc;
	q->who = "the sync daemon";
	q->method = "POST";
	q->addr = &addr;
	q->secret = c->secret;
	return ask(q, ret, ret_status, ei);
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
	struct question q = { .target = "/internal/v1/tombstones?wait=true",
		.timeout_ms = BURY_MS };
	json_t *doc = NULL;
	struct buf body;
	int rc, status = 0;

	buf_init(&body, ORDER_BYTES_MAX);
	order_text(burials, count, &body);
	q.body = buf_view(&body);
	rc = buf_err(&body);
	if (rc == 0)
		rc = order(c, e, &q, &doc, &status, ei);
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
	struct question q = { .target = "/internal/v1/sync", .timeout_ms = POKE_MS };
	json_t *doc = NULL;
	int rc = order(c, e, &q, &doc, NULL, ei);

	json_decref(doc);
	return rc == 0 ? 0 : err_wrap(ei, rc, "asking for a sync");
}
