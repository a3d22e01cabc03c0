/* listen.c - making listening sockets; must not know FastCGI records or loops. */
#include "base/fcgi/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG_DEFAULT 1024
#define MODE_DEFAULT 0660

static int
fail(struct err_info *ei, const char *what, const char *where)
{
	int errnum = errno;
	int code = errnum == EADDRINUSE ? ERR_BUSY : err_from_errno(errnum);

	return err_set(ei, code, "%s %s: %s", what, where, strerror(errnum));
}

/* 0 if `path` is free now: nothing there, or a socket that nobody answered on. */
static int
clear_path(const struct sockaddr_un *sa, struct err_info *ei)
{
	struct stat st;
	int fd, rc, answered;

	if (lstat(sa->sun_path, &st) != 0)
		return errno == ENOENT ? 0 : fail(ei, "look at", sa->sun_path);
	if (!S_ISSOCK(st.st_mode))
		return err_set(ei, ERR_EXISTS, "%s exists and is no socket", sa->sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail(ei, "socket for", sa->sun_path);
	rc = connect(fd, (const struct sockaddr *)sa, sizeof(*sa));
	/* EAGAIN: its queue is full, so somebody has it open. */
	answered = rc == 0 || errno != ECONNREFUSED;
	close(fd);
	if (answered)
		return err_set(ei, ERR_BUSY, "another process answers on %s", sa->sun_path);
	if (unlink(sa->sun_path) != 0 && errno != ENOENT)
		return fail(ei, "remove stale", sa->sun_path);
	return 0;
}

static int
open_unix(struct fcgi_listener *l, const struct addr *a, mode_t mode, int backlog,
    struct err_info *ei)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct stat st;
	int rc;

	memcpy(sa.sun_path, a->path, sizeof(sa.sun_path));
	rc = clear_path(&sa, ei);
	if (rc != 0)
		return rc;
	l->fds[0] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fds[0] < 0)
		return fail(ei, "socket for", a->path);
	l->count = 1;
	if (bind(l->fds[0], (struct sockaddr *)&sa, sizeof(sa)) != 0)
		return fail(ei, "bind", a->path);
	memcpy(l->path, a->path, sizeof(l->path));
	if (lstat(a->path, &st) != 0)
		return fail(ei, "look at", a->path);
	l->dev = st.st_dev;
	l->ino = st.st_ino;
	/* Nobody can connect before listen(), so the mode is right from the first client on. */
	if (chmod(a->path, mode) != 0)
		return fail(ei, "set the mode of", a->path);
	return listen(l->fds[0], backlog) == 0 ? 0 : fail(ei, "listen on", a->path);
}

static int
open_tcp_one(struct fcgi_listener *l, const struct addrinfo *ai, bool alone, int backlog)
{
	int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1, only = alone ? 0 : 1;

	if (fd < 0)
		return -1;
	/* Several addresses: each its own socket, or [::] would take 0.0.0.0's port too. */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
	    (ai->ai_family == AF_INET6 &&
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only)) != 0) ||
	    bind(fd, ai->ai_addr, ai->ai_addrlen) != 0 || listen(fd, backlog) != 0) {
		int errnum = errno;

		close(fd);
		errno = errnum;
		return -1;
	}
	l->fds[l->count++] = fd;
	return 0;
}

static int
open_tcp(struct fcgi_listener *l, const struct addr *a, int backlog, struct err_info *ei)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV };
	struct addrinfo *list = NULL;
	char where[ADDR_HOST_MAX + 8];
	bool done = false, failed = false;
	int rc = getaddrinfo(a->host, a->port, &hints, &list);

	snprintf(where, sizeof(where), "%s:%s", a->host, a->port);
	if (rc != 0)
		return err_set(ei, ERR_NOENT, "address %s: %s", where, gai_strerror(rc));
	rc = 0;
	for (struct addrinfo *ai = list; ai != NULL && l->count < FCGI_LISTEN_MAX && !done;
	     ai = ai->ai_next) {
		if (open_tcp_one(l, ai, list->ai_next == NULL, backlog) == 0) {
			/* A free port is another one for each address: stay with the first. */
			done = strcmp(a->port, "0") == 0;
			continue;
		}
		/* A host without IPv6 may still have ::1 in its hosts file. */
		done = errno != EADDRNOTAVAIL && errno != EAFNOSUPPORT;
		rc = fail(ei, "listen on", where);
		failed = done;
	}
	if (l->count > 0 && !failed)
		rc = 0;
	freeaddrinfo(list);
	return rc;
}

int
fcgi_listener_open(struct fcgi_listener *ret, const struct addr *a, mode_t mode, int backlog,
    struct err_info *ei)
{
	struct fcgi_listener l = { .count = 0 };
	int rc;

	backlog = backlog > 0 ? backlog : BACKLOG_DEFAULT;
	mode = mode != 0 ? mode : MODE_DEFAULT;
	rc = a->kind == ADDR_UNIX ? open_unix(&l, a, mode, backlog, ei)
				  : open_tcp(&l, a, backlog, ei);
	if (rc != 0) {
		fcgi_listener_close(&l);
		return rc;
	}
	*ret = l;
	return 0;
}

int
fcgi_listener_adopt(struct fcgi_listener *ret, int fd, struct err_info *ei)
{
	int listening = 0;
	socklen_t len = sizeof(listening);
	int flags;

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) != 0 || !listening)
		return err_set(ei, ERR_INVAL, "descriptor %d is no listening socket", fd);
	/* Several loops and processes watch it; the one that comes late must not block. */
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0)
		return err_set(ei, ERR_IO, "descriptor %d: %s", fd, strerror(errno));
	*ret = (struct fcgi_listener){ .fds = { fd }, .count = 1, .adopted = true };
	return 0;
}

unsigned
fcgi_listener_port(const struct fcgi_listener *l)
{
	struct sockaddr_storage sa = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof(sa);

	if (l->count == 0 || getsockname(l->fds[0], (struct sockaddr *)&sa, &len) != 0)
		return 0;
	if (sa.ss_family == AF_INET)
		return ntohs(((struct sockaddr_in *)&sa)->sin_port);
	if (sa.ss_family == AF_INET6)
		return ntohs(((struct sockaddr_in6 *)&sa)->sin6_port);
	return 0;
}

void
fcgi_listener_close(struct fcgi_listener *l)
{
	struct stat st;

	if (l == NULL)
		return;
	/* First the name, then the socket: who finds the name gone starts a new one. */
	if (l->path[0] != '\0' && lstat(l->path, &st) == 0 && st.st_dev == l->dev &&
	    st.st_ino == l->ino)
		unlink(l->path);
	for (unsigned i = 0; !l->adopted && i < l->count; i++)
		close(l->fds[i]);
	*l = (struct fcgi_listener){ .count = 0 };
}
