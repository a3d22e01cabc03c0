/* mlog_name.c - names of segments; knows no store. */
#include <stdio.h>
#include <string.h>

#include "base/store/store.h"
#include "mutation-log/mlog_fence.h"

#define DIGITS 4
static const char suffix[] = ".mutlog";

void
mlog_segment_name(uint32_t number, const char *sha224, char out[MLOG_NAME_SIZE])
{
	snprintf(out, MLOG_NAME_SIZE, "%04u.%.*s%s", (unsigned)(number % (MLOG_NUMBER_MAX + 1)),
	    SHA224_HEX_LEN, sha224, suffix);
}

int
mlog_segment_parse(const char *name, uint32_t *ret_number, char ret_sha224[SHA224_HEX_LEN + 1])
{
	size_t len = strlen(name), tail = sizeof(suffix) - 1;
	uint32_t number = 0;

	if (len < tail || strcmp(name + len - tail, suffix) != 0)
		return ERR_NOENT;
	if (len != MLOG_NAME_SIZE - 1 || name[DIGITS] != '.')
		return ERR_CORRUPT;
	for (size_t i = 0; i < DIGITS; i++) {
		if (name[i] < '0' || name[i] > '9')
			return ERR_CORRUPT;
		number = number * 10 + (uint32_t)(name[i] - '0');
	}
	if (strspn(name + DIGITS + 1, "0123456789abcdef") != SHA224_HEX_LEN)
		return ERR_CORRUPT;
	*ret_number = number;
	memcpy(ret_sha224, name + DIGITS + 1, SHA224_HEX_LEN);
	ret_sha224[SHA224_HEX_LEN] = '\0';
	return 0;
}

static bool
is_segment(const char *name)
{
	char sha224[SHA224_HEX_LEN + 1];
	uint32_t number;

	return mlog_segment_parse(name, &number, sha224) == 0;
}

/* SEGMENT.SIZE.delta, as a flush names it: what only ends like one is somebody else's. */
static bool
is_delta(const char *name)
{
	static const char digits[] = "0123456789";
	char segment[MLOG_NAME_SIZE];
	size_t len = strnlen(name, MLOG_NAME_SIZE), count;

	if (len < MLOG_NAME_SIZE || name[MLOG_NAME_SIZE - 1] != '.')
		return false;
	memcpy(segment, name, MLOG_NAME_SIZE - 1);
	segment[MLOG_NAME_SIZE - 1] = '\0';
	name += MLOG_NAME_SIZE;
	count = strspn(name, digits);
	return count > 0 && strcmp(name + count, MLOG_DELTA_SUFFIX) == 0 && is_segment(segment);
}

enum mlog_name_kind
mlog_name_kind(const char *name)
{
	if (strcmp(name, MLOG_WRITER_NAME) == 0)
		return MLOG_NAME_WRITER;
	if (is_segment(name))
		return MLOG_NAME_SEGMENT;
	return is_delta(name) ? MLOG_NAME_DELTA : MLOG_NAME_OTHER;
}

int
mlog_prefix_check(const char *prefix, struct err_info *ei)
{
	char name[MLOG_PREFIX_MAX + 2];
	size_t len = strlen(prefix);

	if (len == 0)
		return 0;
	if (len > MLOG_PREFIX_MAX || prefix[len - 1] != '/')
		return err_set(
		    ei, ERR_INVAL, "log prefix \"%.600s\" does not end with '/'", prefix);
	snprintf(name, sizeof(name), "%sx", prefix); /* as an object below it would be called */
	return store_name_check(name, ei);
}
