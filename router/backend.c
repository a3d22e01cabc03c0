/* backend.c - see backend.h; must not know what is asked or who asks. */
#include "router/backend.h"

#include "base/clock.h"
#include "base/mem.h"

static void
destroy(struct backend *b)
{
	fcgi_client_free(b->client);
	mem_free(b->counts.json);
	mem_free(b->address);
	mem_free(b->name);
	mem_free(b);
}

static int
open_client(struct backend *b, const struct repo_entry *e, struct err_info *ei)
{
	struct addr addr;
	struct buf text;
	int rc;

	buf_init(&text, (size_t)4 << 10);
	rc = repo_template_fill(b->opts->address, e, &text);
	if (rc == 0)
		b->address = buf_take(&text, NULL);
	buf_clear(&text);
	if (b->address == NULL)
		return ERR_NOMEM;
	rc = addr_parse(b->address, &addr, ei);
	return rc == 0 ? fcgi_client_new(b->opts->loop, &addr, &b->opts->client, &b->client)
		       : rc;
}

int
backend_new(const struct backend_opts *opts, const struct repo_entry *e, struct backend **ret,
    struct err_info *ei)
{
	struct backend *b = mem_zalloc(sizeof(*b));
	int rc;

	if (b == NULL)
		return ERR_NOMEM;
	b->opts = opts;
	b->holders = 1;
	b->owner_len = e->owner_len;
	memcpy(b->sha, e->sha, sizeof(b->sha));
	b->name = mem_strdup(e->name);
	rc = b->name != NULL ? open_client(b, e, ei) : ERR_NOMEM;
	if (rc == 0)
		*ret = b;
	else
		destroy(b);
	return rc;
}

void
backend_hold(struct backend *b)
{
	b->holders++;
}

void
backend_release(struct backend *b)
{
	if (b != NULL && --b->holders == 0)
		destroy(b);
}

int
backend_ask(struct backend *b, const struct fcgi_exchange_spec *spec,
    const struct fcgi_exchange_events *events, void *ctx, struct fcgi_exchange **ret)
{
	if (!breaker_allow(&b->breaker, &b->opts->breaker, clock_mono_ms()))
		return ERR_BUSY;
	return fcgi_exchange_start(b->client, spec, events, ctx, ret);
}

void
backend_answered(struct backend *b)
{
	b->answered++;
	breaker_success(&b->breaker);
}

bool
backend_failed(struct backend *b, int code)
{
	b->failed++;
	/* Whoever hangs or is not there may have moved; a kept connection would not tell. */
	if (code == ERR_TIMEOUT || code == ERR_UNAVAILABLE || code == ERR_NOENT)
		fcgi_client_refresh(b->client);
	return breaker_failure(&b->breaker, &b->opts->breaker, clock_mono_ms());
}

void
backend_close(struct backend *b)
{
	backend_hold(b); /* callbacks may let go of it */
	fcgi_client_free(b->client);
	b->client = NULL;
	backend_release(b);
}
