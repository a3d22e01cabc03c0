/*
 * stop.h - SIGINT and SIGTERM as something that waits and requests can be ended by.
 */
#pragma once

#include "base/http.h"

struct stop {
	int fd;
	bool stopping;
	bool finishing;       /* the program tidies up: a first signal ends nothing any more */
	struct cancel cancel; /* for stores, HTTP and waits */
};

/*
 * Block both signals in this thread and those that it starts, and read them through `s`,
 * which must stay where it is.  SIGPIPE is ignored.  ERR_IO.
 */
int stop_init(struct stop *s, struct err_info *ei);
/* Was one caught?  A second one ends the program at once, with status 1. */
bool stop_asked(struct stop *s);
