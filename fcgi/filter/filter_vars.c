/*
 * filter_vars.c - the fields that expressions may name: those of the JSON answers, in
 * the spelling of the proto files and in that of JSON.
 */
#include "fcgi/filter/filter_internal.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define OBJECT(label, list)                                                                    \
	{                                                                                      \
		.name = (label), .fields = (list), .field_count = COUNT_OF(list)               \
	}
#define OBJECT_TYPE(o)                                                                         \
	{                                                                                      \
		.kind = CEL_OBJECT, .object = &(o)                                             \
	}
#define LIST_TYPE(t)                                                                           \
	{                                                                                      \
		.kind = CEL_LIST, .elem = &(t)                                                 \
	}

/* Keys of JSON members that are looked for by name. */
enum key {
	KEY_NUMBER,
	KEY_TITLE,
	KEY_TOTAL_COUNT,
	KEY_PLUS_ONE,
	KEY_MINUS_ONE,
	KEY_LAUGH,
	KEY_HOORAY,
	KEY_CONFUSED,
	KEY_HEART,
	KEY_ROCKET,
	KEY_EYES,
	KEY_REPO,
	KEY_REF,
	KEY_SHA,
	KEY_BODY,
	KEY_STATE,
	KEY_COMMIT_ID,
	KEY_AUTHOR_ASSOCIATION,
	KEY_ACTOR_ASSOCIATION,
	KEY_REACTIONS,
	KEY_OTHER_JSON,
	KEY_REVIEW_ID,
	KEY_IN_REPLY_TO,
	KEY_PATH,
	KEY_LINE,
	KEY_SIDE,
	KEY_START_LINE,
	KEY_START_SIDE,
	KEY_ORIGINAL_LINE,
	KEY_ORIGINAL_START_LINE,
	KEY_SUBJECT_TYPE,
	KEY_ORIGINAL_COMMIT_ID,
	KEY_DIFF_HUNK,
	KEY_EVENT,
	KEY_LABEL,
	KEY_MILESTONE,
	KEY_RENAME_FROM,
	KEY_RENAME_TO,
	KEY_TEAM_REVIEWER,
	KEY_DISMISSED_REVIEW,
	KEY_COMMIT_OWNER,
	KEY_COMMIT_REPO,
	KEY_MESSAGE,
	KEY_COUNT,
};

const char *
filter_key(uint32_t which)
{
	static const char *const keys[KEY_COUNT] = { "number", "title", "totalCount", "plusOne",
		"minusOne", "laugh", "hooray", "confused", "heart", "rocket", "eyes", "repo",
		"ref", "sha", "body", "state", "commitId", "authorAssociation",
		"actorAssociation", "reactions", "otherJson", "reviewId", "inReplyTo", "path",
		"line", "side", "startLine", "startSide", "originalLine", "originalStartLine",
		"subjectType", "originalCommitId", "diffHunk", "event", "label", "milestone",
		"renameFrom", "renameTo", "teamReviewer", "dismissedReview", "commitOwner",
		"commitRepo", "message" };

	return keys[which];
}

/* --- what is inside of fields --- */

#define JSON_TEXT(name, alias, key)                                                            \
	{                                                                                      \
		name, alias, &cel_type_string, FIELD_ID(FROM_JSON_TEXT, key), CEL_COST_ROW     \
	}
#define JSON_NUMBER(name, alias, key)                                                          \
	{                                                                                      \
		name, alias, &cel_type_int, FIELD_ID(FROM_JSON_NUMBER, key), CEL_COST_ROW      \
	}

static const struct cel_field user_fields[] = {
	{ "id", NULL, &cel_type_int, FIELD_ID(FROM_USER_ID, 0), CEL_COST_HEAD },
	{ "login", NULL, &cel_type_string, FIELD_ID(FROM_USER_LOGIN, 0), CEL_COST_JOIN },
};
static const struct cel_object user = OBJECT("user", user_fields);
static const struct cel_type user_type = OBJECT_TYPE(user);
static const struct cel_type users_type = LIST_TYPE(user_type);

static const struct cel_field milestone_fields[] = {
	JSON_NUMBER("number", NULL, KEY_NUMBER),
	JSON_TEXT("title", NULL, KEY_TITLE),
};
static const struct cel_object milestone = OBJECT("milestone", milestone_fields);
static const struct cel_type milestone_type = OBJECT_TYPE(milestone);

static const struct cel_field reaction_fields[] = {
	JSON_NUMBER("total_count", "totalCount", KEY_TOTAL_COUNT),
	JSON_NUMBER("plus_one", "plusOne", KEY_PLUS_ONE),
	JSON_NUMBER("minus_one", "minusOne", KEY_MINUS_ONE),
	JSON_NUMBER("laugh", NULL, KEY_LAUGH),
	JSON_NUMBER("hooray", NULL, KEY_HOORAY),
	JSON_NUMBER("confused", NULL, KEY_CONFUSED),
	JSON_NUMBER("heart", NULL, KEY_HEART),
	JSON_NUMBER("rocket", NULL, KEY_ROCKET),
	JSON_NUMBER("eyes", NULL, KEY_EYES),
};
static const struct cel_object reactions = OBJECT("reactions", reaction_fields);
static const struct cel_type reactions_type = OBJECT_TYPE(reactions);

static const struct cel_field branch_fields[] = {
	JSON_TEXT("repo", NULL, KEY_REPO),
	JSON_TEXT("ref", NULL, KEY_REF),
	JSON_TEXT("sha", NULL, KEY_SHA),
};
static const struct cel_object branch = OBJECT("branch", branch_fields);
static const struct cel_type branch_type = OBJECT_TYPE(branch);

static const struct cel_field dismissed_fields[] = {
	JSON_NUMBER("review_id", "reviewId", KEY_REVIEW_ID),
	JSON_TEXT("message", NULL, KEY_MESSAGE),
	JSON_TEXT("state", NULL, KEY_STATE),
};
static const struct cel_object dismissed = OBJECT("dismissed_review", dismissed_fields);
static const struct cel_type dismissed_type = OBJECT_TYPE(dismissed);

/* --- comments, reviews, events --- */

#define CHILD_TEXT(name, alias, key)                                                           \
	{                                                                                      \
		name, alias, &cel_type_string, FIELD_ID(FROM_CHILD_TEXT, key), CEL_COST_ROW    \
	}
#define CHILD_NUMBER(name, alias, key)                                                         \
	{                                                                                      \
		name, alias, &cel_type_int, FIELD_ID(FROM_CHILD_NUMBER, key), CEL_COST_ROW     \
	}
#define CHILD_JSON(name, alias, key, type)                                                     \
	{                                                                                      \
		name, alias, &type, FIELD_ID(FROM_CHILD_JSON, key), CEL_COST_ROW               \
	}
#define CHILD_ID                                                                               \
	{                                                                                      \
		"id", NULL, &cel_type_int, FIELD_ID(FROM_CHILD_ID, 0), CEL_COST_HEAD           \
	}
#define CHILD_TIME(name, alias, which)                                                         \
	{                                                                                      \
		name, alias, &cel_type_timestamp, FIELD_ID(FROM_CHILD_TIME, which),            \
		    CEL_COST_HEAD                                                              \
	}
#define CHILD_ACTOR(name, alias, which)                                                        \
	{                                                                                      \
		name, alias, &user_type, FIELD_ID(FROM_CHILD_ACTOR, which), CEL_COST_HEAD      \
	}
#define CHILD_BODY                                                                             \
	{                                                                                      \
		"body", NULL, &cel_type_string, FIELD_ID(FROM_CHILD_TEXT, KEY_BODY),           \
		    CEL_COST_TEXT                                                              \
	}

static const struct cel_field comment_fields[] = {
	CHILD_ID,
	CHILD_TIME("created_at", "createdAt", 0),
	CHILD_TIME("updated_at", "updatedAt", 1),
	CHILD_ACTOR("user", NULL, 0),
	CHILD_BODY,
	CHILD_TEXT("author_association", "authorAssociation", KEY_AUTHOR_ASSOCIATION),
	CHILD_JSON("reactions", NULL, KEY_REACTIONS, reactions_type),
	CHILD_TEXT("other_json", "otherJson", KEY_OTHER_JSON),
};
static const struct cel_object comment = OBJECT("comment", comment_fields);
static const struct cel_type comment_type = OBJECT_TYPE(comment);
static const struct cel_type comments_type = LIST_TYPE(comment_type);

static const struct cel_field review_fields[] = {
	CHILD_ID,
	CHILD_TIME("created_at", "createdAt", 0),
	CHILD_TIME("updated_at", "updatedAt", 1),
	CHILD_ACTOR("actor", NULL, 0),
	CHILD_BODY,
	CHILD_TEXT("state", NULL, KEY_STATE),
	CHILD_TEXT("commit_id", "commitId", KEY_COMMIT_ID),
	CHILD_TEXT("actor_association", "actorAssociation", KEY_ACTOR_ASSOCIATION),
	CHILD_TEXT("other_json", "otherJson", KEY_OTHER_JSON),
};
static const struct cel_object review = OBJECT("review", review_fields);
static const struct cel_type review_type = OBJECT_TYPE(review);
static const struct cel_type reviews_type = LIST_TYPE(review_type);

static const struct cel_field line_comment_fields[] = {
	CHILD_ID,
	CHILD_TIME("created_at", "createdAt", 0),
	CHILD_TIME("updated_at", "updatedAt", 1),
	CHILD_ACTOR("user", NULL, 0),
	CHILD_BODY,
	CHILD_TEXT("author_association", "authorAssociation", KEY_AUTHOR_ASSOCIATION),
	CHILD_JSON("reactions", NULL, KEY_REACTIONS, reactions_type),
	CHILD_NUMBER("review_id", "reviewId", KEY_REVIEW_ID),
	CHILD_NUMBER("in_reply_to", "inReplyTo", KEY_IN_REPLY_TO),
	CHILD_TEXT("path", NULL, KEY_PATH),
	CHILD_NUMBER("line", NULL, KEY_LINE),
	CHILD_TEXT("side", NULL, KEY_SIDE),
	CHILD_NUMBER("start_line", "startLine", KEY_START_LINE),
	CHILD_TEXT("start_side", "startSide", KEY_START_SIDE),
	CHILD_NUMBER("original_line", "originalLine", KEY_ORIGINAL_LINE),
	CHILD_NUMBER("original_start_line", "originalStartLine", KEY_ORIGINAL_START_LINE),
	CHILD_TEXT("subject_type", "subjectType", KEY_SUBJECT_TYPE),
	CHILD_TEXT("commit_id", "commitId", KEY_COMMIT_ID),
	CHILD_TEXT("original_commit_id", "originalCommitId", KEY_ORIGINAL_COMMIT_ID),
	CHILD_TEXT("diff_hunk", "diffHunk", KEY_DIFF_HUNK),
	CHILD_TEXT("other_json", "otherJson", KEY_OTHER_JSON),
};
static const struct cel_object line_comment = OBJECT("review comment", line_comment_fields);
static const struct cel_type line_comment_type = OBJECT_TYPE(line_comment);
static const struct cel_type line_comments_type = LIST_TYPE(line_comment_type);

static const struct cel_field event_fields[] = {
	CHILD_ID,
	CHILD_TEXT("event", NULL, KEY_EVENT),
	CHILD_TIME("created_at", "createdAt", 0),
	CHILD_ACTOR("actor", NULL, 0),
	CHILD_ACTOR("assignee", NULL, 1),
	CHILD_ACTOR("assigner", NULL, 2),
	CHILD_ACTOR("reviewer", NULL, 3),
	CHILD_ACTOR("review_requester", "reviewRequester", 4),
	CHILD_TEXT("label", NULL, KEY_LABEL),
	CHILD_TEXT("milestone", NULL, KEY_MILESTONE),
	CHILD_TEXT("rename_from", "renameFrom", KEY_RENAME_FROM),
	CHILD_TEXT("rename_to", "renameTo", KEY_RENAME_TO),
	CHILD_TEXT("team_reviewer", "teamReviewer", KEY_TEAM_REVIEWER),
	CHILD_JSON("dismissed_review", "dismissedReview", KEY_DISMISSED_REVIEW, dismissed_type),
	CHILD_TEXT("commit_id", "commitId", KEY_COMMIT_ID),
	CHILD_TEXT("commit_owner", "commitOwner", KEY_COMMIT_OWNER),
	CHILD_TEXT("commit_repo", "commitRepo", KEY_COMMIT_REPO),
	CHILD_TEXT("other_json", "otherJson", KEY_OTHER_JSON),
};
static const struct cel_object event = OBJECT("event", event_fields);
static const struct cel_type event_type = OBJECT_TYPE(event);

/* --- an issue --- */

#define FLAG(name, alias, bit)                                                                 \
	{                                                                                      \
		name, alias, &cel_type_bool, FIELD_ID(FROM_FLAG, bit), CEL_COST_HEAD           \
	}
#define NUMBER(name, alias, which)                                                             \
	{                                                                                      \
		name, alias, &cel_type_int, FIELD_ID(FROM_NUMBER, which), CEL_COST_HEAD        \
	}
#define TIME(name, alias, which)                                                               \
	{                                                                                      \
		name, alias, &cel_type_timestamp, FIELD_ID(FROM_TIME, which), CEL_COST_HEAD    \
	}
#define TEXT(name, alias, member)                                                              \
	{                                                                                      \
		name, alias, &cel_type_string, FIELD_ID(FROM_TEXT, member), CEL_COST_ROW       \
	}
#define TEXTS(name, alias, member)                                                             \
	{                                                                                      \
		name, alias, &cel_type_strings, FIELD_ID(FROM_TEXTS, member), 4 * CEL_COST_ROW \
	}
#define JSON(name, alias, member, type)                                                        \
	{                                                                                      \
		name, alias, &type, FIELD_ID(FROM_JSON, member), CEL_COST_ROW                  \
	}
#define USER(name, alias, which)                                                               \
	{                                                                                      \
		name, alias, &user_type, FIELD_ID(FROM_USER, which), CEL_COST_HEAD             \
	}
#define CHILDREN(name, alias, kind, type)                                                      \
	{                                                                                      \
		name, alias, &type, FIELD_ID(FROM_CHILDREN, kind), CEL_COST_MANY               \
	}

static const struct cel_field issue_fields[] = {
	NUMBER("number", NULL, NUMBER_NUMBER),
	NUMBER("issue_id", "issueId", NUMBER_NUMBER),
	TEXT("name", NULL, SNAP_M_NAME),
	TEXT("title", NULL, SNAP_M_TITLE),
	{ "body", NULL, &cel_type_string, FIELD_ID(FROM_BODY, 0), CEL_COST_TEXT },
	FLAG("is_pr", "isPr", SNAP_ISSUE_PULL),
	FLAG("closed", NULL, SNAP_ISSUE_CLOSED),
	FLAG("locked", NULL, SNAP_ISSUE_LOCKED),
	FLAG("approved", NULL, SNAP_ISSUE_APPROVED),
	FLAG("draft", NULL, SNAP_ISSUE_DRAFT),
	FLAG("blocked", NULL, SNAP_ISSUE_BLOCKED),
	FLAG("release_blocking", "releaseBlocking", SNAP_ISSUE_RELEASE_BLOCKING),
	FLAG("priority_unknown", "priorityUnknown", SNAP_ISSUE_PRIORITY_KNOWN),
	TIME("created_at", "createdAt", TIME_CREATED),
	TIME("updated_at", "updatedAt", TIME_UPDATED),
	TIME("closed_at", "closedAt", TIME_CLOSED),
	TIME("merged_at", "mergedAt", TIME_MERGED),
	TEXT("priority", NULL, SNAP_M_PRIORITY),
	TEXT("issue_type", "issueType", SNAP_M_ISSUE_TYPE),
	TEXTS("labels", NULL, SNAP_M_LABELS),
	TEXT("git_commit", "gitCommit", SNAP_M_GIT_COMMIT),
	TEXT("commit", NULL, SNAP_M_COMMIT),
	TEXT("url", NULL, SNAP_M_URL),
	TEXT("repo", NULL, SNAP_M_REPO),
	TEXT("state_reason", "stateReason", SNAP_M_STATE_REASON),
	JSON("milestone", NULL, SNAP_M_MILESTONE, milestone_type),
	TEXT("author_association", "authorAssociation", SNAP_M_AUTHOR_ASSOCIATION),
	TEXT("active_lock_reason", "activeLockReason", SNAP_M_ACTIVE_LOCK_REASON),
	JSON("reactions", NULL, SNAP_M_REACTIONS, reactions_type),
	TEXT("merge_commit", "mergeCommit", SNAP_M_MERGE_COMMIT),
	JSON("base", NULL, SNAP_M_BASE, branch_type),
	JSON("head", NULL, SNAP_M_HEAD, branch_type),
	TEXTS("requested_teams", "requestedTeams", SNAP_M_REQUESTED_TEAMS),
	TEXT("type", NULL, SNAP_M_TYPE),
	USER("reporter", NULL, USER_REPORTER),
	USER("closed_by", "closedBy", USER_CLOSED_BY),
	USER("merged_by", "mergedBy", USER_MERGED_BY),
	{ "assignees", NULL, &users_type, FIELD_ID(FROM_USERS, 0), CEL_COST_ROW },
	{ "requested_reviewers", "requestedReviewers", &users_type, FIELD_ID(FROM_USERS, 1),
	    CEL_COST_ROW },
	CHILDREN("comments", NULL, SNAP_COMMENT, comments_type),
	CHILDREN("reviews", NULL, SNAP_REVIEW, reviews_type),
	CHILDREN("review_comments", "reviewComments", SNAP_REVIEW_COMMENT, line_comments_type),
};
static const struct cel_object issue = OBJECT("issue", issue_fields);
static const struct cel_type issue_type = OBJECT_TYPE(issue);

/* --- the repository --- */

#define REPO_COUNT(name, alias, which)                                                         \
	{                                                                                      \
		name, alias, &cel_type_int, FIELD_ID(FROM_COUNT, which), CEL_COST_HEAD         \
	}

static const struct cel_field repository_fields[] = {
	{ "name", NULL, &cel_type_string, FIELD_ID(FROM_REPO_NAME, 0), CEL_COST_HEAD },
	REPO_COUNT("issue_count", "issueCount", COUNT_ISSUES),
	REPO_COUNT("pull_request_count", "pullRequestCount", COUNT_PULLS),
	REPO_COUNT("open_issue_count", "openIssueCount", COUNT_OPEN_ISSUES),
	REPO_COUNT("open_pull_request_count", "openPullRequestCount", COUNT_OPEN_PULLS),
	REPO_COUNT("comment_count", "commentCount", COUNT_COMMENTS),
	REPO_COUNT("review_count", "reviewCount", COUNT_REVIEWS),
	REPO_COUNT("review_comment_count", "reviewCommentCount", COUNT_REVIEW_COMMENTS),
	REPO_COUNT("event_count", "eventCount", COUNT_EVENTS),
};
static const struct cel_object repository = OBJECT("repository", repository_fields);
static const struct cel_type repository_type = OBJECT_TYPE(repository);

/* --- the variables --- */

#define VAR(name, alias, type, root)                                                           \
	{                                                                                      \
		name, alias, &type, FIELD_ID(FROM_ROOT, root), CEL_COST_HEAD                   \
	}
#define VAR_ISSUE VAR("issue", NULL, issue_type, ROOT_ISSUE)
#define VAR_REPOSITORY VAR("repository", NULL, repository_type, ROOT_REPOSITORY)
#define VAR_NOW                                                                                \
	{                                                                                      \
		"now", NULL, &cel_type_timestamp, FIELD_NOW, CEL_COST_HEAD                     \
	}

static const struct cel_field issue_vars[] = { VAR_ISSUE, VAR_REPOSITORY, VAR_NOW };
static const struct cel_field comment_vars[] = { VAR("comment", NULL, comment_type, ROOT_CHILD),
	VAR_ISSUE, VAR_REPOSITORY, VAR_NOW };
static const struct cel_field review_vars[] = { VAR("review", NULL, review_type, ROOT_CHILD),
	VAR_ISSUE, VAR_REPOSITORY, VAR_NOW };
static const struct cel_field event_vars[] = { VAR("event", NULL, event_type, ROOT_CHILD),
	VAR_ISSUE, VAR_REPOSITORY, VAR_NOW };
static const struct cel_field line_comment_vars[] = { VAR("review_comment", "reviewComment",
							  line_comment_type, ROOT_CHILD),
	VAR_ISSUE, VAR_REPOSITORY, VAR_NOW };
static const struct cel_field repository_vars[] = { VAR_REPOSITORY, VAR_NOW };

const struct cel_object *
filter_vars(enum filter_rows rows)
{
	static const struct cel_object vars[FILTER_ROWS] = {
		[FILTER_ISSUES] = OBJECT("issues", issue_vars),
		[FILTER_COMMENTS] = OBJECT("comments", comment_vars),
		[FILTER_REVIEWS] = OBJECT("reviews", review_vars),
		[FILTER_EVENTS] = OBJECT("events", event_vars),
		[FILTER_REVIEW_COMMENTS] = OBJECT("review comments", line_comment_vars),
		[FILTER_REPOSITORIES] = OBJECT("repositories", repository_vars),
	};

	return &vars[rows];
}
