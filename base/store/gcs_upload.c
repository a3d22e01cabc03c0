/*
 * gcs_upload.c - writing objects: in one multipart request, or resumable in pieces.
 * The checksum goes along, so that the server refuses damaged bytes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_text.h"
#include "base/mem.h"
#include "base/store/gcs.h"

#define RESUMABLE_FROM ((size_t)32 << 20) /* smaller objects go up in one request */
#define PIECE ((size_t)8 << 20)           /* a multiple of 256 KiB, as Google asks */
#define BOUNDARY "drghs-worker-part"
#define BODY_MAX (STORE_COPY_MAX + ((size_t)1 << 20))

static void
add_metadata(const struct gcs *g, const char *name, uint32_t crc, struct buf *b)
{
	char text[GCS_CRC_TEXT];

	gcs_crc_text(crc, text);
	buf_str(b, "{\"name\":\"");
	json_text_escape(b, slice_str(g->prefix));
	json_text_escape(b, slice_str(name));
	buf_fmt(b, "\",\"contentType\":\"application/octet-stream\",\"crc32c\":\"%s\"}", text);
}

static int
upload_url(const struct gcs *g, const char *type, int64_t if_generation, char out[GCS_URL_MAX])
{
	char condition[48], bucket[512];
	struct buf b;
	int rc;

	buf_init(&b, sizeof(bucket) - 1);
	http_encode(&b, g->bucket);
	rc = buf_err(&b);
	if (rc == 0)
		rc = gcs_url(g, out, "/upload/storage/v1/b/%s/o?uploadType=%s%s", buf_cstr(&b),
		    type, gcs_condition(if_generation, '&', condition));
	buf_clear(&b);
	return rc;
}

static int
take_generation(struct gcs *g, int64_t *ret, struct err_info *ei)
{
	struct gcs_object o;
	json_t *doc;
	int rc = json_in_parse(buf_view(&g->res.body), "uploaded object", &doc, ei);

	if (rc != 0)
		return rc;
	rc = gcs_object_parse(doc, &o, ei);
	if (rc == 0)
		*ret = o.object.generation;
	json_decref(doc);
	return rc;
}

static int
put_multipart(struct gcs *g, const char *name, struct slice data, uint32_t crc,
    int64_t if_generation, int64_t *ret_generation, struct err_info *ei)
{
	struct store_content content = { data.len, crc };
	struct gcs_patience p = gcs_patience(g);
	char url[GCS_URL_MAX];
	struct gcs_call c = { .method = "POST",
		.url = url,
		.content_type = "multipart/related; boundary=" BOUNDARY,
		.once = if_generation == STORE_ANY };
	struct buf b;
	int rc = upload_url(g, "multipart", if_generation, url);

	buf_init(&b, BODY_MAX);
	buf_str(&b, "--" BOUNDARY "\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n");
	add_metadata(g, name, crc, &b);
	buf_str(&b, "\r\n--" BOUNDARY "\r\nContent-Type: application/octet-stream\r\n\r\n");
	buf_slice(&b, data);
	buf_str(&b, "\r\n--" BOUNDARY "--\r\n");
	c.body = buf_view(&b);
	if (rc == 0)
		rc = buf_err(&b);
	if (rc == 0)
		rc = gcs_call(g, &c, &p, ei);
	if (rc == 0)
		rc = take_generation(g, ret_generation, ei);
	else
		rc = gcs_settle(g, name, if_generation, &content, &p, rc, ret_generation, ei);
	buf_clear(&b);
	return rc;
}

int
gcs_put(struct store *s, const char *name, struct slice data, int64_t if_generation,
    int64_t *ret_generation, struct err_info *ei)
{
	struct gcs *g = (struct gcs *)s;
	int rc;

	if (data.len >= RESUMABLE_FROM)
		return gcs_put_resumable(g, name, data, if_generation, ret_generation, ei);
	rc = gcs_pace(g, name);
	if (rc != 0)
		return rc;
	return put_multipart(
	    g, name, data, crc32c(0, data.ptr, data.len), if_generation, ret_generation, ei);
}

/* --- resumable --- */

struct session {
	struct gcs *g;
	char url[GCS_URL_MAX];
	struct slice data;
	size_t sent; /* bytes that the server has */
};

/* The session's URL must be where the token belongs. */
static int
take_location(struct session *s, struct err_info *ei)
{
	struct slice v = http_response_header(&s->g->res, "location");
	size_t origin = strlen(s->g->origin);

	if (v.len == 0 || v.len >= sizeof(s->url))
		return err_set(ei, ERR_PROTO, "the upload's session has no usable Location");
	if (v.len <= origin || memcmp(v.ptr, s->g->origin, origin) != 0 || v.ptr[origin] != '/')
		return err_set(ei, ERR_MOVED, "the upload's session is on another host");
	memcpy(s->url, v.ptr, v.len);
	s->url[v.len] = '\0';
	return 0;
}

static int
begin_session(struct session *s, const char *name, uint32_t crc, int64_t if_generation,
    struct gcs_patience *p, struct err_info *ei)
{
	char url[GCS_URL_MAX];
	struct gcs_call c = {
		.method = "POST", .url = url, .content_type = "application/json; charset=UTF-8"
	};
	struct buf b;
	int rc = upload_url(s->g, "resumable", if_generation, url);

	buf_init(&b, (size_t)64 << 10);
	add_metadata(s->g, name, crc, &b);
	c.body = buf_view(&b);
	/* Beginning twice leaves an unused session behind, no object. */
	if (rc == 0)
		rc = buf_err(&b) != 0 ? buf_err(&b) : gcs_call(s->g, &c, p, ei);
	buf_clear(&b);
	return rc == 0 ? take_location(s, ei) : rc;
}

/* 308 tells what the server has: "Range: bytes=0-N", or nothing at all. */
static void
note_persisted(struct session *s)
{
	struct slice range = http_response_header(&s->g->res, "range");
	const char *dash = range.len > 0 ? memchr(range.ptr, '-', range.len) : NULL;
	unsigned long long last = dash != NULL ? strtoull(dash + 1, NULL, 10) : 0;

	s->sent = dash == NULL ? 0 : last + 1 <= s->data.len ? (size_t)last + 1 : s->data.len;
}

/* Send the next piece, or ask where the upload stands (`ask`). */
static int
send_piece(struct session *s, bool ask, struct gcs_patience *p, struct err_info *ei)
{
	size_t left = s->data.len - s->sent, n = left < PIECE ? left : PIECE;
	char range[96];
	struct gcs_call c = { .method = "PUT",
		.url = s->url,
		.range = range,
		.upload_range = true,
		.body = { s->data.ptr + s->sent, n } };
	int rc;

	if (ask || n == 0) {
		snprintf(range, sizeof(range), "bytes */%zu", s->data.len);
		c.body = (struct slice){ "", 0 };
	} else {
		snprintf(range, sizeof(range), "bytes %zu-%zu/%zu", s->sent, s->sent + n - 1,
		    s->data.len);
	}
	rc = gcs_attempt(s->g, &c, p, ei);
	if (rc == 0 && s->g->res.status == 308)
		note_persisted(s);
	return rc;
}

static int
run_session(struct session *s, struct gcs_patience *p, struct err_info *ei)
{
	struct gcs_call repeatable = { 0 };
	bool ask = false;

	for (;;) {
		size_t before = s->sent;
		int rc = send_piece(s, ask, p, ei);

		if (rc == 0 && s->g->res.status != 308)
			return 0;
		if (rc == 0 && s->sent > before)
			p->pause_ms = s->g->o.backoff_ms;
		if (rc == 0 && !ask && s->sent == before && s->data.len > before)
			rc = ERR_UNAVAILABLE; /* it took nothing: wait, then ask */
		ask = rc != 0;
		if (rc != 0 && !gcs_again(s->g, &repeatable, p, rc))
			return rc;
	}
}

int
gcs_put_resumable(struct gcs *g, const char *name, struct slice data, int64_t if_generation,
    int64_t *ret_generation, struct err_info *ei)
{
	uint32_t crc = crc32c(0, data.ptr, data.len);
	struct store_content content = { data.len, crc };
	struct gcs_patience p = gcs_patience(g);
	struct session *s = mem_zalloc(sizeof(*s));
	int rc = s == NULL ? ERR_NOMEM : gcs_pace(g, name);

	if (rc == 0) {
		s->g = g;
		s->data = data;
		rc = begin_session(s, name, crc, if_generation, &p, ei);
	}
	if (rc == 0)
		rc = run_session(s, &p, ei);
	if (rc == 0)
		rc = take_generation(g, ret_generation, ei);
	else if (s != NULL)
		rc = gcs_settle(g, name, if_generation, &content, &p, rc, ret_generation, ei);
	mem_free(s);
	return rc;
}
