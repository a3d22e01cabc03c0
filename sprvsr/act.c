/* act.c - see act.h; must not decide what is done. */
#include "sprvsr/act.h"

#include <stdio.h>

#include "base/mem.h"

#define THREADS_MAX 32

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

static const char *
collection(enum kind kind)
{
	return kind == KIND_DEPLOYMENT ? "deployments" : "services";
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
take_version(struct job *j, const json_t *object)
{
	const char *version = json_string_value(
	    json_object_get(json_object_get(object, "metadata"), "resourceVersion"));

	snprintf(j->version, sizeof(j->version), "%s", version != NULL ? version : "");
}

/*
 * Where somebody set another strategy, the server has added rollingUpdate, which nobody owns,
 * so that no apply removes it, and then refuses Recreate beside it.
 */
static int
make_recreate(struct k8s_client *c, const char *object, const char *manager)
{
	static const char patch[] =
	    "{\"spec\":{\"strategy\":{\"type\":\"Recreate\",\"rollingUpdate\":null}}}";
	struct k8s_call call = { .verb = "patch",
		.method = "PATCH",
		.content_type = "application/merge-patch+json",
		.body = SLICE_INIT(patch),
		.tries = 1,
		.total_ms = 15000 };
	char path[512];

	snprintf(path, sizeof(path), "%s?fieldManager=%s", object, manager);
	call.path = path;
	return k8s_ask(c, &call, NULL, NULL);
}

void
act_perform(
    struct k8s_client *c, const char *namespace_name, const char *manager, struct job *j)
{
	struct k8s_call call = { .verb = "patch",
		.method = "PATCH",
		.content_type = "application/apply-patch+yaml",
		.body = slice_str(j->body),
		.total_ms = 15000 };
	char object[256], path[512], options[256];
	json_t *answer = NULL;

	snprintf(object, sizeof(object), "%s/namespaces/%s/%s/%s",
	    j->action.kind == KIND_DEPLOYMENT ? "/apis/apps/v1" : "/api/v1", namespace_name,
	    collection(j->action.kind), j->action.name);
	/*
	 * An object that we think is not there is not taken from whoever made one under its name
	 * meanwhile: without force, a field of another manager's with another value is a 409.
	 */
	snprintf(path, sizeof(path), "%s?fieldManager=%s%s", object, manager,
	    j->action.verb == ACT_CREATE ? "" : "&force=true");
	call.path = path;
	if (j->is_event) {
		snprintf(path, sizeof(path), "/api/v1/namespaces/%s/events", namespace_name);
		call.verb = "create";
		call.method = "POST";
		call.content_type = "application/json";
		call.tries = 1;
	} else if (j->action.verb == ACT_DELETE) {
		delete_options(&j->action, options, sizeof(options));
		call.verb = "delete";
		call.method = "DELETE";
		call.path = object;
		call.content_type = "application/json";
		call.body = slice_str(options);
	}
	j->rc = k8s_ask_json(c, &call, &answer, &j->ei);
	if (j->rc == ERR_HTTP && j->ei.http_status == 422 && !j->is_event &&
	    j->action.kind == KIND_DEPLOYMENT && j->action.verb != ACT_DELETE &&
	    make_recreate(c, object, manager) == 0)
		j->rc = k8s_ask_json(c, &call, &answer, &j->ei);
	if (j->action.verb == ACT_DELETE && j->rc == ERR_NOENT)
		j->rc = 0;
	take_version(j, answer);
	json_decref(answer);
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
		if (a->o.may_act(a->o.ctx))
			act_perform(c, a->o.namespace_name, a->o.manager, j);
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
