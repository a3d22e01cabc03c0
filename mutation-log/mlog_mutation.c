/* mlog_mutation.c - the only file that calls protobuf-c.  Knows no meaning of fields. */
#include "mutation-log/mlog_mutation.h"

/* Remembers a failed allocation, since protobuf-c's NULL does not say why. */
struct source {
	struct arena *arena;
	bool failed;
};

static void *
source_alloc(void *data, size_t size)
{
	struct source *from = data;
	void *ptr = arena_alloc(from->arena, size);

	if (ptr == NULL)
		from->failed = true;
	return ptr;
}

/* The arena frees everything at once. */
static void
source_free(void *data, void *ptr)
{
	(void)data;
	(void)ptr;
}

int
mlog_mutation_unpack(
    struct slice payload, struct arena *a, Maintpb__Mutation **ret, struct err_info *ei)
{
	struct source from = { .arena = a };
	ProtobufCAllocator allocator = {
		.alloc = source_alloc, .free = source_free, .allocator_data = &from
	};
	static const uint8_t nothing[1];
	const uint8_t *bytes = payload.len == 0 ? nothing : (const uint8_t *)payload.ptr;
	Maintpb__Mutation *m;

	m = maintpb__mutation__unpack(&allocator, payload.len, bytes);
	if (m != NULL) {
		*ret = m;
		return 0;
	}
	if (from.failed)
		return err_set(ei, ERR_NOMEM, "no memory to decode %zu bytes (%zu allowed)",
		    payload.len, a->max);
	return err_set(ei, ERR_CORRUPT, "%zu bytes are not a Mutation", payload.len);
}

int
mlog_mutation_pack(const Maintpb__Mutation *m, struct buf *into)
{
	size_t len = maintpb__mutation__get_packed_size(m);

	if (buf_reserve(into, len) != 0)
		return buf_err(into);
	into->len += maintpb__mutation__pack(m, (uint8_t *)into->ptr + into->len);
	return 0;
}
