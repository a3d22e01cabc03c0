/* scale.c - see scale.h; only what RBAC for it in docs/tools.md allows. */
#include "tools/scale.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"
#include "sprvsr/k8s_client.h"

#define REQUESTS_PER_S 20
#define LABEL_MAX 63
#define POLL_MS 1000
#define PATH_BYTES_MAX 4096
#define MERGE_PATCH "application/merge-patch+json"
#define SCALED_FROM "maintner/scaled-from"

struct scale {
	struct k8s_config config;
	struct k8s_shared api;
	struct k8s_client *client;
	const char *namespace_name;
	int64_t timeout_ms;
};

int
scale_open(const struct scale_opts *o, struct scale **ret, struct err_info *ei)
{
	struct scale *s = mem_zalloc(sizeof(*s));
	int rc;

	if (s == NULL)
		return ERR_NOMEM;
	rc = o->kubeconfig != NULL ? k8s_config_file(o->kubeconfig, &s->config, ei)
				   : k8s_config_in_cluster(K8S_ACCOUNT_DIR, &s->config, ei);
	s->namespace_name =
	    o->namespace_name != NULL ? o->namespace_name : s->config.namespace_name;
	s->timeout_ms = o->timeout_ms;
	k8s_shared_init(&s->api, &s->config, REQUESTS_PER_S, 2 * REQUESTS_PER_S);
	if (rc == 0)
		rc = k8s_client_new(&s->api, o->cancel, NULL, &s->client, ei);
	if (rc == 0)
		*ret = s;
	else
		scale_close(s);
	return rc;
}

void
scale_close(struct scale *s)
{
	if (s == NULL)
		return;
	k8s_client_free(s->client);
	k8s_shared_clear(&s->api);
	k8s_config_clear(&s->config);
	mem_free(s);
}

const char *
scale_namespace(const struct scale *s)
{
	return s->namespace_name;
}

/* Ask at a path below the namespace; *ret may be NULL. */
static int
ask(struct scale *s, struct k8s_call call, const char *group, struct buf *rest, json_t **ret,
    struct err_info *ei)
{
	json_t *answer = NULL;
	struct buf path;
	int rc;

	buf_init(&path, (size_t)2 * PATH_BYTES_MAX);
	buf_fmt(&path, "%s/namespaces/%s/", group, s->namespace_name);
	if (buf_cstr(rest) != NULL)
		buf_str(&path, buf_cstr(rest));
	call.path = buf_cstr(&path);
	rc = call.path != NULL && buf_err(rest) == 0
		 ? k8s_ask_json(s->client, &call, &answer, ei)
		 : ERR_LIMIT;
	buf_clear(&path);
	if (rc == 0 && ret != NULL)
		*ret = answer;
	else
		json_decref(answer);
	return rc;
}

/* --- finding --- */

/* Then it stands in the label as it is. */
static bool
is_label(struct slice v)
{
	static const char inner[] = "-_.";

	if (v.len == 0 || v.len > LABEL_MAX)
		return false;
	for (size_t i = 0; i < v.len; i++) {
		char c = v.ptr[i];
		bool alnum =
		    (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		bool edge = i == 0 || i + 1 == v.len;

		if (!alnum && (edge || strchr(inner, c) == NULL))
			return false;
	}
	return true;
}

static void
add_selector(struct buf *out, const char *repo, bool narrow)
{
	const char *slash = strchr(repo, '/');
	struct slice owner = { repo, (size_t)(slash - repo) }, name = slice_str(slash + 1);

	buf_str(out, "&labelSelector=maintner-sprvsr-autogen%3Dtrue");
	if (!narrow || !is_label(owner) || !is_label(name))
		return;
	buf_str(out, "%2Cowner%3D");
	buf_slice(out, owner);
	buf_str(out, "%2Crepository%3D");
	buf_slice(out, name);
}

static int64_t
number_of(const json_t *object, const char *group, const char *member, int64_t missing)
{
	const json_t *v = json_object_get(json_object_get(object, group), member);

	return json_is_integer(v) ? (int64_t)json_integer_value(v) : missing;
}

static const char *
note_of(const json_t *object, const char *key)
{
	const json_t *notes =
	    json_object_get(json_object_get(object, "metadata"), "annotations");
	const char *text = json_string_value(json_object_get(notes, key));

	return text != NULL ? text : "";
}

/* As the supervisor writes them: "--flag=value", one word. */
static void
take_log_of(const json_t *container, const char *owner_repo, char out[SCALE_URL_MAX])
{
	const json_t *args = json_object_get(container, "args");

	for (size_t i = 0; i < json_array_size(args); i++) {
		const char *arg = json_string_value(json_array_get(args, i)), *url;
		bool exact = arg != NULL && strncmp(arg, "--log-exact=", 12) == 0;
		size_t len;

		if (arg == NULL || (!exact && strncmp(arg, "--log=", 6) != 0))
			continue;
		url = strchr(arg, '=') + 1;
		len = strlen(url);
		while (len > 0 && url[len - 1] == '/')
			len--;
		/* "$" would be the kubelet's to replace: such a URL is not understood. */
		if (len == 0 || len + 2 + REPO_NAME_MAX >= SCALE_URL_MAX ||
		    strchr(url, '$') != NULL)
			continue;
		snprintf(out, SCALE_URL_MAX, "%.*s%s%s", (int)len, url, exact ? "" : "/",
		    exact ? "" : owner_repo);
	}
}

static void
take_log(const json_t *object, char out[SCALE_URL_MAX])
{
	const json_t *template = json_object_get(json_object_get(object, "spec"), "template");
	const json_t *all = json_object_get(json_object_get(template, "spec"), "containers");
	char name[REPO_NAME_MAX + 1];

	snprintf(name, sizeof(name), "%.*s/%.*s", REPO_PART_MAX,
	    note_of(object, "maintner/owner"), REPO_PART_MAX,
	    note_of(object, "maintner/repository"));
	out[0] = '\0';
	for (size_t i = 0; i < json_array_size(all); i++)
		take_log_of(json_array_get(all, i), name, out);
}

static int
take(const json_t *object, struct scale_target *ret, struct err_info *ei)
{
	const char *name =
	    json_string_value(json_object_get(json_object_get(object, "metadata"), "name"));
	const char *from = note_of(object, SCALED_FROM);
	bool seen = number_of(object, "status", "observedGeneration", 0) >=
		    number_of(object, "metadata", "generation", 0);

	if (name == NULL || strlen(name) >= sizeof(ret->name))
		return err_set(ei, ERR_PROTO, "Kubernetes API: a Deployment without a name");
	snprintf(ret->name, sizeof(ret->name), "%s", name);
	ret->replicas = number_of(object, "spec", "replicas", 1);
	ret->available = seen ? number_of(object, "status", "availableReplicas", 0) : 0;
	ret->seen = seen && number_of(object, "status", "replicas", 0) <= ret->replicas;
	take_log(object, ret->log);
	ret->scaled_from = SCALE_NONE;
	if (from[0] >= '0' && from[0] <= '9' && strlen(from) < 10)
		ret->scaled_from = strtoll(from, NULL, 10);
	return 0;
}

struct finding {
	const char *repo;
	bool narrow; /* ask only for those with its labels */
	size_t count;
	char other[REPO_NAME_MAX + 1]; /* spelled in another way */
	struct scale_target target;
};

static int
look_at(struct finding *f, const json_t *object, struct err_info *ei)
{
	char name[REPO_NAME_MAX + 1];

	snprintf(name, sizeof(name), "%.*s/%.*s", REPO_PART_MAX,
	    note_of(object, "maintner/owner"), REPO_PART_MAX,
	    note_of(object, "maintner/repository"));
	if (strcmp(name, f->repo) == 0) {
		f->count++;
		return take(object, &f->target, ei);
	}
	if (strcasecmp(name, f->repo) == 0)
		snprintf(f->other, sizeof(f->other), "%s", name);
	return 0;
}

static int
look_at_page(struct scale *s, struct finding *f, struct buf *next, struct err_info *ei)
{
	const struct k8s_call call = { .verb = "list", .method = "GET" };
	json_t *page = NULL, *object;
	const char *more;
	struct buf rest;
	size_t i;
	int rc;

	buf_init(&rest, PATH_BYTES_MAX);
	buf_str(&rest, "deployments?limit=500");
	add_selector(&rest, f->repo, f->narrow);
	if (next->len > 0)
		buf_fmt(&rest, "&continue=%s", buf_cstr(next));
	rc = ask(s, call, "/apis/apps/v1", &rest, &page, ei);
	buf_clear(&rest);
	if (rc != 0)
		return rc;
	json_array_foreach(json_object_get(page, "items"), i, object)
	{
		if (rc == 0)
			rc = look_at(f, object, ei);
	}
	more =
	    json_string_value(json_object_get(json_object_get(page, "metadata"), "continue"));
	buf_reset(next);
	http_encode(next, more != NULL ? more : "");
	json_decref(page);
	return rc == 0 ? buf_err(next) : rc;
}

static int
look_at_all(struct scale *s, struct finding *f, struct err_info *ei)
{
	struct buf next;
	int rc;

	buf_init(&next, PATH_BYTES_MAX / 2);
	do
		rc = look_at_page(s, f, &next, ei);
	while (rc == 0 && next.len > 0);
	buf_clear(&next);
	return rc;
}

int
scale_find(struct scale *s, const char *repo, struct scale_target *ret, struct err_info *ei)
{
	struct finding f = { .repo = repo, .narrow = true };
	int rc = look_at_all(s, &f, ei);

	if (rc == 0 && f.count == 0) { /* labels that were edited; or a reason to tell */
		f.narrow = false;
		rc = look_at_all(s, &f, ei);
	}
	if (rc != 0)
		return err_wrap(ei, rc, "looking for the Deployment of %s", repo);
	if (f.count > 1)
		return err_set(ei, ERR_CONFLICT,
		    "%zu Deployments in namespace %s say that "
		    "they are of %s",
		    f.count, s->namespace_name, repo);
	if (f.count == 0)
		return err_set(ei, ERR_NOENT, "no Deployment in namespace %s is of %s%s%s",
		    s->namespace_name, repo, f.other[0] != '\0' ? "; there is one of " : "",
		    f.other);
	*ret = f.target;
	return 0;
}

/* --- scaling --- */

static int
patch(struct scale *s, const struct scale_target *t, const char *what, struct buf *body,
    struct err_info *ei)
{
	struct k8s_call call = {
		.verb = "patch", .method = "PATCH", .content_type = MERGE_PATCH
	};
	struct buf rest;
	int rc;

	buf_init(&rest, PATH_BYTES_MAX);
	buf_fmt(&rest, "deployments/%s%s", t->name, what);
	call.body = buf_view(body);
	rc = ask(s, call, "/apis/apps/v1", &rest, NULL, ei);
	buf_clear(&rest);
	return rc == 0 ? 0 : err_wrap(ei, rc, "scaling %s", t->name);
}

int
scale_to(struct scale *s, struct scale_target *t, int64_t replicas, struct err_info *ei)
{
	struct buf body;
	int rc;

	buf_init(&body, 256);
	buf_fmt(&body, "{\"spec\":{\"replicas\":%" PRId64 "}}", replicas);
	rc = patch(s, t, "/scale", &body, ei);
	buf_clear(&body);
	if (rc == 0)
		t->replicas = replicas;
	return rc;
}

/* SCALE_NONE takes the annotation away. */
static int
mark(struct scale *s, struct scale_target *t, int64_t from, struct err_info *ei)
{
	struct buf body;
	int rc;

	buf_init(&body, 256);
	buf_str(&body, "{\"metadata\":{\"annotations\":{\"" SCALED_FROM "\":");
	if (from == SCALE_NONE)
		buf_str(&body, "null");
	else
		buf_fmt(&body, "\"%" PRId64 "\"", from);
	buf_str(&body, "}}}");
	rc = patch(s, t, "", &body, ei);
	buf_clear(&body);
	if (rc == 0)
		t->scaled_from = from;
	return rc;
}

static int
count_pods(struct scale *s, const struct scale_target *t, size_t *ret, struct err_info *ei)
{
	const struct k8s_call call = { .verb = "list", .method = "GET" };
	json_t *page = NULL;
	struct buf rest;
	int rc;

	buf_init(&rest, PATH_BYTES_MAX);
	buf_fmt(&rest, "pods?limit=10&labelSelector=app%%3D%s", t->name);
	rc = ask(s, call, "/api/v1", &rest, &page, ei);
	buf_clear(&rest);
	if (rc != 0)
		return err_wrap(ei, rc, "looking for the pods of %s", t->name);
	*ret = json_array_size(json_object_get(page, "items"));
	/* A page may be empty and not be the last one. */
	if (*ret == 0 && json_string_length(json_object_get(
			     json_object_get(page, "metadata"), "continue")) > 0)
		*ret = 1;
	json_decref(page);
	return 0;
}

int
scale_look(struct scale *s, struct scale_target *t, struct err_info *ei)
{
	const struct k8s_call call = { .verb = "get", .method = "GET" };
	json_t *object = NULL;
	struct buf rest;
	int rc;

	buf_init(&rest, PATH_BYTES_MAX);
	buf_fmt(&rest, "deployments/%s", t->name);
	rc = ask(s, call, "/apis/apps/v1", &rest, &object, ei);
	buf_clear(&rest);
	if (rc == 0)
		rc = take(object, t, ei);
	json_decref(object);
	return rc;
}

/*
 * No pod in the list is not enough: its controller may be about to make one, for a spec
 * that it read before it was scaled.
 */
static int
wait_gone(struct scale *s, const struct scale_target *t, struct err_info *ei)
{
	int64_t end = clock_mono_ms() + s->timeout_ms;

	for (;;) {
		struct scale_target now = *t;
		size_t pods = 0;
		int rc = scale_look(s, &now, ei);

		if (rc == 0 && now.replicas != 0)
			return err_set(ei, ERR_CONFLICT,
			    "somebody scaled %s to %" PRId64 " meanwhile", t->name,
			    now.replicas);
		if (rc == 0)
			rc = count_pods(s, t, &pods, ei);
		if (rc != 0 || (pods == 0 && now.seen))
			return rc;
		if (clock_mono_ms() >= end)
			return pods > 0 ? err_set(ei, ERR_TIMEOUT,
					      "%zu pods of %s are still there", pods, t->name)
					: err_set(ei, ERR_TIMEOUT,
					      "the controller has not seen the scaling of %s",
					      t->name);
		if (k8s_wait(s->client, POLL_MS) != 0)
			return err_set(ei, ERR_CANCELED, "stopped");
	}
}

int
scale_to_zero(struct scale *s, struct scale_target *t, bool keep, struct err_info *ei)
{
	int rc = 0;

	/*
	 * One that was left at 0 by a run that was killed keeps what that run wrote; what runs
	 * says itself how many it is.  If this fails it may have been done all the same: then,
	 * too, there is something to take back.
	 */
	if (keep && t->replicas > 0 && t->scaled_from != t->replicas) {
		rc = mark(s, t, t->replicas, ei);
		t->scaled_from = t->replicas;
	}
	if (rc == 0 && t->replicas > 0)
		rc = scale_to(s, t, 0, ei);
	return rc == 0 ? wait_gone(s, t, ei) : rc;
}

int
scale_restore(struct scale *s, struct scale_target *t, struct err_info *ei)
{
	int rc;

	if (t->scaled_from == SCALE_NONE)
		return 0;
	rc = scale_to(s, t, t->scaled_from, ei);
	return rc == 0 ? mark(s, t, SCALE_NONE, ei) : rc;
}

int
scale_wait_available(struct scale *s, struct scale_target *t, struct err_info *ei)
{
	int64_t end = clock_mono_ms() + s->timeout_ms;

	for (;;) {
		int rc = scale_look(s, t, ei);

		if (rc != 0 || t->available > 0)
			return rc;
		if (clock_mono_ms() >= end)
			return err_set(ei, ERR_TIMEOUT, "%s is not available yet", t->name);
		if (k8s_wait(s->client, POLL_MS) != 0)
			return err_set(ei, ERR_CANCELED, "stopped");
	}
}
