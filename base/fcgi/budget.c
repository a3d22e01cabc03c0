/* budget.c - connections of many clients, counted together; must not know records. */
#include "base/fcgi/budget.h"

#include "base/fcgi/client_internal.h"
#include "base/mem.h"

int
fcgi_budget_new(unsigned conns_max, struct fcgi_budget **ret)
{
	struct fcgi_budget *b = mem_zalloc(sizeof(*b));

	if (b == NULL)
		return ERR_NOMEM;
	b->read_bytes = mem_alloc(CLIENT_READ_BYTES);
	if (b->read_bytes == NULL) {
		mem_free(b);
		return ERR_NOMEM;
	}
	b->read_len = CLIENT_READ_BYTES;
	b->conns_max = conns_max;
	b->holders = 1;
	link_init(&b->idle);
	link_init(&b->starved);
	*ret = b;
	return 0;
}

void
budget_hold(struct fcgi_budget *b)
{
	if (b != NULL)
		b->holders++;
}

void
budget_release(struct fcgi_budget *b)
{
	if (b == NULL || --b->holders > 0)
		return;
	mem_free(b->read_bytes);
	mem_free(b);
}

void
fcgi_budget_free(struct fcgi_budget *b)
{
	budget_release(b);
}

void
fcgi_budget_set_read(struct fcgi_budget *b, size_t bytes)
{
	b->read_len = bytes > 0 && bytes < CLIENT_READ_BYTES ? bytes : CLIENT_READ_BYTES;
}

void
fcgi_budget_stats(const struct fcgi_budget *b, struct fcgi_budget_stats *ret)
{
	*ret = b->stats;
}

static bool
has_room(const struct fcgi_budget *b)
{
	return b->stats.conns < b->conns_max || !link_empty(&b->idle);
}

bool
client_budget_room(struct fcgi_client *c)
{
	struct fcgi_budget *b = c->opts.budget;

	if (b == NULL || b->stats.conns < b->conns_max)
		return true;
	if (!link_empty(&b->idle)) {
		b->stats.evicted++;
		client_conn_close(
		    LINK_OF(b->idle.next, struct client_conn, idle_link), ERR_CANCELED);
		return true;
	}
	if (link_empty(&c->starved_link))
		link_before(&b->starved, &c->starved_link);
	return false;
}

void
client_budget_count(struct client_conn *conn)
{
	struct fcgi_budget *b = conn->client->opts.budget;

	if (b == NULL)
		return;
	conn->counted = true;
	b->stats.conns++;
	b->stats.made++;
}

void
client_budget_uncount(struct client_conn *conn)
{
	link_remove(&conn->idle_link);
	if (conn->counted)
		conn->client->opts.budget->stats.conns--;
	conn->counted = false;
}

void
client_budget_idle(struct client_conn *conn)
{
	struct fcgi_budget *b = conn->client->opts.budget;

	if (b == NULL)
		return;
	link_remove(&conn->idle_link);
	link_before(&b->idle, &conn->idle_link);
}

/* Each that waits is tried once; who still finds no room queues up again. */
void
client_budget_pump(struct fcgi_client *c)
{
	struct fcgi_budget *b = c->opts.budget;
	struct link tried;

	if (b == NULL || b->pumping || link_empty(&b->starved))
		return;
	b->pumping = true;
	link_init(&tried);
	link_before(b->starved.next, &tried); /* take over the ring ... */
	link_remove(&b->starved);             /* ... and leave the list empty */
	while (!link_empty(&tried)) {
		struct fcgi_client *other =
		    LINK_OF(tried.next, struct fcgi_client, starved_link);

		link_remove(&other->starved_link);
		if (has_room(b))
			client_pump(other);
		else
			link_before(&b->starved, &other->starved_link);
	}
	b->pumping = false;
}
