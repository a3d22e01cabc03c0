/*
 * stop.h - SIGINT and SIGTERM as something that waits and requests can be ended by.
 */
#pragma once

#include <stdatomic.h>

#include "base/http.h"

struct stop {
	int fd;
	int latch; /* of stop_share(): readable from the first signal on; else -1 */
	atomic_bool stopping;
	bool finishing;       /* the program tidies up: a first signal ends nothing any more */
	struct cancel cancel; /* for stores, HTTP and waits */
};

/*
 * Block both signals in this thread and those that it starts, and read them through `s`,
 * which must stay where it is.  SIGPIPE is ignored.  ERR_IO.
 */
int stop_init(struct stop *s, struct err_info *ei);
/*
 * Let any number of threads use it: all that wait are woken, and each later wait is given up
 * at once.  Not together with `finishing`.  ERR_IO.
 */
int stop_share(struct stop *s, struct err_info *ei);
/* Was one caught?  A second one ends the program at once, with status 1. */
bool stop_asked(struct stop *s);
