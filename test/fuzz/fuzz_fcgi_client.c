/*
 * fuzz_fcgi_client.c - a responder's bytes into the client's parser, without a
 * socket, while two exchanges wait on the connection.  The first byte is the size
 * of the pieces they come in, 0 for all at once.
 */
#include <stdlib.h>

#include "base/fcgi/client_internal.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	size_t bytes;
	int ended;
};

static void
on_data(void *ctx, struct slice data)
{
	struct seen *s = ctx;

	if (s->ended)
		abort();
	for (size_t i = 0; i < data.len; i++)
		s->bytes += (unsigned char)data.ptr[i]; /* reads every byte */
}

static void
on_end(void *ctx, const struct fcgi_end *end)
{
	struct seen *s = ctx;

	(void)end;
	if (s->ended++)
		abort();
}

static void
on_error(void *ctx, int code)
{
	struct seen *s = ctx;

	if (code >= 0 || s->ended++)
		abort();
}

static void
feed(struct client_conn *conn, const uint8_t *data, size_t size)
{
	size_t step = data[0] > 0 ? data[0] : size;

	for (size_t at = 1; at < size; at += step) {
		size_t n = size - at < step ? size - at : step;

		if (client_conn_input(conn, (struct slice){ (const char *)data + at, n }) != 0)
			return;
	}
}

/* An open connection that has no socket. */
static struct client_conn *
make_conn(struct fcgi_client *c, struct buf *sink)
{
	struct client_conn *conn = mem_zalloc(sizeof(*conn));

	if (conn == NULL)
		abort();
	conn->client = c;
	conn->state = CCONN_OPEN;
	conn->reading = true;
	link_init(&conn->exchanges);
	link_init(&conn->idle_link);
	link_before(&c->conns, &conn->list_link);
	fcgi_reader_init(&conn->reader);
	out_queue_init(&conn->out, NULL, &c->spare, NULL, conn);
	conn->out.sink = sink;
	c->conn_count++;
	return conn;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct fcgi_exchange_events events = { on_data, on_data, on_end, on_error, NULL };
	const struct fcgi_client_opts opts = { .conn_calls_max = 2, .conns_max = 1 };
	const struct fcgi_exchange_spec spec = { .body = { "x", 1 } };
	const struct addr a = { .kind = ADDR_UNIX };
	struct seen seen[2] = { { 0, 0 }, { 0, 0 } };
	struct fcgi_exchange *x;
	struct client_conn *conn;
	struct fcgi_client *c;
	struct buf sink;
	uv_loop_t loop;

	if (size == 0)
		return 0;
	if (uv_loop_init(&loop) != 0 || fcgi_client_new(&loop, &a, &opts, &c) != 0)
		abort();
	buf_init(&sink, 1 << 20);
	conn = make_conn(c, &sink);
	for (int i = 0; i < 2; i++) {
		if (fcgi_exchange_start(c, &spec, &events, &seen[i], &x) != 0)
			abort();
	}
	feed(conn, data, size);
	fcgi_client_free(c); /* cancels what has not ended */
	uv_run(&loop, UV_RUN_DEFAULT);
	if (seen[0].ended != 1 || seen[1].ended != 1 || uv_loop_close(&loop) != 0)
		abort();
	mem_free(conn);
	buf_clear(&sink);
	return 0;
}
