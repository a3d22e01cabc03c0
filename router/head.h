/*
 * head.h - the header of a backend's answer: may it be passed on?  Pure.
 */
#pragma once

#include "base/buf.h"
#include "base/fcgi/cgi_head.h"

#define HEAD_MAX ((size_t)16 << 10) /* web servers take 4 to 32 KiB of a backend's header */

struct head {
	int status;
	size_t bytes;   /* the body starts there */
	int64_t length; /* of the body as the header says, -1 if it does not */
};

/*
 * 1 with *ret when `text` holds a whole acceptable header, 0 when more is needed.
 * ERR_PROTO for what no web server should get: no header at all, a status outside
 * 200..599, a name or value with forbidden characters, Status or Content-Length twice or
 * broken, Transfer-Encoding.  ERR_LIMIT past HEAD_MAX.
 */
int head_check(struct slice text, struct head *ret);

/*
 * Append the header (`text` up to head.bytes) with X-Request-Id as its first line; a field
 * of that name in it is left out.
 */
void head_copy(struct buf *out, struct slice text, const char *request_id);
