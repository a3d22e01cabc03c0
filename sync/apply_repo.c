/* apply_repo.c - what a mutation says about the repository: labels, milestones, sync. */
#include <string.h>

#include "sync/apply_internal.h"

void
apply_label(struct apply *a, const Maintpb__GithubLabel *in)
{
	struct snap_label l = { 0 };
	int rc;

	if (in->name[0] == '\0' && in->color[0] == '\0' && in->description == NULL)
		return;
	rc = snap_label_get(snap_txn_view(a->txn), in->id, &l);
	if (rc != 0 && rc != ERR_NOENT)
		snap_txn_fail(a->txn, rc);
	l.id = in->id;
	if (in->name[0] != '\0')
		l.name = apply_escape(a, in->name);
	if (in->color[0] != '\0')
		l.color = apply_escape(a, in->color);
	if (in->description != NULL)
		l.description = apply_escape(a, in->description->val);
	snap_label_set(a->txn, &l);
}

static void
milestone_times(struct snap_milestone *m, const Maintpb__GithubMilestone *in)
{
	if (in->created != NULL)
		m->created_ms = apply_time(in->created);
	if (in->updated != NULL)
		m->updated_ms = apply_time(in->updated);
	if (in->closed_at != NULL)
		m->closed_ms = apply_time(in->closed_at);
	if (in->due != NULL)
		m->due_ms = apply_time(in->due);
	if (in->no_due != 0)
		m->due_ms = TIME_NONE;
	if (in->closed != NULL && in->closed->val == 0) /* opened again */
		m->closed_ms = TIME_NONE;
}

static void
apply_milestone(struct apply *a, const Maintpb__GithubMilestone *in)
{
	struct snap_milestone m = { .created_ms = TIME_NONE,
		.updated_ms = TIME_NONE,
		.closed_ms = TIME_NONE,
		.due_ms = TIME_NONE };
	int64_t creator;
	int rc;

	if (!apply_id_ok(a, in->id))
		return;
	creator = apply_user(a, in->creator); /* writes: before anything is borrowed */
	rc = snap_milestone_get(snap_txn_view(a->txn), in->id, &m);
	if (rc != 0 && rc != ERR_NOENT)
		snap_txn_fail(a->txn, rc);
	m.id = in->id;
	if (in->number != 0)
		m.number = in->number;
	if (in->title[0] != '\0')
		m.title = apply_escape(a, in->title);
	if (in->description != NULL)
		m.description = apply_escape(a, in->description->val);
	if (in->closed != NULL)
		m.closed = in->closed->val != 0;
	if (creator != 0)
		m.creator = creator;
	milestone_times(&m, in);
	snap_milestone_set(a->txn, &m);
}

static void
apply_sync_state(struct apply *a, const Maintpb__GithubSyncState *s)
{
	struct snap_sync sync = { .server_date_ms = apply_time(s->server_date),
		.complete = s->complete != 0,
		.position = slice_str(s->position) };

	/* Polling starts over from the state's date: what came later is asked for again. */
	sync.watermark_ms = sync.server_date_ms;
	if (s->family[0] != '\0' && strlen(s->family) < 64)
		snap_sync_put(a->txn, slice_str(s->family), &sync);
}

void
apply_repository(struct apply *a, const Maintpb__GithubMutation *m)
{
	for (size_t i = 0; i < m->n_labels; i++) {
		if (apply_id_ok(a, m->labels[i]->id))
			apply_label(a, m->labels[i]);
	}
	for (size_t i = 0; i < m->n_milestones; i++)
		apply_milestone(a, m->milestones[i]);
	for (size_t i = 0; i < m->n_deleted_label; i++)
		snap_label_delete(a->txn, m->deleted_label[i]);
	for (size_t i = 0; i < m->n_deleted_milestone; i++)
		snap_milestone_delete(a->txn, m->deleted_milestone[i]);
	for (size_t i = 0; i < m->n_sync_state; i++)
		apply_sync_state(a, m->sync_state[i]);
	if (m->renamed_to[0] != '\0')
		snap_note_put(a->txn, "renamed_to", slice_str(m->renamed_to));
}
