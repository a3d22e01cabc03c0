/* err.c - names and texts of errors; knows nothing but this. */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *
err_name(int code)
{
	static const char *const names[] = {
		"ok",
		"no memory",
		"i/o error",
		"not found",
		"exists",
		"corrupt",
		"unknown version",
		"invalid",
		"limit exceeded",
		"full",
		"timeout",
		"conflict",
		"unauthenticated",
		"permission denied",
		"rate limited",
		"unexpected http status",
		"protocol error",
		"canceled",
		"connection closed",
		"busy",
		"unsupported",
		"gone",
		"moved",
		"unavailable",
		"stale",
	};
	const int count = (int)(sizeof(names) / sizeof(names[0]));

	return code > 0 || code <= -count ? "unknown error" : names[-code];
}

int
err_set(struct err_info *ei, int code, const char *fmt, ...)
{
	va_list ap;

	if (ei == NULL)
		return code;
	va_start(ap, fmt);
	vsnprintf(ei->text, sizeof(ei->text), fmt, ap);
	va_end(ap);
	return code;
}

int
err_wrap(struct err_info *ei, int code, const char *fmt, ...)
{
	char inner[sizeof(ei->text)];
	va_list ap;
	int n;

	if (ei == NULL)
		return code;
	memcpy(inner, ei->text, sizeof(inner));
	va_start(ap, fmt);
	n = vsnprintf(ei->text, sizeof(ei->text), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(ei->text))
		return code;
	snprintf(ei->text + n, sizeof(ei->text) - (size_t)n, ": %s",
	    inner[0] != '\0' ? inner : err_name(code));
	return code;
}

int
err_from_errno(int errnum)
{
	switch (errnum) {
	case ENOMEM:
		return ERR_NOMEM;
	case ENOENT:
	case ENOTDIR:
		return ERR_NOENT;
	case EEXIST:
		return ERR_EXISTS;
	case EACCES:
	case EPERM:
	case EROFS:
		return ERR_DENIED;
	case ENOSPC:
	case EDQUOT:
		return ERR_FULL;
	case ETIMEDOUT:
		return ERR_TIMEOUT;
	case EWOULDBLOCK:
	case EBUSY:
		return ERR_BUSY;
	case EINVAL:
	case ENAMETOOLONG:
		return ERR_INVAL;
	case ECONNRESET:
	case EPIPE:
	case ECONNREFUSED:
		return ERR_CLOSED;
	default:
		return ERR_IO;
	}
}

bool
err_may_pass(int code)
{
	return code == ERR_UNAVAILABLE || code == ERR_CLOSED || code == ERR_TIMEOUT;
}
