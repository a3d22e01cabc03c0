/*
 * gcs_request.c - how a request is sent, refused, repeated and paced.  Knows no
 * operation; a caller says whether its request may be sent twice.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/mem.h"
#include "base/store/gcs.h"

#define PAUSE_MAX_MS INT64_C(64000)
#define STALL_MS INT64_C(30000)    /* without a byte; less where the deadline is */
#define SAME_NAME_MS INT64_C(1000) /* Google's limit: one write a second to one name */

struct gcs_patience
gcs_patience(const struct gcs *g)
{
	return (struct gcs_patience){ .deadline_ms = clock_mono_ms() + g->o.deadline_ms,
		.pause_ms = g->o.backoff_ms };
}

/* xorshift64*: the pauses of many writers must not fall together, no more. */
static uint64_t
next_random(struct gcs *g)
{
	g->jitter ^= g->jitter >> 12;
	g->jitter ^= g->jitter << 25;
	g->jitter ^= g->jitter >> 27;
	return g->jitter * UINT64_C(2685821657736338717);
}

/* Google's words for what is wrong; their JSON has them under error.message. */
static int
refused(struct gcs *g, const struct gcs_call *c, int rc, struct err_info *ei)
{
	const char *why = "";
	json_t *doc = NULL;

	if (json_in_parse(buf_view(&g->res.body), "error", &doc, NULL) == 0)
		why = json_string_value(
		    json_object_get(json_object_get(doc, "error"), "message"));
	err_set(ei, rc, "%s %.*s: status %d%s%.200s", c->method != NULL ? c->method : "GET",
	    (int)strcspn(c->url, "?"), c->url, g->res.status,
	    why != NULL && why[0] != '\0' ? ": " : "", why != NULL ? why : "");
	if (ei != NULL)
		ei->http_status = g->res.status;
	json_decref(doc);
	return rc;
}

static int
send_once(struct gcs *g, const struct gcs_call *c, struct err_info *ei)
{
	struct http_header headers[4] = { { NULL, NULL } };
	struct http_request req = { .method = c->method,
		.url = c->url,
		.headers = headers,
		.body = c->body,
		.identity = true,
		.fresh = c->method != NULL, /* a write: every attempt is counted */
		.stall_ms = g->o.deadline_ms < STALL_MS ? g->o.deadline_ms : STALL_MS,
		.total_ms = g->o.deadline_ms,
		.body_max = c->body_max != 0 ? c->body_max : GCS_JSON_MAX };
	const char *authorize = NULL;
	size_t n = 0;
	int rc = 0;

	if (g->auth != NULL)
		rc = gcp_auth_header(g->auth, &authorize, ei);
	if (rc != 0)
		return rc;
	if (authorize != NULL)
		headers[n++] = (struct http_header){ "Authorization", authorize };
	if (c->content_type != NULL)
		headers[n++] = (struct http_header){ "Content-Type", c->content_type };
	if (c->range != NULL)
		headers[n++] =
		    (struct http_header){ c->upload_range ? "Content-Range" : "Range",
			    c->range };
	rc = http_perform(g->http, &req, &g->res, ei);
	if (rc != 0)
		return rc;
	if (g->res.status == 308) /* a resumable upload goes on */
		return 0;
	rc = http_status_err(g->res.status);
	return rc != 0 ? refused(g, c, rc, ei) : 0;
}

int
gcs_attempt(
    struct gcs *g, const struct gcs_call *c, struct gcs_patience *p, struct err_info *ei)
{
	int rc;

	p->tries++;
	rc = send_once(g, c, ei);
	if (rc != ERR_AUTH || g->auth == NULL || g->res.status != 401)
		return rc;
	/* The token was taken back or has expired early: nothing was done, so once more. */
	gcp_auth_forget(g->auth);
	p->tries++;
	return send_once(g, c, ei);
}

bool
gcs_again(struct gcs *g, const struct gcs_call *c, struct gcs_patience *p, int rc)
{
	struct slice after = http_response_header(&g->res, "retry-after");
	int64_t pause =
	    p->pause_ms / 2 + (int64_t)(next_random(g) % (uint64_t)(p->pause_ms / 2 + 1));

	if (c->once || (!err_may_pass(rc) && rc != ERR_RATE))
		return false;
	if (after.len > 0 && after.len < 6 && after.ptr[0] >= '0' && after.ptr[0] <= '9')
		pause = (after.ptr[0] - '0') * INT64_C(1000) > pause
			    ? (after.ptr[0] - '0') * INT64_C(1000)
			    : pause;
	if (clock_mono_ms() + pause >= p->deadline_ms)
		return false;
	p->pause_ms = p->pause_ms * 2 < PAUSE_MAX_MS ? p->pause_ms * 2 : PAUSE_MAX_MS;
	return cancel_sleep(&g->cancel, pause) == 0;
}

int
gcs_call(struct gcs *g, const struct gcs_call *c, struct gcs_patience *p, struct err_info *ei)
{
	int rc;

	do
		rc = gcs_attempt(g, c, p, ei);
	while (rc != 0 && gcs_again(g, c, p, rc));
	if (rc != 0 && p->tries > 1)
		return err_wrap(ei, rc, "after %u tries", p->tries);
	return rc;
}

int
gcs_call_json(struct gcs *g, const struct gcs_call *c, struct gcs_patience *p, json_t **ret,
    struct err_info *ei)
{
	int rc = gcs_call(g, c, p, ei);

	if (rc == 0)
		rc = json_in_parse(buf_view(&g->res.body), "storage answer", ret, ei);
	if (rc == 0 && !json_is_object(*ret)) {
		json_decref(*ret);
		rc = err_set(ei, ERR_PROTO, "%s: the answer is not a JSON object", c->url);
	}
	return rc;
}

/* --- URLs --- */

static int
finish_url(struct buf *b, char out[GCS_URL_MAX])
{
	int rc = buf_err(b);

	if (rc == 0 && b->len >= GCS_URL_MAX)
		rc = ERR_LIMIT;
	if (rc == 0) {
		memcpy(out, b->ptr, b->len);
		out[b->len] = '\0';
	}
	buf_clear(b);
	return rc;
}

int
gcs_url(const struct gcs *g, char out[GCS_URL_MAX], const char *fmt, ...)
{
	struct buf b;
	va_list ap;

	buf_init(&b, GCS_URL_MAX);
	buf_str(&b, g->origin);
	va_start(ap, fmt);
	buf_vfmt(&b, fmt, ap);
	va_end(ap);
	return finish_url(&b, out);
}

int
gcs_object_url(
    const struct gcs *g, const char *name, char out[GCS_URL_MAX], const char *fmt, ...)
{
	struct buf b;
	va_list ap;

	buf_init(&b, GCS_URL_MAX);
	buf_str(&b, g->origin);
	buf_str(&b, "/storage/v1/b/");
	http_encode(&b, g->bucket);
	buf_str(&b, "/o/");
	http_encode(&b, g->prefix);
	http_encode(&b, name);
	va_start(ap, fmt);
	buf_vfmt(&b, fmt, ap);
	va_end(ap);
	return finish_url(&b, out);
}

const char *
gcs_condition(int64_t if_generation, char lead, char out[48])
{
	out[0] = '\0';
	if (if_generation != STORE_ANY)
		snprintf(out, 48, "%cifGenerationMatch=%lld", lead, (long long)if_generation);
	return out;
}

/* --- pacing --- */

static uint64_t
hash_name(const char *name)
{
	uint64_t h = UINT64_C(14695981039346656037); /* FNV-1a */

	for (; *name != '\0'; name++)
		h = (h ^ (unsigned char)*name) * UINT64_C(1099511628211);
	return h;
}

int
gcs_pace(struct gcs *g, const char *name)
{
	uint64_t hash = hash_name(name);
	int64_t now = clock_mono_ms();
	size_t oldest = 0;

	for (size_t i = 0; i < GCS_RECENT; i++) {
		int64_t left = g->recent[i].at_ms + SAME_NAME_MS - now;

		if (g->recent[i].name == hash && left > 0 &&
		    cancel_sleep(&g->cancel, left) != 0)
			return ERR_CANCELED;
		if (g->recent[i].name == hash || g->recent[i].at_ms < g->recent[oldest].at_ms)
			oldest = i;
		if (g->recent[i].name == hash)
			break;
	}
	g->recent[oldest].name = hash;
	g->recent[oldest].at_ms = clock_mono_ms();
	return 0;
}
