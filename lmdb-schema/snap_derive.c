/*
 * snap_derive.c - what label names say about an issue: priority, type,
 * blocked, release blocking.  The rules are those of drghs's API.
 */
#include <ctype.h>
#include <string.h>

#include "lmdb-schema/snap_write_internal.h"

#define LABEL_LOWER_MAX 256 /* GitHub's names have at most 50 characters */

enum snap_type {
	TYPE_UNSPECIFIED,
	TYPE_BUG,
	TYPE_FEATURE,
	TYPE_QUESTION,
	TYPE_CLEANUP,
	TYPE_PROCESS,
};

const char *const snap_type_names[] = { "GITHUB_ISSUE_TYPE_UNSPECIFIED", "BUG", "FEATURE",
	"QUESTION", "CLEANUP", "PROCESS" };

static void
to_lower(struct slice name, char out[LABEL_LOWER_MAX])
{
	size_t len = name.len < LABEL_LOWER_MAX ? name.len : LABEL_LOWER_MAX - 1;

	for (size_t i = 0; i < len; i++)
		out[i] = (char)tolower((unsigned char)name.ptr[i]);
	out[len] = '\0';
}

static unsigned
priority_of(const char *lower)
{
	static const char *const marks[] = { "p0", "p1", "p2", "p3", "p4" };

	for (unsigned i = 0; i < 5; i++) {
		if (strstr(lower, marks[i]) != NULL)
			return i;
	}
	return 255;
}

static enum snap_type
type_of(const char *lower)
{
	static const char *const bugs[] = { "bug", "type: bug", "type:bug", "kind/bug",
		"end-to-end bugs", "type:bug/performance" };
	static const struct {
		const char *word;
		enum snap_type type;
	} words[] = {
		{ "enhanc", TYPE_FEATURE },
		{ "feat", TYPE_FEATURE },
		{ "addition", TYPE_FEATURE },
		{ "question", TYPE_QUESTION },
		{ "cleanup", TYPE_CLEANUP },
		{ "process", TYPE_PROCESS },
	};

	for (size_t i = 0; i < sizeof(bugs) / sizeof(bugs[0]); i++) {
		if (strcmp(lower, bugs[i]) == 0)
			return TYPE_BUG;
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strstr(lower, words[i].word) != NULL)
			return words[i].type;
	}
	return TYPE_UNSPECIFIED;
}

void
snap_derive(const struct slice *sorted_raw_names, size_t count, struct snap_derived *ret)
{
	char lower[LABEL_LOWER_MAX];

	*ret = (struct snap_derived){ .priority = 255, .type = TYPE_UNSPECIFIED };
	for (size_t i = 0; i < count; i++) {
		to_lower(sorted_raw_names[i], lower);
		if (ret->priority == 255)
			ret->priority = priority_of(lower);
		if (ret->type == TYPE_UNSPECIFIED)
			ret->type = type_of(lower);
		if (strstr(lower, "blocked") != NULL)
			ret->blocked = true;
		else if (strstr(lower, "blocking") != NULL)
			ret->release_blocking = true;
	}
	ret->priority_known = ret->priority != 255;
}
