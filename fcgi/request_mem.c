/* request_mem.c - a request out of memory, for tests; must not know any socket. */
#include <string.h>

#include "fcgi/request_transport.h"

struct mem_carrier {
	const struct request_pair *params;
	struct buf *ret;
};

static struct slice
mem_param(const struct request *req, const char *name)
{
	const struct mem_carrier *m = req->carrier;

	for (const struct request_pair *p = m->params; p->name != NULL; p++) {
		if (strcmp(p->name, name) == 0)
			return slice_str(p->value);
	}
	return (struct slice){ NULL, 0 };
}

static void
mem_send(struct request *req, struct slice head, struct buf *body)
{
	struct mem_carrier *m = req->carrier;

	buf_slice(m->ret, head);
	if (body != NULL)
		buf_slice(m->ret, buf_view(body));
}

static int
mem_put(struct request *req, struct slice bytes)
{
	struct mem_carrier *m = req->carrier;

	buf_slice(m->ret, bytes);
	return buf_err(m->ret);
}

static void
mem_stream(struct request *req, struct slice head, const struct request_stream *s)
{
	request_stream_out(req, head, s, mem_put);
}

static const struct request_transport mem_transport = { mem_param, mem_send, mem_stream };

int
request_serve_mem(const struct request_pair *params, struct slice body,
    const struct request_serve_opts *o, request_handler handler, void *ctx, struct buf *ret)
{
	size_t body_max =
	    o != NULL && o->body_bytes_max > 0 ? o->body_bytes_max : REQUEST_BODY_MAX;
	struct mem_carrier m = { params, ret };
	struct request req = { .transport = &mem_transport, .carrier = &m };
	struct request_bufs bufs;
	struct arena arena;

	req.body = (struct slice){ body.ptr, body.len < body_max ? body.len : body_max };
	req.body_over = body.len > body_max;
	arena_init(&arena, REQUEST_ARENA_MAX);
	req.arena = &arena;
	request_bufs_init(&bufs, o);
	request_run_to_end(&req, &bufs, handler, ctx, 0);
	request_bufs_clear(&bufs);
	arena_clear(&arena);
	return buf_err(ret);
}
