/* dump_pick.c - times are found by the messages' descriptors, so a new field needs no code. */
#include "tools/dump_pick.h"

#include <string.h>

#include "base/clock.h"

const char *
dump_record_type(const Maintpb__Mutation *m)
{
	if (m->github_issue != NULL)
		return "issue";
	if (m->github != NULL)
		return "github";
	if (m->git.data != NULL && m->git.len > 0)
		return "git";
	return m->gerrit.data != NULL && m->gerrit.len > 0 ? "gerrit" : "other";
}

static bool
is_recent(const Maintpb__Timestamp *t, int64_t since_ms)
{
	return t->seconds < INT64_MAX / 1000 &&
	       t->seconds * 1000 + t->nanos / 1000000 >= since_ms;
}

static bool has_recent(const ProtobufCMessage *m, int64_t since_ms);

static bool
is_recent_message(const ProtobufCMessage *m, int64_t since_ms)
{
	if (m == NULL)
		return false;
	if (m->descriptor == &maintpb__timestamp__descriptor)
		return is_recent((const Maintpb__Timestamp *)m, since_ms);
	return has_recent(m, since_ms);
}

/* Some time in the message, or in one below it.  As deep as the schema is. */
static bool
has_recent(const ProtobufCMessage *m, int64_t since_ms)
{
	for (unsigned i = 0; i < m->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &m->descriptor->fields[i];
		const char *at = (const char *)m + f->offset;
		ProtobufCMessage *const *list;
		size_t count;

		if (f->type != PROTOBUF_C_TYPE_MESSAGE)
			continue;
		if (f->label != PROTOBUF_C_LABEL_REPEATED) {
			if (is_recent_message(*(ProtobufCMessage *const *)at, since_ms))
				return true;
			continue;
		}
		list = *(ProtobufCMessage * *const *)at;
		count = *(const size_t *)((const char *)m + f->quantifier_offset);
		for (size_t n = 0; n < count; n++) {
			if (is_recent_message(list[n], since_ms))
				return true;
		}
	}
	return false;
}

bool
dump_wants_record(const struct dump *d, const Maintpb__Mutation *m)
{
	if (d->type != NULL && strcmp(d->type, dump_record_type(m)) != 0)
		return false;
	if (d->number > 0 && (m->github_issue == NULL || m->github_issue->number != d->number))
		return false;
	return d->since == NULL || has_recent(&m->base, d->since_ms);
}

bool
dump_wants_type(const struct dump *d, const char *type)
{
	if (d->type != NULL)
		return strcmp(d->type, type) == 0;
	return d->number == 0 && d->since == NULL;
}

bool
dump_wants_issue(const struct dump *d, const struct snap_issue *i)
{
	if (d->type != NULL && strcmp(d->type, "issue") != 0)
		return false;
	if (d->number > 0 && i->number != d->number)
		return false;
	return d->since == NULL || snap_issue_updated_ms(i) >= d->since_ms;
}
