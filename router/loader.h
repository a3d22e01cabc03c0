/*
 * loader.h - reading the repository list, again and again, on the calling thread.
 */
#pragma once

#include "base/store/store.h"
#include "router/router.h"

struct loader {
	const char *url; /* of the list itself */
	const char *ca_file;
	int64_t interval_ms;
	struct router *router;
	struct cancel cancel; /* ends a read when the program stops */
	char *store_url;
	const char *object;
	struct store *store;
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
