/* router.c - the loop and its routes; what each route does stands in its own file. */
#include "router/router.h"

#include <stdio.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/json_text.h"
#include "base/log.h"
#include "base/mem.h"
#include "router/call.h"
#include "router/poke.h"

#define DRAIN_MS 4000
#define SCRATCH_MAX ((size_t)1 << 20)
#define READ_BYTES ((size_t)64 << 10) /* what one reading of a backend may add to a queue */
#define REQUESTS_PER_CONN 2

/*
 * Routes that are answered here.
 */

static void
serve_health(struct call *c)
{
	const struct router *rt = c->rt;
	struct buf b;

	if (!rt->table.loaded) {
		call_error(
		    c, OUTCOME_OWN, 503, "the repository list has not been read yet", NULL);
		call_release(c);
		return;
	}
	buf_init(&b, ANSWER_BYTES_MAX);
	buf_fmt(
	    &b, "{\"status\":\"ok\",\"repositories\":%zu,\"listError\":", rt->table.list.count);
	json_text_quote(&b, slice_str(rt->list_error));
	buf_char(&b, '}');
	call_answer(c, OUTCOME_OWN, 200, "application/json", NULL, buf_view(&b));
	call_release(c);
	buf_clear(&b);
}

static void
serve_metrics(struct call *c)
{
	struct buf b;

	buf_init(&b, 4 * ANSWER_BYTES_MAX);
	metrics_write(c->rt, &b);
	if (buf_err(&b) == 0)
		call_answer(
		    c, OUTCOME_OWN, 200, "text/plain; version=0.0.4", NULL, buf_view(&b));
	else
		call_error(c, OUTCOME_ERROR, 500, "the metrics are too long", NULL);
	call_release(c);
	buf_clear(&b);
}

/* The list is read by the main thread, the supervisor told by a poke; neither is waited for. */
static void
serve_update(struct call *c)
{
	c->rt->opts.on_update(c->rt->opts.ctx);
	poke_sprvsr(c->rt);
	call_answer(c, OUTCOME_OWN, 202, "application/json", NULL, SLICE("{}"));
	call_release(c);
}

static void
serve_repository(struct call *c)
{
	struct router *rt = c->rt;
	struct err_info ei = { .text = "" };
	char text[REPO_NAME_MAX + 64];
	struct backend *b = NULL;
	int rc = table_backend(&rt->table, &rt->backend_opts, slice_str(c->path.owner),
	    slice_str(c->path.repo), &b, &ei);

	if (rc == 0) {
		c->backend = b;
		backend_hold(b);
		relay_start(c);
		return;
	}
	if (rc == ERR_NOENT) {
		snprintf(text, sizeof(text), "%s/%s is not mirrored here", c->path.owner,
		    c->path.repo);
		call_error(c, OUTCOME_NOT_TRACKED, 404, text, NULL);
	} else {
		log_error("no backend for a repository", LOG_S("error", ei.text),
		    LOG_S("kind", err_name(rc)), LOG_END);
		call_error(c, OUTCOME_ERROR, 500, "internal error", NULL);
	}
	call_release(c);
}

static const struct {
	enum path_route route;
	void (*serve)(struct call *c);
	const char *allow; /* NULL: the backend decides */
	bool needs_list;
} routes[] = {
	{ PATH_REPOSITORY, serve_repository, NULL, true },
	{ PATH_REPOSITORIES, fanout_start, "GET, HEAD", true },
	{ PATH_UPDATE, serve_update, "POST", false },
	{ PATH_WEBHOOK, webhook_start, "POST", true },
	{ PATH_HEALTH, serve_health, "GET, HEAD", false },
	{ PATH_METRICS, serve_metrics, "GET, HEAD", false },
};

static bool
is_allowed(const char *allow, struct slice method)
{
	return allow == NULL || (strcmp(allow, "POST") == 0
					? slice_is(method, "POST")
					: slice_is(method, "GET") || slice_is(method, "HEAD"));
}

static void
refuse_method(struct call *c, const char *allow)
{
	const struct call_field fields[] = { { "Allow", allow }, { NULL, NULL } };
	char text[64];

	snprintf(text, sizeof(text), "only %s is allowed here", allow);
	call_error(c, OUTCOME_BAD_REQUEST, 405, text, fields);
	call_release(c);
}

static void
serve(struct call *c)
{
	static const struct call_field soon[] = { { "Retry-After", "1" }, { NULL, NULL } };

	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (routes[i].route != c->path.route)
			continue;
		if (!is_allowed(routes[i].allow, c->method)) {
			refuse_method(c, routes[i].allow);
		} else if (routes[i].needs_list && !c->rt->table.loaded) {
			call_error(c, OUTCOME_ERROR, 503,
			    "the repository list has not been read yet", soon);
			call_release(c);
		} else {
			routes[i].serve(c);
		}
		return;
	}
	call_error(c, OUTCOME_NOT_TRACKED, 404, "no such resource", NULL);
	call_release(c);
}

static void
on_request(void *ctx, struct fcgi_request *req)
{
	struct slice uri = fcgi_request_param(req, "REQUEST_URI");
	struct err_info ei = { .text = "" };
	struct call *c = call_new(ctx, req);
	int rc;

	if (c == NULL) {
		fcgi_request_reply(req,
		    SLICE("Status: 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"),
		    SLICE(""));
		return;
	}
	rc = uri.ptr != NULL ? path_parse(uri, &c->path, &ei)
			     : err_set(&ei, ERR_INVAL,
				   "REQUEST_URI is missing: the web server must send it");
	if (rc == 0) {
		snprintf(c->where, sizeof(c->where), "%.*s", (int)c->path.whole.len,
		    c->path.whole.ptr);
		serve(c);
		return;
	}
	call_error(c, OUTCOME_BAD_REQUEST, rc == ERR_LIMIT ? 414 : 400, ei.text, NULL);
	call_release(c);
}

/*
 * What a reading of the list gave.
 */

struct news {
	struct router *rt;
	struct repo_list list;
	char error[256]; /* empty: the list counts */
};

static void
note_error(struct router *rt, const char *text)
{
	rt->metrics.list_failures++;
	snprintf(rt->list_error, sizeof(rt->list_error), "%s", text);
	log_error("repository list changes nothing", LOG_S("error", text),
	    LOG_I("repositories", rt->table.list.count), LOG_END);
}

static void
on_news(void *arg)
{
	struct news *n = arg;
	struct router *rt = n->rt;
	struct err_info ei = { .text = "" };
	size_t before = rt->table.list.count;
	int rc = 0;

	if (n->error[0] == '\0')
		rc = table_replace(&rt->table, &n->list, &ei);
	if (n->error[0] != '\0' || rc != 0) {
		note_error(rt, n->error[0] != '\0'  ? n->error
			       : ei.text[0] != '\0' ? ei.text
						    : err_name(rc));
	} else {
		rt->metrics.list_reads++;
		rt->list_error[0] = '\0';
		log_info("repository list read", LOG_I("repositories", rt->table.list.count),
		    LOG_I("before", before), LOG_END);
	}
	repo_list_clear(&n->list);
	mem_free(n);
}

static int
post(struct router *rt, struct news *n)
{
	int rc = fcgi_server_post(rt->server, on_news, n);

	if (rc == 0)
		return 0;
	repo_list_clear(&n->list);
	mem_free(n);
	return rc;
}

int
router_post_list(struct router *rt, struct repo_list *list)
{
	struct news *n = mem_zalloc(sizeof(*n));

	if (n == NULL)
		return ERR_NOMEM;
	n->rt = rt;
	n->list = *list;
	*list = (struct repo_list){ .items = NULL };
	return post(rt, n);
}

int
router_post_list_error(struct router *rt, const char *text)
{
	struct news *n = mem_zalloc(sizeof(*n));

	if (n == NULL)
		return ERR_NOMEM;
	n->rt = rt;
	snprintf(n->error, sizeof(n->error), "%s", text);
	return post(rt, n);
}

/*
 * The life of a router.
 */

static void
on_log_time(void *ctx)
{
	log_flush(&((struct router *)ctx)->log_lines);
}

static void
on_sprvsr_time(void *ctx)
{
	((struct router *)ctx)->sprvsr_due = false;
	poke_sprvsr(ctx);
}

static void
fill_backend_opts(struct router *rt)
{
	const struct router_opts *o = &rt->opts;

	rt->backend_opts = (struct backend_opts){ .loop = fcgi_server_loop(rt->server),
		.client = { .connect_ms = o->connect_ms,
		    .first_ms = o->first_ms,
		    .idle_ms = o->idle_ms,
		    .keep_ms = o->keep_ms,
		    .names_ms = o->names_ms,
		    .conns_max = o->backend_conns,
		    .waiting_max = o->waiting,
		    .body_queue_max = READ_BYTES,
		    .budget = rt->budget },
		.breaker = o->breaker,
		.address = o->backend };
}

static int
open_server(struct router *rt, struct err_info *ei)
{
	const struct fcgi_server_opts server = { .out_bytes_max = ROUTER_OUT_BYTES,
		.out_full_bytes = ROUTER_OUT_BYTES + 2 * READ_BYTES,
		.conns_max = rt->opts.client_conns,
		.requests_max = REQUESTS_PER_CONN * rt->opts.client_conns,
		.drain_ms = DRAIN_MS,
		.stream_body = true };
	int rc = fcgi_listener_open(&rt->listener, &rt->opts.listen, 0, 0, ei);

	rt->listening = rc == 0;
	if (rc == 0)
		rc = fcgi_server_new(&server, on_request, rt, &rt->server);
	return rc;
}

int
router_new(const struct router_opts *opts, struct router **ret, struct err_info *ei)
{
	struct router *rt = mem_zalloc(sizeof(*rt));
	int rc;

	if (rt == NULL)
		return ERR_NOMEM;
	rt->opts = *opts;
	buf_init(&rt->scratch, SCRATCH_MAX);
	buf_init(&rt->log_lines, LOG_LINES_MAX);
	rc = getrandom(rt->id_seed, sizeof(rt->id_seed), 0) == sizeof(rt->id_seed)
		 ? 0
		 : err_set(ei, ERR_IO, "no random numbers");
	if (rc == 0)
		rc = webhooks_new(opts->webhook_secret_file, &rt->webhooks, ei);
	if (rc == 0)
		rc = fcgi_budget_new(opts->all_conns, &rt->budget);
	if (rc == 0)
		rc = open_server(rt, ei);
	if (rc == 0)
		rc = fcgi_timer_new(
		    fcgi_server_loop(rt->server), on_sprvsr_time, rt, &rt->sprvsr_timer);
	if (rc == 0)
		rc = fcgi_timer_new(
		    fcgi_server_loop(rt->server), on_log_time, rt, &rt->log_timer);
	if (rc == 0) {
		fill_backend_opts(rt);
		rc = fcgi_server_listen(rt->server, &rt->listener);
	}
	if (rc == 0)
		*ret = rt;
	else
		router_free(rt);
	return rc;
}

int
router_run(struct router *rt)
{
	return fcgi_server_run(rt->server);
}

void
router_stop(struct router *rt)
{
	fcgi_server_stop(rt->server);
}

void
router_kill(struct router *rt)
{
	fcgi_server_kill(rt->server);
}

void
router_free(struct router *rt)
{
	if (rt == NULL)
		return;
	poke_cancel_all(rt);
	table_clear(&rt->table);
	fcgi_timer_free(rt->sprvsr_timer);
	fcgi_timer_free(rt->log_timer);
	fcgi_server_free(rt->server); /* runs the loop until all handles are closed */
	table_clear(&rt->table);      /* a list that was posted last */
	fcgi_budget_free(rt->budget);
	webhooks_free(rt->webhooks);
	while (rt->free_calls != NULL) {
		struct call *c = rt->free_calls;

		rt->free_calls = c->next_free;
		mem_free(c);
	}
	log_flush(&rt->log_lines);
	buf_clear(&rt->log_lines);
	buf_clear(&rt->scratch);
	if (rt->listening)
		fcgi_listener_close(&rt->listener);
	mem_free(rt);
}
