/*
 * snap_issue.c - reading rows of `issue` and `issue_body`.  Offsets in a row
 * are checked once, when it is fetched, so that the accessors can trust them.
 */
#include "lmdb-schema/snap_internal.h"

#define BODY_KEY "\"body\":"

static const char *const member_keys[SNAP_M_COUNT] = {
	[SNAP_M_NAME] = "name",
	[SNAP_M_TITLE] = "title",
	[SNAP_M_PRIORITY] = "priority",
	[SNAP_M_PRIORITY_UNKNOWN] = "priorityUnknown",
	[SNAP_M_ISSUE_TYPE] = "issueType",
	[SNAP_M_LABELS] = "labels",
	[SNAP_M_CREATED_AT] = "createdAt",
	[SNAP_M_UPDATED_AT] = "updatedAt",
	[SNAP_M_CLOSED_AT] = "closedAt",
	[SNAP_M_CLOSED] = "closed",
	[SNAP_M_IS_PR] = "isPr",
	[SNAP_M_APPROVED] = "approved",
	[SNAP_M_GIT_COMMIT] = "gitCommit",
	[SNAP_M_COMMIT] = "commit",
	[SNAP_M_ISSUE_ID] = "issueId",
	[SNAP_M_URL] = "url",
	[SNAP_M_REPO] = "repo",
	[SNAP_M_BLOCKED] = "blocked",
	[SNAP_M_RELEASE_BLOCKING] = "releaseBlocking",
	[SNAP_M_DRAFT] = "draft",
	[SNAP_M_MERGED_AT] = "mergedAt",
	[SNAP_M_STATE_REASON] = "stateReason",
	[SNAP_M_LOCKED] = "locked",
	[SNAP_M_MILESTONE] = "milestone",
	[SNAP_M_AUTHOR_ASSOCIATION] = "authorAssociation",
	[SNAP_M_ACTIVE_LOCK_REASON] = "activeLockReason",
	[SNAP_M_REACTIONS] = "reactions",
	[SNAP_M_MERGE_COMMIT] = "mergeCommit",
	[SNAP_M_BASE] = "base",
	[SNAP_M_HEAD] = "head",
	[SNAP_M_REQUESTED_TEAMS] = "requestedTeams",
	[SNAP_M_TYPE] = "type",
};

/* The same lengths as bytes, close together: they are needed for every row. */
static const unsigned char member_key_lens[SNAP_M_COUNT] = {
	[SNAP_M_NAME] = sizeof("name") - 1,
	[SNAP_M_TITLE] = sizeof("title") - 1,
	[SNAP_M_PRIORITY] = sizeof("priority") - 1,
	[SNAP_M_PRIORITY_UNKNOWN] = sizeof("priorityUnknown") - 1,
	[SNAP_M_ISSUE_TYPE] = sizeof("issueType") - 1,
	[SNAP_M_LABELS] = sizeof("labels") - 1,
	[SNAP_M_CREATED_AT] = sizeof("createdAt") - 1,
	[SNAP_M_UPDATED_AT] = sizeof("updatedAt") - 1,
	[SNAP_M_CLOSED_AT] = sizeof("closedAt") - 1,
	[SNAP_M_CLOSED] = sizeof("closed") - 1,
	[SNAP_M_IS_PR] = sizeof("isPr") - 1,
	[SNAP_M_APPROVED] = sizeof("approved") - 1,
	[SNAP_M_GIT_COMMIT] = sizeof("gitCommit") - 1,
	[SNAP_M_COMMIT] = sizeof("commit") - 1,
	[SNAP_M_ISSUE_ID] = sizeof("issueId") - 1,
	[SNAP_M_URL] = sizeof("url") - 1,
	[SNAP_M_REPO] = sizeof("repo") - 1,
	[SNAP_M_BLOCKED] = sizeof("blocked") - 1,
	[SNAP_M_RELEASE_BLOCKING] = sizeof("releaseBlocking") - 1,
	[SNAP_M_DRAFT] = sizeof("draft") - 1,
	[SNAP_M_MERGED_AT] = sizeof("mergedAt") - 1,
	[SNAP_M_STATE_REASON] = sizeof("stateReason") - 1,
	[SNAP_M_LOCKED] = sizeof("locked") - 1,
	[SNAP_M_MILESTONE] = sizeof("milestone") - 1,
	[SNAP_M_AUTHOR_ASSOCIATION] = sizeof("authorAssociation") - 1,
	[SNAP_M_ACTIVE_LOCK_REASON] = sizeof("activeLockReason") - 1,
	[SNAP_M_REACTIONS] = sizeof("reactions") - 1,
	[SNAP_M_MERGE_COMMIT] = sizeof("mergeCommit") - 1,
	[SNAP_M_BASE] = sizeof("base") - 1,
	[SNAP_M_HEAD] = sizeof("head") - 1,
	[SNAP_M_REQUESTED_TEAMS] = sizeof("requestedTeams") - 1,
	[SNAP_M_TYPE] = sizeof("type") - 1,
};

const char *
snap_member_key(enum snap_member m)
{
	return member_keys[m];
}

static uint32_t
member_offset(const char *row, unsigned m)
{
	return get_le32(row + SNAP_I_MEMBERS + (size_t)4 * m);
}

/*
 * Each member is at least its key, its value of one byte and a comma.  The body is not
 * there, or is at least two quotation marks.
 */
static bool
offsets_are_sound(const char *row, size_t len, size_t texts_at)
{
	uint32_t at = member_offset(row, 0), body, end;
	bool sound = at == texts_at;

	for (unsigned m = 0; m < SNAP_M_COUNT; m++) {
		end = member_offset(row, m + 1);
		/* No jump: of a sound row all are looked at anyway. */
		sound &= end >= at && end - at >= member_key_lens[m] + 5U;
		at = end;
	}
	body = at;
	end = member_offset(row, SNAP_M_COUNT + 1);
	return sound && end <= len + 1 &&
	       (end == body || (end > body && end - body >= sizeof(BODY_KEY) + 2));
}

static uint64_t
texts_begin(const struct snap_issue *i)
{
	uint64_t ids = (uint64_t)i->label_count + i->assignee_count + i->reviewer_count;

	return SNAP_I_LISTS + ids * 8;
}

int
snap_issue_parse_head(struct slice value, uint32_t number, struct snap_issue *ret)
{
	struct snap_issue i;

	if (value.len < SNAP_I_LISTS || get_le32(value.ptr + SNAP_I_NUMBER) != number)
		return ERR_CORRUPT;
	i = (struct snap_issue){
		.number = number,
		.flags = get_le32(value.ptr + SNAP_I_FLAGS),
		.row = value.ptr,
		.row_len = value.len,
		.label_count = get_le32(value.ptr + SNAP_I_LABEL_COUNT),
		.assignee_count = get_le32(value.ptr + SNAP_I_ASSIGNEE_COUNT),
		.reviewer_count = get_le32(value.ptr + SNAP_I_REVIEWER_COUNT),
	};
	if (texts_begin(&i) > value.len)
		return ERR_CORRUPT;
	*ret = i;
	return 0;
}

int
snap_issue_check(const struct snap_issue *i)
{
	return offsets_are_sound(i->row, i->row_len, texts_begin(i)) ? 0 : ERR_CORRUPT;
}

int
snap_issue_parse(struct slice value, uint32_t number, struct snap_issue *ret)
{
	struct snap_issue i;
	int rc = snap_issue_parse_head(value, number, &i);

	if (rc == 0)
		rc = snap_issue_check(&i);
	if (rc == 0)
		*ret = i;
	return rc;
}

/* A kept cursor finds a number near the one before without going down from the root. */
int
snap_issue_cursor(struct snap_view *v)
{
	int rc = 0;

	if (v->issues_ready)
		return 0;
	if (v->issues == NULL)
		rc = mdb_cursor_open(v->txn, v->env->tables[SNAP_T_ISSUE], &v->issues);
	else
		rc = mdb_cursor_renew(v->txn, v->issues);
	v->issues_ready = rc == 0;
	return rc;
}

static int
search(struct snap_view *v, uint32_t number, struct slice *ret)
{
	unsigned char key[4];
	MDB_val k = { snap_key_number(number, key), key }, d;
	int rc;

	if (v->owner == NULL) /* writes would leave a kept cursor behind */
		return snap_get(v, SNAP_T_ISSUE, key, k.mv_size, SNAP_I_LISTS, ret);
	rc = snap_issue_cursor(v);
	if (rc == 0)
		rc = mdb_cursor_get(v->issues, &k, &d, MDB_SET);
	if (rc != 0)
		return snap_err(rc);
	if (d.mv_size < SNAP_I_LISTS + SNAP_CRC_LEN)
		return ERR_CORRUPT;
	*ret = (struct slice){ d.mv_data, d.mv_size - SNAP_CRC_LEN };
	return 0;
}

int
snap_issue_locate(struct snap_view *v, uint32_t number, struct slice *ret)
{
	struct snap_memory *m = snap_memory_of(v);
	struct snap_known_row *known =
	    m != NULL ? &m->rows[number & (SNAP_KNOWN_ROWS - 1)] : NULL;
	int rc;

	if (known != NULL && known->ptr != NULL && known->number == number) {
		*ret = (struct slice){ known->ptr, known->len };
		return 0;
	}
	rc = search(v, number, ret);
	if (rc == 0 && known != NULL && ret->len <= UINT32_MAX)
		*known = (struct snap_known_row){ ret->ptr, number, (uint32_t)ret->len };
	return rc;
}

int
snap_issue_get(struct snap_view *v, uint32_t number, struct snap_issue *ret)
{
	struct slice value;
	int rc = snap_issue_locate(v, number, &value);

	if (rc != 0)
		return rc;
	return snap_issue_parse(value, number, ret);
}

static int64_t
field64(const struct snap_issue *i, enum snap_issue_offset at)
{
	return (int64_t)get_le64(i->row + at);
}

int64_t
snap_issue_created_ms(const struct snap_issue *i)
{
	return field64(i, SNAP_I_CREATED);
}

int64_t
snap_issue_updated_ms(const struct snap_issue *i)
{
	return field64(i, SNAP_I_UPDATED);
}

int64_t
snap_issue_closed_ms(const struct snap_issue *i)
{
	return field64(i, SNAP_I_CLOSED);
}

int64_t
snap_issue_merged_ms(const struct snap_issue *i)
{
	return field64(i, SNAP_I_MERGED);
}

int64_t
snap_issue_id(const struct snap_issue *i)
{
	return field64(i, SNAP_I_ID);
}

int64_t
snap_issue_reporter(const struct snap_issue *i)
{
	return field64(i, SNAP_I_REPORTER);
}

int64_t
snap_issue_closed_by(const struct snap_issue *i)
{
	return field64(i, SNAP_I_CLOSED_BY);
}

int64_t
snap_issue_milestone(const struct snap_issue *i)
{
	return field64(i, SNAP_I_MILESTONE);
}

int64_t
snap_issue_merged_by(const struct snap_issue *i)
{
	return field64(i, SNAP_I_MERGED_BY);
}

int64_t
snap_issue_comments_ms(const struct snap_issue *i)
{
	return field64(i, SNAP_I_COMMENTS_MS);
}

int64_t
snap_issue_events_ms(const struct snap_issue *i)
{
	return field64(i, SNAP_I_EVENTS_MS);
}

int64_t
snap_issue_reviews_ms(const struct snap_issue *i)
{
	return field64(i, SNAP_I_REVIEWS_MS);
}

uint32_t
snap_issue_comment_count(const struct snap_issue *i)
{
	return get_le32(i->row + SNAP_I_COMMENT_COUNT);
}

uint32_t
snap_issue_review_count(const struct snap_issue *i)
{
	return get_le32(i->row + SNAP_I_REVIEW_COUNT);
}

uint32_t
snap_issue_event_count(const struct snap_issue *i)
{
	return get_le32(i->row + SNAP_I_EVENT_COUNT);
}

uint32_t
snap_issue_review_comment_count(const struct snap_issue *i)
{
	return get_le32(i->row + SNAP_I_REVIEW_COMMENT_COUNT);
}

uint32_t
snap_issue_hub_comments(const struct snap_issue *i)
{
	return get_le32(i->row + SNAP_I_HUB_COMMENTS);
}

int64_t
snap_issue_label(const struct snap_issue *i, uint32_t at)
{
	return (int64_t)get_le64(i->row + SNAP_I_LISTS + (size_t)8 * at);
}

int64_t
snap_issue_assignee(const struct snap_issue *i, uint32_t at)
{
	return snap_issue_label(i, i->label_count + at);
}

int64_t
snap_issue_reviewer(const struct snap_issue *i, uint32_t at)
{
	return snap_issue_label(i, i->label_count + i->assignee_count + at);
}

struct slice
snap_issue_members(const struct snap_issue *i)
{
	uint32_t at = member_offset(i->row, 0);

	return (struct slice){ i->row + at, member_offset(i->row, SNAP_M_COUNT) - at - 1 };
}

bool
snap_issue_members_and_body(const struct snap_issue *i, struct slice *ret)
{
	uint32_t at = member_offset(i->row, 0), end = member_offset(i->row, SNAP_M_COUNT + 1);

	*ret = (struct slice){ i->row + at, end - at - 1 };
	return end > member_offset(i->row, SNAP_M_COUNT);
}

struct slice
snap_issue_member(const struct snap_issue *i, enum snap_member m)
{
	uint32_t at = member_offset(i->row, m);

	/* The offset of the next one counts the comma between them. */
	return (struct slice){ i->row + at, member_offset(i->row, m + 1) - at - 1 };
}

struct slice
snap_issue_value(const struct snap_issue *i, enum snap_member m)
{
	struct slice s = snap_issue_member(i, m);
	size_t key = member_key_lens[m] + (size_t)3; /* "key": */

	return (struct slice){ s.ptr + key, s.len - key };
}

int
snap_issue_body(struct snap_view *v, const struct snap_issue *i, struct slice *ret)
{
	uint32_t at = member_offset(i->row, SNAP_M_COUNT);
	uint32_t end = member_offset(i->row, SNAP_M_COUNT + 1), skip = sizeof(BODY_KEY) - 1;
	unsigned char key[4];
	int rc;

	if (end > at) {
		*ret = (struct slice){ i->row + at + skip, end - at - skip - 1 };
		return 0;
	}
	rc = snap_get(v, SNAP_T_ISSUE_BODY, key, snap_key_number(i->number, key), 2, ret);
	return rc == ERR_NOENT ? ERR_CORRUPT : rc; /* the issue's row says that it is there */
}

int
snap_body_get(struct snap_view *v, uint32_t number, struct slice *ret)
{
	struct snap_issue i;
	int rc = snap_issue_get(v, number, &i);

	if (rc == ERR_NOENT) {
		*ret = SLICE("\"\"");
		return 0;
	}
	return rc != 0 ? rc : snap_issue_body(v, &i, ret);
}

int
snap_other_get(struct snap_view *v, uint32_t number, struct snap_other *ret)
{
	unsigned char key[4];
	struct slice row;
	uint32_t len;
	int rc = snap_get(v, SNAP_T_ISSUE_OTHER, key, snap_key_number(number, key), 4, &row);

	if (rc == ERR_NOENT) {
		*ret = (struct snap_other){ 0 };
		return 0;
	}
	if (rc != 0)
		return rc;
	len = get_le32(row.ptr);
	if (len > row.len - 4)
		return ERR_CORRUPT;
	*ret = (struct snap_other){ { row.ptr + 4, len },
		{ row.ptr + 4 + len, row.len - 4 - len } };
	return 0;
}
