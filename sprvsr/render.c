/* render.c - one repository's Deployment and Service as JSON; desired.h has the contract. */
#include <stdio.h>

#include "base/json_text.h"
#include "sprvsr/desired.h"

/* Two users, so that neither container can read the other's memory; one group for the files. */
#define SYNC_UID 10001
#define FCGI_UID 10002
#define FRONT_UID 10003
#define GROUP 10000
#define SNAPSHOT_DIR "/var/lib/maintner/snapshot"
#define SECRET_DIR "/etc/maintner"

struct rendering {
	const struct desired_opts *o;
	const struct repo_entry *e;
	struct buf *out;
	bool was_ready;
	size_t hash_at; /* where the annotation's value begins */
};

static void
str(struct buf *out, const char *text)
{
	json_text_quote(out, slice_str(text));
}

/* ,"name":"text" */
static void
field(struct buf *out, const char *name, const char *text)
{
	buf_char(out, ',');
	str(out, name);
	buf_char(out, ':');
	str(out, text);
}

static void
label(struct buf *out, const char *name, struct slice text)
{
	char value[LABEL_VALUE_MAX];

	desired_label(text, value);
	field(out, name, value);
}

static void
labels(struct rendering *r, bool of_pod)
{
	const struct repo_entry *e = r->e;
	char app[OBJECT_NAME_MAX];

	desired_name(KIND_DEPLOYMENT, e->sha, app);
	buf_str(r->out, "\"labels\":{\"" LABEL_OURS "\":\"true\"");
	if (of_pod)
		field(r->out, "app", app);
	label(r->out, "owner", (struct slice){ e->name, e->owner_len });
	label(r->out, "repository", slice_str(e->name + e->owner_len + 1));
	label(r->out, "branch", slice_str(e->default_branch));
	buf_str(r->out, ",\"app.kubernetes.io/name\":\"maintner\""
			",\"app.kubernetes.io/component\":\"repository\""
			",\"app.kubernetes.io/part-of\":\"maintner\"");
	label(r->out, "app.kubernetes.io/managed-by", slice_str(r->o->manager));
	buf_char(r->out, '}');
}

/* The exact names, which labels cannot always hold. */
static void
exact_names(struct rendering *r)
{
	const struct repo_entry *e = r->e;

	buf_str(r->out, "\"" NOTE_REPO_OWNER "\":");
	json_text_quote(r->out, (struct slice){ e->name, e->owner_len });
	field(r->out, NOTE_REPO_NAME, e->name + e->owner_len + 1);
	field(r->out, "maintner/branch", e->default_branch);
}

static void
head(struct rendering *r, enum kind kind)
{
	char name[OBJECT_NAME_MAX];

	desired_name(kind, r->e->sha, name);
	buf_str(r->out, kind == KIND_DEPLOYMENT
			    ? "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\""
			    : "{\"apiVersion\":\"v1\",\"kind\":\"Service\"");
	buf_str(r->out, ",\"metadata\":{\"name\":");
	str(r->out, name);
	field(r->out, "namespace", r->o->namespace_name);
	buf_char(r->out, ',');
	labels(r, false);
	buf_str(r->out, ",\"annotations\":{");
	exact_names(r);
	field(r->out, NOTE_OWNER, r->o->manager);
	if (kind == KIND_DEPLOYMENT)
		field(r->out, NOTE_READY, r->was_ready ? "true" : "false");
	buf_str(r->out, ",\"" NOTE_HASH "\":\"");
	r->hash_at = r->out->len;
	for (size_t i = 0; i < SHA224_HEX_LEN; i++)
		buf_char(r->out, '0');
	buf_str(r->out, "\"}}");
}

/*
 * Containers.
 */

/* "--flag=value" as one argument; the kubelet would fill in $(NAME), so "$" is doubled. */
static void
arg(struct buf *out, const char *flag, struct slice value)
{
	struct buf b;

	buf_init(&b, OBJECT_BYTES_MAX);
	buf_fmt(&b, "--%s=", flag);
	for (size_t i = 0; i < value.len; i++) {
		if (value.ptr[i] == '$' && i + 1 < value.len && value.ptr[i + 1] == '(')
			buf_char(&b, '$');
		buf_char(&b, value.ptr[i]);
	}
	if (out->len > 0 && out->ptr[out->len - 1] != '[')
		buf_char(out, ',');
	json_text_quote(out, buf_view(&b));
	if (buf_err(&b) != 0 && out->err == 0)
		out->err = buf_err(&b);
	buf_clear(&b);
}

static void
arg_str(struct buf *out, const char *flag, const char *value)
{
	if (value != NULL)
		arg(out, flag, slice_str(value));
}

static void
listen_arg(struct rendering *r, unsigned port)
{
	char text[512];
	bool bare = strchr(r->o->pod_host, ':') != NULL && r->o->pod_host[0] != '[';

	snprintf(text, sizeof(text), bare ? "[%s]:%u" : "%s:%u", r->o->pod_host, port);
	arg_str(r->out, "listen", text);
}

/* `path` is what a container that may stay as it is answers with 2xx. */
static void
probe(struct rendering *r, const char *name, unsigned port, const char *path, unsigned period_s,
    unsigned failures)
{
	const char *host = strchr(r->o->pod_host, ':') != NULL ? "[::1]" : "127.0.0.1";

	buf_fmt(r->out,
	    ",\"%s\":{\"exec\":{\"command\":[\"maint-probe\",\"--path=%s\",\"--timeout=4\","
	    "\"%s:%u\"]},"
	    "\"initialDelaySeconds\":%u,\"periodSeconds\":%u,\"timeoutSeconds\":5,"
	    "\"failureThreshold\":%u}",
	    name, path, host, port, failures > 3 ? 30U : 2U, period_s, failures);
}

/* For nginx, whose configuration is not ours: it may answer what it likes. */
static void
probe_http_port(struct rendering *r, const char *name, unsigned period_s, unsigned failures)
{
	buf_fmt(r->out,
	    ",\"%s\":{\"tcpSocket\":{\"port\":\"http\"},\"initialDelaySeconds\":%u,"
	    "\"periodSeconds\":%u,\"timeoutSeconds\":5,\"failureThreshold\":%u}",
	    name, failures > 3 ? 30U : 2U, period_s, failures);
}

static void
security(struct rendering *r, unsigned uid)
{
	buf_fmt(r->out,
	    ",\"securityContext\":{\"runAsUser\":%u,\"runAsGroup\":%u,\"runAsNonRoot\":true,"
	    "\"allowPrivilegeEscalation\":false,\"readOnlyRootFilesystem\":true,"
	    "\"capabilities\":{\"drop\":[\"ALL\"]}}",
	    uid, GROUP);
}

static void
image(struct rendering *r, const char *container, const char *ref)
{
	buf_str(r->out, "{\"name\":");
	str(r->out, container);
	field(r->out, "image", ref);
	field(r->out, "imagePullPolicy", r->o->pull_policy);
}

/* `disk` may be NULL: nothing worth a request. */
static void
resources(struct rendering *r, const char *cpu, const char *memory, const char *disk,
    const char *limit)
{
	buf_fmt(r->out, ",\"resources\":{\"requests\":{\"cpu\":\"%s\",\"memory\":\"%s\"", cpu,
	    memory);
	if (disk != NULL)
		field(r->out, "ephemeral-storage", disk);
	buf_str(r->out, "},\"limits\":{\"memory\":");
	str(r->out, limit);
	buf_str(r->out, "}}");
}

static void
mount(struct buf *out, const char *volume, const char *path, bool read_only)
{
	if (out->len > 0 && out->ptr[out->len - 1] != '[')
		buf_char(out, ',');
	buf_fmt(out, "{\"name\":\"%s\",\"mountPath\":\"%s\"%s}", volume, path,
	    read_only ? ",\"readOnly\":true" : "");
}

static void
sync_args(struct rendering *r)
{
	const struct desired_opts *o = r->o;
	char number[24];

	buf_str(r->out, ",\"command\":[\"maintnerd-sync\"],\"args\":[");
	arg(r->out, "owner", (struct slice){ r->e->name, r->e->owner_len });
	arg_str(r->out, "repo", r->e->name + r->e->owner_len + 1);
	arg_str(r->out, "log", o->log);
	arg_str(r->out, "snapshot", SNAPSHOT_DIR);
	listen_arg(r, 9001);
	arg_str(r->out, "github-url", o->github_url);
	if (o->github_secret != NULL)
		arg_str(r->out, "token-file", SECRET_DIR "/github/token");
	if (o->internal_secret != NULL)
		arg_str(r->out, "internal-secret-file", SECRET_DIR "/internal/secret");
	snprintf(number, sizeof(number), "%lld", (long long)o->interval_s);
	if (o->interval_s > 0)
		arg_str(r->out, "interval", number);
	buf_char(r->out, ']');
}

/* Where Google's libraries and ours look for a key file. */
static void
key_file_env(struct rendering *r, const char *secret)
{
	if (secret != NULL)
		buf_str(r->out, ",\"env\":[{\"name\":\"GOOGLE_APPLICATION_CREDENTIALS\","
				"\"value\":\"" SECRET_DIR "/gcp/key.json\"}]");
}

static void
sync_container(struct rendering *r)
{
	const struct desired_opts *o = r->o;

	image(r, "sync", o->image);
	sync_args(r);
	key_file_env(r, o->service_account_secret);
	buf_str(r->out, ",\"ports\":[{\"name\":\"internal\",\"containerPort\":9001,"
			"\"protocol\":\"TCP\"}],\"volumeMounts\":[");
	mount(r->out, "snapshot", "/var/lib/maintner", false);
	if (o->github_secret != NULL)
		mount(r->out, "github", SECRET_DIR "/github", true);
	if (o->service_account_secret != NULL)
		mount(r->out, "gcp-writer", SECRET_DIR "/gcp", true);
	if (o->internal_secret != NULL)
		mount(r->out, "internal", SECRET_DIR "/internal", true);
	buf_char(r->out, ']');
	/* It listens, and is healthy, before its rebuild begins, however long that takes. */
	probe(r, "readinessProbe", 9001, "/_healthz", 10, 3);
	probe(r, "livenessProbe", 9001, "/_healthz", 30, 10);
	/* Of the pod's disk the snapshot is nearly all, and sync writes it. */
	resources(r, "10m", SYNC_MEMORY_REQUEST, o->disk_request, o->sync_memory);
	security(r, SYNC_UID);
	buf_char(r->out, '}');
}

/*
 * No credential of GitHub's, and of the bucket's one that reads at most.  It writes to the
 * snapshot's lock file, so the volume is not mounted read-only.
 */
static void
fcgi_container(struct rendering *r)
{
	const struct desired_opts *o = r->o;
	bool logs = o->reader_secret != NULL || strncmp(o->log, "file:", 5) == 0;

	image(r, "fcgi", o->image);
	buf_str(r->out, ",\"command\":[\"maintnerd-fcgi\"],\"args\":[");
	arg_str(r->out, "snapshot", SNAPSHOT_DIR);
	listen_arg(r, 9000);
	if (logs)
		arg_str(r->out, "log", o->log);
	buf_char(r->out, ']');
	key_file_env(r, o->reader_secret);
	buf_str(r->out, ",\"ports\":[{\"name\":\"fastcgi\",\"containerPort\":9000,"
			"\"protocol\":\"TCP\"}],\"volumeMounts\":[");
	mount(r->out, "snapshot", "/var/lib/maintner", false);
	if (o->reader_secret != NULL)
		mount(r->out, "gcp-reader", SECRET_DIR "/gcp", true);
	buf_char(r->out, ']');
	probe(r, "readinessProbe", 9000, "/_healthz", 10, 3);
	/*
	 * Its health is 503 until there is a snapshot, which is no reason to kill it; its metrics
	 * always are 200.  A connection alone tells nothing: the kernel accepts it for a process
	 * that hangs, too.
	 */
	probe(r, "livenessProbe", 9000, "/metrics", 30, 10);
	resources(r, "10m", FCGI_MEMORY_REQUEST, NULL, o->fcgi_memory);
	security(r, FCGI_UID);
	buf_char(r->out, '}');
}

static void
front_container(struct rendering *r)
{
	image(r, "front", r->o->front_image);
	buf_str(r->out,
	    ",\"command\":[\"nginx\"],\"args\":[\"-c\",\"" SECRET_DIR "/front/nginx.conf\","
	    "\"-g\",\"daemon off;\"],\"ports\":[{\"name\":\"http\",\"containerPort\":8080,"
	    "\"protocol\":\"TCP\"}],\"volumeMounts\":[");
	mount(r->out, "front-config", SECRET_DIR "/front", true);
	mount(r->out, "front-tmp", "/tmp", false);
	buf_char(r->out, ']');
	probe_http_port(r, "readinessProbe", 10, 3);
	probe_http_port(r, "livenessProbe", 30, 10);
	resources(r, "10m", "16Mi", NULL, "128Mi");
	security(r, FRONT_UID);
	buf_char(r->out, '}');
}

/*
 * Volumes.
 */

static void
secret_volume(
    struct buf *out, const char *volume, const char *secret, const char *key, const char *path)
{
	if (secret == NULL)
		return;
	buf_fmt(out, ",{\"name\":\"%s\",\"secret\":{\"secretName\":", volume);
	str(out, secret);
	buf_str(out, ",\"defaultMode\":288,\"items\":[{\"key\":"); /* 0440 */
	str(out, key);
	field(out, "path", path);
	buf_str(out, "}]}}");
}

static void
volumes(struct rendering *r)
{
	const struct desired_opts *o = r->o;

	buf_str(r->out, ",\"volumes\":[{\"name\":\"snapshot\",\"emptyDir\":{\"sizeLimit\":");
	str(r->out, o->snapshot_size);
	buf_str(r->out, "}}");
	if (o->github_secret != NULL)
		secret_volume(
		    r->out, "github", o->github_secret, desired_key(o, r->e), "token");
	secret_volume(r->out, "gcp-writer", o->service_account_secret, "key.json", "key.json");
	secret_volume(r->out, "gcp-reader", o->reader_secret, "key.json", "key.json");
	secret_volume(r->out, "internal", o->internal_secret, "secret", "secret");
	if (o->front_image != NULL) {
		buf_str(r->out, ",{\"name\":\"front-config\",\"configMap\":{\"name\":");
		str(r->out, o->front_config);
		buf_str(r->out, "}},{\"name\":\"front-tmp\",\"emptyDir\":{\"sizeLimit\":"
				"\"256Mi\"}}");
	}
	buf_char(r->out, ']');
}

static void
pod(struct rendering *r)
{
	buf_str(r->out, ",\"template\":{\"metadata\":{");
	labels(r, true);
	buf_str(r->out, ",\"annotations\":{");
	exact_names(r);
	buf_str(r->out, "}},\"spec\":{\"shareProcessNamespace\":true,"
			"\"enableServiceLinks\":false,\"automountServiceAccountToken\":false");
	if (r->o->pod_account != NULL)
		field(r->out, "serviceAccountName", r->o->pod_account);
	if (r->o->pull_secret != NULL) {
		buf_str(r->out, ",\"imagePullSecrets\":[{\"name\":");
		str(r->out, r->o->pull_secret);
		buf_str(r->out, "}]");
	}
	buf_fmt(r->out,
	    ",\"terminationGracePeriodSeconds\":30,\"securityContext\":{\"runAsNonRoot\":true,"
	    "\"fsGroup\":%u,\"seccompProfile\":{\"type\":\"RuntimeDefault\"}},\"containers\":[",
	    GROUP);
	sync_container(r);
	buf_char(r->out, ',');
	fcgi_container(r);
	if (r->o->front_image != NULL) {
		buf_char(r->out, ',');
		front_container(r);
	}
	buf_char(r->out, ']');
	volumes(r);
	buf_str(r->out, "}}");
}

/* spec.replicas is not ours: scaling to 0 is an operator's right. */
static void
deployment(struct rendering *r)
{
	char app[OBJECT_NAME_MAX];

	desired_name(KIND_DEPLOYMENT, r->e->sha, app);
	head(r, KIND_DEPLOYMENT);
	buf_fmt(r->out,
	    ",\"spec\":{\"strategy\":{\"type\":\"Recreate\"},\"revisionHistoryLimit\":2,"
	    "\"selector\":{\"matchLabels\":{\"app\":\"%s\"}}",
	    app);
	pod(r);
	buf_str(r->out, "}}");
}

static void
service(struct rendering *r)
{
	char app[OBJECT_NAME_MAX];

	desired_name(KIND_DEPLOYMENT, r->e->sha, app);
	head(r, KIND_SERVICE);
	buf_fmt(r->out,
	    ",\"spec\":{\"type\":\"ClusterIP\",\"selector\":{\"app\":\"%s\"},\"ports\":["
	    "{\"name\":\"fastcgi\",\"port\":9000,\"targetPort\":\"fastcgi\",\"protocol\":"
	    "\"TCP\"},"
	    "{\"name\":\"internal\",\"port\":9001,\"targetPort\":\"internal\",\"protocol\":"
	    "\"TCP\"}",
	    app);
	if (r->o->front_image != NULL)
		buf_str(r->out, ",{\"name\":\"http\",\"port\":80,\"targetPort\":\"http\","
				"\"protocol\":\"TCP\"}");
	buf_str(r->out, "]}}");
}

int
desired_render(const struct desired_opts *o, const struct repo_entry *e, enum kind kind,
    bool was_ready, struct buf *out, char hash[SHA224_HEX_LEN + 1])
{
	struct rendering r = { .o = o, .e = e, .out = out };
	size_t start = out->len;
	int rc;

	for (int pass = 0; pass < (was_ready ? 2 : 1); pass++) {
		out->len = start;
		r.was_ready = pass == 1;
		if (kind == KIND_DEPLOYMENT)
			deployment(&r);
		else
			service(&r);
		if (buf_err(out) != 0)
			return buf_err(out);
		if (pass == 0) {
			rc = sha224_hex(
			    (struct slice){ out->ptr + start, out->len - start }, hash);
			if (rc != 0)
				return rc;
		}
	}
	memcpy(out->ptr + r.hash_at, hash, SHA224_HEX_LEN);
	return 0;
}
