/* responder_rig.h - a responder over a snapshot, asked out of memory. */
#pragma once

#include "fcgi/responder.h"
#include "test/unit/sync/sync_rig.h"

#define ISSUES "/api/v1/acme/widgets/issues"

/* A snapshot that mutations are put into, and a responder over it. */
struct responder_rig {
	struct sync_rig *rig;
	struct responder r;
};

static inline int
responder_setup(void **state)
{
	struct responder_rig *fx = calloc(1, sizeof(*fx));
	void *rig = NULL;

	if (fx == NULL || rig_setup(&rig) != 0)
		return -1;
	fx->rig = rig;
	responder_init(&fx->r, fx->rig->fx.dir);
	*state = fx;
	return 0;
}

static inline int
responder_teardown(void **state)
{
	struct responder_rig *fx = *state;
	void *rig = fx->rig;

	responder_clear(&fx->r);
	rig_teardown(&rig);
	free(fx);
	return 0;
}

struct answer {
	struct buf raw;
	int status;
	const char *body; /* behind the head; "" when there is none */
	json_t *json;     /* of the body; NULL if it is not JSON */
};

/* Ask; end with answer_clear(). */
static inline void
ask_with(struct responder *r, const char *method, const char *uri, const char *header,
    const char *value, struct answer *ret)
{
	const struct request_pair params[] = { { "REQUEST_METHOD", method },
		{ "REQUEST_URI", uri }, { header, value }, { NULL, NULL } };
	const char *text;

	memset(ret, 0, sizeof(*ret));
	buf_init(&ret->raw, (size_t)64 << 20);
	assert_int_equal(
	    request_serve_mem(params, SLICE(""), NULL, responder_handle, r, &ret->raw), 0);
	text = buf_cstr(&ret->raw);
	assert_int_equal(sscanf(text, "Status: %d ", &ret->status), 1);
	ret->body = strstr(text, "\r\n\r\n");
	assert_non_null(ret->body);
	ret->body += 4;
	ret->json = json_loads(ret->body, 0, NULL);
}

static inline void
ask(struct responder *r, const char *method, const char *uri, struct answer *ret)
{
	ask_with(r, method, uri, NULL, NULL, ret);
}

static inline void
answer_clear(struct answer *a)
{
	json_decref(a->json);
	buf_clear(&a->raw);
}

/* The status of GET `uri`. */
static inline int
status_of(struct responder *r, const char *uri)
{
	struct answer a;

	ask(r, "GET", uri, &a);
	answer_clear(&a);
	return a.status;
}
