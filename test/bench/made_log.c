/* made_log.c - the placing rule is mutation-log's; a full segment is put whole. */
#include "test/bench/made_log.h"

#include <stdio.h>

#include "mutation-log/mlog_record.h"

void
made_log_init(struct made_log *l, struct store *s, const char *prefix)
{
	*l = (struct made_log){ .store = s, .prefix = prefix };
	buf_init(&l->segment, MLOG_SEGMENT_MAX + MLOG_RECORD_MAX);
}

void
made_log_clear(struct made_log *l)
{
	buf_clear(&l->segment);
}

static int
put_segment(struct made_log *l, struct err_info *ei)
{
	char name[MLOG_PREFIX_MAX + MLOG_NAME_SIZE], sum[SHA224_HEX_LEN + 1];
	char own[MLOG_NAME_SIZE];
	int rc = buf_err(&l->segment);

	if (rc == 0)
		rc = sha224_hex(buf_view(&l->segment), sum);
	if (rc != 0)
		return rc;
	mlog_segment_name(l->end.segment, sum, own);
	snprintf(name, sizeof(name), "%s%s", l->prefix, own);
	l->bytes += l->segment.len;
	return store_put(l->store, name, buf_view(&l->segment), STORE_ABSENT, NULL, ei);
}

int
made_log_add(struct made_log *l, struct slice payload, struct err_info *ei)
{
	struct mlog_pos at, end;
	int rc = mlog_place(l->end, payload.len, &at, &end);

	if (rc == 0 && at.segment != l->end.segment) {
		rc = put_segment(l, ei);
		buf_reset(&l->segment);
	}
	if (rc != 0)
		return rc;
	mlog_record_append(&l->segment, at.offset, payload);
	l->end = end;
	l->records++;
	return buf_err(&l->segment);
}

int
made_log_finish(struct made_log *l, struct err_info *ei)
{
	return l->segment.len > 0 ? put_segment(l, ei) : 0;
}
