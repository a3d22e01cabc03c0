/* socket_server.h - a listening socket that answers each connection from a script. */
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "base/bytes.h"

struct socket_server {
	struct slice reply; /* sent when a request's head was read */
	bool hold;          /* then leave the connection open until the end */
	bool keep;          /* then read the next request on it */
	bool silent;        /* do not even read */
	int fd, port, wake[2];
	pthread_t thread;
	char asked[8192]; /* every byte that came, all connections */
	size_t asked_len;
	int connections, requests;
};

/* Set reply and the flags before. */
void socket_server_start(struct socket_server *s);
void socket_server_stop(struct socket_server *s); /* `asked` and the counts are valid then */
