/* socket_server.c - one thread, one connection at a time, no HTTP knowledge but "\r\n\r\n". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test/unit/base/socket_server.h"

/* Wait for `fd`; false when the server is to stop. */
static bool
ready(const struct socket_server *s, int fd)
{
	struct pollfd p[2] = { { .fd = s->wake[0], .events = POLLIN },
		{ .fd = fd, .events = POLLIN } };

	return poll(p, 2, 20000) > 0 && p[0].revents == 0;
}

/* Read up to the end of a head and the bytes that its Content-Length tells. */
static bool
read_request(struct socket_server *s, int fd)
{
	size_t from = s->asked_len, want = SIZE_MAX;

	while (s->asked_len - from < want) {
		const char *head = s->asked + from, *end, *length;
		ssize_t n;

		if (!ready(s, fd))
			return false;
		n = read(fd, s->asked + s->asked_len, sizeof(s->asked) - 1 - s->asked_len);
		if (n <= 0)
			return false;
		s->asked_len += (size_t)n;
		s->asked[s->asked_len] = '\0';
		end = strstr(head, "\r\n\r\n");
		if (end == NULL)
			continue;
		want = (size_t)(end + 4 - head);
		length = strstr(head, "Content-Length: ");
		for (const char *p = length != NULL ? length + 16 : ""; *p >= '0' && *p <= '9';
		     p++)
			want += (size_t)(*p - '0'); /* one digit is enough here */
	}
	s->requests++;
	return true;
}

static void
serve(struct socket_server *s, int fd)
{
	do {
		if (s->silent || !read_request(s, fd))
			break;
		if (send(fd, s->reply.ptr, s->reply.len, MSG_NOSIGNAL) < 0)
			break;
	} while (s->keep);
	if (s->hold || s->silent) {
		struct pollfd p = { .fd = s->wake[0], .events = POLLIN };

		poll(&p, 1, 20000);
	}
	shutdown(fd, SHUT_WR);
	close(fd);
}

static void *
run(void *ctx)
{
	struct socket_server *s = ctx;

	while (ready(s, s->fd)) {
		int fd = accept(s->fd, NULL, NULL);

		if (fd < 0)
			break;
		s->connections++;
		serve(s, fd);
	}
	return NULL;
}

void
socket_server_start(struct socket_server *s)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);

	s->fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(s->fd, 8), 0);
	assert_int_equal(getsockname(s->fd, (struct sockaddr *)&a, &len), 0);
	s->port = ntohs(a.sin_port);
	assert_int_equal(pipe(s->wake), 0);
	assert_int_equal(pthread_create(&s->thread, NULL, run, s), 0);
}

void
socket_server_stop(struct socket_server *s)
{
	assert_int_equal(write(s->wake[1], "x", 1), 1);
	pthread_join(s->thread, NULL);
	close(s->fd);
	close(s->wake[0]);
	close(s->wake[1]);
}
