/*
 * err.h - the one error enum of the tree, and the details that travel with it.
 *
 * Every fallible function returns 0 or one of these negative codes; codes of
 * other libraries (MDB, CURL, uv, protobuf-c) are translated in the file that
 * calls the library.  Outputs are written only on success.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum err {
	ERR_OK = 0,
	ERR_NOMEM = -1,        /* an allocation failed */
	ERR_IO = -2,           /* the operating system or disk said no */
	ERR_NOENT = -3,        /* the thing asked for does not exist */
	ERR_EXISTS = -4,       /* it exists already and must not */
	ERR_CORRUPT = -5,      /* stored bytes are damaged */
	ERR_VERSION = -6,      /* a format version that this build does not know */
	ERR_INVAL = -7,        /* a caller's or user's value is not acceptable */
	ERR_LIMIT = -8,        /* larger than a named limit allows */
	ERR_FULL = -9,         /* no room left (map, disk, queue) */
	ERR_TIMEOUT = -10,     /* a deadline passed */
	ERR_CONFLICT = -11,    /* a precondition failed: somebody else changed it */
	ERR_AUTH = -12,        /* credentials missing, bad or expired (401) */
	ERR_DENIED = -13,      /* credentials good, permission refused (403) */
	ERR_RATE = -14,        /* a rate limit: see err_info.retry_after_ms */
	ERR_HTTP = -15,        /* an HTTP status that has no code of its own */
	ERR_PROTO = -16,       /* the peer's bytes break the protocol */
	ERR_CANCELED = -17,    /* stopped on request (shutdown) */
	ERR_CLOSED = -18,      /* the connection ended before the answer did */
	ERR_BUSY = -19,        /* held by somebody else */
	ERR_UNSUPPORTED = -20, /* this implementation cannot do that */
	ERR_GONE = -21,        /* was there, is deleted for good (410) */
	ERR_MOVED = -22,       /* lives elsewhere now (301, 302, 307, 308) */
	ERR_UNAVAILABLE = -23, /* a server-side fault that may pass (5xx) */
	ERR_STALE = -24,       /* a newer generation has replaced this one */
};

/*
 * What went wrong, for people.  Filled by the function that failed (never
 * with a secret in it) and extended by its callers, who prepend context.
 * Zero-initialise it; every function that takes one accepts NULL.
 */
struct err_info {
	char text[512];         /* "outer: inner: reason", NUL-terminated */
	int http_status;        /* 0 when no HTTP answer was had */
	int64_t retry_after_ms; /* how long the peer asks to wait; 0 = it did not say */
};

/* The code's name without its prefix, e.g. "corrupt"; never NULL. */
const char *err_name(int code);

/*
 * Replace the text of `ei` by the formatted message and return `code`, so that
 * a failing function can `return err_set(ei, ERR_INVAL, "...")`.
 */
int err_set(struct err_info *ei, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Put "context: " in front of the text and return `code`. */
int err_wrap(struct err_info *ei, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* A fault of the moment: the same request may succeed if it is sent again later. */
bool err_may_pass(int code);

/* The code for an errno value. */
int err_from_errno(int errnum);
