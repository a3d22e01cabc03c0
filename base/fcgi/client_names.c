/* client_names.c - from a host's name to addresses; must not know connections. */
#include <netdb.h>
#include <stdlib.h>

#include "base/fcgi/client_internal.h"
#include "base/fcgi/uv_util.h"

/* An address written as one needs no lookup, and never expires. */
static bool
take_literal(struct fcgi_client *c)
{
	int port = atoi(c->addr.port);

	if (uv_ip4_addr(c->addr.host, port, (struct sockaddr_in *)&c->addrs[0]) != 0 &&
	    uv_ip6_addr(c->addr.host, port, (struct sockaddr_in6 *)&c->addrs[0]) != 0)
		return false;
	c->addr_count = 1;
	c->addrs_until_ms = INT64_MAX;
	return true;
}

static void
keep_addrs(struct fcgi_client *c, const struct addrinfo *list)
{
	c->addr_count = 0;
	for (; list != NULL && c->addr_count < CLIENT_ADDRS_MAX; list = list->ai_next) {
		if (list->ai_addrlen <= sizeof(c->addrs[0]))
			memcpy(&c->addrs[c->addr_count++], list->ai_addr, list->ai_addrlen);
	}
	c->addrs_until_ms = c->now_ms + c->opts.names_ms;
}

static void
on_names(uv_getaddrinfo_t *req, int status, struct addrinfo *list)
{
	struct fcgi_client *c = req->data;

	c->looking_up = false;
	c->now_ms = (int64_t)uv_now(c->loop);
	if (!c->freed && status == 0 && list != NULL)
		keep_addrs(c, list);
	uv_freeaddrinfo(list);
	if (!c->freed && status != 0)
		client_fail_waiting(
		    c, c->waiting_count, status == UV_EAI_MEMORY ? ERR_NOMEM : ERR_NOENT);
	client_pump(c);
	client_release(c);
}

bool
client_names_ready(struct fcgi_client *c)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV };

	if (c->addr.kind == ADDR_UNIX || c->addrs_until_ms > c->now_ms || take_literal(c))
		return true;
	if (c->looking_up)
		return false;
	c->lookup.data = c;
	/* If it cannot even start, who waits runs into its deadline; a tick tries again. */
	if (uv_getaddrinfo(c->loop, &c->lookup, on_names, c->addr.host, c->addr.port, &hints) ==
	    0) {
		c->looking_up = true;
		c->lookup_deadline_ms = c->now_ms + c->opts.connect_ms;
		client_hold(c);
	}
	return false;
}
