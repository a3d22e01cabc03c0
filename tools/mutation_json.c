/* mutation_json.c - walks fields by the descriptor, so a new field needs no code. */
#include "tools/mutation_json.h"

#include <ctype.h>
#include <string.h>

#include "base/clock.h"
#include "base/json_text.h"
#include "mutation-log/mlog_mutation.h"

static void
add_name(const char *snake, struct buf *out)
{
	buf_char(out, '"');
	for (; *snake != '\0'; snake++) {
		if (*snake == '_' && snake[1] != '\0')
			buf_char(out, (char)toupper((unsigned char)*++snake));
		else
			buf_char(out, *snake);
	}
	buf_str(out, "\":");
}

static void
add_time(const Maintpb__Timestamp *t, struct buf *out)
{
	char text[TIME_TEXT_MAX];
	int64_t ms = TIME_NONE; /* for what no calendar has: a log may hold any number */

	if (t->seconds > INT64_MIN / 1000 && t->seconds < INT64_MAX / 1000)
		ms = t->seconds * 1000;
	if (ms != TIME_NONE && t->nanos >= 0 && t->nanos <= 999999999)
		ms += t->nanos / 1000000;
	time_format(ms, text);
	json_text_quote(out, slice_str(text));
}

static void
add_message(const ProtobufCMessage *m, struct buf *out)
{
	if (m->descriptor == &maintpb__timestamp__descriptor)
		add_time((const Maintpb__Timestamp *)m, out);
	else
		mutation_json(m, out);
}

static void
add_value(const ProtobufCFieldDescriptor *f, const void *at, struct buf *out)
{
	const ProtobufCBinaryData *bytes = at;

	switch (f->type) {
	case PROTOBUF_C_TYPE_MESSAGE:
		add_message(*(ProtobufCMessage *const *)at, out);
		break;
	case PROTOBUF_C_TYPE_STRING:
		json_text_quote(out, slice_str(*(const char *const *)at));
		break;
	case PROTOBUF_C_TYPE_BYTES:
		json_text_quote(out, (struct slice){ (const char *)bytes->data, bytes->len });
		break;
	case PROTOBUF_C_TYPE_BOOL:
		buf_str(out, *(const protobuf_c_boolean *)at != 0 ? "true" : "false");
		break;
	case PROTOBUF_C_TYPE_INT32:
		buf_i64(out, *(const int32_t *)at);
		break;
	default: /* the schema has no other types than int64 */
		buf_i64(out, *(const int64_t *)at);
		break;
	}
}

static size_t
element_size(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	case PROTOBUF_C_TYPE_BOOL:
		return sizeof(protobuf_c_boolean);
	case PROTOBUF_C_TYPE_INT32:
		return sizeof(int32_t);
	case PROTOBUF_C_TYPE_MESSAGE:
	case PROTOBUF_C_TYPE_STRING:
		return sizeof(void *);
	default:
		return sizeof(int64_t);
	}
}

static bool
is_default(const ProtobufCFieldDescriptor *f, const void *at)
{
	switch (f->type) {
	case PROTOBUF_C_TYPE_MESSAGE:
		return *(void *const *)at == NULL;
	case PROTOBUF_C_TYPE_STRING:
		return *(const char *const *)at == NULL || **(const char *const *)at == '\0';
	case PROTOBUF_C_TYPE_BYTES:
		return ((const ProtobufCBinaryData *)at)->len == 0;
	case PROTOBUF_C_TYPE_BOOL:
		return *(const protobuf_c_boolean *)at == 0;
	case PROTOBUF_C_TYPE_INT32:
		return *(const int32_t *)at == 0;
	default:
		return *(const int64_t *)at == 0;
	}
}

static void
add_repeated(
    const ProtobufCFieldDescriptor *f, const char *elements, size_t count, struct buf *out)
{
	buf_char(out, '[');
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_char(out, ',');
		add_value(f, elements + i * element_size(f->type), out);
	}
	buf_char(out, ']');
}

void
mutation_json(const ProtobufCMessage *m, struct buf *out)
{
	const ProtobufCMessageDescriptor *d = m->descriptor;
	bool first = true;

	buf_char(out, '{');
	for (unsigned i = 0; i < d->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &d->fields[i];
		const char *at = (const char *)m + f->offset;
		bool repeated = f->label == PROTOBUF_C_LABEL_REPEATED;
		size_t count = 0;

		if (repeated)
			memcpy(&count, (const char *)m + f->quantifier_offset, sizeof(count));
		if (repeated ? count == 0 : is_default(f, at))
			continue;
		if (!first)
			buf_char(out, ',');
		first = false;
		add_name(f->name, out);
		if (repeated)
			add_repeated(f, *(const char *const *)at, count, out);
		else
			add_value(f, at, out);
	}
	buf_char(out, '}');
}
