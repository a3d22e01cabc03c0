/* timer.c - one libuv timer with an owner's function. */
#include "base/fcgi/timer.h"

#include <uv.h>

#include "base/err.h"
#include "base/mem.h"

struct fcgi_timer {
	uv_timer_t uv;
	void (*fn)(void *ctx);
	void *ctx;
};

int
fcgi_timer_new(
    struct uv_loop_s *loop, void (*fn)(void *ctx), void *ctx, struct fcgi_timer **ret)
{
	struct fcgi_timer *t = mem_zalloc(sizeof(*t));

	if (t == NULL)
		return ERR_NOMEM;
	uv_timer_init(loop, &t->uv); /* cannot fail */
	uv_unref((uv_handle_t *)&t->uv);
	t->uv.data = t;
	t->fn = fn;
	t->ctx = ctx;
	*ret = t;
	return 0;
}

static void
on_time(uv_timer_t *uv)
{
	struct fcgi_timer *t = uv->data;

	t->fn(t->ctx);
}

void
fcgi_timer_start(struct fcgi_timer *t, uint64_t ms)
{
	uv_timer_start(&t->uv, on_time, ms, 0);
}

void
fcgi_timer_stop(struct fcgi_timer *t)
{
	uv_timer_stop(&t->uv);
}

static void
on_closed(uv_handle_t *h)
{
	mem_free(h->data);
}

void
fcgi_timer_free(struct fcgi_timer *t)
{
	if (t != NULL)
		uv_close((uv_handle_t *)&t->uv, on_closed);
}
