/* act.c - see act.h; must not decide what is done. */
#include "sprvsr/act.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

#define THREADS_MAX 32
#define CALL_MS 15000
#define EVENT_MS 3000 /* while it is sent, a thread does nothing else, and it may be lost */

struct actors {
	struct act_opts o;
	struct cancel cancel;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct job *first, **last; /* waiting, in order */
	struct job *done;
	bool stopping;
	pthread_t threads[THREADS_MAX];
	struct k8s_client *clients[THREADS_MAX];
	unsigned started, taken;
};

void
job_free(struct job *j)
{
	if (j == NULL)
		return;
	mem_free(j->body);
	mem_free(j);
}

/*
 * Only the object that was seen is removed: one that somebody made meanwhile under its name
 * has another uid.
 */
static void
delete_options(const struct action *a, char *out, size_t size)
{
	snprintf(out, size,
	    "{\"apiVersion\":\"v1\",\"kind\":\"DeleteOptions\","
	    "\"propagationPolicy\":\"Background\",\"preconditions\":{\"uid\":\"%s\"}}",
	    a->uid);
}

static void
copy_text(char *out, size_t size, const json_t *map, const char *key)
{
	const char *text = json_string_value(json_object_get(map, key));

	snprintf(out, size, "%s", text != NULL ? text : "");
}

/* `object` is NULL when there was no answer. */
static void
take_answer(struct job *j, const json_t *object)
{
	const json_t *meta = json_object_get(object, "metadata");

	copy_text(j->version, sizeof(j->version), meta, "resourceVersion");
	if (j->action.uid[0] == '\0') /* created just now */
		copy_text(j->action.uid, sizeof(j->action.uid), meta, "uid");
}

/*
 * What is changed is the object that was seen, too: with a uid in it, an apply neither creates
 * (409) nor takes over what somebody made meanwhile under the name (422).
 */
static int
pin(struct job *j)
{
	json_t *doc = NULL;
	char *text = NULL;
	int rc = json_in_parse(slice_str(j->body), "desired", &doc, &j->ei);

	if (rc == 0 && json_object_set_new(json_object_get(doc, "metadata"), "uid",
			   json_string(j->action.uid)) == 0)
		text = json_dumps(doc, JSON_COMPACT);
	json_decref(doc);
	if (text == NULL)
		return rc != 0 ? rc : ERR_NOMEM;
	mem_free(j->body);
	j->body = mem_strdup(text);
	free(text);
	return j->body != NULL ? 0 : ERR_NOMEM;
}

/* {"metadata":{"uid":...},"spec":...}: the wanted spec, as a merge patch of the object that was seen. */
static char *
spec_patch(const struct job *j)
{
	json_t *doc = NULL, *patch = NULL, *spec, *strategy;
	char *text = NULL;

	if (json_in_parse(slice_str(j->body), "desired", &doc, NULL) != 0)
		return NULL;
	spec = json_object_get(doc, "spec");
	strategy = json_object_get(spec, "strategy");
	if (strategy == NULL ||
	    json_object_set_new(strategy, "rollingUpdate", json_null()) == 0)
		patch =
		    json_pack("{s:{s:s},s:O}", "metadata", "uid", j->action.uid, "spec", spec);
	if (patch != NULL)
		text = json_dumps(patch, JSON_COMPACT);
	json_decref(patch);
	json_decref(doc);
	return text;
}

/*
 * An edit can leave what no apply takes away, and what the server refuses beside ours: a
 * strategy's rollingUpdate, which it added itself and nobody owns; a port under another number,
 * another kind of probe or volume, which their editor owns.  A merge patch replaces lists whole.
 * It makes us own, as an update, what it changes; so it comes after an apply was refused.
 */
static int
replace_spec(struct k8s_client *c, const struct act_opts *o, const char *object, struct job *j)
{
	struct k8s_call call = { .verb = "patch",
		.method = "PATCH",
		.content_type = "application/merge-patch+json",
		.tries = 1,
		.total_ms = CALL_MS,
		.time_left_ms = o->time_left_ms,
		.left_ctx = o->ctx };
	char path[512], *patch = spec_patch(j);
	int rc;

	if (patch == NULL)
		return ERR_NOMEM;
	snprintf(path, sizeof(path), "%s?fieldManager=%s", object, o->manager);
	call.path = path;
	call.body = slice_str(patch);
	rc = k8s_ask(c, &call, NULL, NULL);
	free(patch);
	return rc;
}

static int
send_event(struct k8s_client *c, const struct act_opts *o, struct job *j)
{
	struct k8s_call call = { .verb = "create",
		.method = "POST",
		.content_type = "application/json",
		.body = slice_str(j->body),
		.tries = 1,
		.total_ms = EVENT_MS };
	char path[256];

	snprintf(path, sizeof(path), "/api/v1/namespaces/%s/events", o->namespace_name);
	call.path = path;
	return k8s_ask(c, &call, NULL, &j->ei);
}

static int
remove_object(struct k8s_client *c, const struct act_opts *o, const char *object, struct job *j)
{
	struct k8s_call call = { .verb = "delete",
		.method = "DELETE",
		.path = object,
		.content_type = "application/json",
		.total_ms = CALL_MS,
		.time_left_ms = o->time_left_ms,
		.left_ctx = o->ctx };
	char options[256];
	int rc;

	delete_options(&j->action, options, sizeof(options));
	call.body = slice_str(options);
	rc = k8s_ask(c, &call, NULL, &j->ei);
	return rc == ERR_NOENT ? 0 : rc;
}

static int
apply(struct k8s_client *c, const struct act_opts *o, const char *object, struct job *j)
{
	bool create = j->action.verb == ACT_CREATE;
	struct k8s_call call = { .verb = "patch",
		.method = "PATCH",
		.content_type = "application/apply-patch+yaml",
		.total_ms = CALL_MS,
		.time_left_ms = o->time_left_ms,
		.left_ctx = o->ctx };
	char path[512];
	json_t *answer = NULL;
	int rc = create ? 0 : pin(j);

	/*
	 * An object that we think is not there is not taken from whoever made one under its name
	 * meanwhile: without force, a field of another manager's with another value is a 409.
	 */
	snprintf(path, sizeof(path), "%s?fieldManager=%s%s", object, o->manager,
	    create ? "" : "&force=true");
	call.path = path;
	if (rc == 0) {
		call.body = slice_str(j->body);
		rc = k8s_ask_json(c, &call, &answer, &j->ei);
	}
	if (rc == ERR_HTTP && j->ei.http_status == 422 && !create &&
	    replace_spec(c, o, object, j) == 0)
		rc = k8s_ask_json(c, &call, &answer, &j->ei);
	take_answer(j, answer);
	json_decref(answer);
	return rc;
}

static void
perform(struct k8s_client *c, const struct act_opts *o, struct job *j)
{
	char collection[COLLECTION_MAX], object[256];

	desired_collection(j->action.kind, o->namespace_name, collection);
	snprintf(object, sizeof(object), "%s/%s", collection, j->action.name);
	if (j->is_event)
		j->rc = send_event(c, o, j);
	else if (j->action.verb == ACT_DELETE)
		j->rc = remove_object(c, o, object, j);
	else
		j->rc = apply(c, o, object, j);
}

static struct job *
next_job(struct actors *a)
{
	struct job *j;

	pthread_mutex_lock(&a->lock);
	while (a->first == NULL && !a->stopping)
		pthread_cond_wait(&a->wake, &a->lock);
	j = a->stopping ? NULL : a->first;
	if (j != NULL) {
		a->first = j->next;
		if (a->first == NULL)
			a->last = &a->first;
	}
	pthread_mutex_unlock(&a->lock);
	return j;
}

static void *
run(void *arg)
{
	struct actors *a = arg;
	struct k8s_client *c;
	struct job *j;

	pthread_mutex_lock(&a->lock);
	c = a->clients[a->taken++];
	pthread_mutex_unlock(&a->lock);
	while ((j = next_job(a)) != NULL) {
		if (a->o.time_left_ms(a->o.ctx) > 0)
			perform(c, &a->o, j);
		else
			j->rc = err_set(&j->ei, ERR_CANCELED, "this replica leads no more");
		pthread_mutex_lock(&a->lock);
		j->next = a->done;
		a->done = j;
		pthread_mutex_unlock(&a->lock);
		a->o.on_done(a->o.ctx);
	}
	return NULL;
}

int
actors_start(const struct act_opts *o, struct actors **ret, struct err_info *ei)
{
	struct actors *a = mem_zalloc(sizeof(*a));
	int rc = a != NULL ? 0 : ERR_NOMEM;

	if (rc != 0)
		return rc;
	a->o = *o;
	a->last = &a->first;
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->wake, NULL);
	for (unsigned i = 0; i < o->threads && i < THREADS_MAX && rc == 0; i++)
		rc = k8s_client_new(o->api, o->cancel, NULL, &a->clients[i], ei);
	for (unsigned i = 0; i < o->threads && i < THREADS_MAX && rc == 0; i++) {
		if (pthread_create(&a->threads[i], NULL, run, a) != 0)
			rc = err_set(ei, ERR_NOMEM, "no thread can be started");
		else
			a->started++;
	}
	if (rc != 0)
		actors_stop(a);
	else
		*ret = a;
	return rc;
}

void
actors_add(struct actors *a, struct job *j)
{
	j->next = NULL;
	pthread_mutex_lock(&a->lock);
	*a->last = j;
	a->last = &j->next;
	pthread_cond_signal(&a->wake);
	pthread_mutex_unlock(&a->lock);
}

struct job *
actors_done(struct actors *a)
{
	struct job *j;

	pthread_mutex_lock(&a->lock);
	j = a->done;
	a->done = NULL;
	pthread_mutex_unlock(&a->lock);
	return j;
}

static void
free_list(struct job *j)
{
	while (j != NULL) {
		struct job *next = j->next;

		job_free(j);
		j = next;
	}
}

void
actors_stop(struct actors *a)
{
	if (a == NULL)
		return;
	pthread_mutex_lock(&a->lock);
	a->stopping = true;
	pthread_cond_broadcast(&a->wake);
	pthread_mutex_unlock(&a->lock);
	for (unsigned i = 0; i < a->started; i++)
		pthread_join(a->threads[i], NULL);
	for (unsigned i = 0; i < THREADS_MAX; i++)
		k8s_client_free(a->clients[i]);
	free_list(a->first);
	free_list(a->done);
	pthread_cond_destroy(&a->wake);
	pthread_mutex_destroy(&a->lock);
	mem_free(a);
}
