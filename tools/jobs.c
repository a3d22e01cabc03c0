/* jobs.c - threads that take the next number until there is none. */
#include "tools/jobs.h"

#include <pthread.h>
#include <stdatomic.h>

struct jobs {
	atomic_size_t next;
	size_t count;
	void (*work)(void *ctx, size_t i);
	void *ctx;
};

static void *
run(void *arg)
{
	struct jobs *j = arg;
	size_t i;

	while ((i = atomic_fetch_add(&j->next, 1)) < j->count)
		j->work(j->ctx, i);
	return NULL;
}

void
jobs_run(size_t count, size_t threads, void (*work)(void *ctx, size_t i), void *ctx)
{
	struct jobs j = { .count = count, .work = work, .ctx = ctx };
	pthread_t ids[JOBS_THREADS_MAX];
	size_t started = 0;

	while (started + 1 < threads && started < JOBS_THREADS_MAX && started + 1 < count &&
	       pthread_create(&ids[started], NULL, run, &j) == 0)
		started++;
	run(&j);
	for (size_t i = 0; i < started; i++)
		pthread_join(ids[i], NULL);
}
