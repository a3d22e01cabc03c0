/* tombs.c - see tombs.h; knows neither FastCGI nor the snapshot. */
#include "sync/tombs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/repo_list.h"

/* --- reading an order --- */

void
tomb_order_free(struct tomb_order *o)
{
	if (o == NULL)
		return;
	for (size_t i = 0; i < o->count; i++)
		mem_free(o->items[i].moved_to);
	mem_free(o->items);
	mem_free(o);
}

/* "owner/repo/9", every part of it legal. */
static bool
is_destination(const char *text)
{
	const char *a = strchr(text, '/');
	const char *b = a != NULL ? strchr(a + 1, '/') : NULL;
	size_t digits;

	if (b == NULL || strlen(text) >= TOMB_DESTINATION_MAX)
		return false;
	digits = strspn(b + 1, "0123456789");
	return repo_part_ok((struct slice){ text, (size_t)(a - text) }) &&
	       repo_part_ok((struct slice){ a + 1, (size_t)(b - a - 1) }) && digits > 0 &&
	       digits <= 10 && b[1] != '0' && b[1 + digits] == '\0';
}

static int
read_reason(const json_t *v, struct tomb_item *ret, const char **ret_problem)
{
	const json_t *reason = json_object_get(v, "reason");
	const json_t *to = json_object_get(v, "transferredTo");
	const char *word = reason != NULL ? json_string_value(reason) : "gone";

	if (word != NULL && strcmp(word, "gone") == 0)
		return 0;
	if (word == NULL || strcmp(word, "transferred") != 0)
		*ret_problem = "\"reason\" is neither \"gone\" nor \"transferred\"";
	else if (!json_is_string(to) || !is_destination(json_string_value(to)))
		*ret_problem = "\"transferredTo\" is not of the form owner/repo/number";
	if (*ret_problem != NULL)
		return 0;
	ret->moved_to = mem_strdup(json_string_value(to));
	return ret->moved_to != NULL ? 0 : ERR_NOMEM;
}

static int
read_item(const json_t *v, size_t index, struct tomb_item *ret, struct err_info *ei)
{
	const json_t *number = json_is_object(v) ? json_object_get(v, "number") : v;
	json_int_t n = json_integer_value(number);
	const char *problem = NULL;
	int rc = 0;

	if (!json_is_integer(number) || n < 1 || n > INT32_MAX)
		problem = "not a number from 1 to 2147483647";
	else if (json_is_object(v))
		rc = read_reason(v, ret, &problem);
	if (problem != NULL)
		return err_set(
		    ei, ERR_PROTO, "tombstones: element %zu of numbers: %s", index, problem);
	ret->number = (uint32_t)n;
	return rc;
}

static int
read_items(const json_t *numbers, struct tomb_order *o, struct err_info *ei)
{
	size_t count = json_array_size(numbers);
	int rc = 0;

	if (!json_is_array(numbers))
		return err_set(ei, ERR_PROTO, "tombstones: \"numbers\" is not an array");
	if (count > TOMB_NUMBERS_MAX)
		return err_set(ei, ERR_LIMIT, "tombstones: %zu numbers; at most %d are taken",
		    count, TOMB_NUMBERS_MAX);
	o->items = mem_calloc(count + 1, sizeof(*o->items));
	if (o->items == NULL)
		return ERR_NOMEM;
	o->count = count;
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = read_item(json_array_get(numbers, i), i, &o->items[i], ei);
	return rc;
}

int
tomb_order_parse(struct slice body, struct tomb_order **ret, struct err_info *ei)
{
	struct tomb_order *o;
	json_t *doc = NULL;
	int rc;

	if (body.len > TOMB_BODY_MAX)
		return err_set(
		    ei, ERR_LIMIT, "tombstones: a body of more than %zu bytes", TOMB_BODY_MAX);
	rc = json_in_parse(body, "tombstones", &doc, ei);
	if (rc != 0)
		return rc;
	o = mem_zalloc(sizeof(*o));
	rc = o == NULL ? ERR_NOMEM : read_items(json_object_get(doc, "numbers"), o, ei);
	json_decref(doc);
	if (rc != 0) {
		tomb_order_free(o);
		return rc;
	}
	o->refs = 1;
	*ret = o;
	return 0;
}

void
tomb_order_show(const struct tomb_order *o, bool whole, struct buf *out)
{
	static const char *const words[] = { "open", "tombstoned", "already", "unknown" };

	buf_fmt(out, "{\"taken\":%zu", o->count);
	for (size_t i = 0; i < o->count && whole; i++)
		buf_fmt(out, "%s{\"number\":%" PRIu32 ",\"result\":\"%s\"}",
		    i == 0 ? ",\"numbers\":[" : ",", o->items[i].number,
		    words[o->items[i].result]);
	if (whole)
		buf_str(out, o->count > 0 ? "]" : ",\"numbers\":[]");
	buf_str(out, "}\n");
}

/* --- the queue --- */

void
tomb_queue_init(struct tomb_queue *q, void (*on_done)(struct tomb_order *o))
{
	*q = (struct tomb_queue){ .on_done = on_done };
	q->last = &q->first;
	pthread_mutex_init(&q->lock, NULL);
}

void
tomb_queue_close(struct tomb_queue *q)
{
	struct tomb_order *o;

	pthread_mutex_lock(&q->lock);
	q->closed = true;
	pthread_mutex_unlock(&q->lock);
	while ((o = tomb_queue_take(q)) != NULL) {
		o->rc = err_set(&o->why, ERR_CANCELED, "the sync daemon stops");
		tomb_queue_done(q, o);
	}
}

int
tomb_queue_put(struct tomb_queue *q, struct tomb_order *o)
{
	int rc = 0;

	pthread_mutex_lock(&q->lock);
	if (q->closed) {
		rc = ERR_CLOSED;
	} else if (q->numbers + o->count > TOMB_QUEUE_MAX) {
		rc = ERR_FULL;
	} else {
		q->numbers += o->count;
		o->refs++;
		*q->last = o;
		q->last = &o->next;
	}
	pthread_mutex_unlock(&q->lock);
	return rc;
}

struct tomb_order *
tomb_queue_take(struct tomb_queue *q)
{
	struct tomb_order *o;

	pthread_mutex_lock(&q->lock);
	o = q->first;
	if (o != NULL) {
		q->first = o->next;
		q->last = q->first != NULL ? q->last : &q->first;
		q->numbers -= o->count;
		o->next = NULL;
	}
	pthread_mutex_unlock(&q->lock);
	return o;
}

void
tomb_queue_done(struct tomb_queue *q, struct tomb_order *o)
{
	if (q->on_done != NULL)
		q->on_done(o);
	else
		tomb_order_release(q, o);
}

void
tomb_order_release(struct tomb_queue *q, struct tomb_order *o)
{
	bool last;

	pthread_mutex_lock(&q->lock);
	last = --o->refs == 0;
	pthread_mutex_unlock(&q->lock);
	if (last)
		tomb_order_free(o);
}
