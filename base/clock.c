/* clock.c - reading clocks, and RFC 3339 text to and from milliseconds. */
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

#include "base/err.h"

static int64_t
read_clock(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t
clock_real_ms(void)
{
	return read_clock(CLOCK_REALTIME);
}

int64_t
clock_mono_ms(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

static char *
put_digits(char *p, unsigned v, int width)
{
	for (int i = width - 1; i >= 0; i--, v /= 10)
		p[i] = (char)('0' + v % 10);
	return p + width;
}

size_t
time_format(int64_t ms, char out[TIME_TEXT_MAX])
{
	int64_t sec = ms / 1000;
	int frac = (int)(ms % 1000);
	struct tm tm;
	time_t t;
	char *p = out;

	if (frac < 0) {
		frac += 1000;
		sec--;
	}
	t = (time_t)sec;
	if (gmtime_r(&t, &tm) == NULL || tm.tm_year < -1899 || tm.tm_year > 8099)
		return (size_t)snprintf(out, TIME_TEXT_MAX, "0001-01-01T00:00:00Z");
	p = put_digits(p, (unsigned)tm.tm_year + 1900U, 4);
	*p++ = '-';
	p = put_digits(p, (unsigned)tm.tm_mon + 1, 2);
	*p++ = '-';
	p = put_digits(p, (unsigned)tm.tm_mday, 2);
	*p++ = 'T';
	p = put_digits(p, (unsigned)tm.tm_hour, 2);
	*p++ = ':';
	p = put_digits(p, (unsigned)tm.tm_min, 2);
	*p++ = ':';
	p = put_digits(p, (unsigned)tm.tm_sec, 2);
	if (frac != 0) {
		*p++ = '.';
		p = put_digits(p, (unsigned)frac, 3);
	}
	*p++ = 'Z';
	*p = '\0';
	return (size_t)(p - out);
}

/* Read exactly `width` digits at *p; -1 if there are fewer. */
static int
take_digits(const char **p, const char *end, int width)
{
	int v = 0;

	if (end - *p < width)
		return -1;
	for (int i = 0; i < width; i++, (*p)++) {
		if (**p < '0' || **p > '9')
			return -1;
		v = v * 10 + (**p - '0');
	}
	return v;
}

static bool
take_char(const char **p, const char *end, char want)
{
	if (*p == end || **p != want)
		return false;
	(*p)++;
	return true;
}

static int
take_date_time(const char **p, const char *end, struct tm *tm)
{
	static const struct {
		int width;
		char after;
		int low;
		int high;
	} parts[] = {
		{ 4, '-', 1, 9999 },
		{ 2, '-', 1, 12 },
		{ 2, 'T', 1, 31 },
		{ 2, ':', 0, 23 },
		{ 2, ':', 0, 59 },
		{ 2, '\0', 0, 60 },
	};
	int v[6];

	for (size_t i = 0; i < 6; i++) {
		v[i] = take_digits(p, end, parts[i].width);
		if (v[i] < parts[i].low || v[i] > parts[i].high)
			return ERR_INVAL;
		if (parts[i].after != '\0' && !take_char(p, end, parts[i].after))
			return ERR_INVAL;
	}
	*tm = (struct tm){ .tm_year = v[0] - 1900,
		.tm_mon = v[1] - 1,
		.tm_mday = v[2],
		.tm_hour = v[3],
		.tm_min = v[4],
		.tm_sec = v[5] };
	return 0;
}

static int
take_fraction(const char **p, const char *end)
{
	int ms = 0, scale = 100;

	if (!take_char(p, end, '.'))
		return 0;
	if (*p == end || **p < '0' || **p > '9')
		return -1;
	for (; *p < end && **p >= '0' && **p <= '9'; (*p)++, scale /= 10)
		ms += (**p - '0') * scale;
	return ms;
}

/* Minutes east of UTC, or INT32_MIN for anything that is not an offset. */
static int
take_offset(const char **p, const char *end)
{
	int sign, hours, minutes;

	if (take_char(p, end, 'Z'))
		return 0;
	if (*p == end || (**p != '+' && **p != '-'))
		return INT32_MIN;
	sign = *(*p)++ == '-' ? -1 : 1;
	hours = take_digits(p, end, 2);
	if (hours < 0 || hours > 23 || !take_char(p, end, ':'))
		return INT32_MIN;
	minutes = take_digits(p, end, 2);
	if (minutes < 0 || minutes > 59)
		return INT32_MIN;
	return sign * (hours * 60 + minutes);
}

int
time_parse(struct slice text, int64_t *ret_ms)
{
	const char *p = text.ptr, *end = text.ptr + text.len;
	struct tm tm, back;
	int ms, offset;
	time_t sec;

	if (text.len == 0 || take_date_time(&p, end, &tm) != 0)
		return ERR_INVAL;
	ms = take_fraction(&p, end);
	offset = ms < 0 ? INT32_MIN : take_offset(&p, end);
	if (offset == INT32_MIN || p != end)
		return ERR_INVAL;
	back = tm;
	back.tm_sec = 0; /* a leap second must not hide that the day does not exist */
	sec = timegm(&back) + tm.tm_sec;
	if (back.tm_mday != tm.tm_mday) /* 30 February */
		return ERR_INVAL;
	*ret_ms = ((int64_t)sec - (int64_t)offset * 60) * 1000 + ms;
	return 0;
}

int
time_parse_http(const char *text, int64_t *ret_ms)
{
	struct tm tm = { 0 };
	const char *end = strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm);
	int day = tm.tm_mday, leap = tm.tm_sec;
	time_t sec;

	if (end == NULL || *end != '\0')
		return ERR_INVAL;
	tm.tm_sec = 0; /* as above */
	sec = timegm(&tm) + leap;
	if (tm.tm_mday != day)
		return ERR_INVAL;
	*ret_ms = (int64_t)sec * 1000;
	return 0;
}
