/* slo_rules.c - reading a rules file. */
#include "fcgi/slo/slo_rules.h"

#include <ctype.h>
#include <string.h>

#include "base/json.h"
#include "base/json_text.h"

#define WORD_MAX 64
#define DURATION_MAX_S (INT64_C(1000) * 365 * 86400)

/* Where in the file the reader is, for messages. */
struct reader {
	struct arena *arena;
	struct err_info *ei;
	size_t rule; /* counted from 1 */
	int err;
};

static void
fail(struct reader *r, const char *member, const char *expected)
{
	if (r->err == 0)
		r->err = err_set(
		    r->ei, ERR_INVAL, "rule %zu: %s must be %s", r->rule, member, expected);
}

/* Texts are kept escaped, as they are in the snapshot, so that they compare as bytes. */
static struct slice
keep(struct reader *r, const char *text)
{
	struct buf escaped;
	struct slice s;

	buf_init(&escaped, SLO_FILE_MAX * 6);
	json_text_escape(&escaped, slice_str(text));
	s = (struct slice){ arena_dup(r->arena, buf_view(&escaped)), escaped.len };
	if ((buf_err(&escaped) != 0 || s.ptr == NULL) && r->err == 0)
		r->err = ERR_NOMEM;
	buf_clear(&escaped);
	return s.ptr != NULL ? s : SLICE("");
}

/* --- durations --- */

static int64_t
unit_seconds(char unit)
{
	switch (unit) {
	case 'd':
		return 86400;
	case 'h':
		return 3600;
	case 'm':
		return 60;
	case 's':
		return 1;
	default:
		return 0;
	}
}

int
slo_duration_parse(struct slice text, int64_t *ret_ms)
{
	int64_t sum = 0;
	size_t i = 0;

	if (text.len == 0)
		return ERR_INVAL;
	while (i < text.len) {
		int64_t n = 0, unit;
		size_t from = i;

		for (; i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9'; i++) {
			n = n * 10 + (text.ptr[i] - '0');
			if (n > DURATION_MAX_S)
				return ERR_INVAL;
		}
		unit = i < text.len ? unit_seconds(text.ptr[i]) : 0;
		if (i == from || unit == 0 || n > DURATION_MAX_S / unit)
			return ERR_INVAL;
		sum += n * unit;
		i++;
	}
	if (sum > DURATION_MAX_S)
		return ERR_INVAL;
	*ret_ms = sum * 1000;
	return 0;
}

static int64_t
read_duration(struct reader *r, const json_t *settings, const char *member)
{
	const json_t *v = json_object_get(settings, member);
	int64_t ms = 0;
	bool good = true;

	if (v == NULL || json_is_null(v))
		return 0;
	if (json_is_string(v)) {
		const char *text = json_string_value(v);

		good =
		    slo_duration_parse((struct slice){ text, json_string_length(v) }, &ms) == 0;
		good = good || strcmp(text, "0") == 0;
	} else {
		good = json_is_integer(v) && json_integer_value(v) >= 0 &&
		       json_integer_value(v) <= DURATION_MAX_S;
		ms = good ? json_integer_value(v) * 1000 : 0;
	}
	if (!good)
		fail(r, member, "seconds or a text such as \"2d12h\"");
	return ms;
}

/* --- lists and flags --- */

static struct slo_texts
read_texts(struct reader *r, const json_t *object, const char *member)
{
	const json_t *v = json_object_get(object, member), *item;
	struct slo_texts t = { 0 };
	size_t i, count = json_is_string(v) ? 1 : json_array_size(v);

	if (v == NULL || json_is_null(v))
		return t;
	if (!json_is_string(v) && !json_is_array(v))
		fail(r, member, "a text or a list of texts");
	if (count > SLO_TEXTS_MAX)
		fail(r, member, "at most 500 texts");
	t.items = r->err == 0 ? arena_alloc(r->arena, (count + 1) * sizeof(*t.items)) : NULL;
	if (t.items == NULL) {
		r->err = r->err != 0 ? r->err : ERR_NOMEM;
		return (struct slo_texts){ 0 };
	}
	if (json_is_string(v))
		t.items[t.count++] = keep(r, json_string_value(v));
	json_array_foreach(v, i, item)
	{
		if (!json_is_string(item))
			fail(r, member, "a text or a list of texts");
		else
			t.items[t.count++] = keep(r, json_string_value(item));
	}
	return t;
}

static bool
read_flag(struct reader *r, const json_t *object, const char *member, bool otherwise)
{
	const json_t *v = json_object_get(object, member);

	if (v == NULL || json_is_null(v))
		return otherwise;
	if (!json_is_boolean(v))
		fail(r, member, "true or false");
	return json_is_true(v);
}

/* A word in upper case.  Letters of escapes have a case of their own, so it comes first. */
static struct slice
read_word(struct reader *r, const json_t *object, const char *member)
{
	const json_t *v = json_object_get(object, member);
	char word[WORD_MAX + 1];
	size_t len = 0;

	if (v == NULL || json_is_null(v))
		return SLICE("");
	if (!json_is_string(v) || json_string_length(v) > WORD_MAX) {
		fail(r, member, "a word");
		return SLICE("");
	}
	for (const char *text = json_string_value(v); text[len] != '\0'; len++)
		word[len] = (char)toupper((unsigned char)text[len]);
	word[len] = '\0';
	return keep(r, word);
}

static enum slo_contributors
read_contributors(struct reader *r, const json_t *responders)
{
	static const char *const words[] = { "", "OWNER", "ADMIN", "WRITE" };
	struct slice word = read_word(r, responders, "contributors");

	for (int c = SLO_NOBODY_ELSE; c <= SLO_WRITE; c++) {
		if (slice_is(word, words[c]))
			return (enum slo_contributors)c;
	}
	fail(r, "contributors", "OWNER, ADMIN or WRITE");
	return SLO_NOBODY_ELSE;
}

/* --- rules --- */

static const json_t *
object_in(struct reader *r, const json_t *rule, const char *member)
{
	const json_t *v = json_object_get(rule, member);

	if (v != NULL && !json_is_null(v) && !json_is_object(v))
		fail(r, member, "an object");
	return json_is_object(v) ? v : NULL;
}

/*
 * `owners` names files such as CODEOWNERS, which are not mirrored: whoever stands in one
 * can write, so a rule that has them is read as WRITE.
 */
static void
read_responders(struct reader *r, const json_t *settings, struct slo_rule *rule)
{
	const json_t *responders = object_in(r, settings, "responders");
	struct slo_texts owners = read_texts(r, responders, "owners");

	rule->users = read_texts(r, responders, "users");
	rule->contributors = read_contributors(r, responders);
	if (owners.count > 0 ||
	    (rule->users.count == 0 && rule->contributors == SLO_NOBODY_ELSE))
		rule->contributors = SLO_WRITE;
}

static void
read_rule(struct reader *r, const json_t *json, struct slo_rule *rule)
{
	const json_t *applies, *settings;

	if (!json_is_object(json)) {
		r->err = err_set(r->ei, ERR_INVAL, "rule %zu is not an object", r->rule);
		return;
	}
	applies = object_in(r, json, "appliesTo");
	settings = object_in(r, json, "complianceSettings");
	*rule = (struct slo_rule){
		.labels = read_texts(r, applies, "gitHubLabels"),
		.excluded = read_texts(r, applies, "excludedGitHubLabels"),
		.priority = read_word(r, applies, "priority"),
		.issue_type = read_word(r, applies, "issueType"),
		.issues = read_flag(r, applies, "issues", true),
		.pulls = read_flag(r, applies, "prs", false),
		.response_ms = read_duration(r, settings, "responseTime"),
		.resolution_ms = read_duration(r, settings, "resolutionTime"),
		.requires_assignee = read_flag(r, settings, "requiresAssignee", false),
	};
	read_responders(r, settings, rule);
}

static int
read_rules(const json_t *doc, struct arena *a, struct slo_rules *ret, struct err_info *ei)
{
	struct reader r = { .arena = a, .ei = ei };
	struct slo_rules rules = { .count = json_array_size(doc) };

	if (!json_is_array(doc))
		return err_set(ei, ERR_INVAL, "not a list of rules");
	if (rules.count > SLO_RULES_MAX)
		return err_set(ei, ERR_LIMIT, "more than %d rules", SLO_RULES_MAX);
	rules.items = arena_alloc(a, (rules.count + 1) * sizeof(*rules.items));
	if (rules.items == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < rules.count && r.err == 0; i++) {
		r.rule = i + 1;
		read_rule(&r, json_array_get(doc, i), &rules.items[i]);
	}
	if (r.err == 0)
		*ret = rules;
	return r.err;
}

int
slo_rules_parse(struct slice text, struct arena *a, struct slo_rules *ret, struct err_info *ei)
{
	json_t *doc = NULL;
	int rc;

	if (text.len > SLO_FILE_MAX)
		return err_set(ei, ERR_LIMIT, "larger than %zu bytes", SLO_FILE_MAX);
	rc = json_in_parse(text, "rules", &doc, ei);
	if (rc == ERR_PROTO)
		rc = ERR_INVAL;
	if (rc == 0)
		rc = read_rules(doc, a, ret, ei);
	json_decref(doc);
	return rc;
}
