/*
 * request_watch.c - the calling thread while others serve: signals and the end.
 *
 * Must not know what serves; it is told how to drain it and how to kill it.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/signal_fd.h"
#include "fcgi/request_transport.h"

int
request_signal_fd(void)
{
	/* SIGUSR1 is how Apache and lighttpd end a FastCGI program. */
	return signal_fd_open(
	    (const int[]){ SIGTERM, SIGINT, SIGUSR1, SIGHUP, 0 }, SFD_NONBLOCK);
}

enum request_next
request_signal_next(int fd, unsigned *count, bool *ret_hup)
{
	struct signalfd_siginfo info;

	if (read(fd, &info, sizeof(info)) != sizeof(info))
		return REQUEST_GO_ON;
	if (info.ssi_signo == SIGHUP) {
		if (ret_hup != NULL)
			*ret_hup = true;
		return REQUEST_GO_ON;
	}
	return (*count)++ == 0 ? REQUEST_DRAIN : REQUEST_EXIT;
}

int
request_watch(const struct request_serve_opts *o, void *ctx, int done_fd,
    void (*drain)(void *arg), void (*kill)(void *arg), void *arg)
{
	struct pollfd fds[2] = { { .fd = done_fd, .events = POLLIN },
		{ .fd = o->watch_fd > 0 ? o->watch_fd : -1, .events = POLLIN } };
	int rc = 0;

	for (;;) {
		enum request_next next;

		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return ERR_IO;
		if (fds[0].revents != 0)
			return rc;
		if (fds[1].revents == 0)
			continue;
		next = o->on_watch != NULL ? o->on_watch(ctx) : REQUEST_DRAIN;
		if (o->on_watch == NULL)
			fds[1].fd = -1; /* nobody reads it: once is all it can say */
		if (next == REQUEST_DRAIN)
			drain(arg);
		if (next == REQUEST_EXIT) {
			kill(arg);
			rc = ERR_CANCELED;
		}
	}
}
