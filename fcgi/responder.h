/*
 * responder.h - what every handler of the responder gets: the snapshot, the
 * request, counters; and how errors are answered.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "fcgi/answer_cache.h"
#include "fcgi/etag.h"
#include "fcgi/params.h"
#include "fcgi/request.h"
#include "fcgi/segment_reader.h"

#define RESPONDER_THREADS_MAX 256
#define RESPONDER_PAGE_BYTES ((size_t)4 << 20) /* a list page ends here at the latest */

struct responder {
	const char *snapshot_dir;
	const char *log_url;  /* for the log routes; NULL = they answer 501 */
	const char *ca_file;  /* certificates for it; NULL = the system's */
	bool log_exact;       /* log_url is the repository's own folder */
	pthread_mutex_t lock; /* guards the first opening of snap, and the making of segments */
	struct segment_reader *segments; /* NULL until a log's bytes are asked for */
	_Atomic(struct snap *) snap;     /* NULL until there is a snapshot */
	int64_t retry_ms;                /* monotonic time before which it is not tried again */
	uint64_t filter_steps;           /* work that a filter may take in one request */
	/* A filtered scan looks at the clock after so many rows, and gives way after a time. */
	unsigned scan_rows;
	int64_t scan_turn_ms;
	atomic_ullong answers[6]; /* by the status's first digit */
	atomic_ullong from_cache; /* of them, those that were found in a cache */
	size_t cache_bytes;       /* of each thread's cache; 0 = none */
	struct answer_cache *caches[RESPONDER_THREADS_MAX]; /* NULL until needed */
};

/* A matched path: its variable parts, decoded. */
struct route_match {
	struct slice owner, repo, number;
};

/* Decimal digits without a leading zero, at most `max`; false for anything else. */
bool parse_decimal(struct slice text, uint64_t max, uint64_t *ret);

/* One request being answered. */
struct exchange {
	struct responder *r;
	struct request *req;
	struct route_match match;
	struct params params;
	struct snap_view *view;     /* NULL for routes that need none */
	struct answer_cache *cache; /* the thread's; may be NULL */
	char etag[ETAG_TEXT];       /* of the answer; "" = it has none */
	bool varies;                /* with the Accept field */
	struct err_info ei;
};

void responder_init(struct responder *r, const char *snapshot_dir);
void responder_clear(struct responder *r);

/* The request_handler of every transport; `ctx` is the responder. */
void responder_handle(void *ctx, unsigned thread, struct request *req);

/* Begin a view; ERR_NOENT while nothing is mirrored yet. */
int responder_view(struct responder *r, struct snap_view **ret, struct err_info *ei);

/* Answer 200 with req->out as JSON, and x->etag; keep it if it has one. */
void answer_json(struct exchange *x);
/* 304 with x->etag. */
void answer_not_modified(struct exchange *x);
/* Hash req->out, and answer 304 if the client has just that; else answer_json(). */
void answer_json_hashed(struct exchange *x);
/* Answer 200 with an answer that was kept. */
void answer_kept(struct exchange *x, struct slice json);
/* Answer with a google.rpc.Status made of an err code and ei's text. */
void answer_error(struct exchange *x, int rc);
/* The same with a given HTTP status and google.rpc.Code. */
void answer_status(struct exchange *x, int http, int code, const char *message,
    const struct request_field *fields);

/* Does the path name this pod's repository?  If not, 404 is answered. */
bool exchange_is_ours(struct exchange *x, struct snap_repo *repo);

/*
 * The answer will be a function of the log and of what was asked: fill x->etag.  True
 * when it is answered: with 304 if the client has that answer already, or from the
 * thread's cache.  Call it when nothing about the request can be wrong any more.
 */
bool exchange_unchanged(struct exchange *x, const struct snap_repo *repo);

/* The issue that the path names; if there is none, 400 or 404 is answered. */
bool exchange_issue(struct exchange *x, const struct snap_repo *repo, struct snap_issue *ret);

/* Has the first walk over every family of objects ended? */
bool mirror_is_complete(struct snap_view *v);

/* Answer with the whole list in x->params.format, which is not JSON. */
void export_issues(struct exchange *x, const struct snap_repo *repo);

/* Handlers: one answer each. */
void handle_issues(struct exchange *x);
void handle_issue(struct exchange *x);
void handle_comments(struct exchange *x);
void handle_reviews(struct exchange *x);
void handle_review_comments(struct exchange *x);
void handle_events(struct exchange *x);
void handle_labels(struct exchange *x);
void handle_milestones(struct exchange *x);
void handle_repository(struct exchange *x);
void handle_repositories(struct exchange *x);
void handle_slo(struct exchange *x);
void handle_logs(struct exchange *x);
void handle_log_segment(struct exchange *x);
void handle_health(struct exchange *x);
void handle_metrics(struct exchange *x);
