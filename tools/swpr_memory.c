/* swpr_memory.c - see swpr_memory.h. */
#include "tools/swpr_memory.h"

#include "base/mem.h"

static int
read_object(struct swpr_memory *m, struct err_info *ei)
{
	int rc = store_get(
	    m->store, m->object, SWPR_STATE_BYTES_MAX, &m->written, &m->generation, ei);

	if (rc == ERR_NOENT) {
		if (ei != NULL)
			*ei = (struct err_info){ .text = "" };
		m->generation = STORE_ABSENT;
		return 0;
	}
	if (rc != 0)
		return rc;
	rc = swpr_state_parse(buf_view(&m->written), &m->state, ei);
	return rc == 0 ? 0 : err_wrap(ei, rc, "%s/%s", m->store_url, m->object);
}

int
swpr_memory_open(struct swpr_memory *m, const char *url, const struct store_open_opts *opts,
    struct err_info *ei)
{
	int rc;

	*m = (struct swpr_memory){ .generation = STORE_ABSENT };
	buf_init(&m->written, SWPR_STATE_BYTES_MAX);
	if (url == NULL)
		return 0;
	rc = store_url_split(url, &m->store_url, &m->object, ei);
	if (rc == 0)
		rc = store_open_with(m->store_url, opts, &m->store, ei);
	return rc == 0 ? read_object(m, ei) : rc;
}

void
swpr_memory_close(struct swpr_memory *m)
{
	swpr_state_clear(&m->state);
	buf_clear(&m->written);
	store_close(m->store);
	mem_free(m->store_url);
	m->store = NULL;
	m->store_url = NULL;
}

int
swpr_memory_save(struct swpr_memory *m, struct err_info *ei)
{
	struct buf text;
	int rc = 0;

	if (m->store == NULL)
		return 0;
	buf_init(&text, SWPR_STATE_BYTES_MAX);
	swpr_state_format(&m->state, &text);
	if (buf_err(&text) == ERR_LIMIT)
		rc = err_set(ei, ERR_LIMIT, "the sweep state would be longer than %zu bytes",
		    SWPR_STATE_BYTES_MAX);
	else
		rc = buf_err(&text);
	if (rc == 0 && slice_eq(buf_view(&text), buf_view(&m->written))) {
		buf_clear(&text);
		return 0;
	}
	if (rc == 0)
		rc = store_put(
		    m->store, m->object, buf_view(&text), m->generation, &m->generation, ei);
	if (rc == ERR_CONFLICT)
		err_wrap(ei, rc, "another sweeper uses this state");
	if (rc != 0) {
		buf_clear(&text);
		return rc;
	}
	buf_clear(&m->written);
	m->written = text;
	return 0;
}
