/* message_json.c - walks the descriptor; the inverse of tools/mutation_json.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "test/unit/sync/message_json.h"

json_t *
json_of(const char *single_quoted)
{
	json_error_t why;
	char *text = strdup(single_quoted);
	json_t *doc;

	for (char *p = text; *p != '\0'; p++) {
		if (*p == '\'')
			*p = '"';
	}
	doc =
	    json_loads(text, JSON_DECODE_ANY, &why); /* a member said twice: the last counts */
	if (doc == NULL)
		fail_msg("%s in %s", why.text, text);
	free(text);
	return doc;
}

static void
snake_case(const char *camel, char out[64])
{
	size_t n = 0;

	for (; *camel != '\0' && n < 60; camel++) {
		if (isupper((unsigned char)*camel))
			out[n++] = '_';
		out[n++] = (char)tolower((unsigned char)*camel);
	}
	out[n] = '\0';
}

static ProtobufCMessage *message_of(
    struct arena *a, const ProtobufCMessageDescriptor *d, const json_t *json);

static Maintpb__Timestamp *
time_of(struct arena *a, const char *text)
{
	Maintpb__Timestamp *t = arena_alloc(a, sizeof(*t));
	int64_t ms = 0;

	maintpb__timestamp__init(t);
	if (time_parse(slice_str(text), &ms) != 0)
		fail_msg("%s is no time", text);
	t->seconds = ms / 1000 - (ms % 1000 < 0 ? 1 : 0);
	t->nanos = (int32_t)(ms - t->seconds * 1000) * 1000000;
	return t;
}

/* Store one value at `at`; returns its size. */
static size_t
set_value(struct arena *a, const ProtobufCFieldDescriptor *f, const json_t *json, void *at)
{
	ProtobufCBinaryData *bytes = at;

	switch (f->type) {
	case PROTOBUF_C_TYPE_MESSAGE:
		*(void **)at = f->descriptor == &maintpb__timestamp__descriptor
				   ? (void *)time_of(a, json_string_value(json))
				   : (void *)message_of(a, f->descriptor, json);
		return sizeof(void *);
	case PROTOBUF_C_TYPE_STRING:
		*(char **)at = arena_dup(a, slice_str(json_string_value(json)));
		return sizeof(char *);
	case PROTOBUF_C_TYPE_BYTES:
		bytes->len = json_string_length(json);
		bytes->data = (uint8_t *)arena_dup(a, slice_str(json_string_value(json)));
		return sizeof(*bytes);
	case PROTOBUF_C_TYPE_BOOL:
		*(protobuf_c_boolean *)at = json_is_true(json);
		return sizeof(protobuf_c_boolean);
	case PROTOBUF_C_TYPE_INT32:
		*(int32_t *)at = (int32_t)json_integer_value(json);
		return sizeof(int32_t);
	default:
		*(int64_t *)at = json_integer_value(json);
		return sizeof(int64_t);
	}
}

static void
set_field(struct arena *a, const ProtobufCFieldDescriptor *f, const json_t *json, char *message)
{
	size_t count = json_array_size(json);
	char *items;

	if (f->label != PROTOBUF_C_LABEL_REPEATED) {
		set_value(a, f, json, message + f->offset);
		return;
	}
	items = arena_alloc(a, count * sizeof(ProtobufCBinaryData) + 1);
	memcpy(message + f->offset, &items, sizeof(items));
	memcpy(message + f->quantifier_offset, &count, sizeof(count));
	for (size_t i = 0; i < count; i++)
		items += set_value(a, f, json_array_get(json, i), items);
}

static ProtobufCMessage *
message_of(struct arena *a, const ProtobufCMessageDescriptor *d, const json_t *json)
{
	ProtobufCMessage *m = arena_alloc(a, d->sizeof_message);
	const char *key;
	json_t *value;

	if (!json_is_object(json))
		fail_msg("%s must be an object", d->name);
	protobuf_c_message_init(d, m);
	json_object_foreach((json_t *)(uintptr_t)json, key, value)
	{
		const ProtobufCFieldDescriptor *f;
		char name[64];

		snake_case(key, name);
		f = protobuf_c_message_descriptor_get_field_by_name(d, name);
		if (f == NULL)
			fail_msg("%s has no field %s", d->name, name);
		else
			set_field(a, f, value, (char *)m);
	}
	return m;
}

Maintpb__Mutation *
mutation_of(struct arena *a, const json_t *json)
{
	return (Maintpb__Mutation *)message_of(a, &maintpb__mutation__descriptor, json);
}

void
assert_json_equal(const json_t *got, const json_t *want)
{
	char *a, *b;

	if (json_equal(got, want))
		return;
	a = json_dumps(got, JSON_SORT_KEYS | JSON_COMPACT | JSON_ENCODE_ANY);
	b = json_dumps(want, JSON_SORT_KEYS | JSON_COMPACT | JSON_ENCODE_ANY);
	print_error("got  %s\nwant %s\n", a, b);
	free(a);
	free(b);
	fail_msg("not the same");
}
