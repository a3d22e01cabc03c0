/* dry_run.c - see dry_run.h. */
#include "sprvsr/dry_run.h"

#include <stdio.h>

#include "base/mem.h"
#include "sprvsr/k8s_watch.h"
#include "sprvsr/yaml_out.h"

struct listing {
	struct observed *seen;
	enum kind kind;
};

static void
on_begin(void *ctx)
{
	struct listing *l = ctx;

	observed_list_begin(l->seen, l->kind);
}

static int
on_put(void *ctx, const json_t *object, struct err_info *ei)
{
	struct listing *l = ctx;

	return observed_put(l->seen, l->kind, object, ei);
}

static void
on_end(void *ctx)
{
	struct listing *l = ctx;

	observed_list_end(l->seen, l->kind);
}

static int
list_all(struct k8s_shared *api, const char *namespace_name, struct observed *seen,
    struct err_info *ei)
{
	static const struct k8s_watch_events events = {
		.list_begin = on_begin, .put = on_put, .list_end = on_end
	};
	struct k8s_client *client;
	int rc = k8s_client_new(api, NULL, NULL, &client, ei);

	for (enum kind k = 0; k < KINDS && rc == 0; k++) {
		struct listing l = { seen, k };
		struct k8s_watch w;
		char path[COLLECTION_MAX];

		desired_collection(k, namespace_name, path);
		k8s_watch_init(&w, client, path, &events, &l);
		rc = k8s_list(&w, ei);
		k8s_watch_clear(&w);
		if (rc != 0)
			break;
	}
	k8s_client_free(client);
	return rc;
}

static void
print_table(const struct plan *p)
{
	static const char *const verbs[ACTS] = { "create", "update", "repair", "delete" };

	printf("# %-7s %-10s %-62s %s\n", "ACTION", "KIND", "NAME", "REPOSITORY");
	for (size_t i = 0; i < p->count; i++)
		printf("# %-7s %-10s %-62s %s\n", verbs[p->actions[i].verb],
		    p->actions[i].kind == KIND_DEPLOYMENT ? "Deployment" : "Service",
		    p->actions[i].name, p->actions[i].repo);
	printf("# %zu actions, %zu held back, %zu conflicts, %zu scaled to 0\n", p->count,
	    p->held_back, p->conflicts, p->scaled_to_zero);
	if (p->prune_refused)
		printf("# removing %zu repositories is refused: more than %zu\n", p->left,
		    p->prune_limit);
}

static int
print_objects(const struct desired_opts *o, const struct plan *p)
{
	char hash[SHA224_HEX_LEN + 1];
	struct buf json, yaml;
	int rc = 0;

	buf_init(&json, OBJECT_BYTES_MAX);
	buf_init(&yaml, 8 * OBJECT_BYTES_MAX);
	for (size_t i = 0; i < p->count && rc == 0; i++) {
		const struct action *a = &p->actions[i];
		json_t *doc = NULL;

		if (a->entry == NULL)
			continue;
		buf_reset(&json);
		buf_reset(&yaml);
		rc = desired_render(o, a->entry, a->kind, a->was_ready, &json, hash);
		if (rc == 0)
			rc = json_in_parse(buf_view(&json), "object", &doc, NULL);
		if (rc == 0)
			yaml_document_out(&yaml, doc);
		if (rc == 0)
			rc = buf_err(&yaml);
		if (rc == 0)
			(void)fwrite(yaml.ptr, 1, yaml.len, stdout); /* ferror() tells */
		json_decref(doc);
	}
	buf_clear(&json);
	buf_clear(&yaml);
	return rc;
}

int
dry_run(struct k8s_shared *api, struct repo_source *source, const struct desired_opts *desired,
    const struct reconcile_opts *o, struct err_info *ei)
{
	struct repo_list list = { .items = NULL };
	struct desired want = { .items = NULL };
	struct trails trails = { 0 };
	struct plan plan = { .actions = NULL };
	struct observed seen;
	bool same = false;
	int rc;

	observed_init(&seen, desired->manager, desired->namespace_name);
	rc = repo_source_read(source, &same, &list, ei);
	if (rc == 0)
		rc = list_all(api, desired->namespace_name, &seen, ei);
	if (rc == 0 && list.count == 0 && seen.objects[KIND_DEPLOYMENT].count > 0)
		rc = err_set(
		    ei, ERR_INVAL, "the list is empty and was not before: nothing is done");
	if (rc == 0)
		rc = desired_build(desired, &list, &want);
	if (rc == 0)
		rc = reconcile(&want, &seen, &trails, o, &plan);
	if (rc == 0)
		print_table(&plan);
	if (rc == 0)
		rc = print_objects(desired, &plan);
	plan_clear(&plan);
	desired_clear(&want);
	repo_list_clear(&list);
	observed_clear(&seen);
	if (rc == 0 && (fflush(stdout) != 0 || ferror(stdout)))
		rc = err_set(ei, ERR_IO, "the plan could not be written");
	return rc;
}
