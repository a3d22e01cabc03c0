/*
 * swpr_sweep.c - see swpr_sweep.h.
 *
 * A number that the listing lacks is only a question: listings can be cut short or lag
 * behind.  Each one is asked for by itself, and the repository's health before and after,
 * since a repository that was closed to us meanwhile answers 404 and 410 for everything.
 */
#include "tools/swpr_sweep.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"

struct sweep {
	const struct swpr_cluster *cluster;
	struct swpr_hub *hub;
	const struct repo_entry *entry;
	const struct swpr_rules *rules;
	struct swpr_repo_state *state;
	struct swpr_tally *tally;
	struct swpr_numbers mirrored, missing, lacking;
	struct swpr_burial *burials;
	size_t burial_count;
};

/* Notes are told in the table; the first one counts. */
static void __attribute__((format(printf, 2, 3))) leave(struct sweep *s, const char *fmt, ...)
{
	va_list ap;

	s->tally->undone = true;
	if (s->tally->note[0] != '\0')
		return;
	va_start(ap, fmt);
	vsnprintf(s->tally->note, sizeof(s->tally->note), fmt, ap);
	va_end(ap);
}

/* --- what is missing --- */

static int
add_burial(struct sweep *s, uint32_t number, enum swpr_sight sight, const char *moved_to)
{
	struct swpr_burial *b = &s->burials[s->burial_count];

	*b = (struct swpr_burial){ .number = number };
	if (sight == SWPR_MOVED) {
		b->moved_to = mem_strdup(moved_to);
		if (b->moved_to == NULL)
			return ERR_NOMEM;
	}
	s->burial_count++;
	s->tally->transferred += sight == SWPR_MOVED;
	s->tally->deleted += sight == SWPR_GONE;
	s->tally->vanished += sight == SWPR_NOT_FOUND;
	return 0;
}

static int
look_at(struct sweep *s, uint32_t number, struct err_info *ei)
{
	char moved_to[SWPR_DESTINATION_MAX];
	enum swpr_verdict verdict = SWPR_KEEP;
	enum swpr_sight sight = SWPR_PRESENT;
	int rc = swpr_hub_look(s->hub, number, &sight, moved_to, ei);

	if (rc == 0)
		rc = swpr_state_observe(
		    s->state, number, sight, s->hub->now_ms, s->rules->confirm_ms, &verdict);
	if (rc != 0)
		return rc;
	s->tally->waiting += verdict == SWPR_WAIT;
	if (verdict == SWPR_KEEP) /* as if listed: not asked for again by a run that goes on */
		return swpr_numbers_add(&s->state->listing.seen, number);
	return verdict == SWPR_BURY ? add_burial(s, number, sight, moved_to) : 0;
}

/* As far as the budget goes; *ret_left grows by those that it does not reach. */
static int
look_at_some(
    struct sweep *s, const struct swpr_numbers *which, size_t *ret_left, struct err_info *ei)
{
	size_t i;
	int rc = 0;

	for (i = 0; i < which->count && rc == 0 && !swpr_hub_spent(s->hub); i++)
		rc = look_at(s, which->items[i], ei);
	*ret_left += which->count - i;
	return rc;
}

/*
 * New ones first, so that a small budget comes to the end of them over several runs.
 * While some are left the listing is kept, and the next run begins with these.
 */
static int
look_at_missing(struct sweep *s, struct err_info *ei)
{
	struct swpr_numbers fresh = { .items = NULL }, again = { .items = NULL };
	size_t left = 0;
	int rc = 0;

	s->burials = mem_calloc(s->missing.count + 1, sizeof(*s->burials));
	if (s->burials == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < s->missing.count && rc == 0; i++)
		rc = swpr_numbers_add(
		    swpr_state_is_missing(s->state, s->missing.items[i]) ? &again : &fresh,
		    s->missing.items[i]);
	if (rc == 0)
		rc = look_at_some(s, &fresh, &left, ei);
	if (rc == 0)
		rc = look_at_some(s, &again, &left, ei);
	swpr_numbers_clear(&fresh);
	swpr_numbers_clear(&again);
	swpr_numbers_sort(&s->state->listing.seen);
	if (rc == 0 && left == 0)
		swpr_listing_reset(&s->state->listing);
	else if (rc == 0)
		leave(s, "%zu numbers were not looked at: the budget of requests is used up",
		    left);
	return rc;
}

/* --- orders --- */

static int
count_buried(struct sweep *s)
{
	struct swpr_numbers settled = { .items = NULL };
	size_t asked = 0;
	int rc = 0;

	for (size_t i = 0; i < s->burial_count && rc == 0; i++) {
		s->tally->buried += s->burials[i].result == SWPR_BURIED;
		asked += s->burials[i].result == SWPR_ASKED;
		if (s->burials[i].result != SWPR_ASKED)
			rc = swpr_numbers_add(&settled, s->burials[i].number);
	}
	swpr_numbers_sort(&settled);
	swpr_state_forget(s->state, &settled);
	swpr_numbers_clear(&settled);
	if (asked > 0)
		leave(s, "%zu tombstones were asked for, but not made while waiting", asked);
	return rc;
}

static int
bury(struct sweep *s, struct err_info *ei)
{
	int rc, counted;

	if (s->burial_count == 0)
		return 0;
	rc = swpr_hub_health(s->hub, ei); /* what was seen counts only if it still is well */
	if (rc != 0 || s->rules->dry_run)
		return rc;
	rc = swpr_bury(s->cluster, s->entry, s->burials, s->burial_count, ei);
	counted = count_buried(s);
	return rc == 0 ? counted : rc;
}

static int
poke(struct sweep *s, struct err_info *ei)
{
	s->tally->lacking = s->lacking.count;
	if (s->lacking.count == 0 || s->rules->dry_run)
		return 0;
	return swpr_poke(s->cluster, s->entry, ei);
}

/* --- all of it --- */

/* The mirror first: what it has then, and GitHub lacks later, is worth a question. */
static int
compare(struct sweep *s, bool *ret_done, struct err_info *ei)
{
	const struct swpr_numbers *seen = &s->state->listing.seen;
	int rc = swpr_mirror_list(s->cluster, s->entry, &s->mirrored, ei);

	s->tally->mirrored = s->mirrored.count;
	if (rc == 0) {
		rc = swpr_hub_health(s->hub, ei);
		s->tally->away = err_may_pass(rc);
	}
	if (rc == 0)
		rc = swpr_hub_list(s->hub, &s->state->listing, ret_done, ei);
	s->tally->listed = seen->count;
	if (rc != 0 || !*ret_done)
		return rc;
	rc = swpr_numbers_without(&s->mirrored, seen, &s->missing);
	return rc == 0 ? swpr_numbers_without(seen, &s->mirrored, &s->lacking) : rc;
}

static int
sweep(struct sweep *s, struct err_info *ei)
{
	bool done = false;
	int rc = compare(s, &done, ei);

	if (rc == 0 && !done) {
		leave(s, "the listing goes on next time: the budget of requests is used up");
		return 0;
	}
	if (rc == 0) {
		swpr_state_prune(s->state, &s->missing);
		rc = look_at_missing(s, ei);
	}
	if (rc == 0)
		rc = bury(s, ei);
	return rc == 0 ? poke(s, ei) : rc;
}

int
swpr_sweep(const struct swpr_cluster *c, struct swpr_hub *hub, const struct repo_entry *e,
    const struct swpr_rules *rules, struct swpr_repo_state *state, struct swpr_tally *ret)
{
	uint64_t before = gh_stats(hub->gh)->requests;
	struct swpr_tally tally = { .repo = e->name };
	struct err_info ei = { .text = "" };
	struct sweep s = { c, hub, e, rules, state, &tally, { NULL, 0, 0 }, { NULL, 0, 0 },
		{ NULL, 0, 0 }, NULL, 0 };
	int rc = sweep(&s, &ei);

	if (rc != 0) {
		tally.note[0] = '\0'; /* what stopped it says more */
		leave(&s, "%s", ei.text[0] != '\0' ? ei.text : err_name(rc));
	}
	tally.requests = gh_stats(hub->gh)->requests - before;
	for (size_t i = 0; i < s.burial_count; i++)
		mem_free(s.burials[i].moved_to);
	mem_free(s.burials);
	swpr_numbers_clear(&s.mirrored);
	swpr_numbers_clear(&s.missing);
	swpr_numbers_clear(&s.lacking);
	*ret = tally;
	return rc == ERR_CANCELED || rc == ERR_NOMEM ? rc : 0;
}
