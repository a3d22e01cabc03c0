/* event.h - Kubernetes Events about what was done, so many and no more. */
#pragma once

#include "sprvsr/act.h"

struct event_pace {
	double tokens;
	int64_t filled_ms; /* 0: never */
};

/*
 * The Event about a finished job as JSON (mem_free).  ERR_RATE when there were too many
 * lately, ERR_NOMEM.
 */
int event_make(struct event_pace *p, const char *namespace_name, const char *manager,
    const struct job *j, int64_t now_ms, char **ret);
