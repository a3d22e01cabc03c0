/* Log lines: one JSON object each, whatever bytes they hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define LINE_MAX_BYTES ((size_t)16 << 10)

static char captured[1 << 18];
static FILE *capture;
static int saved;

static void
begin_capture(void)
{
	capture = tmpfile();
	saved = dup(STDERR_FILENO);
	dup2(fileno(capture), STDERR_FILENO);
}

/* What was written, as one JSON object; NULL if it was nothing. */
static json_t *
end_capture(void)
{
	json_t *line;
	size_t n;

	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(capture);
	n = fread(captured, 1, sizeof(captured) - 1, capture);
	captured[n] = '\0';
	fclose(capture);
	if (n == 0)
		return NULL;
	assert_int_equal(captured[n - 1], '\n');
	assert_ptr_equal(strchr(captured, '\n'), captured + n - 1); /* one line */
	line = json_loads(captured, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(line);
	return line;
}

static const char *
text_of(const json_t *line, const char *name)
{
	const char *text = json_string_value(json_object_get(line, name));

	assert_non_null(text);
	return text;
}

static void
a_line_has_time_severity_message_program_and_fields(void **state)
{
	json_t *line;
	int64_t ms = 0;

	(void)state;
	log_setup("prog", "acme/widgets", LOG_SEV_INFO);
	begin_capture();
	log_warning("it happened", LOG_I("count", -7), LOG_S("who", "ann"), LOG_S("none", NULL),
	    LOG_END);
	line = end_capture();
	assert_int_equal(time_parse(slice_str(text_of(line, "timestamp")), &ms), 0);
	assert_in_range(clock_real_ms() - ms, 0, 60000);
	assert_string_equal(text_of(line, "severity"), "WARNING");
	assert_string_equal(text_of(line, "message"), "it happened");
	assert_string_equal(text_of(line, "program"), "prog");
	assert_string_equal(text_of(line, "repo"), "acme/widgets");
	assert_string_equal(text_of(line, "who"), "ann");
	assert_string_equal(text_of(line, "none"), "");
	assert_int_equal(json_integer_value(json_object_get(line, "count")), -7);
	json_decref(line);
}

static void
any_bytes_become_a_valid_line(void **state)
{
	(void)state;
	log_setup("prog", NULL, LOG_SEV_INFO);
	for (int c = 1; c < 256; c++) {
		char bytes[8] = { 'a', (char)c, 'b', (char)c, '\0' };
		json_t *line;

		begin_capture();
		log_info(bytes, LOG_S("text", bytes), LOG_END);
		line = end_capture();
		assert_non_null(line);
		if (c < 128) {
			assert_string_equal(text_of(line, "text"), bytes);
			assert_string_equal(text_of(line, "message"), bytes);
		}
		assert_null(json_object_get(line, "repo"));
		json_decref(line);
	}
}

static void
what_is_below_the_lowest_severity_is_not_written(void **state)
{
	static const struct {
		enum log_severity severity;
		bool written;
	} cases[] = { { LOG_SEV_DEBUG, false }, { LOG_SEV_INFO, false },
		{ LOG_SEV_WARNING, true }, { LOG_SEV_ERROR, true },
		{ LOG_SEV_CRITICAL, true } };

	(void)state;
	log_setup("prog", NULL, LOG_SEV_WARNING);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *line;

		begin_capture();
		LOG_AT(cases[i].severity, "m", LOG_END);
		line = end_capture();
		assert_int_equal(line != NULL, cases[i].written);
		json_decref(line);
	}
}

static void
a_line_that_is_too_long_keeps_its_message(void **state)
{
	char longer[20001];
	json_t *line;

	(void)state;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	log_setup("prog", NULL, LOG_SEV_INFO);
	begin_capture();
	log_info("the message", LOG_S("text", longer), LOG_END);
	line = end_capture();
	assert_string_equal(text_of(line, "message"), "the message");
	assert_int_equal(json_integer_value(json_object_get(line, "truncated")), 1);
	json_decref(line);
}

static void
a_message_that_is_too_long_is_cut(void **state)
{
	static const char *const parts[] = { "x", "\"", "\x01", "\xe2\x82\xac" };
	char longer[30001];

	(void)state;
	log_setup("prog", "acme/widgets", LOG_SEV_INFO);
	for (size_t p = 0; p < 4; p++) {
		size_t n = strlen(parts[p]);
		json_t *line;

		for (size_t i = 0; i + n < sizeof(longer); i += n)
			memcpy(longer + i, parts[p], n + 1);
		begin_capture();
		log_error(longer, LOG_I("n", 1), LOG_END);
		line = end_capture();
		assert_non_null(line);
		assert_in_range(strlen(captured), 500, LINE_MAX_BYTES);
		assert_int_equal(strncmp(text_of(line, "message"), parts[p], n), 0);
		assert_string_equal(text_of(line, "severity"), "ERROR");
		json_decref(line);
	}
}

static void
severities_have_words(void **state)
{
	enum log_severity s = LOG_SEV_CRITICAL;

	(void)state;
	assert_true(log_severity_parse("debug", &s));
	assert_int_equal(s, LOG_SEV_DEBUG);
	assert_true(log_severity_parse("error", &s));
	assert_int_equal(s, LOG_SEV_ERROR);
	assert_false(log_severity_parse("Error", &s));
	assert_false(log_severity_parse("critical", &s));
	assert_false(log_severity_parse("", &s));
	assert_int_equal(s, LOG_SEV_ERROR);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_has_time_severity_message_program_and_fields),
		cmocka_unit_test(any_bytes_become_a_valid_line),
		cmocka_unit_test(what_is_below_the_lowest_severity_is_not_written),
		cmocka_unit_test(a_line_that_is_too_long_keeps_its_message),
		cmocka_unit_test(a_message_that_is_too_long_is_cut),
		cmocka_unit_test(severities_have_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
