/*
 * signals.h - SIGTERM, SIGINT and SIGHUP as something that ends waits and requests.
 *
 * A stop ends what is asked of GitHub at once.  What is being written to the log may go on
 * for SIGNALS_GRACE_MS, since the snapshot that could finish it later may go with the pod.
 */
#pragma once

#include "base/http.h"

#define SIGNALS_GRACE_MS 3000 /* of the 5 s in which a daemon has to end */

struct signals {
	int fd;       /* readable when a signal has come: see signals_stop_asked() */
	int hup_fd;   /* an eventfd, borrowed: counts up at each SIGHUP */
	int stop_fd;  /* readable from the stop on */
	int grace_fd; /* a timer that begins with the stop, readable when it has run out */
	bool stopping;
	struct cancel at_once;  /* for GitHub, and waits between rounds */
	struct cancel in_grace; /* for the log, written or, at the start, read */
};

/*
 * Block the signals in this thread and those that it starts, and read them through `s`,
 * which must stay where it is until the program ends.  SIGPIPE is ignored.  ERR_IO.
 */
int signals_init(struct signals *s, int hup_fd, struct err_info *ei);
/* Was a stop asked for?  A second one ends the program at once, with status 1. */
bool signals_stop_asked(struct signals *s);
