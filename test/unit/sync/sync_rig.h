/*
 * sync_rig.h - a snapshot that mutations and GitHub's JSON are put into, and that can
 * be asked for issues as the API shows them.  Texts are JSON with single quotation
 * marks; owner and repository need not be said.
 */
#pragma once

#include "sync/diff.h"
#include "test/unit/lmdb-schema/snap_fixture.h"
#include "test/unit/sync/message_json.h"

#define RIG_OWNER "acme"
#define RIG_REPO "widgets"

struct sync_rig {
	struct snap_fixture fx;
	struct apply *apply;
	struct arena arena; /* of the messages that were made */
	json_t *documents;  /* what they borrow from: an array */
};

int rig_setup(void **state);
int rig_teardown(void **state);

/* Parsed and kept until the end of the test. */
json_t *rig_json(struct sync_rig *rig, const char *single_quoted);

/* Add owner and repository where the mutation is silent, and apply it; the code. */
int rig_apply(struct sync_rig *rig, const Maintpb__Mutation *m);
int rig_apply_text(struct sync_rig *rig, const char *mutation);
/* The same for a mutation that must succeed and concerns issue facts alone. */
void rig_issue_says(struct sync_rig *rig, uint32_t number, const char *facts);

/* What diff_issue() and its kin say to `json`; *ret_rc is its code (NULL: must be 0). */
enum rig_kind {
	RIG_ISSUE,
	RIG_COMMENTS,       /* part of them */
	RIG_COMMENTS_WHOLE, /* all of them */
	RIG_EVENTS,
	RIG_REVIEWS,
	RIG_PULL,
	RIG_REVIEW_COMMENTS, /* part of them */
	RIG_REVIEW_COMMENTS_WHOLE,
	RIG_LABELS,
	RIG_MILESTONES,
};
Maintpb__Mutation *rig_diff(struct sync_rig *rig, enum rig_kind kind, uint32_t number,
    const json_t *json, int *ret_rc, struct err_info *ei);

/* Diff, and apply what differs. */
void rig_takes(struct sync_rig *rig, enum rig_kind kind, uint32_t number, const json_t *json);

/* The mutation without owner and repository; json_null() for NULL.  New reference. */
json_t *rig_shown(const Maintpb__Mutation *m);

/* Fail unless the issue says these members (others are not looked at). */
void assert_issue(struct sync_rig *rig, uint32_t number, const char *members);
void assert_issue_json(struct sync_rig *rig, uint32_t number, json_t *members);

/* The snapshot's own rules hold. */
void assert_sound(struct sync_rig *rig);
