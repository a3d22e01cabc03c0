/* usage.c - getrusage() and the monotonic clock. */
#include "test/bench/usage.h"

#include <sys/resource.h>
#include <time.h>

static double
seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

struct usage
usage_now(void)
{
	struct rusage r = { 0 };
	struct timespec t = { 0 };

	getrusage(RUSAGE_SELF, &r);
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (struct usage){ .wall_s = (double)t.tv_sec + (double)t.tv_nsec / 1e9,
		.cpu_s = seconds(r.ru_utime) + seconds(r.ru_stime) };
}

struct usage
usage_since(struct usage earlier)
{
	struct usage now = usage_now();

	return (struct usage){ now.wall_s - earlier.wall_s, now.cpu_s - earlier.cpu_s };
}
