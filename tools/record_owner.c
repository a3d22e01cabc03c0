/* record_owner.c - walks the top fields of a message, and those of one field in it. */
#include "tools/record_owner.h"

enum wire {
	WIRE_VARINT,
	WIRE_FIXED64,
	WIRE_BYTES,
	WIRE_GROUP,
	WIRE_END_GROUP,
	WIRE_FIXED32
};

/* Field numbers of Mutation, and of GithubIssueMutation and GithubMutation. */
enum {
	MUTATION_ISSUE = 1,
	MUTATION_GIT = 2,
	MUTATION_GITHUB = 3,
	MUTATION_GERRIT = 4
};
enum {
	GITHUB_OWNER = 1,
	GITHUB_REPO = 2
};

struct field {
	uint64_t number;
	enum wire wire;
	struct slice bytes; /* of WIRE_BYTES */
};

static bool
take_varint(struct slice *s, uint64_t *ret)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64 && s->len > 0; shift += 7) {
		unsigned char c = (unsigned char)s->ptr[0];

		*s = (struct slice){ s->ptr + 1, s->len - 1 };
		v |= (uint64_t)(c & 0x7f) << shift;
		if ((c & 0x80) == 0) {
			*ret = v;
			return true;
		}
	}
	return false;
}

static bool
skip_bytes(struct slice *s, uint64_t len)
{
	if (len > s->len)
		return false;
	*s = (struct slice){ s->ptr + len, s->len - (size_t)len };
	return true;
}

/* Cut the next field off the front; false when that is damaged. */
static bool
take_field(struct slice *s, struct field *ret)
{
	uint64_t tag, len;

	if (!take_varint(s, &tag) || tag >> 3 == 0)
		return false;
	ret->number = tag >> 3;
	ret->wire = (enum wire)(tag & 7);
	switch (ret->wire) {
	case WIRE_VARINT:
		return take_varint(s, &len);
	case WIRE_FIXED64:
		return skip_bytes(s, 8);
	case WIRE_FIXED32:
		return skip_bytes(s, 4);
	case WIRE_BYTES:
		if (!take_varint(s, &len))
			return false;
		ret->bytes.ptr = s->ptr;
		ret->bytes.len = (size_t)len;
		return skip_bytes(s, len);
	case WIRE_GROUP:
	case WIRE_END_GROUP:
		break;
	}
	return false; /* groups are in no schema of maintner's */
}

/* As everywhere in protobuf, the last of several counts. */
static bool
read_names(struct slice message, struct record_owner *ret)
{
	while (message.len > 0) {
		struct field f;

		if (!take_field(&message, &f))
			return false;
		if (f.wire == WIRE_BYTES && f.number == GITHUB_OWNER)
			ret->owner = f.bytes;
		else if (f.wire == WIRE_BYTES && f.number == GITHUB_REPO)
			ret->repo = f.bytes;
	}
	return true;
}

int
record_owner_of(struct slice payload, struct record_owner *ret, struct err_info *ei)
{
	struct record_owner found = {
		.kind = RECORD_OTHER, .owner = SLICE(""), .repo = SLICE("")
	};
	bool good = true;

	while (good && payload.len > 0) {
		struct field f = { 0 };

		good = take_field(&payload, &f);
		if (!good || f.wire != WIRE_BYTES)
			continue;
		if (f.number == MUTATION_ISSUE || f.number == MUTATION_GITHUB) {
			found.kind = RECORD_GITHUB;
			good = read_names(f.bytes, &found);
		} else if (f.number == MUTATION_GIT && found.kind == RECORD_OTHER) {
			found.kind = RECORD_GIT;
		} else if (f.number == MUTATION_GERRIT && found.kind == RECORD_OTHER) {
			found.kind = RECORD_GERRIT;
		}
	}
	if (!good)
		return err_set(ei, ERR_CORRUPT, "the record is no protobuf message");
	*ret = found;
	return 0;
}
