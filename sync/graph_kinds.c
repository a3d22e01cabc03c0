/* graph_kinds.c - the table. */
#include "sync/graph_kinds.h"

#include <string.h>

#define BOTH(type, event, extra)                                                               \
	{                                                                                      \
		type, event, GRAPH_IN_BOTH, extra                                              \
	}
#define PULL(type, event, extra)                                                               \
	{                                                                                      \
		type, event, GRAPH_IN_PULLS, extra                                             \
	}

const struct graph_kind graph_kinds[] = {
	BOTH("AddedToProjectEvent", "added_to_project", GRAPH_REST_ONLY),
	BOTH("AddedToProjectV2Event", "added_to_project_v2", GRAPH_PLAIN),
	BOTH("AssignedEvent", "assigned", GRAPH_ASSIGNEE),
	BOTH("ClosedEvent", "closed", GRAPH_CLOSER),
	BOTH("CommentDeletedEvent", "comment_deleted", GRAPH_PLAIN),
	BOTH("ConnectedEvent", "connected", GRAPH_PLAIN),
	BOTH("ConvertedNoteToIssueEvent", "converted_note_to_issue", GRAPH_REST_ONLY),
	BOTH("ConvertedToDiscussionEvent", "converted_to_discussion", GRAPH_PLAIN),
	BOTH("DemilestonedEvent", "demilestoned", GRAPH_MILESTONE),
	BOTH("DisconnectedEvent", "disconnected", GRAPH_PLAIN),
	BOTH("IssueTypeAddedEvent", "issue_type_added", GRAPH_PLAIN),
	BOTH("IssueTypeChangedEvent", "issue_type_changed", GRAPH_PLAIN),
	BOTH("IssueTypeRemovedEvent", "issue_type_removed", GRAPH_PLAIN),
	BOTH("LabeledEvent", "labeled", GRAPH_LABEL),
	BOTH("LockedEvent", "locked", GRAPH_LOCK),
	BOTH("MarkedAsDuplicateEvent", "marked_as_duplicate", GRAPH_PLAIN),
	BOTH("MentionedEvent", "mentioned", GRAPH_PLAIN),
	BOTH("MilestonedEvent", "milestoned", GRAPH_MILESTONE),
	BOTH("MovedColumnsInProjectEvent", "moved_columns_in_project", GRAPH_REST_ONLY),
	BOTH("ParentIssueAddedEvent", "parent_issue_added", GRAPH_PLAIN),
	BOTH("ParentIssueRemovedEvent", "parent_issue_removed", GRAPH_PLAIN),
	BOTH("PinnedEvent", "pinned", GRAPH_PLAIN),
	BOTH("ProjectV2ItemStatusChangedEvent", "project_v2_item_status_changed", GRAPH_PLAIN),
	BOTH("ReferencedEvent", "referenced", GRAPH_REFERENCE),
	BOTH("RemovedFromProjectEvent", "removed_from_project", GRAPH_REST_ONLY),
	BOTH("RemovedFromProjectV2Event", "removed_from_project_v2", GRAPH_PLAIN),
	BOTH("RenamedTitleEvent", "renamed", GRAPH_RENAME),
	BOTH("ReopenedEvent", "reopened", GRAPH_REASON),
	BOTH("SubIssueAddedEvent", "sub_issue_added", GRAPH_PLAIN),
	BOTH("SubIssueRemovedEvent", "sub_issue_removed", GRAPH_PLAIN),
	BOTH("SubscribedEvent", "subscribed", GRAPH_PLAIN),
	BOTH("TransferredEvent", "transferred", GRAPH_PLAIN),
	BOTH("UnassignedEvent", "unassigned", GRAPH_ASSIGNEE),
	BOTH("UnlabeledEvent", "unlabeled", GRAPH_LABEL),
	BOTH("UnlockedEvent", "unlocked", GRAPH_PLAIN),
	BOTH("UnmarkedAsDuplicateEvent", "unmarked_as_duplicate", GRAPH_PLAIN),
	BOTH("UnpinnedEvent", "unpinned", GRAPH_PLAIN),
	BOTH("UnsubscribedEvent", "unsubscribed", GRAPH_PLAIN),
	BOTH("UserBlockedEvent", "user_blocked", GRAPH_PLAIN),
	PULL("AddedToMergeQueueEvent", "added_to_merge_queue", GRAPH_PLAIN),
	PULL("AutoMergeDisabledEvent", "auto_merge_disabled", GRAPH_PLAIN),
	PULL("AutoMergeEnabledEvent", "auto_merge_enabled", GRAPH_PLAIN),
	PULL("AutoRebaseEnabledEvent", "auto_rebase_enabled", GRAPH_PLAIN),
	PULL("AutoSquashEnabledEvent", "auto_squash_enabled", GRAPH_PLAIN),
	PULL("AutomaticBaseChangeFailedEvent", "automatic_base_change_failed", GRAPH_PLAIN),
	PULL("AutomaticBaseChangeSucceededEvent", "automatic_base_change_succeeded",
	    GRAPH_PLAIN),
	PULL("BaseRefChangedEvent", "base_ref_changed", GRAPH_PLAIN),
	PULL("BaseRefDeletedEvent", "base_ref_deleted", GRAPH_PLAIN),
	PULL("BaseRefForcePushedEvent", "base_ref_force_pushed", GRAPH_AFTER_COMMIT),
	PULL("ConvertToDraftEvent", "convert_to_draft", GRAPH_PLAIN),
	PULL("DeployedEvent", "deployed", GRAPH_PLAIN),
	PULL(
	    "DeploymentEnvironmentChangedEvent", "deployment_environment_changed", GRAPH_PLAIN),
	PULL("HeadRefDeletedEvent", "head_ref_deleted", GRAPH_PLAIN),
	PULL("HeadRefForcePushedEvent", "head_ref_force_pushed", GRAPH_AFTER_COMMIT),
	PULL("HeadRefRestoredEvent", "head_ref_restored", GRAPH_PLAIN),
	PULL("MergedEvent", "merged", GRAPH_COMMIT),
	PULL("ReadyForReviewEvent", "ready_for_review", GRAPH_PLAIN),
	PULL("RemovedFromMergeQueueEvent", "removed_from_merge_queue", GRAPH_PLAIN),
	PULL("ReviewDismissedEvent", "review_dismissed", GRAPH_DISMISSAL),
	PULL("ReviewRequestRemovedEvent", "review_request_removed", GRAPH_REVIEWER),
	PULL("ReviewRequestedEvent", "review_requested", GRAPH_REVIEWER),
};
const size_t graph_kind_count = sizeof(graph_kinds) / sizeof(graph_kinds[0]);

const struct graph_kind *
graph_kind_of(const char *type)
{
	for (size_t i = 0; i < graph_kind_count; i++) {
		if (strcmp(graph_kinds[i].type, type) == 0)
			return &graph_kinds[i];
	}
	return NULL;
}
