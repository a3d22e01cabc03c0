/*
 * gcs_object.c - descriptions of objects and reading their bytes, by range, resumed
 * after a cut, checked against the server's checksum.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/store/gcs.h"

#define DAMAGED_MAX 3 /* downloads of damaged bytes before it is said */

void
gcs_crc_text(uint32_t crc, char out[GCS_CRC_TEXT])
{
	unsigned char raw[4];

	put_be32(raw, crc);
	base64_encode(raw, sizeof(raw), out);
}

/* Google writes 64-bit integers as strings. */
static int64_t
number_text(struct json_in *in, const json_t *doc, const char *member)
{
	const char *text = json_in_str(in, doc, member);
	char *end;
	long long v = strtoll(text, &end, 10);

	if (in->err == 0 && (end == text || *end != '\0' || v < 0))
		json_in_fail(in, member, "is not a number in a string");
	return v;
}

int
gcs_object_parse(const json_t *doc, struct gcs_object *ret, struct err_info *ei)
{
	struct json_in in = { .what = "object", .ei = ei };
	struct gcs_object o = { 0 };

	o.object.size = (uint64_t)number_text(&in, doc, "size");
	o.object.generation = number_text(&in, doc, "generation");
	o.object.created_ms = json_in_time(&in, doc, "timeCreated");
	snprintf(o.crc32c, sizeof(o.crc32c), "%s", json_in_opt_str(&in, doc, "crc32c"));
	if (in.err == 0)
		*ret = o;
	return in.err;
}

int
gcs_stat(struct gcs *g, const char *name, struct gcs_object *ret, struct err_info *ei)
{
	struct gcs_patience p = gcs_patience(g);
	char url[GCS_URL_MAX];
	struct gcs_call c = { .url = url };
	json_t *doc;
	int rc = gcs_object_url(g, name, url, "?fields=size,generation,timeCreated,crc32c");

	if (rc == 0)
		rc = gcs_call_json(g, &c, &p, &doc, ei);
	if (rc != 0)
		return rc;
	rc = gcs_object_parse(doc, ret, ei);
	json_decref(doc);
	return rc;
}

int
gcs_settle(struct gcs *g, const char *name, int64_t if_generation,
    const struct store_content *content, const struct gcs_patience *p, int rc,
    int64_t *ret_generation, struct err_info *ei)
{
	struct gcs_object there;
	char crc[GCS_CRC_TEXT];

	/* Only a write that was sent before can have been done before. */
	if (p->tries < 2 || if_generation == STORE_ANY || rc == ERR_CANCELED)
		return rc;
	if (gcs_stat(g, name, &there, NULL) != 0)
		return rc;
	gcs_crc_text(content->crc32c, crc);
	if (there.object.size != content->size || strcmp(there.crc32c, crc) != 0 ||
	    there.object.generation == if_generation)
		return rc;
	if (ei != NULL)
		*ei = (struct err_info){ 0 };
	*ret_generation = there.object.generation;
	return 0;
}

/* --- reading --- */

/* A read at work: `got` bytes are in `into` behind `start`. */
struct read_job {
	struct gcs *g;
	const char *name;
	const struct store_range *range;
	struct buf *into;
	size_t start;
	int64_t generation; /* pinned once known */
	struct store_object meta;
	char crc32c[GCS_CRC_TEXT]; /* of the whole object; "" if unknown */
};

/* "bytes 0-99/1234", or the length of a whole answer. */
static void
note_total(struct read_job *j)
{
	struct slice range = http_response_header(&j->g->res, "content-range");
	struct slice stored = http_response_header(&j->g->res, "x-goog-stored-content-length");
	const char *slash = range.len > 0 ? memchr(range.ptr, '/', range.len) : NULL;

	if (slash != NULL)
		j->meta.size = strtoull(slash + 1, NULL, 10);
	else if (stored.len > 0)
		j->meta.size = strtoull(stored.ptr, NULL, 10);
}

/* x-goog-hash may come as one header or as several: crc32c=AAAAAA==,md5=... */
static void
note_hash(struct read_job *j)
{
	static const char mark[] = "crc32c=";
	struct slice all = buf_view(&j->g->res.headers);
	const char *at = all.len > 0 ? memmem(all.ptr, all.len, mark, sizeof(mark) - 1) : NULL;

	if (at == NULL ||
	    (size_t)(all.ptr + all.len - at) < sizeof(mark) - 1 + GCS_CRC_TEXT - 1)
		return;
	memcpy(j->crc32c, at + sizeof(mark) - 1, GCS_CRC_TEXT - 1);
	j->crc32c[GCS_CRC_TEXT - 1] = '\0';
}

static void
note_headers(struct read_job *j)
{
	struct slice generation = http_response_header(&j->g->res, "x-goog-generation");
	struct slice modified = http_response_header(&j->g->res, "last-modified");
	char text[64];

	if (generation.len > 0)
		j->generation = j->meta.generation = strtoll(generation.ptr, NULL, 10);
	if (modified.len > 0 && modified.len < sizeof(text)) {
		memcpy(text, modified.ptr, modified.len);
		text[modified.len] = '\0';
		if (time_parse_http(text, &j->meta.created_ms) != 0)
			j->meta.created_ms = TIME_NONE;
	}
	note_total(j);
	note_hash(j);
}

/* One request for what is still missing. */
static int
read_once(struct read_job *j, struct gcs_patience *p, struct err_info *ei)
{
	struct gcs *g = j->g;
	uint64_t got = j->into->len - j->start, from = j->range->offset + got;
	size_t left = j->range->len - (size_t)got;
	char url[GCS_URL_MAX], range[64], pin[64] = "";
	struct gcs_call c = { .url = url, .range = range, .body_max = left + 1 };
	int rc;

	if (j->generation != STORE_ANY)
		snprintf(pin, sizeof(pin), "&generation=%lld", (long long)j->generation);
	/* A range may not pass 2^63; the largest one stands for "all". */
	if (left > INT64_MAX / 2)
		snprintf(range, sizeof(range), "bytes=%llu-", (unsigned long long)from);
	else
		snprintf(range, sizeof(range), "bytes=%llu-%llu", (unsigned long long)from,
		    (unsigned long long)(from + left - 1));
	rc = gcs_object_url(g, j->name, url, "?alt=media%s", pin);
	if (rc == 0)
		rc = gcs_attempt(g, &c, p, ei);
	if (g->res.status == 200 && from > 0)
		return err_set(ei, ERR_PROTO, "%s: the server does not honour ranges", j->name);
	if (g->res.status == 200 || g->res.status == 206) {
		note_headers(j);
		buf_add(
		    j->into, g->res.body.ptr, g->res.body.len < left ? g->res.body.len : left);
	}
	return buf_err(j->into) != 0 ? buf_err(j->into) : rc;
}

/* Past the object's end there is nothing to read, but it must exist. */
static int
read_past_end(struct read_job *j, struct err_info *ei)
{
	struct gcs_object o;
	int rc = gcs_stat(j->g, j->name, &o, ei);

	if (rc == 0 && j->generation != STORE_ANY && o.object.generation != j->generation)
		rc = err_set(ei, ERR_STALE, "%s was replaced", j->name);
	if (rc == 0)
		j->meta = o.object;
	return rc;
}

static int
read_all(struct read_job *j, struct err_info *ei)
{
	struct gcs_patience p = gcs_patience(j->g);
	struct gcs_call again = { 0 };
	int rc;

	for (;;) {
		size_t before = j->into->len;

		rc = read_once(j, &p, ei);
		if (rc == 0)
			return 0;
		if (j->g->res.status == 416)
			return j->into->len > j->start ? 0 : read_past_end(j, ei);
		if (j->into->len > before) /* some of it came: that is progress, not a fault */
			p.pause_ms = j->g->o.backoff_ms;
		if (!gcs_again(j->g, &again, &p, rc))
			return p.tries > 1 ? err_wrap(ei, rc, "after %u tries", p.tries) : rc;
	}
}

/* The server's checksum is of the whole object: it says something if all of it is here. */
static int
check_sum(struct read_job *j, struct err_info *ei)
{
	size_t got = j->into->len - j->start;
	char have[GCS_CRC_TEXT];

	if (j->range->offset != 0 || got != j->meta.size || j->crc32c[0] == '\0')
		return 0;
	gcs_crc_text(crc32c(0, j->into->ptr + j->start, got), have);
	if (strcmp(have, j->crc32c) == 0)
		return 0;
	return err_set(ei, ERR_CORRUPT,
	    "gs://%s/%s%s: the bytes have crc32c %s, the server says %s", j->g->bucket,
	    j->g->prefix, j->name, have, j->crc32c);
}

int
gcs_read(struct store *s, const char *name, const struct store_range *range, struct buf *into,
    struct store_object *ret_meta, struct err_info *ei)
{
	struct read_job j = { .g = (struct gcs *)s,
		.name = name,
		.range = range,
		.into = into,
		.start = into->len,
		.generation = range->generation };
	int rc = 0;

	if (range->len == 0)
		return read_past_end(&j, ei);
	for (int i = 0; i < DAMAGED_MAX; i++) {
		into->len = j.start;
		j.generation = range->generation;
		rc = read_all(&j, ei);
		if (rc == 0)
			rc = check_sum(&j, ei);
		if (rc != ERR_CORRUPT)
			break;
	}
	if (rc == 0)
		*ret_meta = j.meta;
	return rc;
}
