/*
 * client_internal.h - what the client's files share; nobody else includes it but
 * their tests.
 *
 *   client.c        the client: who waits, which connection serves whom, deadlines
 *   client_names.c  looking up the address
 *   client_conn.c   one connection: connect, bytes in and out
 *   client_input.c  records -> events; pure: calls no libuv, reads no clock
 *   client_call.c   the blocking call
 */
#pragma once

#include <sys/socket.h>
#include <uv.h>

#include "base/fcgi/budget_impl.h"
#include "base/fcgi/client.h"
#include "base/fcgi/link.h"
#include "base/fcgi/out_queue.h"

#define CLIENT_READ_BYTES ((size_t)64 << 10)
#define CLIENT_PARAMS_MAX ((size_t)1 << 20)
#define CLIENT_ADDRS_MAX 8

enum client_conn_state {
	CCONN_CONNECTING,
	CCONN_OPEN,
	CCONN_CLOSING, /* waits for its close callback, which fails its exchanges */
};

struct fcgi_exchange {
	struct link list_link; /* client->waiting, or conn->exchanges */
	struct fcgi_client *client;
	struct client_conn *conn; /* NULL while waiting */
	uint16_t id;
	struct fcgi_exchange_events events;
	void *ctx;
	struct buf
	    request; /* BEGIN, PARAMS, the body so far; ids are stamped when it is sent */
	int64_t deadline_ms;
	unsigned first_ms;
	bool body_done, repeatable, fresh_only, answered, paused, want_writable;
	bool zombie;   /* aborted: only its END_REQUEST is awaited */
	bool finished; /* in its last callback */
};

struct client_conn {
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_tcp_t tcp;
		uv_pipe_t pipe;
	} uv;
	uv_connect_t connect;
	struct fcgi_client *client;
	struct link list_link; /* client->conns */
	struct link idle_link; /* budget->idle */
	struct link exchanges;
	unsigned exchange_count;
	enum client_conn_state state;
	bool reading;
	bool in_input; /* not to be used for another exchange before all is parsed */
	bool spoiled;  /* not to be used for another exchange at all */
	bool connect_failed;
	bool counted;        /* in the budget */
	unsigned served;     /* exchanges that ended on it */
	uint16_t last_id;    /* ids rotate, so that a late record meets no later exchange */
	unsigned addr_index; /* of client->addrs */
	int64_t deadline_ms; /* of connecting, or of being idle */
	int error;           /* why it closes */
	struct fcgi_reader reader;
	struct out_queue out;
};

struct fcgi_client {
	uv_loop_t *loop;
	struct addr addr;
	struct fcgi_client_opts opts;
	struct link conns;
	unsigned conn_count, connecting;
	struct link waiting;
	unsigned waiting_count;
	uv_timer_t tick;
	bool ticking;
	uv_getaddrinfo_t lookup;
	bool looking_up;
	bool lookup_wanted; /* who waits has no address to go to */
	int64_t lookup_deadline_ms;
	struct sockaddr_storage addrs[CLIENT_ADDRS_MAX];
	unsigned addr_count;
	int64_t addrs_until_ms;   /* 0: look up again */
	bool literal;             /* the address is written as one: nothing to look up */
	struct link starved_link; /* budget->starved */
	struct buf spare, scratch;
	char *read_bytes;
	bool freed;
	unsigned handles; /* timer, lookup and connections that still have a callback to come */
	int64_t now_ms;
};

/* client.c */
void client_pump(struct fcgi_client *c); /* give the waiting what they wait for */
void client_fail_waiting(struct fcgi_client *c, unsigned count, int code);
void client_hold(struct fcgi_client *c); /* keeps it over callbacks that may free it */
void client_release(struct fcgi_client *c);
/* `code` 0: `end` is the reason.  The exchange is gone afterwards. */
void client_finish(struct fcgi_exchange *x, int code, const struct fcgi_end *end);
void client_requeue(struct fcgi_exchange *x);

/* client_names.c */
bool client_names_ready(struct fcgi_client *c); /* else a lookup runs, and pumps at its end */
/* Look an expired name up while its connections still serve. */
void client_names_freshen(struct fcgi_client *c);

/* budget.c */
bool client_budget_room(struct fcgi_client *c); /* else `c` is pumped when there is */
void client_budget_count(struct client_conn *conn);
void client_budget_uncount(struct client_conn *conn);
void client_budget_idle(struct client_conn *conn);
void client_budget_pump(struct fcgi_client *c); /* others that wait for room */

/* client_conn.c */
int client_conn_new(struct fcgi_client *c, unsigned addr_index, int64_t deadline_ms);
void client_conn_close(struct client_conn *conn, int code);
void client_conn_send(struct client_conn *conn, struct fcgi_exchange *x);
void client_conn_send_more(struct client_conn *conn, const void *data, size_t len);
/* Call one on_writable that is due, if the queue is empty; false if none is. */
bool client_conn_tell_writable(struct client_conn *conn);
void client_conn_settle(struct client_conn *conn); /* after an exchange left it or paused */

/* client_input.c */
int client_conn_input(struct client_conn *conn, struct slice in);
