/* Addresses as users write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/addr.h"

static void
hosts_and_ports_are_taken_apart(void **state)
{
	static const struct {
		const char *text, *host, *port;
	} cases[] = {
		{ "localhost:9000", "localhost", "9000" },
		{ "127.0.0.1:0", "127.0.0.1", "0" },
		{ "0.0.0.0:65535", "0.0.0.0", "65535" },
		{ "[::1]:80", "::1", "80" },
		{ "[fe80::1%eth0]:9000", "fe80::1%eth0", "9000" },
		{ "mtr-s-abc.ns.svc:09000", "mtr-s-abc.ns.svc", "09000" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct addr a;

		assert_int_equal(addr_parse(cases[i].text, &a, NULL), 0);
		assert_int_equal(a.kind, ADDR_TCP);
		assert_string_equal(a.host, cases[i].host);
		assert_string_equal(a.port, cases[i].port);
	}
}

static void
socket_paths_are_taken_as_they_are(void **state)
{
	char text[5 + ADDR_PATH_MAX + 1] = "unix:";
	struct addr a;

	(void)state;
	assert_int_equal(addr_parse("unix:/run/x:y.sock", &a, NULL), 0);
	assert_int_equal(a.kind, ADDR_UNIX);
	assert_string_equal(a.path, "/run/x:y.sock");
	assert_int_equal(addr_parse("unix:relative", &a, NULL), 0);
	memset(text + 5, 'x', ADDR_PATH_MAX - 1);
	assert_int_equal(addr_parse(text, &a, NULL), 0); /* just fits */
	text[5 + ADDR_PATH_MAX - 1] = 'x';
	assert_int_equal(addr_parse(text, &a, NULL), ERR_INVAL);
}

static void
everything_else_is_refused_with_a_text(void **state)
{
	static const char *const texts[] = { "", "unix:", "unix", "9000", ":9000", "host",
		"host:", "host:x", "host:-1", "host:+1", "host: 80", "host:80 ", "host:65536",
		"host:123456", "host:8o", "[]:80", "[::1]",
		"[::1]:", "host:99999999999999999999" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct err_info ei = { .text = "" };
		struct addr a = { .kind = ADDR_TCP, .port = "77" };

		if (addr_parse(texts[i], &a, &ei) != ERR_INVAL)
			fail_msg("%s was taken", texts[i]);
		assert_true(ei.text[0] != '\0');
		assert_string_equal(a.port, "77");
	}
}

static void
a_host_of_253_characters_is_the_longest(void **state)
{
	char text[300];
	struct addr a;

	(void)state;
	memset(text, 'h', sizeof(text));
	strcpy(text + 253, ":80");
	assert_int_equal(addr_parse(text, &a, NULL), 0);
	assert_int_equal(strlen(a.host), 253);
	memset(text, 'h', 260);
	strcpy(text + 254, ":80");
	assert_int_equal(addr_parse(text, &a, NULL), ERR_INVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_and_ports_are_taken_apart),
		cmocka_unit_test(socket_paths_are_taken_as_they_are),
		cmocka_unit_test(everything_else_is_refused_with_a_text),
		cmocka_unit_test(a_host_of_253_characters_is_the_longest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
