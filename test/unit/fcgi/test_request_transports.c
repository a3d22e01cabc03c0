/*
 * test_request_transports.c - the same bytes from memory, our server, libfcgi and
 * CGI; and each of them ends when it is told to.
 *
 * The servers run in child processes, as they would in life.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fcgi/client.h"
#include "base/fcgi/listen.h"
#include "fcgi/request.h"

#define END_WAIT_MS 8000

/* A stream of numbered lines; how many are open is what /open tells. */
struct lines {
	unsigned long at, count;
};

static unsigned lines_open;

static int
next_lines(void *ctx, struct buf *out)
{
	struct lines *l = ctx;

	while (l->at < l->count && out->len < 60000)
		buf_fmt(out, "line %lu\n", l->at++);
	return l->at < l->count;
}

static void
end_lines(void *ctx)
{
	(void)ctx;
	lines_open--;
}

static void
reply_lines(struct request *req)
{
	struct request_stream s = { next_lines, end_lines,
		arena_alloc(req->arena, sizeof(struct lines)) };
	struct lines *l = s.ctx;

	assert_non_null(l);
	*l = (struct lines){ .count = strtoul(req->query.ptr, NULL, 10) };
	lines_open++;
	request_reply_stream(req, 200, "text/plain", NULL, &s);
}

static void
reply_open(struct request *req)
{
	buf_fmt(req->out, "open %u", lines_open);
	request_reply(req, 200, "text/plain", NULL, req->out);
}

static void answer(struct request *req);

static void
handler(void *ctx, unsigned thread, struct request *req)
{
	(void)ctx;
	(void)thread;
	if (slice_is(req->path, "/lines"))
		reply_lines(req);
	else if (slice_is(req->path, "/open"))
		reply_open(req);
	else
		answer(req);
}

/* Says what it was asked, "?size=N" makes the body long. */
static void
answer(struct request *req)
{
	const struct request_field fields[] = { { "ETag", SLICE("\"tag\"") },
		{ NULL, SLICE("") } };
	struct buf *b = req->out;
	size_t size = 0;

	if (req->query.len > 5 && memcmp(req->query.ptr, "size=", 5) == 0) {
		for (size_t i = 5; i < req->query.len; i++)
			size = 10 * size + (size_t)(req->query.ptr[i] - '0');
		for (size_t i = 0; i < size; i++)
			buf_char(b, (char)('a' + i % 26));
	} else {
		buf_slice(b, req->method);
		buf_char(b, ' ');
		buf_slice(b, req->path);
		buf_char(b, '?');
		buf_slice(b, req->query);
		buf_char(b, ' ');
		buf_slice(b, request_header(req, "X-Test"));
		buf_char(b, ' ');
		buf_slice(b, req->body);
		buf_str(b, req->body_over ? " over" : " whole");
	}
	if (slice_is(req->path, "/slow"))
		usleep(300000);
	request_reply(req, slice_is(req->path, "/none") ? 304 : 200, "text/plain", fields, b);
}

static int signal_fd;
static unsigned signal_count;

static enum request_next
on_watch(void *ctx)
{
	(void)ctx;
	return request_signal_next(signal_fd, &signal_count, NULL);
}

enum transport {
	SERVER,
	LIBFCGI,
	TRANSPORTS,
};

struct program {
	pid_t pid;
	enum transport transport;
	char dir[40];
	struct addr addr;
	struct fcgi_listener listener; /* LIBFCGI: the web server's side of descriptor 0 */
};

static int
child_main(const struct program *p, unsigned threads)
{
	struct request_serve_opts opts = {
		.threads = threads, .body_bytes_max = 1000, .read_ms = 300, .on_watch = on_watch
	};
	struct err_info ei = { .text = "" };
	int rc;

	signal_fd = request_signal_fd();
	opts.watch_fd = signal_fd;
	if (p->transport == SERVER) {
		rc = request_serve_listen(&p->addr, &opts, handler, NULL, &ei);
	} else {
		dup2(p->listener.fds[0], 0);
		rc = request_serve_fd0(&opts, handler, NULL, &ei);
	}
	if (rc != 0)
		fprintf(stderr, "child: %s: %s\n", err_name(rc), ei.text);
	return rc == 0 ? 0 : 10 - rc;
}

static bool
answers(const struct program *p)
{
	struct fcgi_pair params[FCGI_CALL_PARAMS];
	size_t n = fcgi_call_params("GET", "/", NULL, params);
	struct cgi_head head;
	struct buf out;
	int rc;

	buf_init(&out, 1 << 16);
	rc = fcgi_call(&p->addr, params, n, SLICE(""), 5000, &out, &head, NULL);
	buf_clear(&out);
	return rc == 0;
}

static void
program_start(struct program *p, enum transport transport, unsigned threads)
{
	memset(p, 0, sizeof(*p));
	p->transport = transport;
	p->addr.kind = ADDR_UNIX;
	strcpy(p->dir, "/tmp/fcgi-request-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	snprintf(p->addr.path, sizeof(p->addr.path), "%s/s", p->dir);
	if (transport == LIBFCGI)
		assert_int_equal(fcgi_listener_open(&p->listener, &p->addr, 0, 0, NULL), 0);
	p->pid = fork();
	assert_true(p->pid >= 0);
	if (p->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed test leaves nobody behind */
		_exit(child_main(p, threads));
	}
	/* Ready once it answers: then its signals are blocked, too. */
	for (int i = 0; i < 4000 && !answers(p); i++)
		usleep(1000);
}

/* Wait for its end; the exit status, or -1 if it did not end in time. */
static int
program_wait(struct program *p)
{
	int64_t end = clock_mono_ms() + END_WAIT_MS;
	int status = -1;

	while (clock_mono_ms() < end) {
		if (waitpid(p->pid, &status, WNOHANG) == p->pid) {
			p->pid = 0;
			break;
		}
		usleep(1000);
	}
	if (p->pid != 0) {
		kill(p->pid, SIGKILL);
		waitpid(p->pid, NULL, 0);
		status = -1;
	}
	fcgi_listener_close(&p->listener);
	rmdir(p->dir);
	return status < 0 || !WIFEXITED(status) ? -1 : WEXITSTATUS(status);
}

struct question {
	const char *method, *uri, *body;
};

static const struct question questions[] = {
	{ "GET", "/a/b%2Fc?x=%20&y", "" },
	{ "HEAD", "/a", "" },
	{ "POST", "/p?q", "the body" },
	{ "GET", "/none", "" },
	{ "GET", "/?size=0", "" },
	{ "GET", "/?size=65000", "" },
	{ "GET", "/?size=65528", "" },
	{ "GET", "/?size=3000000", "" },
	{ "DELETE", "/", "" },
	{ "POST", "/over", NULL }, /* 1,500 bytes */
	{ "GET", "/lines?0", "" },
	{ "GET", "/lines?300000", "" },
	{ "HEAD", "/lines?300000", "" },
};
#define QUESTIONS (sizeof(questions) / sizeof(questions[0]))

static const char *
body_of(const struct question *q)
{
	static char longer[1501];

	memset(longer, 'l', 1500);
	return q->body != NULL ? q->body : longer;
}

static void
ask_mem(const struct question *q, struct buf *out)
{
	const struct request_serve_opts opts = { .body_bytes_max = 1000 };
	const struct request_pair params[] = { { "REQUEST_METHOD", q->method },
		{ "REQUEST_URI", q->uri }, { "HTTP_X_TEST", "yes" }, { NULL, NULL } };

	assert_int_equal(
	    request_serve_mem(params, slice_str(body_of(q)), &opts, handler, NULL, out), 0);
}

static int
ask_fcgi(const struct program *p, const struct question *q, struct buf *out)
{
	const char *body = body_of(q);
	char len[24];
	struct fcgi_pair params[] = { { SLICE("REQUEST_METHOD"), slice_str(q->method) },
		{ SLICE("REQUEST_URI"), slice_str(q->uri) },
		{ SLICE("HTTP_X_TEST"), SLICE("yes") },
		{ SLICE("CONTENT_LENGTH"), SLICE("") } };
	struct cgi_head head;

	snprintf(len, sizeof(len), "%zu", strlen(body));
	params[3].value = slice_str(len);
	return fcgi_call(&p->addr, params, 4, slice_str(body), 8000, out, &head, NULL);
}

/* As a web server with mod_cgi would. */
static void
ask_cgi(const struct question *q, struct buf *out)
{
	const struct request_serve_opts opts = { .body_bytes_max = 1000 };
	const char *body = body_of(q);
	char len[24], bytes[4096];
	int in[2], answer[2], status;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(in) + pipe(answer), 0);
	snprintf(len, sizeof(len), "%zu", strlen(body));
	pid = fork();
	if (pid == 0) {
		setenv("REQUEST_METHOD", q->method, 1);
		setenv("REQUEST_URI", q->uri, 1);
		setenv("HTTP_X_TEST", "yes", 1);
		setenv("CONTENT_LENGTH", len, 1);
		dup2(in[0], 0);
		dup2(answer[1], 1);
		_exit(request_serve_fd0(&opts, handler, NULL, NULL) == 0 ? 0 : 1);
	}
	close(in[0]);
	close(answer[1]);
	assert_int_equal(write(in[1], body, strlen(body)), strlen(body));
	close(in[1]);
	while ((n = read(answer[0], bytes, sizeof(bytes))) > 0)
		buf_add(out, bytes, (size_t)n);
	close(answer[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
every_transport_gives_the_same_bytes(void **state)
{
	struct program programs[TRANSPORTS];
	struct buf want, got;

	(void)state;
	buf_init(&want, 8 << 20);
	buf_init(&got, 8 << 20);
	for (int t = 0; t < TRANSPORTS; t++)
		program_start(&programs[t], (enum transport)t, 2);
	for (size_t i = 0; i < QUESTIONS; i++) {
		buf_reset(&want);
		ask_mem(&questions[i], &want);
		assert_int_equal(buf_err(&want), 0);
		for (int t = 0; t < TRANSPORTS; t++) {
			buf_reset(&got);
			assert_int_equal(ask_fcgi(&programs[t], &questions[i], &got), 0);
			assert_true(slice_eq(buf_view(&got), buf_view(&want)));
		}
		buf_reset(&got);
		ask_cgi(&questions[i], &got);
		assert_true(slice_eq(buf_view(&got), buf_view(&want)));
	}
	for (int t = 0; t < TRANSPORTS; t++) {
		kill(programs[t].pid, SIGTERM);
		assert_int_equal(program_wait(&programs[t]), 0);
	}
	buf_clear(&want);
	buf_clear(&got);
}

static void
each_stops_at_once_on_the_first_signal_when_idle(void **state)
{
	static const int signals[] = { SIGTERM, SIGUSR1, SIGINT };

	(void)state;
	for (int t = 0; t < TRANSPORTS; t++) {
		for (size_t i = 0; i < 3; i++) {
			struct buf out;
			struct program p;
			int64_t start;

			program_start(&p, (enum transport)t, 4);
			buf_init(&out, 1 << 20);
			kill(p.pid, SIGHUP); /* goes on */
			assert_int_equal(ask_fcgi(&p, &questions[0], &out), 0);
			start = clock_mono_ms();
			kill(p.pid, signals[i]);
			assert_int_equal(program_wait(&p), 0);
			assert_in_range(clock_mono_ms() - start, 0, 3000);
			buf_clear(&out);
		}
	}
}

/* One connection that asks and then stays silent, kept. */
static int
open_kept(const struct program *p, const char *uri)
{
	struct fcgi_pair params[FCGI_CALL_PARAMS];
	struct fcgi_begin begin = { FCGI_RESPONDER, FCGI_KEEP_CONN };
	size_t n = fcgi_call_params("GET", uri, NULL, params);
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct buf b, pairs;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(sa.sun_path, p->addr.path);
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	buf_init(&b, 1 << 16);
	buf_init(&pairs, 1 << 16);
	for (size_t i = 0; i < n; i++)
		fcgi_pair_add(&pairs, params[i].name, params[i].value);
	fcgi_add_begin(&b, 1, &begin);
	if (uri[0] != '\0') { /* else it stalls in the middle */
		fcgi_add_stream(&b, FCGI_PARAMS, 1, buf_view(&pairs));
		fcgi_add_stream_end(&b, FCGI_PARAMS, 1);
		fcgi_add_stream_end(&b, FCGI_STDIN, 1);
	}
	assert_int_equal(write(fd, b.ptr, b.len), b.len);
	buf_clear(&b);
	buf_clear(&pairs);
	return fd;
}

static void
a_running_request_is_answered_before_the_end(void **state)
{
	(void)state;
	for (int t = 0; t < TRANSPORTS; t++) {
		struct program p;
		char bytes[4096];
		ssize_t n, total = 0;
		int fd;

		program_start(&p, (enum transport)t, 2);
		fd = open_kept(&p, "/slow");
		usleep(100000); /* it is in the handler now */
		kill(p.pid, SIGTERM);
		while ((n = read(fd, bytes + total, sizeof(bytes) - (size_t)total)) > 0)
			total += n;
		assert_non_null(memmem(bytes, (size_t)total, "GET /slow?  ", 11));
		close(fd);
		assert_int_equal(program_wait(&p), 0);
	}
}

static void
kept_and_half_sent_connections_starve_nobody(void **state)
{
	(void)state;
	for (int t = 0; t < TRANSPORTS; t++) {
		struct program p;
		struct buf out;
		int kept[4], half[2];

		program_start(&p, (enum transport)t, 2);
		buf_init(&out, 1 << 20);
		for (int i = 0; i < 4; i++)
			kept[i] = open_kept(&p, "/");
		for (int i = 0; i < 2; i++)
			half[i] = open_kept(&p, ""); /* libfcgi: a thread each, for read_ms */
		assert_int_equal(ask_fcgi(&p, &questions[0], &out), 0);
		kill(p.pid, SIGTERM);
		assert_int_equal(program_wait(&p), 0);
		for (int i = 0; i < 4; i++)
			close(kept[i]);
		for (int i = 0; i < 2; i++)
			close(half[i]);
		buf_clear(&out);
	}
}

/* Two readers that take nothing of long streams, on the one thread there is. */
static void
slow_readers_of_streams_hold_nobody_up_and_leave_nothing(void **state)
{
	const struct question open = { "GET", "/open", "" };
	struct program p;
	struct buf out;
	int fds[2];

	(void)state;
	program_start(&p, SERVER, 1);
	buf_init(&out, 1 << 20);
	for (int i = 0; i < 2; i++)
		fds[i] = open_kept(&p, "/lines?90000000");
	usleep(100000);
	assert_int_equal(ask_fcgi(&p, &open, &out), 0);
	assert_non_null(strstr(buf_cstr(&out), "open 2"));
	for (int i = 0; i < 2; i++)
		close(fds[i]);
	for (int i = 0; i < 200 && strstr(buf_cstr(&out), "open 0") == NULL; i++) {
		usleep(10000);
		buf_reset(&out);
		assert_int_equal(ask_fcgi(&p, &open, &out), 0);
	}
	assert_non_null(strstr(buf_cstr(&out), "open 0"));
	buf_clear(&out);
	kill(p.pid, SIGTERM);
	assert_int_equal(program_wait(&p), 0);
}

/* Whatever a stream has left in the thread's buffers must not get into another answer. */
static void
an_answer_behind_a_stream_is_its_own(void **state)
{
	const struct question stream = { "GET", "/lines?30000", "" };
	struct buf want, got;

	(void)state;
	buf_init(&want, 8 << 20);
	buf_init(&got, 8 << 20);
	ask_mem(&questions[0], &want);
	for (int t = 0; t < TRANSPORTS; t++) {
		struct program p;

		program_start(&p, (enum transport)t, 1);
		for (int i = 0; i < 3; i++) {
			buf_reset(&got);
			assert_int_equal(ask_fcgi(&p, &stream, &got), 0);
			assert_true(got.len > 100000);
			buf_reset(&got);
			assert_int_equal(ask_fcgi(&p, &questions[0], &got), 0);
			assert_true(slice_eq(buf_view(&got), buf_view(&want)));
		}
		kill(p.pid, SIGTERM);
		assert_int_equal(program_wait(&p), 0);
	}
	buf_clear(&want);
	buf_clear(&got);
}

/* While a long stream is made as quickly as it is read, others are answered between. */
static void
a_quick_reader_of_a_stream_leaves_others_their_turn(void **state)
{
	struct program p;
	struct buf out;
	char bytes[65536];
	int fd, answered = 0;
	pid_t reader;

	(void)state;
	program_start(&p, SERVER, 1);
	buf_init(&out, 1 << 20);
	fd = open_kept(&p, "/lines?90000000");
	reader = fork();
	if (reader == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		while (read(fd, bytes, sizeof(bytes)) > 0)
			;
		_exit(0);
	}
	for (int i = 0; i < 20; i++) {
		buf_reset(&out);
		answered += ask_fcgi(&p, &questions[0], &out) == 0;
	}
	assert_int_equal(answered, 20);
	assert_int_equal(waitpid(reader, NULL, WNOHANG), 0); /* it is not at its end yet */
	kill(reader, SIGKILL);
	waitpid(reader, NULL, 0);
	close(fd);
	buf_clear(&out);
	kill(p.pid, SIGTERM);
	assert_int_equal(program_wait(&p), 0);
}

static void
a_second_signal_ends_it_without_waiting(void **state)
{
	struct program p;
	int fd;

	(void)state;
	program_start(&p, SERVER, 1);
	fd = open_kept(&p, ""); /* half sent: a drain would wait for read_ms */
	usleep(50000);
	kill(p.pid, SIGTERM);
	usleep(20000);
	kill(p.pid, SIGTERM);
	assert_int_equal(program_wait(&p), 10 - ERR_CANCELED);
	close(fd);
}

static void
neither_socket_nor_cgi_is_an_error(void **state)
{
	const struct request_serve_opts opts = { .threads = 1 };
	struct err_info ei = { .text = "" };

	(void)state;
	unsetenv("REQUEST_METHOD");
	assert_int_equal(request_serve_fd0(&opts, handler, NULL, &ei), ERR_INVAL);
	assert_true(ei.text[0] != '\0');
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_transport_gives_the_same_bytes),
		cmocka_unit_test(each_stops_at_once_on_the_first_signal_when_idle),
		cmocka_unit_test(a_running_request_is_answered_before_the_end),
		cmocka_unit_test(kept_and_half_sent_connections_starve_nobody),
		cmocka_unit_test(an_answer_behind_a_stream_is_its_own),
		cmocka_unit_test(slow_readers_of_streams_hold_nobody_up_and_leave_nothing),
		cmocka_unit_test(a_quick_reader_of_a_stream_leaves_others_their_turn),
		cmocka_unit_test(a_second_signal_ends_it_without_waiting),
		cmocka_unit_test(neither_socket_nor_cgi_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
