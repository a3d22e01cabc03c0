/*
 * client_call.c - one request, blocking: a loop and a client that live as long as
 * the call.  Must not know more of the client than its header.
 */
#include <string.h>
#include <uv.h>

#include "base/fcgi/client.h"
#include "base/fcgi/uv_util.h"

struct call {
	uv_timer_t deadline;
	struct fcgi_client *client;
	struct fcgi_exchange *exchange; /* NULL once it has ended */
	struct buf *out;
	struct fcgi_end end;
	int rc;
};

static void
finish(struct call *k, int rc)
{
	k->rc = rc;
	k->exchange = NULL;
	uv_timer_stop(&k->deadline);
}

static void
on_stdout(void *ctx, struct slice data)
{
	struct call *k = ctx;

	buf_slice(k->out, data);
	if (buf_err(k->out) == 0)
		return;
	fcgi_exchange_abort(k->exchange);
	finish(k, buf_err(k->out));
}

static void
on_end(void *ctx, const struct fcgi_end *end)
{
	struct call *k = ctx;

	k->end = *end;
	finish(k, 0);
}

static void
on_error(void *ctx, int code)
{
	finish(ctx, code);
}

static void
on_deadline(uv_timer_t *t)
{
	struct call *k = t->data;

	fcgi_exchange_abort(k->exchange);
	finish(k, ERR_TIMEOUT);
}

/* Run until it has ended; the loop is empty again afterwards. */
static int
run(struct call *k, uv_loop_t *loop, const struct addr *a,
    const struct fcgi_exchange_spec *spec, unsigned timeout_ms)
{
	const struct fcgi_client_opts opts = { .connect_ms = timeout_ms,
		.first_ms = timeout_ms,
		.idle_ms = timeout_ms,
		.no_keep = true };
	const struct fcgi_exchange_events events = {
		.on_stdout = on_stdout, .on_end = on_end, .on_error = on_error
	};
	int rc = fcgi_client_new(loop, a, &opts, &k->client);

	if (rc != 0)
		return rc;
	uv_timer_init(loop, &k->deadline);
	k->deadline.data = k;
	uv_timer_start(&k->deadline, on_deadline, timeout_ms, 0);
	rc = fcgi_exchange_start(k->client, spec, &events, k, &k->exchange);
	while (rc == 0 && k->exchange != NULL)
		uv_run(loop, UV_RUN_ONCE);
	fcgi_client_free(k->client);
	uv_close((uv_handle_t *)&k->deadline, NULL);
	uv_run(loop, UV_RUN_DEFAULT);
	return rc != 0 ? rc : k->rc;
}

static int
check(const struct call *k, size_t start, struct cgi_head *ret, struct err_info *ei)
{
	struct slice text = buf_view(k->out);
	int rc;

	if (start > 0) {
		text.ptr += start;
		text.len -= start;
	}
	if (k->end.protocol_status != FCGI_REQUEST_COMPLETE)
		return err_set(ei, ERR_UNAVAILABLE, "request refused, protocol status %d",
		    k->end.protocol_status);
	rc = text.len > 0 ? cgi_head_parse(text, ret) : 0;
	if (rc == 1)
		return 0;
	return err_set(ei, rc < 0 ? rc : ERR_PROTO, "the answer has no CGI header");
}

int
fcgi_call(const struct addr *a, const struct fcgi_pair *params, size_t param_count,
    struct slice body, unsigned timeout_ms, struct buf *ret_stdout, struct cgi_head *ret_head,
    struct err_info *ei)
{
	const struct fcgi_exchange_spec spec = {
		.params = params, .param_count = param_count, .body = body
	};
	struct call k = { .out = ret_stdout };
	size_t start = ret_stdout->len;
	const char *where = a->kind == ADDR_UNIX ? a->path : a->host;
	uv_loop_t loop;
	sigset_t old;
	int rc = uv_loop_init(&loop);

	if (rc != 0)
		return err_set(ei, err_from_uv(rc), "event loop: %s", uv_strerror(rc));
	sigpipe_block(&old);
	rc = run(&k, &loop, a, &spec, timeout_ms);
	sigpipe_unblock(&old);
	uv_loop_close(&loop);
	if (rc != 0)
		return err_set(ei, rc, "FastCGI call to %s: %s", where, err_name(rc));
	return check(&k, start, ret_head, ei);
}

size_t
fcgi_call_params(const char *method, const char *target, const char *body_bytes,
    struct fcgi_pair ret[FCGI_CALL_PARAMS])
{
	const char *mark = strchr(target, '?');
	size_t path_bytes = mark != NULL ? (size_t)(mark - target) : strlen(target);
	size_t n = 0;

	ret[n++] = (struct fcgi_pair){ SLICE("REQUEST_METHOD"), slice_str(method) };
	ret[n++] = (struct fcgi_pair){ SLICE("REQUEST_URI"), slice_str(target) };
	ret[n++] = (struct fcgi_pair){ SLICE("SCRIPT_NAME"), { target, path_bytes } };
	ret[n++] = (struct fcgi_pair){ SLICE("QUERY_STRING"), slice_str(mark ? mark + 1 : "") };
	ret[n++] = (struct fcgi_pair){ SLICE("SERVER_PROTOCOL"), SLICE("HTTP/1.1") };
	ret[n++] = (struct fcgi_pair){ SLICE("GATEWAY_INTERFACE"), SLICE("CGI/1.1") };
	if (body_bytes != NULL)
		ret[n++] = (struct fcgi_pair){ SLICE("CONTENT_LENGTH"), slice_str(body_bytes) };
	return n;
}
