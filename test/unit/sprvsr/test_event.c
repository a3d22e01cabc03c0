/* Kubernetes Events: so many at once, then one a second. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "sprvsr/event.h"

static const struct event about = { .api_version = "apps/v1",
	.kind = "Deployment",
	.name = "mtr-d-1",
	.uid = "7",
	.reason = "Updated",
	.message = "foo/\"bar\"" };

static int
make(struct event_pace *p, int64_t now_ms)
{
	char *body = NULL;
	int rc = event_make(p, "ns", "us", &about, now_ms, &body);

	assert_true((rc == 0) == (body != NULL));
	mem_free(body);
	return rc;
}

/* How many may be sent at `now_ms`. */
static int
burst(struct event_pace *p, int64_t now_ms)
{
	int n = 0;

	while (n < 1000 && make(p, now_ms) == 0)
		n++;
	return n;
}

static void
events_come_in_bursts_of_25_and_then_one_a_second(void **state)
{
	struct event_pace p = { 0 };

	(void)state;
	assert_int_equal(burst(&p, 1000), 25);
	assert_int_equal(make(&p, 1999), ERR_RATE);
	assert_int_equal(burst(&p, 2001), 1);
	assert_int_equal(burst(&p, 12500), 10);
	assert_int_equal(burst(&p, 10000000), 25); /* quiet hours save up no more */
}

static void
an_event_is_of_its_object(void **state)
{
	struct event_pace p = { 0 };
	json_t *doc = NULL;
	const json_t *of;
	char *body = NULL;

	(void)state;
	assert_int_equal(event_make(&p, "ns", "us", &about, 1, &body), 0);
	assert_int_equal(json_in_parse(slice_str(body), "event", &doc, NULL), 0);
	of = json_object_get(doc, "involvedObject");
	assert_string_equal(json_string_value(json_object_get(of, "uid")), "7");
	assert_string_equal(json_string_value(json_object_get(of, "namespace")), "ns");
	assert_string_equal(json_string_value(json_object_get(doc, "message")), about.message);
	json_decref(doc);
	mem_free(body);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_come_in_bursts_of_25_and_then_one_a_second),
		cmocka_unit_test(an_event_is_of_its_object),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
