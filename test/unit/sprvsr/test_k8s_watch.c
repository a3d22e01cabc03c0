/* Lists in pages, watches in pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sprvsr/k8s_watch.h"

struct taken {
	unsigned begun, ended, put, removed;
};

static void
on_begin(void *ctx)
{
	((struct taken *)ctx)->begun++;
}

static int
on_put(void *ctx, const json_t *object, struct err_info *ei)
{
	(void)object;
	(void)ei;
	((struct taken *)ctx)->put++;
	return 0;
}

static void
on_end(void *ctx)
{
	((struct taken *)ctx)->ended++;
}

static void
on_removed(void *ctx, const json_t *object)
{
	(void)object;
	((struct taken *)ctx)->removed++;
}

static void
on_trouble(void *ctx, int rc, const char *text)
{
	(void)ctx;
	(void)rc;
	(void)text;
}

static const struct k8s_watch_events events = { on_begin, on_put, on_end, on_removed,
	on_trouble };

#define EVENT(type, version)                                                                   \
	"{\"type\":\"" type "\",\"object\":{\"metadata\":{\"name\":\"x\","                     \
	"\"resourceVersion\":\"" version "\"}}}\n"

static void
events_are_taken_however_they_are_cut(void **state)
{
	static const char stream[] = EVENT("ADDED", "1") EVENT("MODIFIED", "2")
	    EVENT("BOOKMARK", "8") EVENT("DELETED", "9");

	(void)state;
	for (size_t step = 1; step < sizeof(stream); step += 7) {
		struct taken t = { 0 };
		struct k8s_watch w;

		k8s_watch_init(&w, NULL, "/x", &events, &t);
		for (size_t at = 0; at < sizeof(stream) - 1; at += step) {
			size_t left = sizeof(stream) - 1 - at;
			struct slice piece = { stream + at, left < step ? left : step };

			assert_int_equal(k8s_watch_feed(&w, piece), 0);
		}
		assert_int_equal(t.put, 2);
		assert_int_equal(t.removed, 1);
		assert_string_equal(w.version, "9");
		k8s_watch_clear(&w);
	}
}

static void
bad_events_end_the_watch(void **state)
{
	static const struct {
		const char *line;
		int rc;
	} cases[] = {
		{ "{\"type\":\"ERROR\",\"object\":{\"code\":410,\"message\":\"old\"}}\n",
		    ERR_GONE },
		{ "{\"type\":\"ERROR\",\"object\":{\"code\":500}}\n", ERR_UNAVAILABLE },
		{ "{\"type\":\"WHAT\",\"object\":{}}\n", ERR_PROTO },
		{ "{\"type\":\"ADDED\"}\n", ERR_PROTO },
		{ "{\"type\":\"ADDED\",\"object\":{}}\n", ERR_PROTO },
		{ "nonsense\n", ERR_PROTO },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct taken t = { 0 };
		struct k8s_watch w;

		k8s_watch_init(&w, NULL, "/x", &events, &t);
		assert_int_equal(k8s_watch_feed(&w, slice_str(cases[i].line)), cases[i].rc);
		k8s_watch_clear(&w);
	}
}

static void
pages_are_followed_and_an_expired_one_fails_the_list(void **state)
{
	static char server[] = "https://h";
	static const struct k8s_config config = { .server = server };
	static const struct http_scripted answers[] = {
		{ .expect_url = "https://h/x?limit=500",
		    .status = 200,
		    .body = "{\"metadata\":{\"resourceVersion\":\"4\",\"continue\":\"a b\"},"
			    "\"items\":[{},{}]}" },
		{ .expect_url = "https://h/x?limit=500&continue=a%20b",
		    .status = 200,
		    .body = "{\"metadata\":{\"resourceVersion\":\"4\"},\"items\":[{}]}" },
		{ .status = 200,
		    .body = "{\"metadata\":{\"resourceVersion\":\"5\",\"continue\":\"c\"},"
			    "\"items\":[{}]}" },
		{ .status = 410 },
	};
	struct taken t = { 0 };
	struct k8s_shared shared;
	struct k8s_client *client;
	struct k8s_watch w;
	struct http *http;

	(void)state;
	k8s_shared_init(&shared, &config, 1000, 1000);
	assert_int_equal(http_script_new(answers, 4, &http), 0);
	assert_int_equal(k8s_client_new(&shared, NULL, http, &client, NULL), 0);
	k8s_watch_init(&w, client, "/x", &events, &t);
	assert_int_equal(k8s_list(&w, NULL), 0);
	assert_int_equal(t.put, 3);
	assert_int_equal(t.ended, 1);
	assert_string_equal(w.version, "4");
	assert_int_equal(k8s_list(&w, NULL), ERR_GONE);
	assert_int_equal(t.ended, 1); /* what was not named may still be there */
	assert_string_equal(w.version, "");
	k8s_watch_clear(&w);
	k8s_client_free(client);
	k8s_shared_clear(&shared);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_are_taken_however_they_are_cut),
		cmocka_unit_test(bad_events_end_the_watch),
		cmocka_unit_test(pages_are_followed_and_an_expired_one_fails_the_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
