/*
 * gcs.h - requests to Google Cloud Storage's JSON API, shared by the gcs_*.c files.
 *
 * https://cloud.google.com/storage/docs/json_api/v1 for the requests,
 * https://cloud.google.com/storage/docs/retry-strategy for which may be repeated.
 */
#pragma once

#include "base/gcp/gcp_auth.h"
#include "base/json.h"
#include "base/store/store_impl.h"

#define GCS_URL_MAX 8192
#define GCS_JSON_MAX ((size_t)64 << 20) /* a page of a listing, an object's description */
#define GCS_CRC_TEXT 9                  /* base64 of 4 bytes, and a NUL */
#define GCS_RECENT 16                   /* names whose last write is remembered */

struct gcs {
	struct store base;
	struct store_open_opts o; /* defaults filled in */
	struct cancel cancel;
	struct http *http;
	struct gcp_auth *auth; /* NULL under STORAGE_EMULATOR_HOST */
	char *origin;          /* "https://storage.googleapis.com", no slash at the end */
	char *bucket;
	char *prefix;             /* "" or "logs/" */
	struct http_response res; /* of the last request */
	uint64_t jitter;          /* state of the random pauses */
	struct {
		uint64_t name; /* a hash */
		int64_t at_ms; /* monotonic */
	} recent[GCS_RECENT];
};

struct gcs_call {
	const char *method; /* NULL = GET */
	const char *url;
	const char *content_type;
	const char *range; /* the value of a Range or Content-Range header */
	bool upload_range; /* which of the two */
	struct slice body;
	size_t body_max;
	bool once; /* a write without a precondition: never sent again, lest it be done twice */
};

/* When an operation must be over, and what the next pause is. */
struct gcs_patience {
	int64_t deadline_ms; /* monotonic */
	int64_t pause_ms;
	unsigned tries; /* requests sent so far */
};
struct gcs_patience gcs_patience(const struct gcs *g);

/*
 * One attempt: a token, the request, a new token and a second attempt after a 401.
 * 0 when the status is 2xx or 308; else the code of http_status_err() or http_perform(),
 * with Google's message in `ei`.  g->res holds the answer.
 */
int gcs_attempt(
    struct gcs *g, const struct gcs_call *c, struct gcs_patience *p, struct err_info *ei);

/*
 * After a failure: pause and return true if it may pass, the call may be repeated and
 * the deadline allows; false otherwise.
 */
bool gcs_again(struct gcs *g, const struct gcs_call *c, struct gcs_patience *p, int rc);

/* gcs_attempt() until it succeeds or may not be tried again. */
int gcs_call(
    struct gcs *g, const struct gcs_call *c, struct gcs_patience *p, struct err_info *ei);

/* The same, and parse the answer's JSON object; the caller json_decref()s it. */
int gcs_call_json(struct gcs *g, const struct gcs_call *c, struct gcs_patience *p, json_t **ret,
    struct err_info *ei);

/* --- names and descriptions --- */

/* origin + "/storage/v1/b/BUCKET/o/PREFIX+NAME" + format, or /upload/storage/... */
int gcs_object_url(const struct gcs *g, const char *name, char out[GCS_URL_MAX],
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
int gcs_url(const struct gcs *g, char out[GCS_URL_MAX], const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* "?ifGenerationMatch=7", or "" for STORE_ANY; `out` has 48 bytes. */
const char *gcs_condition(int64_t if_generation, char lead, char out[48]);

/* An object's description. */
struct gcs_object {
	struct store_object object; /* name NULL */
	char crc32c[GCS_CRC_TEXT];  /* base64, big-endian */
};
int gcs_object_parse(const json_t *doc, struct gcs_object *ret, struct err_info *ei);
int gcs_stat(struct gcs *g, const char *name, struct gcs_object *ret, struct err_info *ei);
void gcs_crc_text(uint32_t crc, char out[GCS_CRC_TEXT]);

/* At most one write a second to one object's name: sleep if it was written just now. */
int gcs_pace(struct gcs *g, const char *name);

/*
 * A write was sent more than once and the last answer is a 412 (or another failure): is
 * what is there ours?  0 with its generation, or the rc given.
 */
int gcs_settle(struct gcs *g, const char *name, int64_t if_generation,
    const struct store_content *content, const struct gcs_patience *p, int rc,
    int64_t *ret_generation, struct err_info *ei);

/* --- operations, one file each --- */

int gcs_read(struct store *s, const char *name, const struct store_range *range,
    struct buf *into, struct store_object *ret_meta, struct err_info *ei);
int gcs_put(struct store *s, const char *name, struct slice data, int64_t if_generation,
    int64_t *ret_generation, struct err_info *ei);
/* The same by a resumable upload; for large objects, and to try it out. */
int gcs_put_resumable(struct gcs *g, const char *name, struct slice data, int64_t if_generation,
    int64_t *ret_generation, struct err_info *ei);
int gcs_copy(struct store *from, const char *name, struct store *to, const char *to_name,
    int64_t if_generation, int64_t *ret_generation, struct err_info *ei);
int gcs_compose(struct store *s, const char *const *names, size_t count,
    const struct store_content *content, const char *to_name, int64_t if_generation,
    int64_t *ret_generation, struct err_info *ei);
