/* client_names.c - from a host's name to addresses; must not know connections. */
#include <netdb.h>
#include <stdlib.h>

#include "base/fcgi/client_internal.h"
#include "base/fcgi/uv_util.h"

#define OLD_ADDRS_MS 1000 /* while no name server answers, what was last known is used on */

/* An address written as one needs no lookup, and never expires. */
static bool
take_literal(struct fcgi_client *c)
{
	int port = atoi(c->addr.port);

	if (uv_ip4_addr(c->addr.host, port, (struct sockaddr_in *)&c->addrs[0]) != 0 &&
	    uv_ip6_addr(c->addr.host, port, (struct sockaddr_in6 *)&c->addrs[0]) != 0)
		return false;
	c->literal = true;
	c->addr_count = 1;
	c->addrs_until_ms = INT64_MAX;
	return true;
}

static bool
is_listed(const struct sockaddr_storage *a, const struct addrinfo *list, unsigned *ret)
{
	*ret = 0;
	for (; list != NULL && *ret < CLIENT_ADDRS_MAX; list = list->ai_next) {
		if (list->ai_addrlen > sizeof(*a))
			continue;
		if (memcmp(a, list->ai_addr, list->ai_addrlen) == 0)
			return true;
		(*ret)++;
	}
	return false;
}

/* A connection to where the name no longer leads serves nothing new. */
static void
part_from_old(struct fcgi_client *c, const struct addrinfo *list)
{
	struct link *next;

	for (struct link *l = c->conns.next; l != &c->conns; l = next) {
		struct client_conn *conn = LINK_OF(l, struct client_conn, list_link);
		unsigned index;

		next = l->next;
		if (is_listed(&c->addrs[conn->addr_index], list, &index)) {
			conn->addr_index = index;
			continue;
		}
		conn->addr_index = 0;
		conn->spoiled = true;
		if (conn->state == CCONN_OPEN && conn->exchange_count == 0 && !conn->in_input)
			client_conn_close(conn, ERR_CANCELED);
	}
}

static void
keep_addrs(struct fcgi_client *c, const struct addrinfo *list)
{
	part_from_old(c, list);
	c->addr_count = 0;
	memset(c->addrs, 0, sizeof(c->addrs));
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
	bool wanted;

	c->looking_up = false;
	c->now_ms = (int64_t)uv_now(c->loop);
	if (!c->freed && status == 0 && list != NULL)
		keep_addrs(c, list);
	else if (status == UV_EAI_AGAIN && c->addr_count > 0)
		c->addrs_until_ms = c->now_ms + OLD_ADDRS_MS;
	wanted = c->lookup_wanted && c->addrs_until_ms <= c->now_ms;
	c->lookup_wanted = false;
	uv_freeaddrinfo(list);
	if (!c->freed && wanted)
		client_fail_waiting(
		    c, c->waiting_count, status == UV_EAI_MEMORY ? ERR_NOMEM : ERR_NOENT);
	client_pump(c);
	client_release(c);
}

static void
start_lookup(struct fcgi_client *c)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV };

	if (c->looking_up)
		return;
	c->lookup.data = c;
	/* If it cannot even start, who waits runs into its deadline; a tick tries again. */
	if (uv_getaddrinfo(c->loop, &c->lookup, on_names, c->addr.host, c->addr.port, &hints) ==
	    0) {
		c->looking_up = true;
		client_hold(c);
	}
}

bool
client_names_ready(struct fcgi_client *c)
{
	if (c->addr.kind == ADDR_UNIX || c->addrs_until_ms > c->now_ms || take_literal(c))
		return true;
	if (!c->lookup_wanted)
		c->lookup_deadline_ms = c->now_ms + c->opts.connect_ms;
	c->lookup_wanted = true;
	start_lookup(c);
	return false;
}

void
client_names_freshen(struct fcgi_client *c)
{
	if (c->addr.kind == ADDR_TCP && !c->literal && c->addrs_until_ms <= c->now_ms)
		start_lookup(c);
}
