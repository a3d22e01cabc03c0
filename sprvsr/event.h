/*
 * event.h - Kubernetes Events about what was done and what was refused, so many and no more.
 */
#pragma once

#include "sprvsr/act.h"

struct event_pace {
	double tokens;
	int64_t filled_ms; /* 0: never */
};

/* What an Event says; the texts are borrowed. */
struct event {
	const char *api_version, *kind, *name,
	    *uid; /* of what it is about; uid "": not known */
	bool warning;
	const char *reason, *message;
};

/*
 * The Event as JSON (mem_free).  ERR_RATE when there were too many lately, ERR_NOMEM.
 * `now_ms` is monotonic.
 */
int event_make(struct event_pace *p, const char *namespace_name, const char *manager,
    const struct event *e, int64_t now_ms, char **ret);
/* What the finished `j` is worth telling; its message is written into `message`. */
struct event event_of_job(const struct job *j, char *message, size_t size);
