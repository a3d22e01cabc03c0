/*
 * request.h - one HTTP request as a handler sees it, whatever carried it here.
 *
 * Three transports fill struct request and take the answer: our own FastCGI
 * server (request_server.c), libfcgi and plain CGI (request_libfcgi.c), and
 * memory for tests (request_mem.c).  The answer's bytes are made in request.c,
 * so they are the same from each.  Nothing here knows routes, JSON or LMDB.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"
#include "base/arena.h"
#include "base/buf.h"

struct request;
struct request_transport;

/*
 * Answers one request; runs on thread `thread` (0 .. threads - 1) and must call
 * request_reply() exactly once before it returns (else the client gets a 500).
 */
typedef void (*request_handler)(void *ctx, unsigned thread, struct request *req);

/* Slices are borrowed, and everything here ends, when the handler returns. */
struct request {
	struct slice method; /* as sent, e.g. "GET" */
	struct slice path;   /* raw: still percent-encoded, never merged, without the query */
	struct slice query;  /* raw, without '?'; empty if there is none */
	struct slice body;   /* cut at body_bytes_max */
	bool body_over;      /* the body was longer: answer 413 */
	struct arena *arena; /* for this request only */
	/*
	 * An empty buffer for the answer's body, kept by the thread between requests so
	 * that its memory is reused.  Its cap is out_bytes_max.
	 */
	struct buf *out;

	/* How long this request has been put off by request_again(); 0 at its first run. */
	int64_t waited_ms;

	/* private to request.c and the transports */
	const struct request_transport *transport;
	void *carrier;
	struct buf *head;
	bool replied;
	unsigned again_ms; /* request_again() was called */
	void *state;       /* of request_again_with(); NULL once it was taken */
	void (*drop_state)(void *state);
};

/* An HTTP header field of the answer; lists end with one whose name is NULL. */
struct request_field {
	const char *name; /* e.g. "ETag" */
	struct slice value;
};

/* A request header, e.g. "If-None-Match"; ptr is NULL if it was not sent. */
struct slice request_header(const struct request *req, const char *name);

/* A CGI variable, e.g. "REMOTE_ADDR"; ptr is NULL if it was not sent. */
struct slice request_param(const struct request *req, const char *name);

/*
 * Answer.  `content_type` may be NULL when there is no body; `fields` and `body`
 * may be NULL.  Content-Length is added; the body of an answer to HEAD, and of
 * 1xx, 204 and 304, is not sent (for HEAD its length is).  `body` may be
 * req->out (which is reset by the transport) or another buffer; it is only read.  A body with a latched error
 * becomes a 500.  Fields with bytes below U+0020 in them are left out.
 */
void request_reply(struct request *req, int status, const char *content_type,
    const struct request_field *fields, struct buf *body);

/*
 * An answer of unknown length that is made while it is sent.  `next` appends a piece to an
 * empty `out` and returns 1 when others follow, 0 at the end, or an error code: then the
 * answer breaks off.  It is called on the request's thread whenever the client has taken
 * most of what was before.  `end` is called exactly once, also when the client goes away.
 * `ctx` must outlive the handler, as memory of req->arena does; `req` itself does not.
 */
struct request_stream {
	int (*next)(void *ctx, struct buf *out);
	void (*end)(void *ctx);
	void *ctx;
};

/* Answer with a stream.  For HEAD `next` is not called. */
void request_reply_stream(struct request *req, int status, const char *content_type,
    const struct request_field *fields, const struct request_stream *s);

/*
 * Instead of an answer: run the handler anew in `delay_ms`, for long polls.  Over our own
 * server that costs a connection, elsewhere a thread.
 */
void request_again(struct request *req, unsigned delay_ms);

/*
 * The same for long work, so that others have their turn: the next run takes `state`, which
 * may lie in req->arena, by request_take_state().  `drop` is called for it instead if
 * nobody does: the client went away, or the run answered without it.
 */
void request_again_with(
    struct request *req, unsigned delay_ms, void *state, void (*drop)(void *state));

/* Is this run not the first of such work? */
bool request_has_state(const struct request *req);
/* The state, which is the caller's from now on; NULL at the first run. */
void *request_take_state(struct request *req);

/* "Not Found" for 404; "Unknown" for a status that is not in the table. */
const char *request_reason(int status);

/* What the program wants next, decided when its descriptor becomes readable. */
enum request_next {
	REQUEST_GO_ON,
	REQUEST_DRAIN, /* end the open requests, then return */
	REQUEST_EXIT,  /* return at once */
};

/* 0 and NULL mean the default in brackets. */
struct request_serve_opts {
	unsigned threads;      /* [1] */
	size_t body_bytes_max; /* [1 MiB] */
	size_t out_bytes_max;  /* cap of req->out [64 MiB] */
	unsigned read_ms;      /* deadline for a request's bytes [10,000] */
	unsigned write_ms;     /* longest time the peer may take nothing [30,000] */
	unsigned idle_ms;      /* kept connection without a request [300,000] */
	unsigned drain_ms;     /* from REQUEST_DRAIN to the return [10,000] */
	unsigned conns_max;    /* per thread [4096] */
	unsigned socket_mode;  /* of a unix socket [0660] */
	/*
	 * A descriptor watched by the calling thread; 0 or less for none.  When it is
	 * readable, `on_watch` is called with the handlers' ctx, reads it and decides;
	 * without on_watch it means REQUEST_DRAIN.  request_signal_fd() makes one.
	 */
	int watch_fd;
	enum request_next (*on_watch)(void *ctx);
	/* Called once the sockets accept; `port` is 0 for unix sockets.  May be NULL. */
	void (*on_ready)(void *ctx, unsigned port);
};

/*
 * Listen on `a` with our own server and serve until told to stop.  Blocks; the
 * handlers run in threads of their own.  0 after a drain, ERR_TIMEOUT if it had
 * to be cut short, ERR_CANCELED after REQUEST_EXIT, or why it could not start.
 */
int request_serve_listen(const struct addr *a, const struct request_serve_opts *o,
    request_handler handler, void *ctx, struct err_info *ei);

/*
 * Serve what a web server hands over (target fcgi_request_libfcgi): FastCGI on
 * the listening socket that is descriptor 0, until told to stop; or, when 0 is no
 * listening socket and the environment is a CGI one, that one request (`ctx` and
 * thread 0, watch_fd not used).  ERR_INVAL when it is neither.  Else as above.
 */
int request_serve_fd0(const struct request_serve_opts *o, request_handler handler, void *ctx,
    struct err_info *ei);

/* One name and value for request_serve_mem(). */
struct request_pair {
	const char *name;
	const char *value;
};

/*
 * Serve one request out of memory: `params` are CGI variables and end with a NULL
 * name.  The answer as a CGI program would print it is appended to `ret`.
 * ERR_NOMEM, ERR_LIMIT (ret's cap).
 */
int request_serve_mem(const struct request_pair *params, struct slice body,
    const struct request_serve_opts *o, request_handler handler, void *ctx, struct buf *ret);

/*
 * Signals as a descriptor for watch_fd: blocks SIGTERM, SIGINT, SIGUSR1 and SIGHUP
 * (call it before any thread exists), ignores SIGPIPE, and returns a signalfd that
 * the caller closes, or ERR_IO.
 */
int request_signal_fd(void);

/*
 * Read it, for on_watch: HUP goes on (with *ret_hup set, if not NULL), the first of
 * the others drains, a second exits.  `count` is the caller's, 0 at first.
 */
enum request_next request_signal_next(int fd, unsigned *count, bool *ret_hup);
