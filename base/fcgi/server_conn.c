/*
 * server_conn.c - one connection of the server and its socket.
 *
 * Must not know records or handlers; server_input.c does.
 */
#include "base/fcgi/server_internal.h"

#include <sys/socket.h>

#include "base/fcgi/uv_util.h"
#include "base/mem.h"

static void on_written(struct out_queue *q, int status);

struct server_conn *
server_conn_new(struct fcgi_server *s)
{
	struct server_conn *c = s->free_conns;

	if (c != NULL) {
		s->free_conns = c->next_free;
		s->free_conn_count--;
		memset(c, 0, sizeof(*c));
	} else {
		c = mem_zalloc(sizeof(*c));
		if (c == NULL)
			return NULL;
	}
	c->server = s;
	link_init(&c->wait_link);
	link_init(&c->requests);
	link_init(&c->ready);
	link_before(&s->conns, &c->all_link);
	fcgi_reader_init(&c->reader);
	out_queue_init(&c->out, &c->uv.stream, &s->spare, on_written, c);
	buf_init(&c->values, SERVER_VALUES_BYTES);
	s->conns_open++;
	count_add(&s->counts.conns_open, 1);
	count_add(&s->counts.conns_total, 1);
	return c;
}

void
server_conn_release(struct server_conn *c)
{
	struct fcgi_server *s = c->server;

	c->closing = true;
	server_conn_abort_requests(c);
	link_remove(&c->all_link);
	link_remove(&c->wait_link);
	out_queue_clear(&c->out);
	buf_clear(&c->values);
	s->conns_open--;
	count_add(&s->counts.conns_open, (uint64_t)-1);
	if (s->free_conn_count >= SERVER_POOL_MAX) {
		mem_free(c);
	} else {
		c->next_free = s->free_conns;
		s->free_conns = c;
		s->free_conn_count++;
	}
	server_conn_left(s);
}

void
server_conns_clear(struct fcgi_server *s)
{
	while (s->free_conns != NULL) {
		struct server_conn *c = s->free_conns;

		s->free_conns = c->next_free;
		mem_free(c);
	}
	s->free_conn_count = 0;
}

void
server_conn_abort_requests(struct server_conn *c)
{
	while (!link_empty(&c->requests))
		server_request_abort(
		    LINK_OF(c->requests.next, struct fcgi_request, conn_link), false);
}

static void
on_closed(uv_handle_t *h)
{
	server_conn_release(h->data);
}

void
server_conn_close(struct server_conn *c)
{
	if (c->closing)
		return;
	c->closing = true;
	c->reading = false;
	link_remove(&c->wait_link);
	c->wait = CONN_NONE;
	if (c->out.sink == NULL)
		uv_close(&c->uv.handle, on_closed);
}

/*
 * Output.
 */

size_t
server_conn_queued(const struct server_conn *c)
{
	return out_queue_bytes(&c->out);
}

int
server_conn_send(struct server_conn *c, const uv_buf_t *iov, unsigned count)
{
	if (c->closing)
		return ERR_CLOSED;
	if (out_queue_send(&c->out, iov, count) == 0)
		return 0;
	/* The peer cannot go on from the middle of a record. */
	server_conn_close(c);
	return ERR_CLOSED;
}

void
server_conn_kick(struct server_conn *c)
{
	if (!c->closing && out_queue_kick(&c->out) != 0)
		server_conn_close(c);
}

static void
tell_writable(struct server_conn *c)
{
	struct link *l = c->requests.next;

	while (l != &c->requests && !c->closing) {
		struct fcgi_request *r = LINK_OF(l, struct fcgi_request, conn_link);

		l = l->next; /* the callback may end `r`, but no other request */
		if (r->want_writable &&
		    server_conn_queued(c) <= c->server->opts.out_bytes_max / 2) {
			r->want_writable = false;
			if (r->on_writable != NULL)
				r->on_writable(r);
		}
	}
}

static void
on_written(struct out_queue *q, int status)
{
	struct server_conn *c = q->data;

	if (c->closing)
		return;
	if (status != 0) {
		server_conn_close(c);
		return;
	}
	c->server->now_ms = (int64_t)uv_now(&c->server->loop);
	server_conn_kick(c);
	tell_writable(c);
	server_conn_dispatch_ready(c);
	server_conn_kick(c);
	server_conn_settle(c);
}

/*
 * Input.
 */

static void
on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *ret)
{
	struct server_conn *c = h->data;

	(void)suggested;
	/* All input is consumed before the next read, so one buffer serves every connection. */
	*ret = uv_buf_init(c->server->read_bytes, (unsigned)SERVER_READ_BYTES);
}

static void
on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *b)
{
	struct server_conn *c = stream->data;
	int rc = 0;

	if (n == 0 || c->closing)
		return;
	c->server->now_ms = (int64_t)uv_now(&c->server->loop);
	if (n == UV_EOF) {
		/* Whoever only shut its sending side still gets what was answered already. */
		c->eof = true;
		server_conn_abort_requests(c);
	} else if (n < 0) {
		server_conn_close(c);
		return;
	} else {
		rc = server_conn_input(c, (struct slice){ b->base, (size_t)n });
	}
	if (rc != 0)
		server_conn_close(c);
	else
		server_conn_kick(c);
	server_conn_settle(c);
}

static void
set_reading(struct server_conn *c, bool want)
{
	if (want == c->reading || c->out.sink != NULL)
		return;
	c->reading = want;
	if (!want)
		uv_read_stop(&c->uv.stream);
	else if (uv_read_start(&c->uv.stream, on_alloc, on_read) != 0)
		server_conn_close(c);
}

/*
 * State: every change of what a connection waits for is made here.
 */

static void
set_wait(struct server_conn *c, enum conn_wait wait, bool restart)
{
	struct fcgi_server *s = c->server;
	const unsigned ms[CONN_WAITS] = {
		[CONN_IDLE] = s->opts.idle_ms,
		[CONN_PARTIAL] = s->opts.read_ms,
		[CONN_WRITING] = s->opts.write_ms,
	};

	if (wait == c->wait && !restart)
		return;
	link_remove(&c->wait_link);
	c->wait = wait;
	if (wait == CONN_NONE)
		return;
	c->deadline_ms = s->now_ms + ms[wait];
	link_before(&s->waits[wait], &c->wait_link);
}

/* Nothing open, nothing queued: true if the connection should go. */
static bool
is_over(struct server_conn *c)
{
	if (c->request_count > 0 || server_conn_queued(c) > 0 || c->lingering)
		return c->lingering && c->eof;
	return c->eof || c->no_keep || c->server->input_over ||
	       (c->server->draining && fcgi_reader_at_start(&c->reader));
}

/*
 * Closing with unread input makes the kernel reset the connection, which can
 * destroy what we sent last; so shut our side and read on for a while.
 */
static bool
linger(struct server_conn *c)
{
	uv_os_fd_t fd;

	if (!c->unread || c->eof || c->lingering || c->out.sink != NULL ||
	    uv_fileno(&c->uv.handle, &fd) != 0)
		return false;
	c->lingering = shutdown(fd, SHUT_WR) == 0;
	return c->lingering;
}

void
server_conn_settle(struct server_conn *c)
{
	size_t queued = server_conn_queued(c);
	size_t limit = c->server->opts.out_bytes_max;
	bool partial;

	if (c->closing)
		return;
	if (is_over(c) && !linger(c)) {
		server_conn_close(c);
		return;
	}
	/* A peer that asks faster than it reads is not read until half of it is gone. */
	set_reading(
	    c, !c->eof && c->pauses == 0 && queued < (c->reading ? limit : limit / 2 + 1));
	if (c->closing)
		return;
	partial = c->lingering || (c->request_count == 0 && !fcgi_reader_at_start(&c->reader));
	if (queued > 0)
		set_wait(c, CONN_WRITING, false);
	else if (partial)
		set_wait(c, CONN_PARTIAL, false);
	else if (c->request_count > 0)
		set_wait(c, CONN_NONE, false);
	else
		set_wait(c, CONN_IDLE, true);
}

int
server_conn_open(struct server_conn *c, int fd, bool is_tcp)
{
	uv_loop_t *loop = &c->server->loop;
	int rc = is_tcp ? uv_tcp_init(loop, &c->uv.tcp) : uv_pipe_init(loop, &c->uv.pipe, 0);

	if (rc != 0)
		return err_from_uv(rc);
	c->uv.handle.data = c;
	rc = is_tcp ? uv_tcp_open(&c->uv.tcp, fd) : uv_pipe_open(&c->uv.pipe, fd);
	if (rc != 0)
		return err_from_uv(rc);
	if (is_tcp)
		uv_tcp_nodelay(&c->uv.tcp, 1);
	server_conn_settle(c);
	return 0;
}

void
server_conn_drain(struct server_conn *c)
{
	uv_os_fd_t fd;
	char byte;

	/* A request may be on its way already: the next read will tell. */
	if (c->request_count == 0 && server_conn_queued(c) == 0 && !c->closing &&
	    uv_fileno(&c->uv.handle, &fd) == 0 &&
	    recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0)
		return;
	server_conn_settle(c);
}
