/* poke.c - see poke.h; must not know why. */
#include "router/poke.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#define FIRST_MS 5000

struct poke {
	struct router *rt;
	struct fcgi_client *client;
	struct backend *backend; /* held; NULL for the supervisor */
	struct fcgi_exchange *x;
	struct poke *next, **link; /* router->pokes */
	int status;                /* of the answer's header, 0 before */
};

static void
log_failure(const struct poke *p, int code)
{
	log_warning(p->backend != NULL ? "sync daemon not poked" : "supervisor not poked",
	    LOG_S("repository", p->backend != NULL ? p->backend->name : ""),
	    LOG_S("error", code != 0 ? err_name(code) : "refused"), LOG_I("status", p->status),
	    LOG_END);
}

static void
poke_over(struct poke *p, int code)
{
	struct router *rt = p->rt;
	struct backend *b = p->backend;
	bool again = b != NULL && b->poke_again;

	rt->pokes_running--;
	*p->link = p->next;
	if (p->next != NULL)
		p->next->link = p->link;
	if ((code != 0 || p->status < 200 || p->status > 299) && code != ERR_CANCELED) {
		rt->metrics.poke_failures++;
		log_failure(p, code);
	}
	fcgi_client_free(p->client);
	mem_free(p);
	if (b == NULL)
		return;
	b->poking = b->poke_again = false;
	if (again && code != ERR_CANCELED)
		poke_sync(rt, b);
	backend_release(b);
}

static void
on_stdout(void *ctx, struct slice data)
{
	struct poke *p = ctx;
	struct cgi_head h;

	/* Answers are short: the header comes whole, or the status does not matter. */
	if (p->status == 0 && cgi_head_parse(data, &h) == 1)
		p->status = h.status;
}

static void
on_end(void *ctx, const struct fcgi_end *end)
{
	poke_over(ctx, end->protocol_status == FCGI_REQUEST_COMPLETE ? 0 : ERR_UNAVAILABLE);
}

static void
on_error(void *ctx, int code)
{
	poke_over(ctx, code);
}

/* One request on a connection of its own. */
static int
send_poke(struct poke *p, const struct addr *to, const char *target, const char *secret)
{
	static const struct fcgi_exchange_events events = {
		.on_stdout = on_stdout, .on_end = on_end, .on_error = on_error
	};
	const struct router_opts *o = &p->rt->opts;
	const struct fcgi_client_opts client = { .connect_ms = o->connect_ms,
		.first_ms = FIRST_MS,
		.idle_ms = FIRST_MS,
		.no_keep = true,
		.budget = p->rt->budget };
	struct fcgi_pair params[FCGI_CALL_PARAMS + 1];
	struct fcgi_exchange_spec spec = { .params = params };
	int rc = fcgi_client_new(fcgi_server_loop(p->rt->server), to, &client, &p->client);

	if (rc != 0)
		return rc;
	spec.param_count = fcgi_call_params("POST", target, "0", params);
	if (secret != NULL)
		params[spec.param_count++] =
		    (struct fcgi_pair){ SLICE("HTTP_X_MAINTNER_SECRET"), slice_str(secret) };
	rc = fcgi_exchange_start(p->client, &spec, &events, p, &p->x);
	if (rc != 0)
		fcgi_client_free(p->client);
	return rc;
}

static int
start_poke(struct router *rt, struct backend *b, const struct addr *to, const char *target,
    const char *secret)
{
	struct poke *p;
	int rc;

	if (rt->pokes_running >= POKES_MAX) {
		rt->metrics.pokes_dropped++;
		return ERR_FULL;
	}
	p = mem_zalloc(sizeof(*p));
	if (p == NULL)
		return ERR_NOMEM;
	p->rt = rt;
	p->backend = b;
	rc = send_poke(p, to, target, secret);
	if (rc != 0) {
		mem_free(p);
		return rc;
	}
	rt->metrics.pokes++;
	rt->pokes_running++;
	p->next = rt->pokes;
	p->link = &rt->pokes;
	if (p->next != NULL)
		p->next->link = &p->next;
	rt->pokes = p;
	return 0;
}

void
poke_cancel_all(struct router *rt)
{
	while (rt->pokes != NULL)
		fcgi_client_free(rt->pokes->client); /* calls poke_over() */
}

static int
internal_addr(const struct router *rt, const struct backend *b, struct addr *ret)
{
	struct repo_entry e = { .name = b->name, .owner_len = b->owner_len };
	struct buf text;
	int rc;

	memcpy(e.sha, b->sha, sizeof(e.sha));
	buf_init(&text, (size_t)4 << 10);
	rc = repo_template_fill(rt->opts.internal, &e, &text);
	if (rc == 0)
		rc = buf_cstr(&text) != NULL ? addr_parse(text.ptr, ret, NULL) : ERR_NOMEM;
	buf_clear(&text);
	return rc;
}

void
poke_sync(struct router *rt, struct backend *b)
{
	struct addr to;
	int rc;

	if (b->poking) {
		b->poke_again = true;
		return;
	}
	rc = internal_addr(rt, b, &to);
	if (rc == 0)
		rc = start_poke(rt, b, &to, "/internal/v1/sync", rt->opts.internal_secret);
	if (rc != 0) {
		log_warning("sync daemon not poked", LOG_S("repository", b->name),
		    LOG_S("error", err_name(rc)), LOG_END);
		return;
	}
	b->poking = true;
	backend_hold(b);
}

void
poke_sprvsr(struct router *rt)
{
	int64_t now = clock_mono_ms(), next = rt->sprvsr_at_ms + SPRVSR_EVERY_MS;

	if (rt->opts.sprvsr == NULL)
		return;
	if (rt->sprvsr_at_ms != 0 && now < next) {
		if (!rt->sprvsr_due)
			fcgi_timer_start(rt->sprvsr_timer, (uint64_t)(next - now));
		rt->sprvsr_due = true;
		return;
	}
	rt->sprvsr_due = false;
	rt->sprvsr_at_ms = now;
	/* Nothing of the client's request goes along, least of all a key in its query. */
	if (start_poke(rt, NULL, rt->opts.sprvsr, "/api/v1/update", NULL) != 0)
		log_warning("supervisor not poked", LOG_END);
}
