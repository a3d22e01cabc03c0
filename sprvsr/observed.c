/* observed.c - see observed.h; must not know what is desired. */
#include "sprvsr/observed.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

static void
end_obs(void *thing)
{
	struct obs *b = thing;

	free(b->text); /* jansson's */
	mem_free(b->repo);
	mem_free(b);
}

void
observed_init(struct observed *o, const char *manager, const char *namespace_name)
{
	*o = (struct observed){ .manager = manager, .namespace_name = namespace_name };
	pthread_mutex_init(&o->lock, NULL);
}

void
observed_clear(struct observed *o)
{
	for (int k = 0; k < KINDS; k++) {
		names_clear(&o->objects[k], end_obs);
		names_clear(&o->removed[k], NULL);
	}
	pthread_mutex_destroy(&o->lock);
}

bool
obs_is_ready(const struct obs *b)
{
	return b->seen_generation >= b->generation && b->updated >= b->replicas &&
	       b->ready >= b->replicas;
}

/* Only such names can clash with ours. */
static bool
is_our_kind_of_name(enum kind kind, const char *name)
{
	const char *prefix = kind == KIND_DEPLOYMENT ? "mtr-d-" : "mtr-s-";

	return strncmp(name, prefix, OBJECT_PREFIX_LEN) == 0 &&
	       strlen(name) == OBJECT_PREFIX_LEN + SHA224_HEX_LEN &&
	       strspn(name + OBJECT_PREFIX_LEN, "0123456789abcdef") == SHA224_HEX_LEN;
}

static bool
is_text(const json_t *map, const char *key, const char *value)
{
	const char *text = json_string_value(json_object_get(map, key));

	return text != NULL && strcmp(text, value) == 0;
}

/* Labels and annotations can be edited away; who applied what cannot, by accident. */
static enum ownership
ownership_of(const struct observed *o, const json_t *meta)
{
	bool label = is_text(json_object_get(meta, "labels"), LABEL_OURS, "true");
	bool note = is_text(json_object_get(meta, "annotations"), NOTE_OWNER, o->manager);
	const json_t *fields = json_object_get(meta, "managedFields");
	bool applied = false;

	for (size_t i = 0; i < json_array_size(fields); i++) {
		const json_t *one = json_array_get(fields, i);

		applied |=
		    is_text(one, "manager", o->manager) && is_text(one, "operation", "Apply");
	}
	if (label && note)
		return OWNED;
	return applied && (label || note) ? STRAYED : FOREIGN;
}

static int64_t
number(const json_t *map, const char *key, int64_t otherwise)
{
	const json_t *v = json_object_get(map, key);

	return json_is_integer(v) ? json_integer_value(v) : otherwise;
}

static void
copy(char *out, size_t size, const json_t *text)
{
	snprintf(out, size, "%s", json_is_string(text) ? json_string_value(text) : "");
}

/*
 * Before the controller has begun with a change, and while it waits for old pods to end, the
 * condition is still the one of the last rollout: the counts tell.
 */
static bool
is_rolled_out(const struct obs *b, const json_t *status)
{
	const json_t *list = json_object_get(status, "conditions");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *one = json_array_get(list, i);

		if (is_text(one, "type", "Progressing"))
			return is_text(one, "reason", "NewReplicaSetAvailable") &&
			       b->seen_generation >= b->generation && b->updated >= b->replicas;
	}
	return false;
}

/* What a comparison needs, without the many bytes of managedFields and status. */
static char *
reduced(const json_t *object, const json_t *meta)
{
	json_t *doc = json_pack("{s:{s:O?,s:O?},s:O?}", "metadata", "labels",
	    json_object_get(meta, "labels"), "annotations",
	    json_object_get(meta, "annotations"), "spec", json_object_get(object, "spec"));
	char *text = doc != NULL ? json_dumps(doc, JSON_COMPACT) : NULL;

	json_decref(doc);
	return text;
}

/* For people, so that without memory it is not told. */
static char *
repo_of(const json_t *notes)
{
	const char *owner = json_string_value(json_object_get(notes, NOTE_REPO_OWNER));
	const char *name = json_string_value(json_object_get(notes, NOTE_REPO_NAME));
	char text[REPO_NAME_MAX + 1];

	if (owner == NULL || name == NULL)
		return NULL;
	snprintf(text, sizeof(text), "%s/%s", owner, name);
	return mem_strdup(text);
}

static void
read_facts(struct obs *b, const struct observed *o, const json_t *object, const json_t *meta)
{
	const json_t *notes = json_object_get(meta, "annotations");
	const json_t *status = json_object_get(object, "status");

	copy(b->uid, sizeof(b->uid), json_object_get(meta, "uid"));
	copy(b->hash, sizeof(b->hash), json_object_get(notes, NOTE_HASH));
	mem_free(b->repo);
	b->repo = repo_of(notes);
	b->ownership = ownership_of(o, meta);
	b->deleting = json_is_string(json_object_get(meta, "deletionTimestamp"));
	b->was_ready = is_text(notes, NOTE_READY, "true");
	b->generation = number(meta, "generation", 0);
	b->replicas = number(json_object_get(object, "spec"), "replicas", 1);
	b->seen_generation = number(status, "observedGeneration", 0);
	b->updated = number(status, "updatedReplicas", 0);
	b->ready = number(status, "readyReplicas", 0);
	b->rolled_out = is_rolled_out(b, status);
}

int
observed_put(struct observed *o, enum kind kind, const json_t *object, struct err_info *ei)
{
	const json_t *meta = json_object_get(object, "metadata");
	const char *name = json_string_value(json_object_get(meta, "name"));
	const char *version = json_string_value(json_object_get(meta, "resourceVersion"));
	struct obs *b;
	char *text;

	if (name == NULL || version == NULL)
		return err_set(ei, ERR_PROTO,
		    "Kubernetes API: an object without metadata.name or resourceVersion");
	if (!is_our_kind_of_name(kind, name))
		return 0;
	b = names_get(&o->objects[kind], name);
	if (b == NULL) {
		b = mem_zalloc(sizeof(*b));
		if (b == NULL || names_put(&o->objects[kind], name, b) != 0) {
			mem_free(b);
			return ERR_NOMEM;
		}
	}
	b->seen = o->list_number[kind];
	if (strcmp(b->version, version) == 0)
		return 0;
	snprintf(b->version, sizeof(b->version), "%s", version);
	read_facts(b, o, object, meta);
	text = reduced(object, meta);
	/* A status that moves on changes nothing that was compared. */
	if (text == NULL || b->text == NULL || strcmp(text, b->text) != 0)
		b->compared[0] = '\0';
	free(b->text);
	b->text = text;
	return text != NULL ? 0 : ERR_NOMEM;
}

void
observed_remove(struct observed *o, enum kind kind, const json_t *object)
{
	const json_t *meta = json_object_get(object, "metadata");
	const char *name = json_string_value(json_object_get(meta, "name"));
	struct obs *b = name != NULL ? names_take(&o->objects[kind], name) : NULL;

	if (b == NULL)
		return;
	/* Without memory for the note, the plan waits a little longer. */
	(void)names_put(&o->removed[kind], name, o);
	end_obs(b);
}

void
observed_list_begin(struct observed *o, enum kind kind)
{
	o->list_number[kind]++;
}

struct list_end {
	struct observed *o;
	enum kind kind;
};

static bool
was_not_listed(void *ctx, const char *name, void *thing)
{
	const struct list_end *l = ctx;

	if (((struct obs *)thing)->seen == l->o->list_number[l->kind])
		return false;
	(void)names_put(&l->o->removed[l->kind], name, l->o);
	return true;
}

void
observed_list_end(struct observed *o, enum kind kind)
{
	struct list_end l = { o, kind };

	names_sweep(&o->objects[kind], was_not_listed, &l, end_obs);
	o->synced[kind] = true;
	o->lists[kind]++;
}
