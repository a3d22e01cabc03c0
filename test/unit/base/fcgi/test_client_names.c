/*
 * test_client_names.c - names that expire, move and fail; lookups are played by this file,
 * which the linker puts in uv_getaddrinfo()'s place.
 */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/fcgi/budget.h"
#include "base/fcgi/client.h"
#include "test/unit/base/fcgi/fcgi_rig.h"

/* The name's present address: a port of this machine, or an error. */
static struct {
	const char *port;
	int error;
	int asked;
} names;

int __real_uv_getaddrinfo(uv_loop_t *loop, uv_getaddrinfo_t *req, uv_getaddrinfo_cb cb,
    const char *node, const char *service, const struct addrinfo *hints);
int __wrap_uv_getaddrinfo(uv_loop_t *loop, uv_getaddrinfo_t *req, uv_getaddrinfo_cb cb,
    const char *node, const char *service, const struct addrinfo *hints);

static uv_getaddrinfo_cb pending;

static void
on_real(uv_getaddrinfo_t *req, int status, struct addrinfo *list)
{
	if (names.error != 0) {
		uv_freeaddrinfo(list);
		pending(req, names.error, NULL);
		return;
	}
	pending(req, status, list);
}

int
__wrap_uv_getaddrinfo(uv_loop_t *loop, uv_getaddrinfo_t *req, uv_getaddrinfo_cb cb,
    const char *node, const char *service, const struct addrinfo *hints)
{
	(void)node;
	(void)service;
	names.asked++;
	pending = cb;
	return __real_uv_getaddrinfo(loop, req, on_real, "127.0.0.1", names.port, hints);
}

struct asked {
	struct fcgi_exchange *x;
	int ended, error;
};

static void
on_end(void *ctx, const struct fcgi_end *end)
{
	(void)end;
	((struct asked *)ctx)->ended = 1;
}

static void
on_error(void *ctx, int code)
{
	((struct asked *)ctx)->ended = 1;
	((struct asked *)ctx)->error = code;
}

/* Ask once and run the loop to the end of it; 0 or the error. */
static int
ask(uv_loop_t *loop, struct fcgi_client *c)
{
	static const struct fcgi_exchange_events events = { .on_end = on_end,
		.on_error = on_error };
	struct fcgi_pair params[] = { { SLICE("SCRIPT_NAME"), SLICE("/echo") } };
	struct fcgi_exchange_spec spec = { .params = params, .param_count = 1 };
	struct asked a = { .ended = 0 };
	int64_t end = rig_ms() + RIG_WAIT_MS;

	assert_int_equal(fcgi_exchange_start(c, &spec, &events, &a, &a.x), 0);
	while (!a.ended && rig_ms() < end)
		uv_run(loop, UV_RUN_ONCE);
	assert_true(a.ended);
	return a.error;
}

static void
on_nothing(uv_timer_t *t)
{
	(void)t;
}

static void
run_for(uv_loop_t *loop, unsigned ms)
{
	int64_t end = rig_ms() + ms;
	uv_timer_t beat;

	uv_timer_init(loop, &beat);
	uv_timer_start(&beat, on_nothing, 1, 1);
	while (rig_ms() < end)
		uv_run(loop, UV_RUN_ONCE);
	uv_close((uv_handle_t *)&beat, NULL);
	uv_run(loop, UV_RUN_NOWAIT);
}

struct two {
	struct rig a, b;
	uv_loop_t loop;
	struct fcgi_client *client;
};

static void
open_two(struct two *t, unsigned names_ms)
{
	struct fcgi_client_opts opts = { .names_ms = names_ms, .connect_ms = 2000 };
	struct addr addr;

	rig_start_at(&t->a, NULL, "127.0.0.1:0");
	rig_start_at(&t->b, NULL, "127.0.0.1:0");
	assert_int_equal(uv_loop_init(&t->loop), 0);
	assert_int_equal(addr_parse("service.test:9000", &addr, NULL), 0);
	assert_int_equal(fcgi_client_new(&t->loop, &addr, &opts, &t->client), 0);
	memset(&names, 0, sizeof(names));
	names.port = t->a.addr.port;
}

static void
close_two(struct two *t)
{
	fcgi_client_free(t->client);
	uv_run(&t->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&t->loop), 0);
	rig_stop(&t->a);
	rig_stop(&t->b);
}

static void
an_address_is_used_until_it_expires_and_then_the_new_one(void **state)
{
	struct two t;

	(void)state;
	open_two(&t, 100);
	for (int i = 0; i < 3; i++)
		assert_int_equal(ask(&t.loop, t.client), 0);
	assert_int_equal(names.asked, 1);
	names.port = t.b.addr.port; /* the service moved; the old one still answers */
	run_for(&t.loop, 150);
	assert_int_equal(ask(&t.loop, t.client), 0); /* starts the lookup */
	run_for(&t.loop, 100);
	assert_int_equal(names.asked, 2);
	assert_int_equal(atomic_load(&t.a.handled), 4);
	assert_int_equal(ask(&t.loop, t.client), 0);
	assert_int_equal(atomic_load(&t.b.handled), 1);
	close_two(&t);
}

static void
connections_stay_when_the_name_does(void **state)
{
	struct fcgi_client_stats stats;
	struct two t;

	(void)state;
	open_two(&t, 50);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(ask(&t.loop, t.client), 0);
		run_for(&t.loop, 80);
	}
	fcgi_client_stats(t.client, &stats);
	assert_int_equal(stats.conns, 1);
	assert_in_range(names.asked, 2, 4);
	close_two(&t);
}

static void
a_name_server_that_is_away_leaves_the_last_address(void **state)
{
	struct two t;

	(void)state;
	open_two(&t, 50);
	assert_int_equal(ask(&t.loop, t.client), 0);
	names.error = UV_EAI_AGAIN;
	fcgi_client_refresh(t.client); /* no connection is left either */
	assert_int_equal(ask(&t.loop, t.client), 0);
	names.error = UV_EAI_NONAME; /* that is an answer */
	fcgi_client_refresh(t.client);
	run_for(&t.loop, 20);
	assert_int_equal(ask(&t.loop, t.client), ERR_NOENT);
	names.error = 0;
	assert_int_equal(ask(&t.loop, t.client), 0);
	close_two(&t);
}

static void
a_refresh_asks_anew_and_drops_idle_connections(void **state)
{
	struct two t;

	(void)state;
	open_two(&t, 600000);
	assert_int_equal(ask(&t.loop, t.client), 0);
	names.port = t.b.addr.port;
	assert_int_equal(ask(&t.loop, t.client), 0);
	assert_int_equal(atomic_load(&t.a.handled), 2);
	fcgi_client_refresh(t.client);
	assert_int_equal(ask(&t.loop, t.client), 0);
	assert_int_equal(atomic_load(&t.b.handled), 1);
	close_two(&t);
}

static void
clients_share_a_budget_and_the_longest_idle_makes_room(void **state)
{
	struct fcgi_client_opts opts = { .connect_ms = 2000 };
	struct fcgi_budget_stats stats;
	struct fcgi_client *clients[3];
	struct rig rig;
	uv_loop_t loop;

	(void)state;
	rig_start(&rig, NULL);
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(fcgi_budget_new(2, &opts.budget), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(fcgi_client_new(&loop, &rig.addr, &opts, &clients[i]), 0);
	for (int i = 0; i < 9; i++) {
		assert_int_equal(ask(&loop, clients[i % 3]), 0);
		fcgi_budget_stats(opts.budget, &stats);
		assert_in_range(stats.conns, 1, 2);
	}
	assert_int_equal(stats.made, 9);
	assert_int_equal(stats.evicted, 7);
	assert_int_equal(ask(&loop, clients[2]), 0); /* still has its own */
	fcgi_budget_stats(opts.budget, &stats);
	assert_int_equal(stats.made, 9);
	fcgi_budget_free(opts.budget); /* lives on with its clients */
	for (int i = 0; i < 3; i++)
		fcgi_client_free(clients[i]);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	rig_stop(&rig);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_used_until_it_expires_and_then_the_new_one),
		cmocka_unit_test(connections_stay_when_the_name_does),
		cmocka_unit_test(a_name_server_that_is_away_leaves_the_last_address),
		cmocka_unit_test(a_refresh_asks_anew_and_drops_idle_connections),
		cmocka_unit_test(clients_share_a_budget_and_the_longest_idle_makes_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
