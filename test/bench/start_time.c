/*
 * start_time - from exec of a responder to its first answer, and in turn from exec of a
 * reference command to its end.  Prints the times in milliseconds as a JSON object.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fcgi/client.h"

#define ROUNDS_MAX 1000
#define CONNECT_PAUSE_NS 20000
#define GIVE_UP_MS 10000.0

extern char **environ;

static pid_t running; /* 0 = none: what must not outlive us */

static void
kill_running(void)
{
	if (running == 0)
		return;
	kill(running, SIGKILL);
	waitpid(running, NULL, 0);
	running = 0;
}

static double
now_ms(void)
{
	struct timespec t = { 0 };

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void
fail(const char *what)
{
	fprintf(stderr, "start_time: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Output goes nowhere. */
static pid_t
start(char **argv)
{
	posix_spawn_file_actions_t actions;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	errno = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
	if (errno != 0)
		fail(argv[0]);
	posix_spawn_file_actions_destroy(&actions);
	return pid;
}

static double
time_reference(char **argv)
{
	double began = now_ms();
	pid_t pid = start(argv);
	int status;

	if (waitpid(pid, &status, 0) != pid || status != 0)
		fail(argv[0]);
	return now_ms() - began;
}

static int
can_connect(const struct sockaddr_un *a)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int rc = connect(fd, (const struct sockaddr *)a, sizeof(*a));

	close(fd);
	return rc == 0;
}

static void
wait_for_socket(const char *path, double began)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	while (!can_connect(&a)) {
		if (now_ms() - began > GIVE_UP_MS)
			fail(path);
		nanosleep(&(struct timespec){ 0, CONNECT_PAUSE_NS }, NULL);
	}
}

static void
ask(const char *socket_path, const char *target)
{
	struct fcgi_pair params[FCGI_CALL_PARAMS];
	size_t count = fcgi_call_params("GET", target, "0", params);
	struct addr addr = { .kind = ADDR_UNIX };
	struct err_info ei = { 0 };
	struct cgi_head head;
	struct buf out;

	snprintf(addr.path, sizeof(addr.path), "%s", socket_path);
	buf_init(&out, (size_t)64 << 20);
	if (fcgi_call(&addr, params, count, SLICE(""), 10000, &out, &head, &ei) != 0 ||
	    head.status != 200) {
		fprintf(stderr, "start_time: %s is not answered well: %s\n", target, ei.text);
		exit(1);
	}
	buf_clear(&out);
}

static double
time_responder(char **argv, const char *socket_path, const char *target)
{
	double began, took;

	unlink(socket_path);
	began = now_ms();
	running = start(argv);
	wait_for_socket(socket_path, began);
	ask(socket_path, target);
	took = now_ms() - began;
	kill_running();
	return took;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
sort(double *v, int count)
{
	qsort(v, (size_t)count, sizeof(*v), compare);
}

/* The words of argv[1..] up to "--": one command; returns where the next begins. */
static int
split(char **argv, int at)
{
	for (; argv[at] != NULL; at++) {
		if (strcmp(argv[at], "--") == 0) {
			argv[at] = NULL;
			return at + 1;
		}
	}
	return at;
}

int
main(int argc, char **argv)
{
	static double ours[ROUNDS_MAX], reference[ROUNDS_MAX];
	int rounds = argc > 6 ? atoi(argv[1]) : 0, second;

	if (rounds < 1 || rounds > ROUNDS_MAX) {
		fprintf(stderr, "usage: start_time ROUNDS SOCKET TARGET RESPONDER ... -- "
				"REFERENCE ...\n");
		return 2;
	}
	atexit(kill_running);
	second = split(argv, 4);
	if (argv[second] == NULL)
		return 2;
	for (int i = 0; i < rounds; i++) {
		reference[i] = time_reference(argv + second);
		ours[i] = time_responder(argv + 4, argv[2], argv[3]);
	}
	sort(ours, rounds);
	sort(reference, rounds);
	printf("{\"responder_ms\":%.3f,\"responder_least_ms\":%.3f,\"reference_ms\":%.3f,"
	       "\"reference_least_ms\":%.3f}\n",
	    ours[rounds / 2], ours[0], reference[rounds / 2], reference[0]);
	return 0;
}
