/* fields.c - field masks. */
#include "fcgi/fields.h"

#include <ctype.h>
#include <string.h>

const char *
field_key(unsigned f)
{
	static const char *const joined[] = { "body", "closedBy", "assignees", "reporter",
		"mergedBy", "requestedReviewers", "comments", "reviews", "reviewComments" };

	return f < SNAP_M_COUNT ? snap_member_key((enum snap_member)f)
				: joined[f - SNAP_M_COUNT];
}

/* --- paths in fields; at most 64 each --- */

#define USER_PATHS(p) p "id", p "login"
#define REACTION_PATHS(p)                                                                      \
	p "totalCount", p "plusOne", p "minusOne", p "laugh", p "hooray", p "confused",        \
	    p "heart", p "rocket", p "eyes"

static const char *const user_paths[] = { USER_PATHS(""), NULL };
static const char *const reaction_paths[] = { REACTION_PATHS(""), NULL };
static const char *const milestone_paths[] = { "number", "title", NULL };
static const char *const ref_paths[] = { "repo", "ref", "sha", NULL };
static const char *const comment_paths[] = { "id", "createdAt", "updatedAt",
	"authorAssociation", "reactions", REACTION_PATHS("reactions."), "body", "otherJson",
	"user", USER_PATHS("user."), NULL };
static const char *const review_paths[] = { "id", "actorAssociation", "createdAt", "updatedAt",
	"body", "commitId", "state", "otherJson", "actor", USER_PATHS("actor."), NULL };
static const char *const review_comment_paths[] = { "id", "createdAt", "updatedAt",
	"authorAssociation", "reactions", REACTION_PATHS("reactions."), "reviewId", "inReplyTo",
	"path", "line", "side", "startLine", "startSide", "originalLine", "originalStartLine",
	"subjectType", "commitId", "originalCommitId", "body", "diffHunk", "otherJson", "user",
	USER_PATHS("user."), NULL };

static const char *const *const paths_in[FIELD_COUNT] = {
	[SNAP_M_MILESTONE] = milestone_paths,
	[SNAP_M_REACTIONS] = reaction_paths,
	[SNAP_M_BASE] = ref_paths,
	[SNAP_M_HEAD] = ref_paths,
	[FIELD_CLOSED_BY] = user_paths,
	[FIELD_ASSIGNEES] = user_paths,
	[FIELD_REPORTER] = user_paths,
	[FIELD_MERGED_BY] = user_paths,
	[FIELD_REQUESTED_REVIEWERS] = user_paths,
	[FIELD_COMMENTS] = comment_paths,
	[FIELD_REVIEWS] = review_paths,
	[FIELD_REVIEW_COMMENTS] = review_comment_paths,
};

const char *
field_path(unsigned f, unsigned nth)
{
	return paths_in[f] != NULL ? paths_in[f][nth] : NULL;
}

/* --- parsing --- */

/* Equal, when every "_x" of `path` is read as "X". */
static bool
names(struct slice path, const char *key)
{
	size_t i = 0;

	for (; i < path.len && *key != '\0'; i++, key++) {
		char c = path.ptr[i];

		if (c == '_' && i + 1 < path.len)
			c = (char)toupper((unsigned char)path.ptr[++i]);
		if (c != *key)
			return false;
	}
	return i == path.len && *key == '\0';
}

struct parsing {
	uint64_t fields, whole; /* `whole`: not by a path in it alone */
	struct field_paths paths;
};

static bool
take_path_in(struct parsing *p, unsigned f, struct slice rest)
{
	const char *path;

	for (unsigned n = 0; (path = field_path(f, n)) != NULL; n++) {
		if (names(rest, path)) {
			p->fields |= FIELD_BIT(f);
			p->paths.of[f] |= UINT64_C(1) << n;
			return true;
		}
	}
	return false;
}

static bool
take_path(struct parsing *p, struct slice path)
{
	const char *dot = path.len > 0 ? memchr(path.ptr, '.', path.len) : NULL;
	struct slice head = { path.ptr, dot != NULL ? (size_t)(dot - path.ptr) : path.len };

	for (unsigned f = 0; f < FIELD_COUNT; f++) {
		if (!names(head, field_key(f)))
			continue;
		if (dot != NULL)
			return take_path_in(
			    p, f, (struct slice){ dot + 1, path.len - head.len - 1 });
		p->fields |= FIELD_BIT(f);
		p->whole |= FIELD_BIT(f);
		return true;
	}
	return false;
}

static int
parse_path(struct parsing *p, struct slice path, struct err_info *ei)
{
	if (take_path(p, path))
		return 0;
	return err_set(ei, ERR_INVAL, "fieldMask: an issue has no field \"%.*s\"",
	    (int)(path.len < 100 ? path.len : 100), path.ptr);
}

static void
finish(struct parsing *p)
{
	for (unsigned f = 0; f < FIELD_COUNT; f++) {
		if ((p->whole & FIELD_BIT(f)) != 0)
			p->paths.of[f] = 0;
		if (p->paths.of[f] != 0)
			p->paths.picked |= FIELD_BIT(f);
	}
}

int
fields_parse(
    struct slice mask, uint64_t *ret, struct field_paths *ret_paths, struct err_info *ei)
{
	const char *at = mask.ptr, *end;
	struct parsing p = { 0 };

	if (mask.len == 0) {
		*ret = FIELDS_DEFAULT;
		*ret_paths = p.paths;
		return 0;
	}
	end = mask.ptr + mask.len;
	while (at <= end) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		const char *stop = comma != NULL ? comma : end;
		int rc = parse_path(&p, (struct slice){ at, (size_t)(stop - at) }, ei);

		if (rc != 0)
			return rc;
		at = stop + 1;
	}
	finish(&p);
	*ret = p.fields;
	*ret_paths = p.paths;
	return 0;
}
