/* breaker.c - see breaker.h. */
#include "router/breaker.h"

bool
breaker_allow(struct breaker *b, const struct breaker_opts *o, int64_t now_ms)
{
	if (!b->open)
		return true;
	if (now_ms < b->probe_at_ms)
		return false;
	b->probe_at_ms = now_ms + o->retry_ms;
	return true;
}

void
breaker_success(struct breaker *b)
{
	*b = (struct breaker){ .open = false };
}

bool
breaker_failure(struct breaker *b, const struct breaker_opts *o, int64_t now_ms)
{
	bool opens;

	if (b->failures < o->failures_max)
		b->failures++;
	opens = !b->open && b->failures >= o->failures_max;
	if (opens) {
		b->open = true;
		b->probe_at_ms = now_ms + o->retry_ms;
	}
	return opens;
}

int64_t
breaker_wait_ms(const struct breaker *b, int64_t now_ms)
{
	return b->open && b->probe_at_ms > now_ms ? b->probe_at_ms - now_ms : 1;
}
