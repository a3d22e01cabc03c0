/* signals.c - see signals.h. */
#include "sync/signals.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/signal_fd.h"

/* Neither is ever read, so each further wait is given up, too. */
static void
begin_stop(struct signals *s)
{
	const struct itimerspec grace = { .it_value = { .tv_sec = SIGNALS_GRACE_MS / 1000,
					      .tv_nsec = SIGNALS_GRACE_MS % 1000 * 1000000L } };

	s->stopping = true;
	eventfd_write(s->stop_fd, 1);
	timerfd_settime(s->grace_fd, 0, &grace, NULL);
}

bool
signals_stop_asked(struct signals *s)
{
	struct signalfd_siginfo info;

	while (read(s->fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGHUP) {
			eventfd_write(s->hup_fd, 1);
			continue;
		}
		if (s->stopping)
			_exit(1);
		begin_stop(s);
	}
	return s->stopping;
}

static bool
check_at_once(void *ctx)
{
	return signals_stop_asked(ctx);
}

static bool
check_in_grace(void *ctx)
{
	struct signals *s = ctx;
	struct pollfd over = { .fd = s->grace_fd, .events = POLLIN };

	return signals_stop_asked(s) && poll(&over, 1, 0) > 0;
}

/* A descriptor that is readable when one of the two is. */
static int
either(int a, int b)
{
	struct epoll_event in = { .events = EPOLLIN };
	int fd = epoll_create1(EPOLL_CLOEXEC);

	if (fd >= 0 && (epoll_ctl(fd, EPOLL_CTL_ADD, a, &in) != 0 ||
			   epoll_ctl(fd, EPOLL_CTL_ADD, b, &in) != 0)) {
		close(fd);
		return -1;
	}
	return fd;
}

int
signals_init(struct signals *s, int hup_fd, struct err_info *ei)
{
	*s = (struct signals){ .hup_fd = hup_fd };
	s->fd = signal_fd_open((const int[]){ SIGTERM, SIGINT, SIGHUP, 0 }, SFD_NONBLOCK);
	s->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	s->grace_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	s->at_once = (struct cancel){ either(s->fd, s->stop_fd), check_at_once, s };
	s->in_grace = (struct cancel){ either(s->fd, s->grace_fd), check_in_grace, s };
	if (s->at_once.fd < 0 || s->in_grace.fd < 0)
		return err_set(ei, ERR_IO, "signals: %s", strerror(errno));
	return 0;
}
