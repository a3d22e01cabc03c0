/*
 * server.c - the server's loop: accepting, deadlines, stopping.
 *
 * Must not know records.  Deadlines of one kind are all equally long, so each
 * kind is a list in order of expiry, and a tick looks at the lists' fronts.
 */
#include "base/fcgi/server_internal.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fcgi/uv_util.h"
#include "base/mem.h"

#define ACCEPT_PAUSE_MS 1000 /* out of descriptors: others may end meanwhile */
#define TICK_MS_MAX 1000
#define TICK_MS_MIN 10
#define DRAIN_ACCEPTS_MAX 4096 /* connections taken from the queue when a drain starts */
#define DRAIN_INPUT_PART 4     /* this part of drain_ms is for input that is missing */

static void
or_default(size_t *v, size_t dflt)
{
	*v = *v != 0 ? *v : dflt;
}

static void
or_default_u(unsigned *v, unsigned dflt)
{
	*v = *v != 0 ? *v : dflt;
}

void
server_fill_opts(struct fcgi_server_opts *o, const struct fcgi_server_opts *given)
{
	*o = given != NULL ? *given : (struct fcgi_server_opts){ .stream_body = false };
	or_default(&o->params_bytes_max, (size_t)64 << 10);
	or_default(&o->body_bytes_max, (size_t)1 << 20);
	or_default(&o->out_bytes_max, (size_t)256 << 10);
	or_default(&o->out_full_bytes, 2 * o->out_bytes_max);
	or_default(&o->arena_bytes_max, (size_t)8 << 20);
	or_default_u(&o->conns_max, 4096);
	or_default_u(&o->requests_max, 4096);
	or_default_u(&o->conn_requests_max, 128);
	or_default_u(&o->read_ms, 10000);
	or_default_u(&o->write_ms, 30000);
	or_default_u(&o->idle_ms, 300000);
	or_default_u(&o->drain_ms, 10000);
}

/*
 * Deadlines.
 */

static void
expire_writing(struct fcgi_server *s)
{
	struct link *list = &s->waits[CONN_WRITING];
	struct link *next;

	/* All of them, since each is asked whether it moved since the last tick. */
	for (struct link *l = list->next; l != list; l = next) {
		struct server_conn *c = LINK_OF(l, struct server_conn, wait_link);

		next = l->next;
		if (out_queue_progressed(&c->out)) {
			c->deadline_ms = s->now_ms + s->opts.write_ms;
		} else if (c->deadline_ms <= s->now_ms) {
			count_add(&s->counts.timeouts, 1);
			server_conn_close(c);
		}
	}
}

static void
expire_waits(struct fcgi_server *s, enum conn_wait wait)
{
	struct link *list = &s->waits[wait];

	while (!link_empty(list)) {
		struct server_conn *c = LINK_OF(list->next, struct server_conn, wait_link);

		if (c->deadline_ms > s->now_ms)
			return;
		if (wait == CONN_PARTIAL)
			count_add(&s->counts.timeouts, 1);
		server_conn_close(c);
	}
}

/* A request that stalls takes its connection with it: the peer is stuck in a record. */
static void
expire_reading(struct fcgi_server *s)
{
	while (!link_empty(&s->reading)) {
		struct fcgi_request *r =
		    LINK_OF(s->reading.next, struct fcgi_request, read_link);

		if (r->read_deadline_ms > s->now_ms)
			return;
		link_remove(&r->read_link);
		count_add(&s->counts.timeouts, 1);
		server_conn_close(r->conn);
	}
}

static void
on_tick(uv_timer_t *t)
{
	struct fcgi_server *s = t->data;

	s->now_ms = (int64_t)uv_now(&s->loop);
	expire_reading(s);
	expire_writing(s);
	expire_waits(s, CONN_IDLE);
	expire_waits(s, CONN_PARTIAL);
}

static void
on_defer_timer(uv_timer_t *t)
{
	struct fcgi_server *s = t->data;

	s->now_ms = (int64_t)uv_now(&s->loop);
	while (!link_empty(&s->deferred)) {
		struct fcgi_request *r =
		    LINK_OF(s->deferred.next, struct fcgi_request, defer_link);

		if (r->defer_deadline_ms > s->now_ms)
			break;
		link_remove(&r->defer_link);
		server_request_timed_out(r);
	}
	server_arm_deferred(s);
}

void
server_arm_deferred(struct fcgi_server *s)
{
	int64_t wait;

	if (link_empty(&s->deferred))
		return;
	wait = LINK_OF(s->deferred.next, struct fcgi_request, defer_link)->defer_deadline_ms -
	       (int64_t)uv_now(&s->loop);
	uv_timer_start(&s->defer_timer, on_defer_timer, wait > 0 ? (uint64_t)wait : 0, 0);
}

static unsigned
tick_ms(const struct fcgi_server_opts *o)
{
	unsigned least = o->read_ms < o->write_ms ? o->read_ms : o->write_ms;

	least = (o->idle_ms < least ? o->idle_ms : least) / 4;
	if (least > TICK_MS_MAX)
		return TICK_MS_MAX;
	return least < TICK_MS_MIN ? TICK_MS_MIN : least;
}

/*
 * Accepting.
 */

static void set_accepting(struct fcgi_server *s, bool on);

static void
on_accept_timer(uv_timer_t *t)
{
	struct fcgi_server *s = t->data;

	s->accept_paused = false;
	set_accepting(s, s->conns_open < s->opts.conns_max);
}

static void
pause_accepting(struct fcgi_server *s)
{
	s->accept_paused = true;
	set_accepting(s, false);
	uv_timer_start(&s->accept_timer, on_accept_timer, ACCEPT_PAUSE_MS, 0);
}

static void
start_conn(struct fcgi_server *s, int fd, bool is_tcp)
{
	struct server_conn *c = server_conn_new(s);

	if (c == NULL) {
		close(fd);
		pause_accepting(s);
		return;
	}
	if (server_conn_open(c, fd, is_tcp) != 0) {
		close(fd);
		server_conn_close(c);
	}
	if (s->conns_open >= s->opts.conns_max)
		set_accepting(s, false);
}

/* True if a connection was taken. */
static bool
accept_one(struct server_accept *a)
{
	int fd = accept4(a->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0) {
		start_conn(a->server, fd, a->is_tcp);
		return true;
	}
	/* Another loop was quicker, or the peer is gone again: not worth a word. */
	if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
		pause_accepting(a->server);
	return false;
}

static void
on_acceptable(uv_poll_t *p, int status, int events)
{
	struct server_accept *a = p->data;

	(void)events;
	if (status != 0) {
		pause_accepting(a->server);
		return;
	}
	a->server->now_ms = (int64_t)uv_now(&a->server->loop);
	/* One at a time, so that the other loops get their share. */
	accept_one(a);
}

static void
set_accepting(struct fcgi_server *s, bool on)
{
	on = on && !s->draining && !s->accept_paused;
	for (unsigned i = 0; i < s->accept_count; i++) {
		struct server_accept *a = &s->accepts[i];

		if (on == a->active)
			continue;
		a->active = on;
		if (!on)
			uv_poll_stop(&a->poll);
		else
			uv_poll_start(&a->poll, UV_READABLE, on_acceptable);
	}
}

int
fcgi_server_listen(struct fcgi_server *s, const struct fcgi_listener *l)
{
	for (unsigned i = 0; i < l->count; i++) {
		struct server_accept *a = &s->accepts[s->accept_count];
		struct sockaddr_storage sa = { .ss_family = AF_UNSPEC };
		socklen_t len = sizeof(sa);
		int rc;

		if (s->accept_count == SERVER_ACCEPTS_MAX)
			return ERR_LIMIT;
		if (getsockname(l->fds[i], (struct sockaddr *)&sa, &len) != 0)
			return err_from_errno(errno);
		*a = (struct server_accept){
			.server = s, .fd = l->fds[i], .is_tcp = sa.ss_family != AF_UNIX
		};
		rc = uv_poll_init(&s->loop, &a->poll, a->fd);
		if (rc != 0)
			return err_from_uv(rc);
		a->poll.data = a;
		s->accept_count++;
	}
	set_accepting(s, true);
	return 0;
}

/*
 * Stopping.
 */

static void
kill_all(struct fcgi_server *s)
{
	for (struct link *l = s->conns.next; l != &s->conns; l = l->next)
		server_conn_close(LINK_OF(l, struct server_conn, all_link));
}

static void
on_drain_timer(uv_timer_t *t)
{
	struct fcgi_server *s = t->data;

	s->drain_cut = true;
	kill_all(s);
}

/* Is its only request one that has not been read to the end? */
static bool
is_reading(const struct server_conn *c)
{
	const struct fcgi_request *first;

	if (c->request_count != 1)
		return false;
	first = LINK_OF(c->requests.next, struct fcgi_request, conn_link);
	return first->state < REQUEST_READY;
}

/*
 * Answers may need all of the drain, but a request that is not there by now will most
 * likely never be, and should not hold the program up.
 */
static void
on_drain_input_timer(uv_timer_t *t)
{
	struct fcgi_server *s = t->data;
	unsigned ms = s->opts.drain_ms;
	struct link *next;

	uv_timer_start(t, on_drain_timer, ms - ms / DRAIN_INPUT_PART, 0);
	s->input_over = true;
	for (struct link *l = s->conns.next; l != &s->conns; l = next) {
		struct server_conn *c = LINK_OF(l, struct server_conn, all_link);

		next = l->next;
		if (is_reading(c))
			server_conn_close(c);
		else
			server_conn_settle(c);
	}
}

/* Clients in the queue have connected, and would see a reset: serve them. */
static void
empty_queues(struct fcgi_server *s)
{
	for (unsigned i = 0; i < s->accept_count; i++) {
		for (unsigned n = 0; n < DRAIN_ACCEPTS_MAX && !s->accept_paused; n++) {
			if (s->conns_open >= s->opts.conns_max || !accept_one(&s->accepts[i]))
				break;
		}
	}
}

static void
start_drain(struct fcgi_server *s)
{
	struct link *next;

	empty_queues(s);
	s->draining = true;
	set_accepting(s, false);
	uv_timer_start(
	    &s->drain_timer, on_drain_input_timer, s->opts.drain_ms / DRAIN_INPUT_PART, 0);
	for (struct link *l = s->conns.next; l != &s->conns; l = next) {
		next = l->next;
		server_conn_drain(LINK_OF(l, struct server_conn, all_link));
	}
	server_conn_left(s);
}

void
server_conn_left(struct fcgi_server *s)
{
	if (s->draining && s->conns_open == 0)
		uv_stop(&s->loop);
	else if (!s->accept_paused && s->conns_open < s->opts.conns_max)
		set_accepting(s, true);
}

static void
run_posts(struct fcgi_server *s)
{
	struct server_post *p, *next;

	pthread_mutex_lock(&s->post_lock);
	p = s->posts;
	s->posts = NULL;
	s->posts_tail = &s->posts;
	pthread_mutex_unlock(&s->post_lock);
	for (; p != NULL; p = next) {
		next = p->next;
		p->fn(p->arg);
		mem_free(p);
	}
}

static void
on_wake(uv_async_t *a)
{
	struct fcgi_server *s = a->data;
	int level = atomic_load(&s->stop_level);

	s->now_ms = (int64_t)uv_now(&s->loop);
	run_posts(s);
	if (level >= 1 && !s->draining)
		start_drain(s);
	if (level >= 2)
		kill_all(s);
}

void
fcgi_server_stop(struct fcgi_server *s)
{
	int none = 0;

	atomic_compare_exchange_strong(&s->stop_level, &none, 1);
	uv_async_send(&s->wake);
}

void
fcgi_server_kill(struct fcgi_server *s)
{
	atomic_store(&s->stop_level, 2);
	uv_async_send(&s->wake);
}

int
fcgi_server_post(struct fcgi_server *s, void (*fn)(void *arg), void *arg)
{
	struct server_post *p = mem_alloc(sizeof(*p));
	int rc = 0;

	if (p == NULL)
		return ERR_NOMEM;
	*p = (struct server_post){ .fn = fn, .arg = arg };
	pthread_mutex_lock(&s->post_lock);
	if (s->ended) {
		rc = ERR_CLOSED;
	} else {
		*s->posts_tail = p;
		s->posts_tail = &p->next;
	}
	pthread_mutex_unlock(&s->post_lock);
	if (rc == 0)
		uv_async_send(&s->wake);
	else
		mem_free(p);
	return rc;
}

/*
 * The life of a server.
 */

static int
init_handles(struct fcgi_server *s)
{
	uv_timer_t *timers[] = { &s->tick, &s->defer_timer, &s->accept_timer, &s->drain_timer };
	int rc = uv_loop_init(&s->loop);

	if (rc != 0)
		return err_from_uv(rc);
	rc = uv_async_init(&s->loop, &s->wake, on_wake);
	if (rc != 0) {
		uv_loop_close(&s->loop);
		return err_from_uv(rc);
	}
	s->wake.data = s;
	for (size_t i = 0; i < sizeof(timers) / sizeof(timers[0]); i++) {
		uv_timer_init(&s->loop, timers[i]); /* cannot fail */
		timers[i]->data = s;
	}
	return 0;
}

int
fcgi_server_new(const struct fcgi_server_opts *opts, fcgi_handler handler, void *ctx,
    struct fcgi_server **ret)
{
	struct fcgi_server *s = mem_zalloc(sizeof(*s));
	int rc;

	if (s == NULL)
		return ERR_NOMEM;
	server_fill_opts(&s->opts, opts);
	s->handler = handler;
	s->ctx = ctx;
	link_init(&s->conns);
	link_init(&s->reading);
	link_init(&s->deferred);
	for (int i = 0; i < CONN_WAITS; i++)
		link_init(&s->waits[i]);
	buf_init(&s->spare, SIZE_MAX / 2);
	buf_init(&s->scratch, FCGI_CONTENT_MAX);
	s->posts_tail = &s->posts;
	s->read_bytes = mem_alloc(SERVER_READ_BYTES);
	rc = s->read_bytes == NULL ? ERR_NOMEM : init_handles(s);
	if (rc != 0) {
		mem_free(s->read_bytes);
		mem_free(s);
		return rc;
	}
	pthread_mutex_init(&s->post_lock, NULL);
	s->now_ms = (int64_t)uv_now(&s->loop);
	*ret = s;
	return 0;
}

int
fcgi_server_run(struct fcgi_server *s)
{
	sigset_t old;

	sigpipe_block(&old);
	uv_update_time(&s->loop);
	uv_timer_start(&s->tick, on_tick, tick_ms(&s->opts), tick_ms(&s->opts));
	/* uv_stop() in the first drain ends it; the async handle keeps it alive until then. */
	uv_run(&s->loop, UV_RUN_DEFAULT);
	uv_timer_stop(&s->tick);
	pthread_mutex_lock(&s->post_lock);
	s->ended = true;
	pthread_mutex_unlock(&s->post_lock);
	run_posts(s);
	sigpipe_unblock(&old);
	return s->drain_cut ? ERR_TIMEOUT : 0;
}

static void
close_handles(struct fcgi_server *s)
{
	kill_all(s);
	for (unsigned i = 0; i < s->accept_count; i++)
		uv_close((uv_handle_t *)&s->accepts[i].poll, NULL);
	uv_close((uv_handle_t *)&s->wake, NULL);
	uv_close((uv_handle_t *)&s->tick, NULL);
	uv_close((uv_handle_t *)&s->defer_timer, NULL);
	uv_close((uv_handle_t *)&s->accept_timer, NULL);
	uv_close((uv_handle_t *)&s->drain_timer, NULL);
	s->accept_count = 0;
	/* uv_stop() may be pending from conn callbacks: run until nothing is left. */
	while (uv_run(&s->loop, UV_RUN_DEFAULT) != 0)
		;
	uv_loop_close(&s->loop);
}

void
fcgi_server_free(struct fcgi_server *s)
{
	if (s == NULL)
		return;
	close_handles(s);
	run_posts(s);
	server_requests_clear(s);
	server_conns_clear(s);
	buf_clear(&s->spare);
	buf_clear(&s->scratch);
	pthread_mutex_destroy(&s->post_lock);
	mem_free(s->read_bytes);
	mem_free(s);
}

struct uv_loop_s *
fcgi_server_loop(struct fcgi_server *s)
{
	return &s->loop;
}

void
fcgi_server_stats(const struct fcgi_server *s, struct fcgi_server_stats *ret)
{
	const struct server_counts *n = &s->counts;

	*ret = (struct fcgi_server_stats){
		.conns_open = atomic_load(&n->conns_open),
		.conns_total = atomic_load(&n->conns_total),
		.requests_open = atomic_load(&n->requests_open),
		.requests_total = atomic_load(&n->requests_total),
		.aborted = atomic_load(&n->aborted),
		.overloaded = atomic_load(&n->overloaded),
		.timeouts = atomic_load(&n->timeouts),
		.proto_errors = atomic_load(&n->proto_errors),
	};
}
