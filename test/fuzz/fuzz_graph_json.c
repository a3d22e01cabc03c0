/*
 * fuzz_graph_json.c - GraphQL's JSON: what is taken is a whole list in REST's form.  A list
 * of n nodes becomes n objects, each with an id, or it is refused.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "sync/graph_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every second bot is known. */
static int
login_of(void *ctx, int64_t id, char *out, size_t size)
{
	(void)ctx;
	if (id % 2 == 0)
		return ERR_NOENT;
	snprintf(out, size, "bot-%lld[bot]", (long long)id);
	return 0;
}

static void
check_text(const json_t *object, const char *member)
{
	if (!json_is_string(json_object_get(object, member)))
		abort();
}

/* null is an account that was deleted. */
static void
check_user(const json_t *user)
{
	if (json_is_null(user))
		return;
	if (json_integer_value(json_object_get(user, "id")) <= 0)
		abort();
	check_text(user, "login");
}

static void
check_list(
    const json_t *connection, const json_t *list, const char *who, const char *const members[2])
{
	const json_t *nodes = json_object_get(connection, "nodes"), *one;
	size_t i;

	if (!json_is_array(list) || json_array_size(list) != json_array_size(nodes))
		abort();
	if (!json_is_false(
		json_object_get(json_object_get(connection, "pageInfo"), "hasNextPage")))
		abort();
	json_array_foreach(list, i, one)
	{
		if (json_integer_value(json_object_get(one, "id")) <= 0)
			abort();
		check_user(json_object_get(one, who));
		check_text(one, members[0]);
		check_text(one, members[1]);
	}
}

static void
check_result(int rc, const json_t *list)
{
	if (rc == 0 ? list == NULL : rc != ERR_UNSUPPORTED || list != NULL)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const of_event[] = { "event", "created_at" };
	static const char *const of_review[] = { "state", "updated_at" };
	const struct graph_people people = { .login = login_of };
	struct slice text = { (const char *)data, size };
	json_t *doc, *events = NULL, *reviews = NULL;
	int rc;

	if (json_in_parse(text, "answer", &doc, NULL) != 0)
		return 0;
	rc = graph_events(doc, "acme/widgets", &people, &events);
	check_result(rc, events);
	if (rc == 0)
		check_list(json_object_get(doc, "events"), events, "actor", of_event);
	rc = graph_reviews(doc, &people, &reviews);
	check_result(rc, reviews);
	if (rc == 0)
		check_list(json_object_get(doc, "reviews"), reviews, "user", of_review);
	json_decref(events);
	json_decref(reviews);
	json_decref(doc);
	return 0;
}
