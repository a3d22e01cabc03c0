/*
 * test_http_lookup.c - a name server that does not answer; this file's getaddrinfo() is found
 * before the C library's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netdb.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/http.h"

#define LOOKUP_S 20 /* what a resolver with two servers takes to give up */

static struct {
	int fds[2]; /* readable once the lookup has begun */
	sem_t end;
	atomic_bool ended;
} lookup;

int
getaddrinfo(
    const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **ret)
{
	struct timespec until;

	(void)node;
	(void)service;
	(void)hints;
	(void)ret;
	(void)!write(lookup.fds[1], "x", 1);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += LOOKUP_S;
	sem_timedwait(&lookup.end, &until);
	atomic_store(&lookup.ended, true);
	return EAI_AGAIN;
}

static bool
yes(void *ctx)
{
	(void)ctx;
	return true;
}

static void
begin(void)
{
	assert_int_equal(setenv("no_proxy", "*", 1), 0);
	assert_int_equal(pipe(lookup.fds), 0);
	assert_int_equal(sem_init(&lookup.end, 0, 0), 0);
	atomic_store(&lookup.ended, false);
}

static void
end(void)
{
	assert_false(atomic_load(&lookup.ended)); /* nobody has waited for it */
	sem_post(&lookup.end);
	while (!atomic_load(&lookup.ended))
		usleep(1000);
	close(lookup.fds[0]);
	close(lookup.fds[1]);
}

static void
a_stop_does_not_wait_for_a_name_server(void **state)
{
	const struct http_request req = { .url = "http://name.example/", .body_max = 10 };
	struct http_response res;
	struct http *http;

	(void)state;
	begin();
	http_response_init(&res);
	assert_int_equal(
	    http_curl_new("tester/1", NULL,
		&(struct cancel){ .fd = lookup.fds[0], .check = yes }, &http, NULL),
	    0);
	assert_int_equal(http_perform(http, &req, &res, NULL), ERR_CANCELED);
	http_free(http);
	http_response_clear(&res);
	end();
}

static void
a_deadline_holds_while_a_name_is_looked_up(void **state)
{
	const struct http_request req = {
		.url = "http://name.example/", .body_max = 10, .total_ms = 100
	};
	struct http_response res;
	struct http *http;

	(void)state;
	begin();
	http_response_init(&res);
	assert_int_equal(http_curl_new("tester/1", NULL, NULL, &http, NULL), 0);
	assert_int_equal(http_perform(http, &req, &res, NULL), ERR_TIMEOUT);
	http_free(http);
	http_response_clear(&res);
	end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stop_does_not_wait_for_a_name_server),
		cmocka_unit_test(a_deadline_holds_while_a_name_is_looked_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
