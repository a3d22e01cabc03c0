/* lease.c - see lease.h; decides nothing about what a leader does. */
#include "sprvsr/lease.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CALL_MS 4000
#define RELEASE_MS                                                                             \
	1500 /* a program that ends has no more time; the lease ends by itself, too */
#define PATH_MAX_BYTES 1024

void
lease_init(
    struct lease *l, struct k8s_client *client, const char *namespace_name, const char *name)
{
	char host[64] = "";

	*l = (struct lease){ .client = client, .namespace_name = namespace_name, .name = name };
	gethostname(host, sizeof(host) - 1);
	snprintf(l->identity, sizeof(l->identity), "%s_%08x%08x", host,
	    (unsigned)(k8s_random() * 4294967295.0), (unsigned)(k8s_random() * 4294967295.0));
}

void
lease_clear(struct lease *l)
{
	json_decref(l->object);
	l->object = NULL;
}

/* MicroTime has six digits. */
static void
micro_time(char out[40])
{
	char plain[TIME_TEXT_MAX];
	int64_t ms = clock_real_ms();

	time_format(ms - ms % 1000, plain);
	snprintf(out, 40, "%.19s.%03d000Z", plain, (int)(ms % 1000));
}

static int
ask(struct lease *l, const char *verb, const char *method, int64_t total_ms, json_t *body,
    json_t **ret, struct err_info *ei)
{
	struct k8s_call call = { .verb = verb,
		.method = method,
		.tries = 1,
		.urgent = true, /* behind a thousand writes it would be lost */
		.total_ms = total_ms };
	char path[PATH_MAX_BYTES], *text = NULL;
	int rc;

	snprintf(path, sizeof(path), "/apis/coordination.k8s.io/v1/namespaces/%s/leases%s%s",
	    l->namespace_name, strcmp(method, "POST") == 0 ? "" : "/",
	    strcmp(method, "POST") == 0 ? "" : l->name);
	call.path = path;
	if (body != NULL) {
		text = json_dumps(body, JSON_COMPACT);
		if (text == NULL)
			return ERR_NOMEM;
		call.content_type = "application/json";
		call.body = slice_str(text);
	}
	rc = k8s_ask_json(l->client, &call, ret, ei);
	free(text);
	return rc;
}

static void
keep(struct lease *l, json_t *object)
{
	const char *version = json_string_value(
	    json_object_get(json_object_get(object, "metadata"), "resourceVersion"));

	json_decref(l->object);
	l->object = object;
	if (version == NULL)
		version = "";
	if (strcmp(version, l->seen) != 0) {
		snprintf(l->seen, sizeof(l->seen), "%s", version);
		l->seen_ms = clock_mono_ms();
	}
}

const char *
lease_holder(const struct lease *l)
{
	const char *who = json_string_value(
	    json_object_get(json_object_get(l->object, "spec"), "holderIdentity"));

	return who != NULL ? who : "";
}

static int64_t
duration_ms(const struct lease *l)
{
	int64_t s = json_integer_value(
	    json_object_get(json_object_get(l->object, "spec"), "leaseDurationSeconds"));

	return s > 0 && s <= 3600 ? s * 1000 : LEASE_S * INT64_C(1000);
}

static int
create(struct lease *l, struct err_info *ei)
{
	char now[40];
	json_t *body, *answer = NULL;
	int rc;

	micro_time(now);
	body = json_pack("{s:s,s:s,s:{s:s,s:s},s:{s:s,s:i,s:s,s:s,s:i}}", "apiVersion",
	    "coordination.k8s.io/v1", "kind", "Lease", "metadata", "name", l->name, "namespace",
	    l->namespace_name, "spec", "holderIdentity", l->identity, "leaseDurationSeconds",
	    LEASE_S, "acquireTime", now, "renewTime", now, "leaseTransitions", 0);
	rc = body != NULL ? ask(l, "create", "POST", CALL_MS, body, &answer, ei) : ERR_NOMEM;
	json_decref(body);
	if (rc == 0)
		keep(l, answer);
	return rc == ERR_CONFLICT ? ERR_BUSY : rc;
}

/* Write the object that was seen, with us or nobody as its holder. */
static int
put(struct lease *l, bool hold, struct err_info *ei)
{
	bool renewal = strcmp(lease_holder(l), l->identity) == 0;
	json_t *body = json_deep_copy(l->object), *spec, *answer = NULL;
	char now[40];
	int rc;

	micro_time(now);
	spec = json_object_get(body, "spec");
	if (spec == NULL && body != NULL) {
		json_object_set_new(body, "spec", json_object());
		spec = json_object_get(body, "spec");
	}
	json_object_set_new(spec, "renewTime", json_string(now));
	json_object_set_new(spec, "leaseDurationSeconds", json_integer(hold ? LEASE_S : 1));
	if (!hold) {
		json_object_del(spec, "holderIdentity");
	} else {
		json_object_set_new(spec, "holderIdentity", json_string(l->identity));
		if (!renewal) {
			json_t *n = json_object_get(spec, "leaseTransitions");

			json_object_set_new(spec, "acquireTime", json_string(now));
			json_object_set_new(
			    spec, "leaseTransitions", json_integer(json_integer_value(n) + 1));
		}
	}
	rc = body != NULL
		 ? ask(l, "update", "PUT", hold ? CALL_MS : RELEASE_MS, body, &answer, ei)
		 : ERR_NOMEM;
	json_decref(body);
	if (rc == 0)
		keep(l, answer);
	return rc;
}

static int
look(struct lease *l, struct err_info *ei)
{
	json_t *answer = NULL;
	int rc = ask(l, "get", "GET", CALL_MS, NULL, &answer, ei);

	if (rc == 0)
		keep(l, answer);
	return rc;
}

int
lease_try(struct lease *l, struct err_info *ei)
{
	int64_t begun = clock_mono_ms();
	bool ours = l->object != NULL && strcmp(lease_holder(l), l->identity) == 0;
	int rc = ours ? 0 : look(l, ei);

	if (rc == ERR_NOENT) {
		rc = create(l, ei);
	} else if (rc == 0) {
		ours = strcmp(lease_holder(l), l->identity) == 0;
		if (!ours && lease_holder(l)[0] != '\0' && begun - l->seen_ms <= duration_ms(l))
			return ERR_BUSY;
		rc = put(l, true, ei);
		if (rc == ERR_CONFLICT || rc == ERR_NOENT) {
			json_decref(l->object); /* look again next time */
			l->object = NULL;
			rc = ours ? rc : ERR_BUSY;
		}
	}
	if (rc == 0)
		l->valid_until_ms = begun + LEASE_VALID_MS;
	return rc;
}

int
lease_release(struct lease *l, struct err_info *ei)
{
	l->valid_until_ms = 0;
	if (l->object == NULL || strcmp(lease_holder(l), l->identity) != 0)
		return 0;
	return put(l, false, ei);
}
