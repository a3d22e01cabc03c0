/* pace.c - see pace.h. */
#include "sync/pace.h"

#define SOONER 4 /* parts of the interval */
#define LATER 2  /* times the interval */
#define PROMISE_FIRST_MS 1000
#define PROMISE_TIMES 7 /* 1 + 2 + ... + 64 s */
#define HOUR_MS INT64_C(3600000)

void
pace_init(struct pace *p, int64_t interval_ms)
{
	*p = (struct pace){ .interval_ms = interval_ms, .next_ms = interval_ms };
}

void
pace_promise(struct pace *p)
{
	p->promised = true;
	p->repeats = 0;
}

/* So seldom that rounds like this one stay within half of the budget. */
static int64_t
least_wait(uint64_t spent, int64_t limit)
{
	if (limit <= 0 || spent == 0 || spent > (uint64_t)limit)
		return 0;
	return (int64_t)spent * HOUR_MS * 2 / limit;
}

int64_t
pace_next(struct pace *p, bool changed, uint64_t spent, int64_t limit)
{
	int64_t soonest = p->interval_ms / SOONER, latest = p->interval_ms * LATER;
	int64_t least = least_wait(spent, limit), wait, soon;

	if (changed)
		p->next_ms = p->next_ms / 2 > soonest ? p->next_ms / 2 : soonest;
	else
		p->next_ms = p->next_ms * 5 / 4 < latest ? p->next_ms * 5 / 4 : latest;
	wait = p->next_ms > least || least > latest * LATER ? p->next_ms : least;
	p->promised = p->promised && !changed && p->repeats < PROMISE_TIMES;
	if (!p->promised)
		return wait;
	soon = (int64_t)PROMISE_FIRST_MS << p->repeats++;
	return soon < wait ? soon : wait; /* a promise never makes it later */
}
