/* Any message as JSON: every kind of field, and nothing that is at its default. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "test/unit/sync/message_json.h"
#include "tools/mutation_json.h"

static void
assert_printed(const Maintpb__Mutation *m, const char *want)
{
	struct buf b;

	buf_init(&b, (size_t)1 << 20);
	mutation_json(&m->base, &b);
	assert_string_equal(buf_cstr(&b), want);
	buf_clear(&b);
}

static void
every_kind_of_field_is_printed(void **state)
{
	static const char text[] =
	    "{'githubIssue':{'owner':'o','repo':'r','number':7,'user':{'id':5,'login':'ann'},"
	    "'created':'2020-01-02T03:04:05Z','title':'a \\\"title\\\"\\n',"
	    "'assignees':[{'id':1,'login':'x'},{'id':2}],'deletedAssignees':[3,-4],"
	    "'id':9007199254740993,'notExist':true,'closed':{},'removeLabel':[1],"
	    "'locked':{'val':true},'event':[{'id':1,'otherJson':'{}'}],"
	    "'bodyChange':{'val':'b'},'noClosedBy':true}}";
	static const char want[] =
	    "{\"githubIssue\":{\"owner\":\"o\",\"repo\":\"r\",\"number\":7,"
	    "\"user\":{\"id\":5,\"login\":\"ann\"},\"created\":\"2020-01-02T03:04:05Z\","
	    "\"title\":\"a \\\"title\\\"\\n\",\"assignees\":[{\"id\":1,\"login\":\"x\"},"
	    "{\"id\":2}],\"deletedAssignees\":[3,-4],\"id\":9007199254740993,"
	    "\"notExist\":true,\"closed\":{},\"removeLabel\":[1],\"locked\":{\"val\":true},"
	    "\"event\":[{\"id\":1,\"otherJson\":\"{}\"}],\"bodyChange\":{\"val\":\"b\"},"
	    "\"noClosedBy\":true}}";
	json_t *json = json_of(text);
	struct arena a;

	(void)state;
	arena_init(&a, (size_t)1 << 20);
	assert_printed(mutation_of(&a, json), want);
	arena_clear(&a);
	json_decref(json);
}

static void
a_message_without_facts_is_an_empty_object(void **state)
{
	Maintpb__Mutation m = MAINTPB__MUTATION__INIT;
	Maintpb__GithubIssueMutation i = MAINTPB__GITHUB_ISSUE_MUTATION__INIT;

	(void)state;
	assert_printed(&m, "{}");
	m.github_issue = &i;
	assert_printed(&m, "{\"githubIssue\":{}}");
}

static void
bytes_that_are_no_text_are_replaced(void **state)
{
	unsigned char bytes[] = { 'a', 0, 0xff, '"' };
	Maintpb__Mutation m = MAINTPB__MUTATION__INIT;

	(void)state;
	m.git = (ProtobufCBinaryData){ .data = bytes, .len = sizeof(bytes) };
	assert_printed(&m, "{\"git\":\"a\\u0000\xef\xbf\xbd\\\"\"}");
}

/* A log may hold any number: a time outside the calendar must not be an accident. */
static void
times_that_no_calendar_has_print_as_something(void **state)
{
	static const int64_t seconds[] = { INT64_MAX, INT64_MIN, INT64_MAX / 1000,
		INT64_MIN / 1000, INT64_C(253402300800), INT64_C(-62135596801) };
	Maintpb__Mutation m = MAINTPB__MUTATION__INIT;
	Maintpb__GithubIssueMutation i = MAINTPB__GITHUB_ISSUE_MUTATION__INIT;
	Maintpb__Timestamp t = MAINTPB__TIMESTAMP__INIT;

	(void)state;
	m.github_issue = &i;
	i.created = &t;
	for (size_t n = 0; n < sizeof(seconds) / sizeof(seconds[0]); n++) {
		t.seconds = seconds[n];
		t.nanos = n % 2 == 0 ? INT32_MAX : INT32_MIN;
		assert_printed(&m, "{\"githubIssue\":{\"created\":\"0001-01-01T00:00:00Z\"}}");
	}
	t.seconds = 1;
	t.nanos = 999999999;
	assert_printed(&m, "{\"githubIssue\":{\"created\":\"1970-01-01T00:00:01.999Z\"}}");
	t.nanos = 0;
	t.seconds = 0; /* a time, though its fields are at their defaults */
	assert_printed(&m, "{\"githubIssue\":{\"created\":\"1970-01-01T00:00:00Z\"}}");
}

static void
errors_are_latched_in_the_buffer(void **state)
{
	Maintpb__Mutation m = MAINTPB__MUTATION__INIT;
	struct buf b;

	(void)state;
	buf_init(&b, 1);
	mutation_json(&m.base, &b);
	assert_int_equal(buf_err(&b), ERR_LIMIT);
	buf_clear(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_field_is_printed),
		cmocka_unit_test(a_message_without_facts_is_an_empty_object),
		cmocka_unit_test(bytes_that_are_no_text_are_replaced),
		cmocka_unit_test(times_that_no_calendar_has_print_as_something),
		cmocka_unit_test(errors_are_latched_in_the_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
