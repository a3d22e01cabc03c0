/*
 * cgi_head.h - the header of a CGI answer (RFC 3875, 6.3), out of a FastCGI STDOUT.
 */
#pragma once

#include "base/bytes.h"
#include "base/err.h"

#define CGI_HEAD_MAX ((size_t)64 << 10) /* bytes; twice what web servers take */

struct cgi_head {
	int status;   /* of the Status field; else 302 with a Location, 200 without */
	size_t bytes; /* up to and with the empty line: the body starts there */
};

/*
 * 1 with *ret when `text` holds a whole header, 0 when more is needed, ERR_PROTO
 * when it is none (a line without colon, a Status that is no number 100..999),
 * ERR_LIMIT when it is longer than CGI_HEAD_MAX.  Lines end with LF or CRLF.
 */
int cgi_head_parse(struct slice text, struct cgi_head *ret);

/* The value of the first field `name` (any case) in a header, trimmed; ptr NULL if none. */
struct slice cgi_head_field(struct slice head, const char *name);
