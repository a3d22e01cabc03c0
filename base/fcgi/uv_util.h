/*
 * uv_util.h - the little that server and client share about libuv; base/fcgi only.
 */
#pragma once

#include <signal.h>
#include <uv.h>

#include "base/err.h"

/* On Unix libuv's codes are negated errno values, but for its own few. */
static inline int
err_from_uv(int rc)
{
	if (rc >= 0)
		return 0;
	return rc == UV_EOF ? ERR_CLOSED : err_from_errno(-rc);
}

/*
 * Around a loop: writev() to a peer that went away raises SIGPIPE in the writing
 * thread, and libuv does not prevent it.
 */
static inline void
sigpipe_block(sigset_t *ret_old)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &set, ret_old);
}

/* Swallow what became pending, and restore. */
static inline void
sigpipe_unblock(const sigset_t *old)
{
	struct timespec now = { 0, 0 };
	sigset_t set;

	if (sigismember(old, SIGPIPE) == 1)
		return;
	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	while (sigtimedwait(&set, NULL, &now) == SIGPIPE)
		;
	pthread_sigmask(SIG_SETMASK, old, NULL);
}
