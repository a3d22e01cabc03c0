/*
 * call.h - one request of a client: its id, its answer and its line in the log.
 *
 * A call ends exactly once: answered, failed or left by its client.  The memory goes when
 * call_release() has been called as often as it is held: once for the client's side, once
 * for an exchange that goes on behind an answer.
 */
#pragma once

#include "base/fcgi/client.h"
#include "router/router.h"

struct relay {
	struct fcgi_exchange *x;
	struct buf head;    /* the answer so far, until its header is whole */
	struct buf waiting; /* a piece of the client's body that the backend does not take */
	bool waiting_last;
	bool begun, paused, repeatable, repeated, body_done;
	int64_t left; /* bytes of the body still to come, -1 unknown */
	struct fcgi_pair *params;
	size_t param_count;
};

struct call {
	struct router *rt;
	struct fcgi_request *req; /* NULL once it has ended */
	struct path path;
	struct slice method;
	bool head; /* a HEAD request */
	char id[REQUEST_ID_MAX + 1];
	char where[256]; /* the path, cut, for the log line */
	int64_t began_ms, first_ms;
	uint64_t bytes;
	int status;
	unsigned holders;
	struct backend *backend; /* held; NULL if the router answers itself */
	struct relay relay;
	void *part; /* fanout.c's or webhook.c's; in the request's arena */
	struct call *next_free;
};

/* For a request that has just come; fills id, method and where.  NULL without memory. */
struct call *call_new(struct router *rt, struct fcgi_request *req);
void call_release(struct call *c);

/* An answer's further header lines; a list ends with a NULL name. */
struct call_field {
	const char *name, *value;
};

/* Answer and end.  `fields` may be NULL. */
void call_answer(struct call *c, enum outcome o, int status, const char *type,
    const struct call_field *fields, struct slice body);
/* A google.rpc.Status. */
void call_error(struct call *c, enum outcome o, int status, const char *message,
    const struct call_field *fields);
/*
 * The log line and the counters of a call whose answer went another way.  The request is
 * no longer this call's.
 */
void call_ended(struct call *c, enum outcome o);

/* relay.c, fanout.c, webhook.c: take the call over. */
void relay_start(struct call *c);
void fanout_start(struct call *c);
void webhook_start(struct call *c);

/* webhook.c */
int webhooks_new(const char *secret_file, struct webhooks **ret, struct err_info *ei);
void webhooks_free(struct webhooks *w);
