/* fuzz_fcgi_cgi_head.c - a CGI answer's header: bounds, and more bytes change nothing. */
#include <stdlib.h>

#include "base/fcgi/cgi_head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = { (const char *)data, size };
	struct cgi_head h = { 0 }, again = { 0 };

	if (cgi_head_parse(text, &h) != 1)
		return 0;
	if (h.bytes > size || h.status < 100 || h.status > 999)
		abort();
	text.len = h.bytes;
	if (cgi_head_parse(text, &again) != 1 || again.status != h.status ||
	    again.bytes != h.bytes)
		abort();
	(void)cgi_head_field(text, "Status");
	return 0;
}
