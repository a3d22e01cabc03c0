/* fault.c - crash points for tests; empty in builds without MAINTNER_FAULTS. */
#include "base/store/fault.h"

#ifdef MAINTNER_FAULTS

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CRASH_STATUS 137 /* what a shell reports for a process killed by KILL */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of all that follows */
static char armed[128];
static long left;
static bool asked;

static void
arm(const char *name_and_count)
{
	const char *colon = name_and_count == NULL ? NULL : strrchr(name_and_count, ':');
	size_t len = colon == NULL ? 0 : (size_t)(colon - name_and_count);

	asked = true;
	armed[0] = '\0';
	if (colon == NULL || len >= sizeof(armed))
		return;
	memcpy(armed, name_and_count, len);
	armed[len] = '\0';
	left = strtol(colon + 1, NULL, 10);
}

void
fault_arm(const char *name_and_count)
{
	pthread_mutex_lock(&lock);
	arm(name_and_count);
	pthread_mutex_unlock(&lock);
}

void
fault_point(const char *name)
{
	pthread_mutex_lock(&lock);
	if (!asked)
		arm(getenv("MAINTNER_CRASH_AT"));
	if (armed[0] != '\0' && strcmp(armed, name) == 0 && --left <= 0)
		_exit(CRASH_STATUS);
	pthread_mutex_unlock(&lock);
}

#else
typedef int fault_is_not_built_in; /* a translation unit must not be empty */
#endif
