/*
 * loader.h - reading the repository list, again and again, on the calling thread.
 */
#pragma once

#include "base/repo_source.h"
#include "router/router.h"

struct loader {
	struct repo_source source;
	int64_t interval_ms;
	struct router *router;
	int64_t read_at_ms; /* when it was read last, 0: never */
	bool failed;        /* the last reading did */
};

/* ERR_INVAL for a URL that names no object. */
int loader_init(struct loader *l, const char *url, struct err_info *ei);
void loader_clear(struct loader *l);
/* Read it and hand what it says to the router, which decides and logs. */
void loader_read(struct loader *l);
/* How long to sleep until it is to be read again by itself. */
int64_t loader_wait_ms(const struct loader *l, int64_t now_ms);
