/*
 * server_internal.h - what the server's files share; nobody else includes it but
 * their tests.
 *
 *   server.c          loop, accept, deadlines, drain
 *   server_conn.c     one connection: bytes out of and into its socket
 *   server_input.c    records -> requests; pure: calls no libuv, reads no clock
 *   server_request.c  what handlers see, and how they answer
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <uv.h>

#include "base/fcgi/link.h"
#include "base/fcgi/out_queue.h"
#include "base/fcgi/record.h"
#include "base/fcgi/server.h"

#define SERVER_READ_BYTES ((size_t)64 << 10) /* one read; the buffer is the server's */
#define SERVER_VALUES_BYTES 4096             /* content of GET_VALUES; three names need 50 */
#define SERVER_POOL_MAX 64                   /* requests and connections kept for reuse */
#define SERVER_KEEP_BYTES ((size_t)64 << 10) /* buffers of pooled requests keep this much */
#define SERVER_ACCEPTS_MAX (2 * FCGI_LISTEN_MAX)

enum request_state {
	REQUEST_PARAMS,  /* reading PARAMS */
	REQUEST_STDIN,   /* reading STDIN, the handler has not been called */
	REQUEST_READY,   /* complete; waits in conn->ready until output has drained */
	REQUEST_RUNNING, /* the handler was called */
};

struct fcgi_request {
	struct link conn_link;  /* conn->requests */
	struct link read_link;  /* server->reading, while input is missing */
	struct link defer_link; /* server->deferred, while it has a deadline */
	struct link ready_link; /* conn->ready */
	struct fcgi_request *next_free;
	struct server_conn *conn;
	enum request_state state;
	uint16_t id;
	bool input_done, body_over, deferred, want_writable, paused;
	int64_t read_deadline_ms, defer_deadline_ms;
	struct buf params, body;
	struct fcgi_pair *pairs; /* slices of `params` */
	size_t pair_count, pair_cap;
	struct arena arena;
	fcgi_request_fn on_timeout, on_abort, on_writable;
	fcgi_body_fn on_body;
	void *data;
};

/* What a connection waits for, and thereby which deadline holds. */
enum conn_wait {
	CONN_NONE,    /* its requests have deadlines of their own */
	CONN_IDLE,    /* a request; idle_ms */
	CONN_PARTIAL, /* the rest of a record, or a lingering peer's end; read_ms */
	CONN_WRITING, /* the peer to take output; write_ms without progress */
	CONN_WAITS,
};

struct server_conn {
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_tcp_t tcp;
		uv_pipe_t pipe;
	} uv;
	struct fcgi_server *server;
	struct link all_link;  /* server->conns */
	struct link wait_link; /* server->waits[wait] */
	struct server_conn *next_free;
	enum conn_wait wait;
	int64_t deadline_ms;
	struct fcgi_reader reader;
	struct link requests; /* open, in the order of their BEGIN */
	unsigned request_count;
	struct link ready;
	struct out_queue out;
	struct buf values; /* content of a GET_VALUES being read */
	unsigned pauses;   /* requests that asked for a pause of their body */
	bool reading, in_input, eof, closing;
	bool no_keep;   /* the peer asked to close after its request */
	bool unread;    /* a request was ended before its input was */
	bool lingering; /* our side is shut, waiting for the peer's */
};

struct server_accept {
	struct fcgi_server *server;
	uv_poll_t poll;
	int fd;
	bool is_tcp;
	bool active;
};

struct server_post {
	struct server_post *next;
	void (*fn)(void *arg);
	void *arg;
};

struct server_counts {
	atomic_uint_fast64_t conns_open, conns_total, requests_open, requests_total, aborted;
	atomic_uint_fast64_t overloaded, timeouts, proto_errors;
};

struct fcgi_server {
	struct fcgi_server_opts opts;
	fcgi_handler handler;
	void *ctx;
	uv_loop_t loop;
	uv_async_t wake;
	uv_timer_t tick, defer_timer, accept_timer, drain_timer;
	struct server_accept accepts[SERVER_ACCEPTS_MAX];
	unsigned accept_count;
	atomic_int stop_level; /* 0, 1 drain, 2 kill */
	bool draining, drain_cut, accept_paused;
	bool input_over; /* of a drain: nothing more is waited for from peers */
	int64_t now_ms;  /* the loop's time */
	struct link conns;
	struct link waits[CONN_WAITS];
	struct link reading;  /* requests by read_deadline_ms */
	struct link deferred; /* requests by defer_deadline_ms */
	struct fcgi_request *free_requests;
	unsigned free_request_count;
	struct server_conn *free_conns;
	unsigned free_conn_count;
	struct fcgi_request *current; /* in the handler; NULL once it has ended */
	unsigned requests_open, conns_open;
	struct buf spare;   /* an output buffer that keeps its memory */
	struct buf scratch; /* small records being built */
	char *read_bytes;   /* SERVER_READ_BYTES, shared by all connections */
	struct server_counts counts;
	pthread_mutex_t post_lock; /* guards the next three */
	struct server_post *posts, **posts_tail;
	bool ended;
};

/* Counters have one writer, the loop's thread: no locked instruction is needed. */
static inline void
count_add(atomic_uint_fast64_t *c, uint64_t n)
{
	atomic_store_explicit(
	    c, atomic_load_explicit(c, memory_order_relaxed) + n, memory_order_relaxed);
}

/* server.c */
void server_fill_opts(struct fcgi_server_opts *o, const struct fcgi_server_opts *given);
void server_arm_deferred(struct fcgi_server *s); /* after the first of `deferred` changed */
void server_conn_left(struct fcgi_server *s);    /* accept again, or end a drain */

/* server_conn.c */
struct server_conn *server_conn_new(struct fcgi_server *s);
void server_conn_release(struct server_conn *c); /* back to the pool; aborts what is open */
int server_conn_open(struct server_conn *c, int fd, bool is_tcp);
/* Send or queue; 0 or ERR_CLOSED, when the connection is (now) closing. */
int server_conn_send(struct server_conn *c, const uv_buf_t *iov, unsigned count);
void server_conn_kick(struct server_conn *c); /* start the write of what is pending */
size_t server_conn_queued(const struct server_conn *c);
void server_conn_close(struct server_conn *c); /* nothing is freed before its callback */
void server_conn_settle(
    struct server_conn *c); /* after anything: close, linger, read on, deadlines */
void server_conn_drain(struct server_conn *c);
void server_conn_abort_requests(struct server_conn *c);
void server_conns_clear(struct fcgi_server *s); /* frees the pool */

/* server_input.c */
int server_conn_input(struct server_conn *c, struct slice in);
void server_conn_dispatch_ready(struct server_conn *c);

/* server_request.c */
struct fcgi_request *server_request_new(
    struct server_conn *c, uint16_t id); /* NULL without memory */
int server_request_parse_params(struct fcgi_request *r);
void server_request_release(struct fcgi_request *r);
void server_request_abort(struct fcgi_request *r, bool tell_peer);
void server_request_dispatch(struct fcgi_request *r);
void server_request_timed_out(struct fcgi_request *r);
/* An END_REQUEST for an id that has no request. */
void server_conn_refuse(struct server_conn *c, uint16_t id, enum fcgi_protocol_status status);
void server_requests_clear(struct fcgi_server *s);
