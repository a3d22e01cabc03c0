/*
 * request_cgi.c - the one request of a plain CGI program (RFC 3875): variables from
 * the environment, body on descriptor 0, answer on descriptor 1.
 *
 * Must not know FastCGI.  libfcgi has no part in it: FCGX_Accept_r() serves
 * sockets only, and its stdio wrapper would replace the program's.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "fcgi/request_cgi.h"

#define READ_BYTES ((size_t)16 << 10)

struct cgi_carrier {
	int out_fd;
	int rc;
};

static struct slice
cgi_param(const struct request *req, const char *name)
{
	(void)req;
	return slice_str(getenv(name));
}

static int
write_all(int fd, struct slice s)
{
	while (s.len > 0) {
		ssize_t n = write(fd, s.ptr, s.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_from_errno(errno);
		s.ptr += n;
		s.len -= (size_t)n;
	}
	return 0;
}

static void
cgi_send(struct request *req, struct slice head, struct buf *body)
{
	struct cgi_carrier *c = req->carrier;

	c->rc = write_all(c->out_fd, head);
	if (c->rc == 0 && body != NULL)
		c->rc = write_all(c->out_fd, buf_view(body));
}

static int
cgi_put(struct request *req, struct slice bytes)
{
	struct cgi_carrier *c = req->carrier;

	c->rc = write_all(c->out_fd, bytes);
	return c->rc;
}

static void
cgi_stream(struct request *req, struct slice head, const struct request_stream *s)
{
	request_stream_out(req, head, s, cgi_put);
}

static const struct request_transport cgi_transport = { cgi_param, cgi_send, cgi_stream };

/* CONTENT_LENGTH bytes, fewer if the input ends; more than `body` takes are left. */
static int
read_body(int fd, struct buf *body, bool *ret_over)
{
	const char *text = getenv("CONTENT_LENGTH");
	unsigned long long left = text != NULL ? strtoull(text, NULL, 10) : 0;

	if (left > body->max) {
		*ret_over = true;
		left = body->max;
	}
	while (left > 0) {
		size_t want = left < READ_BYTES ? (size_t)left : READ_BYTES;
		ssize_t n;

		if (buf_reserve(body, want) != 0)
			return buf_err(body);
		n = read(fd, body->ptr + body->len, want);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_from_errno(errno);
		if (n == 0)
			return 0;
		body->len += (size_t)n;
		left -= (size_t)n;
	}
	return 0;
}

int
request_serve_cgi(int in_fd, int out_fd, const struct request_serve_opts *o,
    request_handler handler, void *ctx, struct err_info *ei)
{
	struct cgi_carrier carrier = { .out_fd = out_fd };
	struct request req = { .transport = &cgi_transport, .carrier = &carrier };
	struct request_bufs bufs;
	struct arena arena;
	struct buf body;
	int rc;

	if (getenv("REQUEST_METHOD") == NULL)
		return err_set(ei, ERR_INVAL,
		    "descriptor 0 is no listening socket, and there is no CGI environment");
	request_bufs_init(&bufs, o);
	arena_init(&arena, REQUEST_ARENA_MAX);
	buf_init(&body, o->body_bytes_max > 0 ? o->body_bytes_max : REQUEST_BODY_MAX);
	rc = read_body(in_fd, &body, &req.body_over);
	if (rc == 0) {
		req.body = buf_view(&body);
		req.arena = &arena;
		request_run_to_end(&req, &bufs, handler, ctx, 0);
		rc = carrier.rc;
	}
	if (rc != 0)
		err_set(ei, rc, "CGI request: %s", err_name(rc));
	buf_clear(&body);
	arena_clear(&arena);
	request_bufs_clear(&bufs);
	return rc;
}
