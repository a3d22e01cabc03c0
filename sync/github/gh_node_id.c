/* gh_node_id.c - both forms, read strictly: what is not understood is refused. */
#include "sync/github/gh_node_id.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/digest.h"

#define ID_MAX 256 /* characters; real ones have about 50 */
#define PREFIX_MAX 16

/* A MessagePack unsigned integer (https://github.com/msgpack/msgpack/blob/master/spec.md). */
static bool
read_uint(const unsigned char **at, const unsigned char *end, uint64_t *ret)
{
	unsigned char tag = *(*at)++;
	unsigned bytes = tag == 0xcc ? 1 : tag == 0xcd ? 2 : tag == 0xce ? 4 : 8;

	if (tag < 0x80) {
		*ret = tag;
		return true;
	}
	if (tag < 0xcc || tag > 0xcf || end - *at < (ptrdiff_t)bytes)
		return false;
	*ret = 0;
	while (bytes-- > 0)
		*ret = *ret << 8 | *(*at)++;
	return true;
}

/* A short array of nothing but unsigned integers, whose last one is the id. */
static int
read_array(struct slice raw, uint64_t *ret)
{
	const unsigned char *at = (const unsigned char *)raw.ptr, *end = at + raw.len;
	uint64_t version = 0;
	unsigned count;

	if (raw.len == 0 || (*at & 0xf0) != 0x90)
		return ERR_UNSUPPORTED;
	count = *at++ & 0x0fU;
	if (count < 2)
		return ERR_UNSUPPORTED;
	for (unsigned i = 0; i < count; i++) {
		if (at == end || !read_uint(&at, end, ret))
			return ERR_UNSUPPORTED;
		if (i == 0)
			version = *ret;
	}
	return at == end && version == 0 ? 0 : ERR_UNSUPPORTED;
}

/* "012:LabeledEvent4673893179", "04:User583231": a zero is before the length. */
static int
read_text(struct slice raw, uint64_t *ret)
{
	size_t at = 0, name = 0;

	while (at < raw.len && isdigit((unsigned char)raw.ptr[at]))
		name = name * 10 + (size_t)(raw.ptr[at++] - '0');
	if (at < 2 || at > 3 || raw.ptr[0] != '0' || name == 0 || at == raw.len)
		return ERR_UNSUPPORTED;
	if (raw.ptr[at++] != ':' || raw.len - at <= name)
		return ERR_UNSUPPORTED;
	for (size_t i = 0; i < name; i++) {
		if (!isalpha((unsigned char)raw.ptr[at + i]))
			return ERR_UNSUPPORTED;
	}
	at += name;
	if (raw.len - at > 19)
		return ERR_UNSUPPORTED;
	for (*ret = 0; at < raw.len; at++) {
		if (!isdigit((unsigned char)raw.ptr[at]))
			return ERR_UNSUPPORTED;
		*ret = *ret * 10 + (uint64_t)(raw.ptr[at] - '0');
	}
	return 0;
}

/* Both alphabets, with or without padding; the length, SIZE_MAX if it is none. */
static size_t
decode(const char *text, size_t len, char raw[ID_MAX])
{
	char url[ID_MAX];

	while (len > 0 && text[len - 1] == '=')
		len--;
	for (size_t i = 0; i < len; i++)
		url[i] = text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i];
	return base64url_decode((struct slice){ url, len }, raw, ID_MAX);
}

int
gh_node_id_number(const char *id, int64_t *ret)
{
	size_t len = strnlen(id, ID_MAX), prefix = strcspn(id, "_");
	bool newer = prefix > 0 && prefix < PREFIX_MAX && prefix < len;
	char raw[ID_MAX];
	uint64_t number = 0;
	int rc;

	if (len == ID_MAX)
		return ERR_UNSUPPORTED;
	len = newer ? decode(id + prefix + 1, len - prefix - 1, raw) : decode(id, len, raw);
	if (len == SIZE_MAX)
		return ERR_UNSUPPORTED;
	rc = newer ? read_array((struct slice){ raw, len }, &number)
		   : read_text((struct slice){ raw, len }, &number);
	if (rc != 0 || number == 0 || number > INT64_MAX)
		return ERR_UNSUPPORTED;
	*ret = (int64_t)number;
	return 0;
}
