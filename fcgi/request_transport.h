/*
 * request_transport.h - what request.c and the transports share; handlers do not
 * include it.
 */
#pragma once

#include "fcgi/request.h"

#define REQUEST_HEAD_MAX ((size_t)16 << 10)  /* header fields of an answer */
#define REQUEST_ARENA_MAX ((size_t)8 << 20)  /* memory of one request */
#define REQUEST_OUT_MAX ((size_t)64 << 20)   /* default of out_bytes_max */
#define REQUEST_BODY_MAX ((size_t)1 << 20)   /* default of body_bytes_max */
#define REQUEST_KEEP_BYTES ((size_t)1 << 20) /* an output buffer keeps this much */
#define REQUEST_THREADS_MAX 256

struct request_transport {
	/* A CGI variable; ptr is NULL if there is none. */
	struct slice (*param)(const struct request *req, const char *name);
	/* Send the whole answer; `body` may be NULL and stays the caller's. */
	void (*send)(struct request *req, struct slice head, struct buf *body);
	/* Send the head, then what `s` gives, and end `s`. */
	void (*stream)(struct request *req, struct slice head, const struct request_stream *s);
};

/* The buffers of one thread; the memory stays from request to request. */
struct request_bufs {
	struct buf out, head;
};

void request_bufs_init(struct request_bufs *b, const struct request_serve_opts *o);
void request_bufs_clear(struct request_bufs *b);
/* Empty the output for the next request; whoever fills it outside of request_run() calls this. */
void request_bufs_reset(struct request_bufs *b);

/*
 * Fill `req` from the CGI variables and run the handler, then see that it replied.
 * The caller has set transport, carrier, body, body_over and arena.  After
 * request_again() it has not replied, and must be run again in req->again_ms.
 */
void request_run(struct request *req, struct request_bufs *b, request_handler handler,
    void *ctx, unsigned thread);

/* The same, sleeping in this thread for as long as the handler wants to be run again. */
void request_run_to_end(struct request *req, struct request_bufs *b, request_handler handler,
    void *ctx, unsigned thread);

/*
 * The stream of a transport that writes in its own thread: `put` takes bytes, and returns
 * an error code when the peer is gone.
 */
void request_stream_out(struct request *req, struct slice head, const struct request_stream *s,
    int (*put)(struct request *req, struct slice bytes));

/*
 * Wait in the calling thread until `done_fd` is readable, and meanwhile do what
 * watch_fd says: drain(arg) at the first REQUEST_DRAIN, kill(arg) at REQUEST_EXIT.
 * 0, or ERR_CANCELED after a kill.
 */
int request_watch(const struct request_serve_opts *o, void *ctx, int done_fd,
    void (*drain)(void *arg), void (*kill)(void *arg), void *arg);
