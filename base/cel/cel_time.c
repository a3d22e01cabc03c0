/* cel_time.c - timestamps and durations: text, sums, and their parts. */
#include <stdio.h>
#include <time.h>

#include "base/cel/cel_internal.h"
#include "base/clock.h"

/* --- text --- */

/* The digits behind the point, as nanoseconds; false for more than nine. */
static bool
parse_nanos(struct slice text, uint32_t *ret)
{
	const char *point = memchr(text.ptr, '.', text.len);
	uint32_t ns = 0, scale = 100000000;

	*ret = 0;
	if (point == NULL)
		return true;
	for (const char *c = point + 1; c < text.ptr + text.len && *c >= '0' && *c <= '9';
	     c++) {
		if (scale == 0)
			return false;
		ns += (uint32_t)(*c - '0') * scale;
		scale /= 10;
	}
	*ret = ns;
	return true;
}

static bool
make_timestamp(int64_t second, uint32_t ns, struct cel_value *ret)
{
	if (second < CEL_SECOND_MIN || second > CEL_SECOND_MAX)
		return false;
	*ret = (struct cel_value){ .kind = CEL_TIMESTAMP, .aux = ns, .as.i = second };
	return true;
}

bool
cel_parse_timestamp(struct slice text, struct cel_value *ret)
{
	int64_t ms, second;
	uint32_t ns;

	if (time_parse(text, &ms) != 0 || !parse_nanos(text, &ns))
		return false;
	second = ms / 1000 - (ms % 1000 < 0);
	return make_timestamp(second, ns, ret);
}

/* ".5" of nanoseconds, without the zeros at the end; nothing for 0. */
static size_t
format_nanos(uint32_t ns, char out[16])
{
	int len;

	out[0] = '\0';
	if (ns == 0)
		return 0;
	len = snprintf(out, 16, ".%09u", (unsigned)(ns % 1000000000U));
	while (out[len - 1] == '0')
		len--;
	out[len] = '\0';
	return (size_t)len;
}

size_t
cel_format_timestamp(const struct cel_value *v, char out[CEL_TEXT_MAX])
{
	char fraction[16], whole[TIME_TEXT_MAX];
	size_t len = time_format(v->as.i * 1000, whole);

	format_nanos(v->aux, fraction);
	return (size_t)snprintf(out, CEL_TEXT_MAX, "%.*s%sZ", (int)(len - 1), whole, fraction);
}

size_t
cel_format_duration(const struct cel_value *v, char out[CEL_TEXT_MAX])
{
	uint64_t ns = v->as.i < 0 ? 0 - (uint64_t)v->as.i : (uint64_t)v->as.i;
	char fraction[16];

	format_nanos((uint32_t)(ns % (uint64_t)CEL_NS), fraction);
	return (size_t)snprintf(out, CEL_TEXT_MAX, "%s%llu%ss", v->as.i < 0 ? "-" : "",
	    (unsigned long long)(ns / (uint64_t)CEL_NS), fraction);
}

/* --- durations in text: "1h30m", "-1.5s" --- */

static bool
take_unit(struct slice s, size_t *at, uint64_t *ret_ns)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = { { "ns", 1 }, { "us", 1000 }, { "µs", 1000 }, { "ms", 1000000 },
		{ "s", 1000000000 }, { "m", UINT64_C(60000000000) },
		{ "h", UINT64_C(3600000000000) } };

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		size_t len = strlen(units[i].name);

		if (s.len - *at >= len && memcmp(s.ptr + *at, units[i].name, len) == 0) {
			*at += len;
			*ret_ns = units[i].ns;
			return true;
		}
	}
	return false;
}

/* One number with its unit, in nanoseconds. */
static bool
take_part(struct slice s, size_t *at, uint64_t *ret)
{
	uint64_t whole = 0, part = 0, scale = 1, unit, product;
	size_t start = *at, digits = 0;

	for (; *at < s.len && s.ptr[*at] >= '0' && s.ptr[*at] <= '9'; ++*at, digits++) {
		if (whole > UINT64_MAX / 10 - 1)
			return false;
		whole = whole * 10 + (uint64_t)(s.ptr[*at] - '0');
	}
	if (*at < s.len && s.ptr[*at] == '.') {
		for (++*at; *at < s.len && s.ptr[*at] >= '0' && s.ptr[*at] <= '9'; ++*at) {
			digits++;
			if (scale >= 1000000000)
				continue; /* finer than a nanosecond of any unit but hours */
			part = part * 10 + (uint64_t)(s.ptr[*at] - '0');
			scale *= 10;
		}
	}
	if (digits == 0 || *at == start || !take_unit(s, at, &unit))
		return false;
	if (__builtin_mul_overflow(whole, unit, &product))
		return false;
	/* In two steps, since a part of an hour times its length does not fit. */
	part = unit >= 1000000000 ? part * (unit / 1000000000) * (1000000000 / scale)
				  : part * unit / scale;
	return !__builtin_add_overflow(product, part, ret);
}

bool
cel_parse_duration(struct slice text, struct cel_value *ret)
{
	uint64_t ns = 0, part;
	bool minus = text.len > 0 && text.ptr[0] == '-';
	size_t at = text.len > 0 && (minus || text.ptr[0] == '+') ? 1 : 0;

	*ret = (struct cel_value){ .kind = CEL_DURATION };
	if (text.len - at == 1 && text.ptr[at] == '0')
		return true;
	if (at == text.len)
		return false;
	while (at < text.len) {
		if (!take_part(text, &at, &part) || __builtin_add_overflow(ns, part, &ns) ||
		    ns > INT64_MAX)
			return false;
	}
	ret->as.i = minus ? -(int64_t)ns : (int64_t)ns;
	return true;
}

/* --- sums --- */

bool
cel_time_add(const struct cel_value *t, int64_t ns, struct cel_value *ret)
{
	int64_t second = ns / CEL_NS, rest = ns % CEL_NS + (int64_t)t->aux;

	second += t->as.i + (rest >= CEL_NS ? 1 : rest < 0 ? -1 : 0);
	rest += rest >= CEL_NS ? -CEL_NS : rest < 0 ? CEL_NS : 0;
	return make_timestamp(second, (uint32_t)rest, ret);
}

bool
cel_time_diff(const struct cel_value *a, const struct cel_value *b, struct cel_value *ret)
{
	int64_t ns;

	if (__builtin_mul_overflow(a->as.i - b->as.i, CEL_NS, &ns) ||
	    __builtin_add_overflow(ns, (int64_t)a->aux - (int64_t)b->aux, &ns))
		return false;
	*ret = (struct cel_value){ .kind = CEL_DURATION, .as.i = ns };
	return true;
}

/* --- parts --- */

/* Seconds east of UTC of "UTC", "+02:00", "-8:00"; false for anything else. */
static bool
zone_offset(struct slice zone, int64_t *ret)
{
	unsigned hours, minutes;
	char text[8], sign, rest;
	int n;

	*ret = 0;
	if (slice_is(zone, "UTC") || slice_is(zone, "Z") || slice_is(zone, ""))
		return true;
	if (zone.len >= sizeof(text))
		return false;
	memcpy(text, zone.ptr, zone.len);
	text[zone.len] = '\0';
	sign = text[0];
	n = sscanf(text + (sign == '+' || sign == '-'), "%2u:%2u%c", &hours, &minutes, &rest);
	if (n != 2 || hours > 23 || minutes > 59)
		return false;
	*ret = (int64_t)(hours * 3600 + minutes * 60) * (sign == '-' ? -1 : 1);
	return true;
}

/* The timestamp's date and time in the zone; false after an error in args[0]. */
static bool
broken_down(struct cel_program *p, struct cel_value *args, uint32_t argc, struct tm *ret)
{
	int64_t offset = 0;
	time_t t;

	if (args[0].kind != CEL_TIMESTAMP || (argc == 2 && args[1].kind != CEL_STRING)) {
		args[0] = cel_fault(p, CEL_F_OVERLOAD);
		return false;
	}
	if (argc == 2 && !zone_offset(cel_text(&args[1]), &offset)) {
		args[0] = cel_fault(p, CEL_F_ZONE);
		return false;
	}
	t = (time_t)(args[0].as.i + offset);
	if (gmtime_r(&t, ret) == NULL) {
		args[0] = cel_fault(p, CEL_F_RANGE);
		return false;
	}
	return true;
}

#define PART(name, expr)                                                                       \
	void cel_run_##name(struct cel_program *p, struct cel_value *args, uint32_t argc)      \
	{                                                                                      \
		struct tm tm;                                                                  \
                                                                                               \
		if (broken_down(p, args, argc, &tm))                                           \
			args[0] = cel_int(expr);                                               \
	}

PART(year, tm.tm_year + 1900)
PART(month, tm.tm_mon)
PART(date, tm.tm_mday)
PART(day_of_month, tm.tm_mday - 1)
PART(day_of_week, tm.tm_wday)
PART(day_of_year, tm.tm_yday)

/* Of a duration: all of it in that unit, but milliseconds are those of its last second. */
#define PART_OF_BOTH(name, of_time, of_duration)                                               \
	void cel_run_##name(struct cel_program *p, struct cel_value *args, uint32_t argc)      \
	{                                                                                      \
		int64_t ns = args[0].as.i;                                                     \
		uint32_t nanos = args[0].aux;                                                  \
		struct tm tm;                                                                  \
                                                                                               \
		(void)nanos;                                                                   \
		if (args[0].kind == CEL_DURATION && argc == 1)                                 \
			args[0] = cel_int(of_duration);                                        \
		else if (broken_down(p, args, argc, &tm))                                      \
			args[0] = cel_int(of_time);                                            \
	}

PART_OF_BOTH(hours, tm.tm_hour, ns / (3600 * CEL_NS))
PART_OF_BOTH(minutes, tm.tm_min, ns / (60 * CEL_NS))
PART_OF_BOTH(seconds, tm.tm_sec, ns / CEL_NS)
PART_OF_BOTH(milliseconds, nanos / 1000000, ns % CEL_NS / 1000000)
