/* signal_fd.c - see signal_fd.h. */
#include "base/signal_fd.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>

#include "base/err.h"

int
signal_fd_open(const int *signals, int flags)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	for (; *signals != 0; signals++)
		sigaddset(&set, *signals);
	signal(SIGPIPE, SIG_IGN);
	errno = pthread_sigmask(SIG_BLOCK, &set, NULL);
	if (errno != 0)
		return ERR_IO;
	fd = signalfd(-1, &set, SFD_CLOEXEC | flags);
	return fd >= 0 ? fd : ERR_IO;
}
