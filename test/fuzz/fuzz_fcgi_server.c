/*
 * fuzz_fcgi_server.c - a peer's bytes into the server's parser, without a socket.
 * The first byte is the size of the pieces they come in, 0 for all at once.
 */
#include <stdlib.h>

#include "base/fcgi/server_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Touches everything a handler can see, and answers in each of the ways. */
static void
handle(void *ctx, struct fcgi_request *req)
{
	struct slice name, value, body = fcgi_request_body(req);
	size_t count = 0;

	(void)ctx;
	while (fcgi_request_param_at(req, count, &name, &value))
		count++;
	if (arena_dup(fcgi_request_arena(req), body) == NULL)
		abort();
	if (count % 4 == 1) {
		fcgi_request_defer(req, 0, NULL);
	} else if (count % 4 == 2) {
		if (fcgi_request_write(req, body) == 0)
			fcgi_request_end(req, 1);
	} else if (count % 4 == 3) {
		return;
	} else {
		fcgi_request_reply(req, SLICE("\r\n"), body);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct fcgi_server_opts opts = {
		.params_bytes_max = 4096, .body_bytes_max = 4096, .conn_requests_max = 4
	};
	struct fcgi_server *s;
	struct server_conn *c;
	struct buf out;
	size_t step = size > 0 && data[0] > 0 ? data[0] : size;

	if (size == 0 || fcgi_server_new(&opts, handle, NULL, &s) != 0)
		return 0;
	buf_init(&out, (size_t)64 << 20);
	c = server_conn_new(s);
	if (c == NULL)
		abort();
	c->out.sink = &out;
	for (size_t at = 1; at < size && !c->closing; at += step) {
		size_t n = size - at < step ? size - at : step;

		if (server_conn_input(c, (struct slice){ (const char *)data + at, n }) != 0)
			break;
		server_conn_settle(c);
	}
	server_conn_release(c);
	if (s->requests_open != 0)
		abort();
	fcgi_server_free(s);
	buf_clear(&out);
	return 0;
}
