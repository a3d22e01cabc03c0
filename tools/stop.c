/* stop.c - see stop.h. */
#include "tools/stop.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/signal_fd.h"

bool
stop_asked(struct stop *s)
{
	struct signalfd_siginfo info;

	while (read(s->fd, &info, sizeof(info)) == sizeof(info)) {
		if (atomic_exchange(&s->stopping, true))
			_exit(1);
		if (s->latch >= 0)
			eventfd_write(s->latch, 1);
	}
	return s->stopping;
}

static bool
check(void *ctx)
{
	struct stop *s = ctx;

	return stop_asked(s) && !s->finishing;
}

int
stop_init(struct stop *s, struct err_info *ei)
{
	*s = (struct stop){ .latch = -1 };
	s->fd = signal_fd_open((const int[]){ SIGTERM, SIGINT, 0 }, SFD_NONBLOCK);
	if (s->fd < 0)
		return err_set(ei, ERR_IO, "signals: %s", strerror(errno));
	s->cancel = (struct cancel){ .fd = s->fd, .check = check, .ctx = s };
	return 0;
}

/* A signal is read by one thread alone, and wakes no other; an event that stays does. */
int
stop_share(struct stop *s, struct err_info *ei)
{
	struct epoll_event in = { .events = EPOLLIN };
	int both = epoll_create1(EPOLL_CLOEXEC);

	s->latch = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (both < 0 || s->latch < 0 || epoll_ctl(both, EPOLL_CTL_ADD, s->fd, &in) != 0 ||
	    epoll_ctl(both, EPOLL_CTL_ADD, s->latch, &in) != 0)
		return err_set(ei, ERR_IO, "signals: %s", strerror(errno));
	s->cancel.fd = both;
	return 0;
}
