/*
 * addr.h - where a daemon listens or connects: "unix:/path" or "host:port".
 */
#pragma once

#include "base/err.h"

#define ADDR_PATH_MAX 108 /* sizeof(sockaddr_un.sun_path), with its NUL */
#define ADDR_HOST_MAX 254 /* RFC 1035: 253 characters, and a NUL */

struct addr {
	enum {
		ADDR_UNIX,
		ADDR_TCP
	} kind;
	char path[ADDR_PATH_MAX]; /* ADDR_UNIX */
	char host[ADDR_HOST_MAX]; /* ADDR_TCP; brackets of an IPv6 literal removed */
	char port[6];             /* ADDR_TCP; decimal, 0..65535 */
};

/* Parse `text`; ERR_INVAL with a text that says what was expected. */
int addr_parse(const char *text, struct addr *ret, struct err_info *ei);
