/*
 * server.h - an event-driven FastCGI 1.0 responder: one loop, many connections.
 *
 * A server is one libuv loop in one thread; a program with N threads makes N
 * servers over one listener (listen.h).  Handlers run on the loop's thread and
 * answer at once (fcgi_request_reply), later (fcgi_request_defer) or piece by
 * piece (fcgi_request_write).  Unless a function says otherwise, it may only be
 * called on the loop's thread.
 *
 * A request that is still being sent, a reader that is slow and a connection
 * that is idle cost memory within the limits below, and never hold up others.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/fcgi/listen.h"

struct uv_loop_s;
struct fcgi_server;
struct fcgi_request; /* valid from the handler's call until it was ended or aborted */

/* Called when a request is complete (or its params are, see stream_body). */
typedef void (*fcgi_handler)(void *ctx, struct fcgi_request *req);
typedef void (*fcgi_request_fn)(struct fcgi_request *req);

/* Everything a peer can make grow has a limit here.  0 means the default in brackets. */
struct fcgi_server_opts {
	size_t
	    params_bytes_max; /* all name-value pairs of a request [64 KiB]; more: END_REQUEST */
	size_t
	    body_bytes_max; /* STDIN kept for the handler [1 MiB]; see fcgi_request_body_over */
	size_t out_bytes_max; /* output queued by one request before it should wait [256 KiB] */
	size_t out_full_bytes;  /* a write that would queue more is ERR_FULL [twice that] */
	size_t arena_bytes_max; /* fcgi_request_arena() [8 MiB] */
	unsigned conns_max;     /* open connections; more wait in the listen queue [4096] */
	unsigned requests_max;  /* requests open at once; more are answered OVERLOADED [4096] */
	unsigned conn_requests_max; /* the same for one connection [128] */
	unsigned read_ms;           /* from BEGIN_REQUEST to the end of its input [10,000] */
	unsigned write_ms;          /* longest time without a byte taken by the peer [30,000] */
	unsigned idle_ms;           /* kept connection without a request [300,000] */
	unsigned drain_ms; /* from fcgi_server_stop() to fcgi_server_run()'s return [10,000] */
	bool stream_body;  /* call the handler at the end of PARAMS, see on_body */
};

/* Counts since the start; read from any thread, each on its own exact. */
struct fcgi_server_stats {
	uint64_t conns_open, conns_total;
	uint64_t requests_open, requests_total;
	uint64_t aborted;    /* by the peer, or its connection was lost */
	uint64_t overloaded; /* refused for requests_max or conn_requests_max */
	uint64_t timeouts;   /* connections closed by read_ms or write_ms */
	uint64_t proto_errors;
};

/* `opts` may be NULL.  ERR_NOMEM or ERR_IO. */
int fcgi_server_new(const struct fcgi_server_opts *opts, fcgi_handler handler, void *ctx,
    struct fcgi_server **ret);
/* After fcgi_server_run() has returned, or if it was never called.  NULL is fine. */
void fcgi_server_free(struct fcgi_server *s);

/* Accept from `l`, which is borrowed until fcgi_server_free(). */
int fcgi_server_listen(struct fcgi_server *s, const struct fcgi_listener *l);

/*
 * Serve until fcgi_server_stop(), then drain; 0, or ERR_TIMEOUT if drain_ms cut the
 * drain short.  SIGPIPE is blocked in the calling thread meanwhile.
 */
int fcgi_server_run(struct fcgi_server *s);

/*
 * Drain: take no new connection, close idle ones, let open requests end, and
 * make fcgi_server_run() return, after drain_ms at the latest.  A connection whose
 * only request is not all there after a quarter of that is closed.  Kill closes
 * everything at once.  Any thread, any signal handler, any number of times.
 */
void fcgi_server_stop(struct fcgi_server *s);
void fcgi_server_kill(struct fcgi_server *s);

/*
 * Call fn(arg) on the loop's thread, soon.  Any thread.  ERR_NOMEM, or
 * ERR_CLOSED once the server has ended (then fn will not be called).
 */
int fcgi_server_post(struct fcgi_server *s, void (*fn)(void *arg), void *arg);

void fcgi_server_stats(const struct fcgi_server *s, struct fcgi_server_stats *ret);

/* The loop, for clients (client.h) that work on behalf of this server's requests. */
struct uv_loop_s *fcgi_server_loop(struct fcgi_server *s);
struct fcgi_server *fcgi_request_server(struct fcgi_request *req);

/*
 * What was asked.  Slices are borrowed until the request has ended.
 */

/* A parameter's value; ptr is NULL when there is none of that name (the last one wins). */
struct slice fcgi_request_param(const struct fcgi_request *req, const char *name);
/* The i-th pair as sent; false past the end. */
bool fcgi_request_param_at(
    const struct fcgi_request *req, size_t i, struct slice *ret_name, struct slice *ret_value);
/* The input, cut at body_bytes_max; empty under stream_body. */
struct slice fcgi_request_body(const struct fcgi_request *req);
/* True if the input was longer than body_bytes_max (answer 413). */
bool fcgi_request_body_over(const struct fcgi_request *req);
/* Memory that lives as long as the request. */
struct arena *fcgi_request_arena(struct fcgi_request *req);
/* A pointer of the handler's own, NULL at first. */
void fcgi_request_set_data(struct fcgi_request *req, void *data);
void *fcgi_request_data(const struct fcgi_request *req);

/*
 * How it is answered.  A handler must, before it returns, have ended the request
 * or have called fcgi_request_defer(); a request it forgot is ended with status 1.
 */

/*
 * The whole answer at once: `head` then `body` as STDOUT, and the end of the
 * request, in one system call when the socket takes it.  Both stay the caller's;
 * what the socket does not take is copied.  `req` is gone afterwards.
 */
void fcgi_request_reply(struct fcgi_request *req, struct slice head, struct slice body);

/*
 * Append to STDOUT or STDERR.  The bytes are sent or copied.  Once
 * fcgi_request_queued() has reached out_bytes_max, a producer should wait for
 * on_writable (called when half of that is left; it may end this request, but no
 * other); ERR_FULL, and nothing taken, when something is queued and more than
 * out_full_bytes would be; ERR_NOMEM; ERR_CLOSED.
 */
int fcgi_request_write(struct fcgi_request *req, struct slice data);
/* Both, one behind the other, as with one call of the function above. */
int fcgi_request_write_two(struct fcgi_request *req, struct slice first, struct slice second);
int fcgi_request_write_stderr(struct fcgi_request *req, struct slice data);
size_t fcgi_request_queued(const struct fcgi_request *req);
void fcgi_request_on_writable(struct fcgi_request *req, fcgi_request_fn fn);

/* End the request after what is queued.  `req` is gone afterwards. */
void fcgi_request_end(struct fcgi_request *req, uint32_t app_status);

/*
 * Give up an answer that has begun, so that the peer can tell it from a complete one:
 * its connection is closed without an end, which web servers pass on.  Where other requests
 * share the connection, this one ends OVERLOADED instead.  `req` is gone afterwards.
 */
void fcgi_request_fail(struct fcgi_request *req);

/*
 * Answer later.  `on_timeout` is called if the request has not ended within
 * `timeout_ms` (0: no deadline); it must end the request or defer it again.
 * Deferring again replaces the deadline.
 */
void fcgi_request_defer(
    struct fcgi_request *req, uint32_t timeout_ms, fcgi_request_fn on_timeout);

/*
 * `fn` is called if the peer aborts the request or its connection is lost before
 * fcgi_request_end(), and on a drain's deadline.  It must not answer; `req` is
 * gone when it returns.  Without one the request just disappears.
 */
void fcgi_request_on_abort(struct fcgi_request *req, fcgi_request_fn fn);

/*
 * With stream_body: `fn` gets the input in pieces, at the end one with `last` (which
 * may be empty).  body_bytes_max does not apply.  Set it in the handler.  While
 * paused, the whole connection is not read (one read buffer may still come).
 */
typedef void (*fcgi_body_fn)(struct fcgi_request *req, struct slice piece, bool last);
void fcgi_request_on_body(struct fcgi_request *req, fcgi_body_fn fn);
void fcgi_request_pause_body(struct fcgi_request *req, bool paused);
