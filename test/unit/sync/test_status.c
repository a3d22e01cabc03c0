/* Metrics that Prometheus can read, and health that is JSON whatever went wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "sync/status.h"

static void
filled(struct status *s)
{
	status_init(s);
	status_set_phase(s, "issues");
	s->families[STATUS_ISSUES] = (struct status_counts){ 7, 10, INT64_C(1700000000999) };
	s->github.requests = 12;
	s->github.rate_remaining = 4999;
	s->rounds = 3;
	s->records = UINT64_MAX / 2;
}

/* name{labels} value, or a comment; fails on anything else. */
static void
check_line(const char *line)
{
	const char *p = line;
	char *end;

	if (strncmp(p, "# HELP ", 7) == 0 || strncmp(p, "# TYPE ", 7) == 0)
		return;
	while (isalnum((unsigned char)*p) || *p == '_')
		p++;
	assert_true(p > line);
	if (*p == '{') {
		p = strchr(p, '}');
		assert_non_null(p);
		assert_int_equal(p[-1], '"');
		p++;
	}
	assert_int_equal(*p, ' ');
	strtod(p + 1, &end);
	assert_true(end > p + 1 && *end == '\0');
}

static void
every_line_of_the_metrics_parses(void **state)
{
	struct status s;
	struct buf out;
	char *text, *line, *rest;
	int samples = 0;

	(void)state;
	filled(&s);
	buf_init(&out, (size_t)1 << 20);
	status_metrics(&s, &out);
	text = buf_take(&out, NULL);
	assert_non_null(text);
	assert_int_equal(text[strlen(text) - 1], '\n');
	rest = text;
	while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
		check_line(line);
		samples += line[0] != '#';
	}
	assert_in_range(samples, 20, 100);
	free(text);
}

/* Each family of samples follows its own TYPE and is not torn apart. */
static void
samples_stand_under_their_type(void **state)
{
	struct status s;
	struct buf out;
	char name[96] = "", *text, *line, *rest;

	(void)state;
	filled(&s);
	buf_init(&out, (size_t)1 << 20);
	status_metrics(&s, &out);
	text = rest = buf_take(&out, NULL);
	while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
		size_t len = strcspn(line, "{ ");

		if (strncmp(line, "# TYPE ", 7) == 0) {
			size_t n = strcspn(line + 7, " ");

			assert_in_range(n, 1, sizeof(name) - 1);
			memcpy(name, line + 7, n);
			name[n] = '\0';
		} else if (line[0] != '#') {
			assert_int_equal(len, strlen(name));
			assert_memory_equal(line, name, len);
		}
	}
	free(text);
}

static void
metrics_say_what_is_known_and_leave_out_what_is_not(void **state)
{
	struct status s;
	struct buf out;
	const char *text;

	(void)state;
	filled(&s);
	buf_init(&out, (size_t)1 << 20);
	status_metrics(&s, &out);
	text = buf_cstr(&out);
	assert_non_null(strstr(text, "\nmaintner_sync_objects{family=\"issues\"} 7\n"));
	assert_non_null(
	    strstr(text, "\nmaintner_sync_objects_expected{family=\"issues\"} 10\n"));
	assert_non_null(
	    strstr(text, "\nmaintner_sync_synced_at_seconds{family=\"issues\"} 1700000000\n"));
	assert_null(strstr(text, "synced_at_seconds{family=\"comments\"}"));
	assert_non_null(
	    strstr(text, "\nmaintner_sync_github_rate_limit{resource=\"core\"} -1\n"));
	assert_non_null(strstr(text, "\nmaintner_sync_rounds_total 3\n"));
	buf_clear(&out);
}

static void
health_is_json_whatever_the_error_says(void **state)
{
	static const char *const errors[] = { "", "plain", "a \"quote\" and \\", "line\nbreak",
		"\xff\xfe not UTF-8", "caf\xc3\xa9" };

	(void)state;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		struct status s;
		struct buf out;
		json_t *doc = NULL;

		filled(&s);
		status_set_error(&s, errors[i]);
		status_set_phase(&s, "pha\"se");
		buf_init(&out, (size_t)1 << 20);
		status_health(&s, &out);
		assert_int_equal(json_in_parse(buf_view(&out), "health", &doc, NULL), 0);
		assert_true(json_is_string(json_object_get(doc, "lastError")));
		assert_string_equal(
		    json_string_value(json_object_get(doc, "phase")), "pha\"se");
		json_decref(doc);
		buf_clear(&out);
	}
}

/* Cutting it at the end of its room may cut a character in two. */
static void
a_long_error_is_cut_and_still_json(void **state)
{
	(void)state;
	for (size_t shift = 0; shift < 3; shift++) {
		char text[1200] = "";
		struct status s;
		struct buf out;
		json_t *doc = NULL;

		memset(text, 'x', shift);
		for (size_t n = shift; n + 3 < sizeof(text); n += 3)
			memcpy(text + n, "\xe2\x82\xac", 4);
		filled(&s);
		status_set_error(&s, text);
		buf_init(&out, (size_t)1 << 20);
		status_health(&s, &out);
		assert_int_equal(json_in_parse(buf_view(&out), "health", &doc, NULL), 0);
		assert_in_range(
		    json_string_length(json_object_get(doc, "lastError")), 500, 520);
		json_decref(doc);
		buf_clear(&out);
		status_set_error(&s, NULL);
		assert_string_equal(s.last_error, "");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_line_of_the_metrics_parses),
		cmocka_unit_test(samples_stand_under_their_type),
		cmocka_unit_test(metrics_say_what_is_known_and_leave_out_what_is_not),
		cmocka_unit_test(health_is_json_whatever_the_error_says),
		cmocka_unit_test(a_long_error_is_cut_and_still_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
