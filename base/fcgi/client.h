/*
 * client.h - asking a FastCGI responder: kept connections, streaming, deadlines.
 *
 * A client speaks to one address.  It opens connections as calls need them, keeps
 * them while idle, and queues calls past its limits.  Everything runs on the
 * thread of the loop it was made for; no callback is made from inside a function
 * of this header.  SIGPIPE must be blocked or ignored there, as fcgi_server_run()
 * and fcgi_call() do by themselves.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"
#include "base/buf.h"
#include "base/fcgi/cgi_head.h"
#include "base/fcgi/record.h"

struct uv_loop_s;
struct fcgi_budget;
struct fcgi_client;
struct fcgi_exchange; /* one request and its answer; valid until its last callback returns */

/* 0 means the default in brackets. */
struct fcgi_client_opts {
	unsigned connect_ms; /* name lookup and connecting [1,000] */
	unsigned
	    first_ms;     /* from the request's last byte sent to the answer's first [10,000] */
	unsigned idle_ms; /* between two pieces of the answer [30,000] */
	unsigned keep_ms; /* an idle connection is closed after this [60,000] */
	unsigned names_ms;       /* how long a looked-up address is used [30,000] */
	unsigned conns_max;      /* open at once [64] */
	unsigned waiting_max;    /* exchanges that wait for a connection [256] */
	unsigned conn_calls_max; /* multiplexed on one connection [1: most servers cannot] */
	size_t
	    body_queue_max; /* unsent body of one exchange, see fcgi_exchange_write [1 MiB] */
	bool no_keep;       /* a connection for each exchange */
	/*
	 * What clients of one loop share (budget.h): connections are counted there, too, and
	 * opened while there is room, and one read buffer serves all.  Must be left to
	 * fcgi_budget_free() after this client.  NULL: none.
	 */
	struct fcgi_budget *budget;
};

/*
 * What happens to an exchange; any may be NULL.  Exactly one of on_end and on_error is
 * the last.  In each of them the exchange may be aborted, and others started.
 */
struct fcgi_exchange_events {
	void (*on_stdout)(void *ctx, struct slice data); /* borrowed for the call */
	void (*on_stderr)(void *ctx, struct slice data);
	void (*on_end)(void *ctx, const struct fcgi_end *end);
	/*
	 * ERR_TIMEOUT (connect, first byte or idle), ERR_CLOSED (before the end), ERR_PROTO,
	 * ERR_NOENT (name or socket file), ERR_CANCELED (client freed), ERR_NOMEM, ERR_IO,
	 * ERR_UNAVAILABLE (refused).
	 */
	void (*on_error)(void *ctx, int code);
	void (*on_writable)(void *ctx); /* body queue empty again, after it was full */
};

struct fcgi_exchange_spec {
	const struct fcgi_pair *params; /* copied */
	size_t param_count;
	struct slice body; /* copied */
	bool more_body;    /* more comes by fcgi_exchange_write() */
	/*
	 * Send it once more, on a fresh connection, if a kept one breaks before a byte of
	 * the answer came (GET and HEAD; the peer may just have closed it).
	 */
	bool repeatable;
	bool fresh; /* never on a connection that served something before */
	unsigned
	    first_ms; /* instead of the client's, for what is known to be slow; 0: the same */
};

/* `opts` may be NULL.  ERR_NOMEM. */
int fcgi_client_new(struct uv_loop_s *loop, const struct addr *a,
    const struct fcgi_client_opts *opts, struct fcgi_client **ret);

/*
 * Cancel what is open (on_error with ERR_CANCELED, from here, the one exception) and
 * end.  The loop must run on until the sockets' handles are closed.  NULL is fine.
 */
void fcgi_client_free(struct fcgi_client *c);

/* ERR_FULL past waiting_max, ERR_LIMIT (params), ERR_NOMEM; then no callback comes. */
int fcgi_exchange_start(struct fcgi_client *c, const struct fcgi_exchange_spec *spec,
    const struct fcgi_exchange_events *events, void *ctx, struct fcgi_exchange **ret);

/*
 * Append to the body; `last` ends it.  ERR_FULL, and nothing taken, when more than
 * body_queue_max would be unsent (wait for on_writable); ERR_CLOSED after `last`.
 */
int fcgi_exchange_write(struct fcgi_exchange *x, struct slice body, bool last);

/* Stop reading the answer; one read buffer (64 KiB) may still come.  No deadline runs. */
void fcgi_exchange_pause(struct fcgi_exchange *x, bool paused);

/* Drop it: no further callback, `x` is gone.  NULL is fine. */
void fcgi_exchange_abort(struct fcgi_exchange *x);

/*
 * Trust nothing that is known: idle connections are closed, busy ones end with what they
 * carry, and the name is looked up before the next one is opened.  For an address whose
 * peer hung or moved.
 */
void fcgi_client_refresh(struct fcgi_client *c);

struct fcgi_client_stats {
	unsigned conns, idle, waiting, running;
};
void fcgi_client_stats(const struct fcgi_client *c, struct fcgi_client_stats *ret);

/*
 * One whole request, blocking, on a loop of its own: for tools.  STDOUT is appended
 * to `ret_stdout` and its header described in *ret_head (bytes from the start of what
 * was appended).  `timeout_ms` is for everything.  ERR_LIMIT past the cap of
 * `ret_stdout`, ERR_PROTO for an answer that is no CGI answer, ERR_UNAVAILABLE if the
 * peer refused the request, else as on_error.
 */
int fcgi_call(const struct addr *a, const struct fcgi_pair *params, size_t param_count,
    struct slice body, unsigned timeout_ms, struct buf *ret_stdout, struct cgi_head *ret_head,
    struct err_info *ei);

/*
 * The CGI variables of a plain HTTP request, for fcgi_call(): `target` is path and query.
 * Fills at most FCGI_CALL_PARAMS pairs, borrowed from the arguments; returns their number.
 */
#define FCGI_CALL_PARAMS 8
size_t fcgi_call_params(const char *method, const char *target, const char *body_bytes,
    struct fcgi_pair ret[FCGI_CALL_PARAMS]);
