/*
 * fcgi_rig.h - a server in a thread, and a peer that speaks raw records to it.
 *
 * Every read has a deadline (RIG_WAIT_MS), so a test that would hang fails.
 */
#pragma once

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fcgi/record.h"
#include "base/fcgi/server.h"

#define RIG_WAIT_MS 20000
#define RIG_IDS 8

struct rig {
	char dir[32], path[64];
	struct addr addr;
	struct fcgi_listener listener;
	struct fcgi_server *server;
	pthread_t thread;
	bool running;
	int run_rc;
	/* What the handler below saw; read by the test. */
	atomic_int handled, aborted, timed_out;
	atomic_size_t streamed;
};

/* Listen on a unix socket in a fresh directory ("unix") or on a TCP address. */
void rig_start_at(struct rig *rig, const struct fcgi_server_opts *opts, const char *where);
void rig_start(struct rig *rig, const struct fcgi_server_opts *opts);
/* Kill the server, and start another with default options on the same listener. */
void rig_restart(struct rig *rig);
/* Stop and wait; the result of fcgi_server_run(). */
int rig_stop(struct rig *rig);

/*
 * The rig's handler.  SCRIPT_NAME tells what to do:
 *   /echo      the body              /params   all pairs as name=value lines
 *   /size      SIZE bytes            /defer    after 30 ms
 *   /hold      never, until aborted  /stream   SIZE bytes in pieces of 10,000
 *   /stderr    "oops" on STDERR      /forget   nothing at all
 *   /sleep     blocks the loop for 50 ms
 *   /fail      half an answer, and gives up
 */
void rig_handler(void *ctx, struct fcgi_request *req);

/* What came back for one request id. */
struct rig_answer {
	struct buf out, err;
	struct fcgi_end end;
	bool ended;
};

struct rig_peer {
	int fd;
	struct fcgi_reader reader;
	struct rig_answer answers[RIG_IDS]; /* by id */
	struct buf management;              /* type byte and content of records with id 0 */
	bool eof, broken;
};

void peer_open(struct rig_peer *p, const struct rig *rig);
void peer_close(struct rig_peer *p);
void peer_send(struct rig_peer *p, struct buf *b); /* sends all and resets b */
/* Read until request `id` has ended (true) or the connection has (false). */
bool peer_wait(struct rig_peer *p, unsigned id);
bool peer_wait_eof(struct rig_peer *p);
/* Read what comes in the next `ms`. */
void peer_read_for(struct rig_peer *p, int ms);
void peer_reset(struct rig_peer *p, unsigned id);

/* Append a whole request; `size` < 0 leaves SIZE out. */
void add_request(
    struct buf *b, unsigned id, bool keep, const char *script, long size, const char *body);
/* Only its start: BEGIN and PARAMS, with the end of PARAMS if `whole`. */
void add_request_start(
    struct buf *b, unsigned id, bool keep, const char *script, long size, bool whole);

void assert_slice_is(const struct buf *b, const char *text);
int64_t rig_ms(void);
