/*
 * request_server.c - requests from our own FastCGI server, one loop in each thread.
 *
 * Must not know records; base/fcgi/server.h has the connection's side.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fcgi/server.h"
#include "base/mem.h"
#include "fcgi/request_transport.h"

struct serving;

struct server_thread {
	struct serving *all;
	struct fcgi_server *server;
	struct request_bufs bufs;
	pthread_t id;
	bool started;
	unsigned index;
	int rc;
};

struct serving {
	const struct request_serve_opts *opts;
	request_handler handler;
	void *ctx;
	struct fcgi_listener listener;
	struct server_thread *threads;
	unsigned count;
	atomic_uint left; /* threads that still serve */
	int done_fd;      /* readable once all have ended */
};

/* What carries a struct request: it lives while the handler runs. */
struct server_carrier {
	struct server_thread *thread;
	struct fcgi_request *request;
};

static struct slice
server_param(const struct request *req, const char *name)
{
	const struct server_carrier *c = req->carrier;

	return fcgi_request_param(c->request, name);
}

static void
server_send(struct request *req, struct slice head, struct buf *body)
{
	const struct server_carrier *c = req->carrier;

	fcgi_request_reply(c->request, head, body != NULL ? buf_view(body) : SLICE(""));
}

/* --- streams --- */

#define TURN_BYTES ((size_t)256 << 10) /* made for one request before others have a turn */
#define TURN_PAUSE_MS 1
#define QUEUE_BYTES ((size_t)256 << 10) /* unsent at once */

/* A stream being sent.  Not in the request's arena, which may end while it is written to. */
struct streaming {
	struct server_thread *thread;
	struct request_stream stream;
	bool pumping, gone;
};

static void
streaming_free(struct streaming *st)
{
	st->stream.end(st->stream.ctx);
	mem_free(st);
}

/* The peer is gone. */
static void
on_stream_abort(struct fcgi_request *fr)
{
	struct streaming *st = fcgi_request_data(fr);

	if (st->pumping) {
		st->gone = true;
		st->stream.end(st->stream.ctx); /* its memory ends with the request */
	} else {
		streaming_free(st);
	}
}

/* Pieces until there are enough of them: 1, or 0 at the end, or an error code. */
static int
make_pieces(struct streaming *st, struct fcgi_request *fr)
{
	struct buf *out = &st->thread->bufs.out;
	size_t made = 0;
	int more = 1, rc = 0;

	while (rc == 0 && more > 0 && made < TURN_BYTES) {
		buf_reset(out);
		more = st->stream.next(st->stream.ctx, out);
		rc = more < 0 ? more : buf_err(out);
		if (rc == 0)
			rc = fcgi_request_write(fr, buf_view(out));
		made += out->len;
		if (st->gone || fcgi_request_queued(fr) >= QUEUE_BYTES)
			break;
	}
	request_bufs_reset(&st->thread->bufs);
	return rc != 0 ? rc : more;
}

static void
pump(struct fcgi_request *fr)
{
	struct streaming *st = fcgi_request_data(fr);
	bool full;
	int rc;

	fcgi_request_on_writable(fr, NULL);
	st->pumping = true;
	rc = make_pieces(st, fr);
	st->pumping = false;
	if (st->gone) {
		mem_free(st);
		return;
	}
	if (rc <= 0) {
		fcgi_request_on_abort(fr, NULL);
		streaming_free(st);
		if (rc == 0)
			fcgi_request_end(fr, 0);
		else
			fcgi_request_fail(fr);
		return;
	}
	full = fcgi_request_queued(fr) >= QUEUE_BYTES;
	if (full)
		fcgi_request_on_writable(fr, pump);
	fcgi_request_defer(fr, full ? 0 : TURN_PAUSE_MS, pump);
}

static void
server_stream(struct request *req, struct slice head, const struct request_stream *s)
{
	const struct server_carrier *c = req->carrier;
	struct streaming *st = mem_zalloc(sizeof(*st));

	if (st == NULL || fcgi_request_write(c->request, head) != 0) {
		s->end(s->ctx);
		mem_free(st);
		fcgi_request_end(c->request, 1);
		return;
	}
	*st = (struct streaming){ .thread = c->thread, .stream = *s };
	fcgi_request_set_data(c->request, st);
	fcgi_request_on_abort(c->request, on_stream_abort);
	/* Begun in a turn of its own: the thread's buffers are still the handler's. */
	fcgi_request_defer(c->request, TURN_PAUSE_MS, pump);
}

static const struct request_transport server_transport = { server_param, server_send,
	server_stream };

/* A request that is run again: which thread it is on, since when, and what it keeps. */
struct put_off {
	struct server_thread *thread;
	int64_t since_ms;
	void *state;
	void (*drop_state)(void *state);
};

static void serve(struct server_thread *t, struct fcgi_request *fr, struct put_off *p);

static void
on_again(struct fcgi_request *fr)
{
	struct put_off *p = fcgi_request_data(fr);

	serve(p->thread, fr, p);
}

static void
on_put_off_abort(struct fcgi_request *fr)
{
	const struct put_off *p = fcgi_request_data(fr);

	if (p->drop_state != NULL)
		p->drop_state(p->state);
}

/* Keep the request, its connection and its state until it is run again. */
static void
put_off(struct server_thread *t, struct fcgi_request *fr, struct put_off *p,
    const struct request *req)
{
	if (p == NULL) {
		p = arena_alloc(fcgi_request_arena(fr), sizeof(*p));
		if (p == NULL) {
			if (req->drop_state != NULL)
				req->drop_state(req->state);
			fcgi_request_end(fr, 1);
			return;
		}
		*p = (struct put_off){ .thread = t, .since_ms = clock_mono_ms() };
		fcgi_request_set_data(fr, p);
		fcgi_request_on_abort(fr, on_put_off_abort);
	}
	p->state = req->state;
	p->drop_state = req->drop_state;
	fcgi_request_defer(fr, req->again_ms, on_again);
}

/* `p` is NULL at the first run. */
static void
serve(struct server_thread *t, struct fcgi_request *fr, struct put_off *p)
{
	struct server_carrier carrier = { t, fr };
	struct request req = { .transport = &server_transport,
		.carrier = &carrier,
		.body = fcgi_request_body(fr),
		.body_over = fcgi_request_body_over(fr),
		.arena = fcgi_request_arena(fr) };

	if (p != NULL) {
		req.waited_ms = clock_mono_ms() - p->since_ms;
		req.state = p->state;
	}
	request_run(&req, &t->bufs, t->all->handler, t->all->ctx, t->index);
	if (!req.replied)
		put_off(t, fr, p, &req);
}

static void
on_request(void *ctx, struct fcgi_request *fr)
{
	serve(ctx, fr, NULL);
}

static void *
thread_main(void *arg)
{
	struct server_thread *t = arg;
	uint64_t one = 1;

	t->rc = fcgi_server_run(t->server);
	if (atomic_fetch_sub(&t->all->left, 1) == 1 &&
	    write(t->all->done_fd, &one, sizeof(one)) != sizeof(one))
		t->rc = ERR_IO; /* cannot happen: the counter is 0 */
	return NULL;
}

static void
drain_all(void *arg)
{
	struct serving *all = arg;

	for (unsigned i = 0; i < all->count; i++)
		fcgi_server_stop(all->threads[i].server);
}

static void
kill_all(void *arg)
{
	struct serving *all = arg;

	for (unsigned i = 0; i < all->count; i++) {
		if (all->threads[i].server != NULL)
			fcgi_server_kill(all->threads[i].server);
	}
}

static int
make_server(struct serving *all, unsigned i)
{
	const struct request_serve_opts *o = all->opts;
	struct fcgi_server_opts so = { .body_bytes_max = o->body_bytes_max,
		.out_bytes_max = QUEUE_BYTES,
		.arena_bytes_max = REQUEST_ARENA_MAX,
		.conns_max = o->conns_max,
		.read_ms = o->read_ms,
		.write_ms = o->write_ms,
		.idle_ms = o->idle_ms,
		.drain_ms = o->drain_ms };
	struct server_thread *t = &all->threads[i];
	int rc;

	t->all = all;
	t->index = i;
	request_bufs_init(&t->bufs, o);
	rc = fcgi_server_new(&so, on_request, t, &t->server);
	return rc != 0 ? rc : fcgi_server_listen(t->server, &all->listener);
}

static int
start_threads(struct serving *all)
{
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < all->count; i++)
		rc = make_server(all, i);
	for (unsigned i = 0; rc == 0 && i < all->count; i++) {
		struct server_thread *t = &all->threads[i];

		atomic_fetch_add(&all->left, 1);
		t->started = pthread_create(&t->id, NULL, thread_main, t) == 0;
		if (!t->started) {
			atomic_fetch_sub(&all->left, 1);
			rc = ERR_NOMEM;
		}
	}
	return rc;
}

/* Wait for the threads and free everything; the worst of their results. */
static int
end_threads(struct serving *all)
{
	int rc = 0;

	for (unsigned i = 0; all->threads != NULL && i < all->count; i++) {
		struct server_thread *t = &all->threads[i];

		if (t->started)
			pthread_join(t->id, NULL);
		if (t->rc != 0)
			rc = t->rc;
		fcgi_server_free(t->server);
		request_bufs_clear(&t->bufs);
	}
	mem_free(all->threads);
	fcgi_listener_close(&all->listener);
	if (all->done_fd >= 0)
		close(all->done_fd);
	return rc;
}

int
request_serve_listen(const struct addr *a, const struct request_serve_opts *o,
    request_handler handler, void *ctx, struct err_info *ei)
{
	struct serving all = { .opts = o, .handler = handler, .ctx = ctx, .done_fd = -1 };
	int rc, ended;

	all.count = o->threads > 0 ? o->threads : 1;
	if (all.count > REQUEST_THREADS_MAX)
		return err_set(ei, ERR_LIMIT, "more than %d threads", REQUEST_THREADS_MAX);
	rc = fcgi_listener_open(&all.listener, a, o->socket_mode, 0, ei);
	if (rc != 0)
		return rc;
	all.done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	all.threads = mem_calloc(all.count, sizeof(*all.threads));
	rc = all.done_fd < 0 || all.threads == NULL ? ERR_NOMEM : start_threads(&all);
	if (rc != 0)
		err_set(ei, rc, "cannot start %u threads: %s", all.count, err_name(rc));
	if (rc == 0) {
		if (o->on_ready != NULL)
			o->on_ready(ctx, fcgi_listener_port(&all.listener));
		rc = request_watch(o, ctx, all.done_fd, drain_all, kill_all, &all);
	}
	if (rc != 0 && all.threads != NULL)
		kill_all(&all);
	ended = end_threads(&all);
	return rc != 0 ? rc : ended;
}
