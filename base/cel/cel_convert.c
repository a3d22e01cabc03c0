/* cel_convert.c - from one type to another; what does not fit is an error. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cel/cel_internal.h"
#include "base/json_text.h"

#define NUMBER_TEXT_MAX 64

size_t
cel_format_double(double d, char out[CEL_TEXT_MAX])
{
	int precision = 15;

	if (isnan(d) || isinf(d))
		return (size_t)snprintf(out, CEL_TEXT_MAX, "%s",
		    isnan(d) ? "NaN"
		    : d < 0  ? "-Infinity"
			     : "Infinity");
	do /* the shortest that reads back as the same */
		snprintf(out, CEL_TEXT_MAX, "%.*g", precision, d);
	while (strtod(out, NULL) != d && ++precision <= 17);
	if (strpbrk(out, ".e") == NULL)
		snprintf(out, CEL_TEXT_MAX, "%.1f", d);
	return strlen(out);
}

/* A copy that ends with a NUL; false if it is no number's length. */
static bool
number_text(const struct cel_value *v, char out[NUMBER_TEXT_MAX])
{
	struct slice s = cel_text(v);

	if (s.len == 0 || s.len >= NUMBER_TEXT_MAX || memchr(s.ptr, '\0', s.len) != NULL ||
	    strchr("0123456789+-.INi", s.ptr[0]) == NULL)
		return false;
	memcpy(out, s.ptr, s.len);
	out[s.len] = '\0';
	return true;
}

static bool
text_to_int(const struct cel_value *v, int64_t *ret)
{
	char text[NUMBER_TEXT_MAX], *end;

	if (!number_text(v, text))
		return false;
	errno = 0;
	*ret = strtoll(text, &end, 10);
	return errno == 0 && *end == '\0' && end != text;
}

void
cel_run_to_int(struct cel_program *p, struct cel_value *args, uint32_t argc)
{
	int64_t i = args->as.i;
	bool fits = true;

	(void)argc;
	if (args->kind == CEL_UINT)
		fits = args->as.u <= INT64_MAX;
	else if (args->kind == CEL_DOUBLE) {
		fits =
		    args->as.d > -9223372036854775808.0 && args->as.d < 9223372036854775808.0;
		i = fits ? (int64_t)args->as.d : 0;
	} else if (args->kind == CEL_STRING)
		fits = text_to_int(args, &i);
	else if (args->kind != CEL_INT && args->kind != CEL_TIMESTAMP) {
		*args = cel_fault(p, CEL_F_OVERLOAD);
		return;
	}
	*args = fits ? cel_int(i)
		     : cel_fault(p, args->kind == CEL_STRING ? CEL_F_CONVERT : CEL_F_OVERFLOW);
}

void
cel_run_to_uint(struct cel_program *p, struct cel_value *args, uint32_t argc)
{
	char text[NUMBER_TEXT_MAX], *end;
	uint64_t u = args->as.u;
	bool fits = true;

	(void)argc;
	if (args->kind == CEL_INT)
		fits = args->as.i >= 0;
	else if (args->kind == CEL_DOUBLE) {
		fits = args->as.d > -1 && args->as.d < 18446744073709551616.0;
		u = fits ? (uint64_t)args->as.d : 0;
	} else if (args->kind == CEL_STRING) {
		errno = 0;
		fits = number_text(args, text) && text[0] != '-';
		u = fits ? strtoull(text, &end, 10) : 0;
		fits = fits && errno == 0 && *end == '\0' && end != text;
	} else if (args->kind != CEL_UINT) {
		*args = cel_fault(p, CEL_F_OVERLOAD);
		return;
	}
	*args = fits ? (struct cel_value){ .kind = CEL_UINT, .as.u = u }
		     : cel_fault(p, args->kind == CEL_STRING ? CEL_F_CONVERT : CEL_F_OVERFLOW);
}

void
cel_run_to_double(struct cel_program *p, struct cel_value *args, uint32_t argc)
{
	char text[NUMBER_TEXT_MAX], *end;
	double d = args->as.d;

	(void)argc;
	if (args->kind == CEL_INT) {
		d = (double)args->as.i;
	} else if (args->kind == CEL_UINT) {
		d = (double)args->as.u;
	} else if (args->kind == CEL_STRING) {
		bool good = number_text(args, text) && strpbrk(text, "xXpP") == NULL;

		d = good ? strtod(text, &end) : 0;
		if (!good || *end != '\0' || end == text) {
			*args = cel_fault(p, CEL_F_CONVERT);
			return;
		}
	} else if (args->kind != CEL_DOUBLE) {
		*args = cel_fault(p, CEL_F_OVERLOAD);
		return;
	}
	*args = (struct cel_value){ .kind = CEL_DOUBLE, .as.d = d };
}

static bool
is_utf8(struct slice s)
{
	size_t n;

	for (size_t i = 0; i < s.len; i += n) {
		n = utf8_char_len((struct slice){ s.ptr + i, s.len - i });
		if (n == 0)
			return false;
	}
	return true;
}

static size_t
format(const struct cel_value *v, char out[CEL_TEXT_MAX])
{
	switch ((enum cel_kind)v->kind) {
	case CEL_BOOL:
		return (size_t)snprintf(out, CEL_TEXT_MAX, v->as.truth ? "true" : "false");
	case CEL_INT:
		return (size_t)snprintf(out, CEL_TEXT_MAX, "%lld", (long long)v->as.i);
	case CEL_UINT:
		return (size_t)snprintf(out, CEL_TEXT_MAX, "%llu", (unsigned long long)v->as.u);
	case CEL_DOUBLE: {
		size_t len = cel_format_double(v->as.d, out);

		return len > 2 && strcmp(out + len - 2, ".0") == 0 ? len - 2 : len;
	}
	case CEL_TIMESTAMP:
		return cel_format_timestamp(v, out);
	case CEL_DURATION:
		return cel_format_duration(v, out);
	default:
		return 0;
	}
}

void
cel_run_to_string(struct cel_program *p, struct cel_value *args, uint32_t argc)
{
	char text[CEL_TEXT_MAX], *copy;
	size_t len;

	(void)argc;
	if (args->kind == CEL_STRING)
		return;
	if (args->kind == CEL_BYTES) {
		if (is_utf8(cel_text(args)))
			args->kind = CEL_STRING;
		else
			*args = cel_fault(p, CEL_F_CONVERT);
		return;
	}
	len = format(args, text);
	copy = len > 0 ? cel_scratch(p, len) : NULL;
	if (copy != NULL)
		*args = cel_string((struct slice){ memcpy(copy, text, len), len });
	else
		*args = cel_fault(p, CEL_F_OVERLOAD);
}

void
cel_run_to_bytes(struct cel_program *p, struct cel_value *args, uint32_t argc)
{
	(void)argc;
	if (args->kind == CEL_STRING)
		args->kind = CEL_BYTES;
	else if (args->kind != CEL_BYTES)
		*args = cel_fault(p, CEL_F_OVERLOAD);
}

void
cel_run_to_bool(struct cel_program *p, struct cel_value *args, uint32_t argc)
{
	static const char *const yes[] = { "true", "True", "TRUE", "t", "1" };
	static const char *const no[] = { "false", "False", "FALSE", "f", "0" };

	(void)argc;
	if (args->kind == CEL_BOOL)
		return;
	if (args->kind != CEL_STRING) {
		*args = cel_fault(p, CEL_F_OVERLOAD);
		return;
	}
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		bool is_yes = slice_is(cel_text(args), yes[i]);

		if (is_yes || slice_is(cel_text(args), no[i])) {
			*args = cel_bool(is_yes);
			return;
		}
	}
	*args = cel_fault(p, CEL_F_CONVERT);
}

void
cel_run_to_timestamp(struct cel_program *p, struct cel_value *args, uint32_t argc)
{
	struct cel_value t = { .kind = CEL_TIMESTAMP, .as.i = args->as.i };

	(void)argc;
	if (args->kind == CEL_TIMESTAMP)
		return;
	if (args->kind == CEL_INT)
		*args = t.as.i >= CEL_SECOND_MIN && t.as.i <= CEL_SECOND_MAX
			    ? t
			    : cel_fault(p, CEL_F_RANGE);
	else if (args->kind == CEL_STRING)
		*args = cel_parse_timestamp(cel_text(args), &t) ? t : cel_fault(p, CEL_F_RANGE);
	else
		*args = cel_fault(p, CEL_F_OVERLOAD);
}

void
cel_run_to_duration(struct cel_program *p, struct cel_value *args, uint32_t argc)
{
	struct cel_value d;

	(void)argc;
	if (args->kind == CEL_DURATION)
		return;
	if (args->kind == CEL_STRING)
		*args = cel_parse_duration(cel_text(args), &d) ? d : cel_fault(p, CEL_F_RANGE);
	else
		*args = cel_fault(p, CEL_F_OVERLOAD);
}

void
cel_run_to_dyn(struct cel_program *p, struct cel_value *args, uint32_t argc)
{
	(void)p;
	(void)args;
	(void)argc;
}
