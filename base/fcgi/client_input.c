/*
 * client_input.c - a connection's records become events.
 *
 * The peer may be broken or hostile: what does not belong to an open exchange
 * ends the connection, so that no answer can reach the wrong one.  Must not know
 * sockets, loops or the clock.
 */
#include "base/fcgi/client_internal.h"

static struct fcgi_exchange *
find(const struct client_conn *conn, uint16_t id)
{
	for (struct link *l = conn->exchanges.next; l != &conn->exchanges; l = l->next) {
		struct fcgi_exchange *x = LINK_OF(l, struct fcgi_exchange, list_link);

		if (x->id == id)
			return x;
	}
	return NULL;
}

static void
on_stream(struct fcgi_exchange *x, uint8_t type, struct slice piece)
{
	void (*fn)(void *ctx, struct slice data) =
	    type == FCGI_STDOUT ? x->events.on_stdout : x->events.on_stderr;

	x->answered = true;
	x->deadline_ms = x->client->now_ms + x->client->opts.idle_ms;
	if (!x->zombie && piece.len > 0 && fn != NULL)
		fn(x->ctx, piece); /* may abort x */
}

static void
on_end(struct client_conn *conn, struct fcgi_exchange *x, struct slice body)
{
	struct fcgi_end end;

	fcgi_end_decode(body.ptr, &end);
	/* The rest of a body that is still on its way would be read as the next request's. */
	if (!x->body_done || out_queue_bytes(&conn->out) > 0)
		conn->spoiled = true;
	conn->served++;
	client_finish(x, 0, &end);
}

static int
on_piece(void *ctx, const struct fcgi_header *h, struct slice piece, bool last)
{
	struct client_conn *conn = ctx;
	struct fcgi_exchange *x;

	(void)last;
	if (h->id == 0) /* answers to management records, which we never ask */
		return h->type == FCGI_GET_VALUES_RESULT || h->type == FCGI_UNKNOWN_TYPE
			   ? 0
			   : ERR_PROTO;
	x = find(conn, h->id);
	if (x == NULL)
		return ERR_PROTO;
	if (h->type == FCGI_STDOUT || h->type == FCGI_STDERR)
		on_stream(x, h->type, piece);
	else if (h->type == FCGI_END_REQUEST)
		on_end(conn, x, piece);
	else
		return ERR_PROTO;
	/* A callback may have closed the connection, or left it for nobody. */
	return conn->state == CCONN_OPEN ? 0 : ERR_CLOSED;
}

int
client_conn_input(struct client_conn *conn, struct slice in)
{
	int rc;

	conn->in_input = true;
	rc = fcgi_reader_feed(&conn->reader, in, on_piece, conn);
	conn->in_input = false;
	return rc;
}
