/*
 * request_libfcgi.c - requests through libfcgi, on the listening socket that a web
 * server's process manager hands over as descriptor 0.  The only file that
 * includes fcgiapp.h.
 *
 * Accepting is done here and not by FCGX_Accept_r(): it can miss a signal just
 * before its accept(), has no read timeout, and cannot be woken with certainty.  A
 * connection given to it in `ipcFd` is served like one it accepted itself; with -1
 * as its listening socket it returns an error when that connection is done for.
 */
#include <errno.h>
#include <fcgiapp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/fcgi/listen.h"
#include "base/mem.h"
#include "fcgi/request_cgi.h"

#define READ_MS 10000
#define WRITE_MS 30000
#define IDLE_MS 300000
#define CLOSE_WAIT_MS "200"
#define PAUSE_MS 1000                 /* out of descriptors */
#define CHUNK_BYTES ((size_t)8 << 10) /* libfcgi's own buffer size */

struct fd0_serving;

struct fd0_thread {
	struct fd0_serving *all;
	FCGX_Request fcgx;
	struct request_bufs bufs;
	struct arena arena;
	struct buf body;
	pthread_t id;
	bool started;
	unsigned index;
};

struct fd0_serving {
	const struct request_serve_opts *opts;
	request_handler handler;
	void *ctx;
	int listen_fd;
	struct fd0_thread *threads;
	unsigned count;
	atomic_uint left;
	atomic_uint accepting;       /* threads that are free for a new connection */
	pthread_mutex_t accept_lock; /* one thread waits for connections at a time */
	int wake_fd;                 /* readable from the drain on, for everybody */
	int done_fd;
};

static struct slice
fd0_param(const struct request *req, const char *name)
{
	const struct fd0_thread *t = req->carrier;

	return slice_str(FCGX_GetParam(name, t->fcgx.envp));
}

/* ERR_CLOSED when the peer is gone. */
static int
put(FCGX_Stream *out, struct slice s)
{
	while (s.len > 0) {
		int n = s.len < (1 << 30) ? (int)s.len : 1 << 30;

		if (FCGX_PutStr(s.ptr, n, out) != n)
			return ERR_CLOSED;
		s.ptr += n;
		s.len -= (size_t)n;
	}
	return 0;
}

static void
fd0_send(struct request *req, struct slice head, struct buf *body)
{
	struct fd0_thread *t = req->carrier;

	if (put(t->fcgx.out, head) == 0 && body != NULL)
		put(t->fcgx.out, buf_view(body));
}

static int
fd0_put(struct request *req, struct slice bytes)
{
	struct fd0_thread *t = req->carrier;

	return put(t->fcgx.out, bytes);
}

static void
fd0_stream(struct request *req, struct slice head, const struct request_stream *s)
{
	request_stream_out(req, head, s, fd0_put);
}

static const struct request_transport fd0_transport = { fd0_param, fd0_send, fd0_stream };

/* The whole input; what is past the cap is dropped.  False if the peer broke off. */
static bool
read_body(struct fd0_thread *t, bool *ret_over)
{
	char chunk[CHUNK_BYTES];
	int n;

	buf_reset(&t->body);
	while ((n = FCGX_GetStr(chunk, sizeof(chunk), t->fcgx.in)) > 0) {
		size_t room = t->body.max - t->body.len;

		*ret_over |= (size_t)n > room;
		buf_add(&t->body, chunk, (size_t)n < room ? (size_t)n : room);
	}
	return FCGX_GetError(t->fcgx.in) == 0 && buf_err(&t->body) == 0;
}

static void
serve_one(struct fd0_thread *t)
{
	struct request req = { .transport = &fd0_transport, .carrier = t, .arena = &t->arena };

	if (!read_body(t, &req.body_over)) {
		FCGX_Free(&t->fcgx, 1);
		return;
	}
	req.body = buf_view(&t->body);
	request_run_to_end(&req, &t->bufs, t->all->handler, t->all->ctx, t->index);
	FCGX_Finish_r(&t->fcgx);
	arena_reset(&t->arena);
}

/*
 * Waiting.  Each of these returns false when the end has come.
 */

static bool
set_deadlines(int fd, const struct request_serve_opts *o)
{
	unsigned read_ms = o->read_ms > 0 ? o->read_ms : READ_MS;
	unsigned write_ms = o->write_ms > 0 ? o->write_ms : WRITE_MS;
	struct timeval in = { .tv_sec = read_ms / 1000,
		.tv_usec = (long)(read_ms % 1000) * 1000 };
	struct timeval out = { .tv_sec = write_ms / 1000,
		.tv_usec = (long)(write_ms % 1000) * 1000 };

	return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &in, sizeof(in)) == 0 &&
	       setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &out, sizeof(out)) == 0;
}

/* One try; *ret_fd is -1 if there was nothing to take after all. */
static bool
accept_once(struct fd0_serving *all, int *ret_fd)
{
	struct pollfd fds[2] = { { .fd = all->wake_fd, .events = POLLIN },
		{ .fd = all->listen_fd, .events = POLLIN } };
	int fd;

	*ret_fd = -1;
	if (poll(fds, 2, -1) < 0)
		return errno == EINTR;
	if (fds[0].revents != 0)
		return false;
	fd = accept4(all->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0 && !set_deadlines(fd, all->opts)) {
		close(fd);
		fd = -1;
	} else if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM)) {
		poll(fds, 1, PAUSE_MS);
	}
	*ret_fd = fd;
	return true;
}

static bool
wait_connection(struct fd0_thread *t)
{
	struct fd0_serving *all = t->all;
	int fd = -1;
	bool go_on = true;

	atomic_fetch_add(&all->accepting, 1);
	pthread_mutex_lock(&all->accept_lock);
	while (go_on && fd < 0)
		go_on = accept_once(all, &fd);
	pthread_mutex_unlock(&all->accept_lock);
	atomic_fetch_sub(&all->accepting, 1);
	t->fcgx.ipcFd = fd;
	t->fcgx.keepConnection = 1; /* or FCGX_Accept_r() closes it, as a request's before */
	return go_on;
}

/*
 * A kept connection: wait for its next request, but give it up after idle_ms, or
 * when somebody new knocks and every other thread is taken.
 */
static bool
wait_kept(struct fd0_thread *t)
{
	struct fd0_serving *all = t->all;
	struct pollfd fds[3] = { { .fd = all->wake_fd, .events = POLLIN },
		{ .fd = t->fcgx.ipcFd, .events = POLLIN },
		{ .fd = all->listen_fd, .events = POLLIN } };
	int idle_ms = (int)(all->opts->idle_ms > 0 ? all->opts->idle_ms : IDLE_MS);

	for (;;) {
		int n;

		/* Woken for each new connection only while nobody else would take it. */
		fds[2].fd = atomic_load(&all->accepting) == 0 ? all->listen_fd : -1;
		n = poll(fds, 3, fds[2].fd < 0 && idle_ms > PAUSE_MS ? PAUSE_MS : idle_ms);
		if (n < 0 && errno != EINTR)
			return false;
		if (fds[1].revents != 0 && n > 0)
			return true;
		if (fds[0].revents != 0 && n > 0)
			return false;
		if (n == 0 && fds[2].fd < 0 && idle_ms > PAUSE_MS) {
			idle_ms -= PAUSE_MS;
			continue;
		}
		if (n == 0 || (fds[2].revents != 0 && atomic_load(&all->accepting) == 0)) {
			FCGX_Free(&t->fcgx, 1);
			return true;
		}
	}
}

static void
serve_until_end(struct fd0_thread *t)
{
	FCGX_InitRequest(&t->fcgx, -1, 0);
	for (;;) {
		if (t->fcgx.ipcFd >= 0 && !wait_kept(t))
			break;
		if (t->fcgx.ipcFd < 0 && !wait_connection(t))
			break;
		/* Fails when the connection is bad or over; it has closed it then. */
		if (FCGX_Accept_r(&t->fcgx) == 0)
			serve_one(t);
	}
	FCGX_Free(&t->fcgx, 1);
}

static void *
thread_main(void *arg)
{
	struct fd0_thread *t = arg;
	uint64_t one = 1;

	serve_until_end(t);
	if (atomic_fetch_sub(&t->all->left, 1) == 1 &&
	    write(t->all->done_fd, &one, sizeof(one)) != sizeof(one))
		return NULL; /* cannot happen: the counter is 0 */
	return NULL;
}

/* Running requests are never cut: they end by themselves or by the socket's deadlines. */
static void
wake_all(void *arg)
{
	struct fd0_serving *all = arg;
	uint64_t one = 1;

	if (write(all->wake_fd, &one, sizeof(one)) != sizeof(one))
		return; /* full: it is readable already */
}

static int
start_threads(struct fd0_serving *all)
{
	const struct request_serve_opts *o = all->opts;

	for (unsigned i = 0; i < all->count; i++) {
		struct fd0_thread *t = &all->threads[i];

		t->all = all;
		t->index = i;
		request_bufs_init(&t->bufs, o);
		arena_init(&t->arena, REQUEST_ARENA_MAX);
		buf_init(
		    &t->body, o->body_bytes_max > 0 ? o->body_bytes_max : REQUEST_BODY_MAX);
		atomic_fetch_add(&all->left, 1);
		t->started = pthread_create(&t->id, NULL, thread_main, t) == 0;
		if (!t->started) {
			atomic_fetch_sub(&all->left, 1);
			return ERR_NOMEM;
		}
	}
	return 0;
}

static void
end_threads(struct fd0_serving *all)
{
	for (unsigned i = 0; i < all->count; i++) {
		struct fd0_thread *t = &all->threads[i];

		if (t->started)
			pthread_join(t->id, NULL);
		request_bufs_clear(&t->bufs);
		arena_clear(&t->arena);
		buf_clear(&t->body);
	}
}

static int
serve_socket(struct fd0_serving *all, struct err_info *ei)
{
	int rc;

	/* It waits 2 s for a peer to close, with a thread; who must wait is in trouble anyway. */
	setenv("LIBFCGI_OS_CLOSE_POLL_TIMEOUT", CLOSE_WAIT_MS, 0);
	if (FCGX_Init() != 0)
		return err_set(ei, ERR_IO, "libfcgi does not start");
	all->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	all->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	all->threads = mem_calloc(all->count, sizeof(*all->threads));
	if (all->wake_fd < 0 || all->done_fd < 0 || all->threads == NULL) {
		rc = err_set(ei, ERR_NOMEM, "no memory for %u threads", all->count);
	} else {
		rc = start_threads(all);
		if (rc == 0 && all->opts->on_ready != NULL)
			all->opts->on_ready(all->ctx, 0);
		if (rc == 0)
			rc = request_watch(
			    all->opts, all->ctx, all->done_fd, wake_all, wake_all, all);
		wake_all(all);
		end_threads(all);
	}
	mem_free(all->threads);
	if (all->wake_fd >= 0)
		close(all->wake_fd);
	if (all->done_fd >= 0)
		close(all->done_fd);
	return rc;
}

int
request_serve_fd0(
    const struct request_serve_opts *o, request_handler handler, void *ctx, struct err_info *ei)
{
	struct fd0_serving all = { .opts = o,
		.handler = handler,
		.ctx = ctx,
		.wake_fd = -1,
		.done_fd = -1,
		.count = o->threads > 0 ? o->threads : 1,
		.accept_lock = PTHREAD_MUTEX_INITIALIZER };
	struct fcgi_listener l;

	if (fcgi_listener_adopt(&l, STDIN_FILENO, NULL) != 0)
		return request_serve_cgi(STDIN_FILENO, STDOUT_FILENO, o, handler, ctx, ei);
	if (all.count > REQUEST_THREADS_MAX)
		return err_set(ei, ERR_LIMIT, "more than %d threads", REQUEST_THREADS_MAX);
	all.listen_fd = l.fds[0];
	return serve_socket(&all, ei);
}
