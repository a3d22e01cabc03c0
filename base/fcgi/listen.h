/*
 * listen.h - listening sockets for FastCGI: unix, TCP over IPv4 and IPv6, inherited.
 *
 * One listener serves any number of server objects: all of them watch the same
 * descriptors, so a connection goes to a loop that is awake, and none is lost
 * in the queue of a loop that ends first (as it would be with SO_REUSEPORT).
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/addr.h"

#define FCGI_LISTEN_MAX 8 /* sockets of one listener: a name may stand for several addresses */

struct fcgi_listener {
	int fds[FCGI_LISTEN_MAX];
	unsigned count;
	bool adopted;             /* the descriptors are somebody else's: never closed here */
	char path[ADDR_PATH_MAX]; /* unix: the file to remove at the end; else empty */
	dev_t dev; /* unix: which file it was, so that a successor's is left alone */
	ino_t ino;
};

/*
 * Bind and listen on `a`.  A unix path whose socket nobody answers on is
 * removed first, one that answers is ERR_BUSY; anything else at the path is
 * ERR_EXISTS.  `mode` (0 means 0660) is the socket file's.  A TCP name is bound
 * at every address it has; port 0 takes a free one, see fcgi_listener_port().
 * `backlog` 0 means 1024.  On failure *ret is untouched: ERR_BUSY, ERR_EXISTS,
 * ERR_NOENT (name unknown), ERR_DENIED or ERR_IO.
 */
int fcgi_listener_open(struct fcgi_listener *ret, const struct addr *a, mode_t mode,
    int backlog, struct err_info *ei);

/* Use a listening socket that somebody else opened; ERR_INVAL if it is none. */
int fcgi_listener_adopt(struct fcgi_listener *ret, int fd, struct err_info *ei);

/* The TCP port in use, 0 for unix sockets. */
unsigned fcgi_listener_port(const struct fcgi_listener *l);

/* Close the sockets and remove the unix path, if it is still ours.  NULL is fine. */
void fcgi_listener_close(struct fcgi_listener *l);
