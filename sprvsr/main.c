/*
 * maintner-sprvsr - keeps Deployments and Services equal to the repository list.
 * Here: settings and signals.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/signal_fd.h"
#include "sprvsr/dry_run.h"
#include "sprvsr/listener.h"
#include "sprvsr/match.h"
#include "sprvsr/supervisor.h"

struct settings {
	const char *listen, *repos, *kubeconfig, *ca_file, *log_level, *namespace_name;
	const char *lease_name, *github_keys, *secret_file;
	struct desired_opts desired;
	int64_t max_prune, allow_prune, batch, list_s, resync_s, per_s, concurrency;
	bool dry_run, leader_elect;
};

struct program {
	struct settings set;
	struct k8s_config config;
	struct k8s_shared api;
	bool has_api;
	struct repo_source source;
	struct supervisor *supervisor;
	struct listener *listener;
	char *keys, *secret;
	int signal_fd;
};

#define TEXT(flag, member, unit, text)                                                         \
	{                                                                                      \
		.name = flag, .target = &s->member, .value = unit, .help = text                \
	}
#define NUMBER(flag, member, least, most, unit, text)                                          \
	{                                                                                      \
		.name = flag, .type = CONF_NUMBER, .target = &s->member, .low = least,         \
		.high = most, .value = unit, .help = text                                      \
	}

static int
read_settings(
    struct settings *s, int argc, char **argv, enum conf_next *next, struct err_info *ei)
{
	const struct conf_option options[] = {
		TEXT("listen", listen, "ADDR", "FastCGI socket: unix:/path or host:port"),
		{ .name = "repos",
		    .target = &s->repos,
		    .required = true,
		    .value = "URL",
		    .help = "the repository list: gs://bucket/name or file:///path" },
		{ .name = "log",
		    .target = &s->desired.log,
		    .required = true,
		    .value = "URL",
		    .help = "root of the mutation logs" },
		{ .name = "image",
		    .target = &s->desired.image,
		    .required = true,
		    .value = "IMAGE",
		    .help = "of the repositories' pods" },
		TEXT("pull-policy", desired.pull_policy, "WORD",
		    "Always, IfNotPresent or Never [IfNotPresent]"),
		TEXT("image-pull-secret", desired.pull_secret, "NAME",
		    "secret with which nodes pull the pods' images"),
		TEXT("namespace", namespace_name, "NS", "where to act [the configuration's]"),
		TEXT("kubeconfig", kubeconfig, "FILE", "instead of the pod's service account"),
		TEXT("github-url", desired.github_url, "URL", "the API root that pods ask"),
		TEXT("github-secret", desired.github_secret, "NAME",
		    "secret with GitHub tokens"),
		TEXT("github-keys", github_keys, "KEY,...",
		    "its keys, among which repositories are shared out [token]"),
		TEXT("service-account-secret", desired.service_account_secret, "NAME",
		    "secret with key.json of an account that may write the logs"),
		TEXT("reader-secret", desired.reader_secret, "NAME",
		    "the same of one that only reads them, for the responders"),
		TEXT("internal-secret", desired.internal_secret, "NAME",
		    "secret whose \"secret\" pods ask of /internal requests"),
		TEXT("internal-secret-file", secret_file, "FILE",
		    "what /internal requests to this program must carry"),
		TEXT("pod-service-account", desired.pod_account, "NAME", "of the pods"),
		TEXT("pod-front", desired.front_image, "IMAGE",
		    "add a web server with this nginx image to each pod"),
		TEXT("pod-front-config", desired.front_config, "NAME",
		    "ConfigMap with its nginx.conf [mtr-pod-front]"),
		TEXT("pod-host", desired.pod_host, "HOST", "what pods listen on [0.0.0.0]"),
		TEXT("snapshot-size", desired.snapshot_size, "SIZE",
		    "limit of a pod's snapshot volume [4Gi]"),
		TEXT("disk-request", desired.disk_request, "SIZE",
		    "disk that a pod asks of its node [1Gi]"),
		TEXT("sync-memory", desired.sync_memory, "SIZE", "limit of sync [512Mi]"),
		TEXT("fcgi-memory", desired.fcgi_memory, "SIZE", "limit of fcgi [256Mi]"),
		NUMBER("sync-interval", desired.interval_s, 0, 86400, "SEC",
		    "between rounds of sync [the program's own]"),
		NUMBER("list-interval", list_s, 1, 86400, "SEC",
		    "between readings of the list [60]"),
		NUMBER("resync-interval", resync_s, 1, 86400, "SEC",
		    "between comparisons without a cause [600]"),
		NUMBER("rollout-batch", batch, 1, 100000, "N",
		    "changed Deployments that may be not ready at once [20]"),
		NUMBER("max-prune", max_prune, 0, 100, "PERCENT",
		    "of repositories to remove without a confirmation; 5 always may [20]"),
		NUMBER("allow-prune", allow_prune, 0, 1000000, "N",
		    "confirm the removal of so many, once [0]"),
		NUMBER("requests-per-second", per_s, 1, 10000, "N",
		    "to the Kubernetes API, with bursts of twice that [50]"),
		NUMBER("concurrency", concurrency, 1, 32, "N", "writes at once [4]"),
		{ .name = "leader-elect",
		    .type = CONF_SWITCH,
		    .target = &s->leader_elect,
		    .help =
			"act only while holding the lease (on; MAINTNER_LEADER_ELECT=0 ends "
			"it)" },
		TEXT("lease-name", lease_name, "NAME", "of that lease [maintner-sprvsr]"),
		TEXT("field-manager", desired.manager, "NAME",
		    "name under which it owns fields and objects [maintner-sprvsr]"),
		{ .name = "dry-run",
		    .type = CONF_SWITCH,
		    .target = &s->dry_run,
		    .help = "print what would be done and exit" },
		TEXT("ca-file", ca_file, "FILE",
		    "PEM certificates to trust for the bucket instead of the system's"),
		TEXT("log-level", log_level, "LEVEL", "debug, info, warning or error [info]"),
		{ .name = NULL },
	};
	const struct conf_program program = { "maintner-sprvsr",
		"Keeps one Deployment and one Service for each repository of a list.", NULL,
		options };
	int operand, rc = conf_read(&program, argc, argv, next, &operand, ei);

	if (rc == 0 && *next == CONF_RUN && s->listen == NULL && !s->dry_run)
		rc = err_set(ei, ERR_INVAL, "--listen ADDR is required (see --help)");
	return rc;
}

/* A name as Kubernetes has them, which goes into paths, too. */
static int
check_name(const char *flag, const char *name, struct err_info *ei)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-.";
	size_t len = name != NULL ? strlen(name) : 1;

	if (name != NULL &&
	    (len == 0 || len > 63 || strspn(name, allowed) != len || name[0] == '-' ||
		name[0] == '.' || name[len - 1] == '-' || name[len - 1] == '.'))
		return err_set(
		    ei, ERR_INVAL, "--%s: \"%s\" is no name for Kubernetes", flag, name);
	return 0;
}

static int
check_size(const char *flag, const char *text, const char *least, struct err_info *ei)
{
	double v, low = 1;

	(void)match_quantity(least, &low);
	if (!match_quantity(text, &v))
		return err_set(
		    ei, ERR_INVAL, "--%s: \"%s\" is no size, e.g. 512Mi", flag, text);
	if (v < low)
		return err_set(
		    ei, ERR_INVAL, "--%s: \"%s\" is less than %s", flag, text, least);
	return 0;
}

static int
check_settings(const struct settings *s, struct err_info *ei)
{
	const struct desired_opts *d = &s->desired;
	const struct {
		const char *flag, *name;
	} names[] = { { "namespace", s->namespace_name }, { "github-secret", d->github_secret },
		{ "service-account-secret", d->service_account_secret },
		{ "reader-secret", d->reader_secret },
		{ "internal-secret", d->internal_secret },
		{ "pod-service-account", d->pod_account },
		{ "image-pull-secret", d->pull_secret },
		{ "pod-front-config", d->front_config }, { "lease-name", s->lease_name },
		{ "field-manager", d->manager } };
	const struct {
		const char *flag, *text, *least;
	} sizes[] = { { "snapshot-size", d->snapshot_size, "1" },
		{ "disk-request", d->disk_request, "1" },
		{ "sync-memory", d->sync_memory, SYNC_MEMORY_REQUEST },
		{ "fcgi-memory", d->fcgi_memory, FCGI_MEMORY_REQUEST } };
	int rc = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && rc == 0; i++)
		rc = check_name(names[i].flag, names[i].name, ei);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]) && rc == 0; i++)
		rc = check_size(sizes[i].flag, sizes[i].text, sizes[i].least, ei);
	if (rc == 0 && strcmp(d->pull_policy, "Always") != 0 &&
	    strcmp(d->pull_policy, "IfNotPresent") != 0 && strcmp(d->pull_policy, "Never") != 0)
		rc = err_set(ei, ERR_INVAL, "--pull-policy: \"%s\" is none", d->pull_policy);
	return rc;
}

/* "a,b,c": keys of a secret are of letters, digits, '-', '_' and '.'. */
static int
split_keys(struct program *p, struct err_info *ei)
{
	struct desired_opts *d = &p->set.desired;
	char *rest;

	p->keys = mem_strdup(p->set.github_keys);
	if (p->keys == NULL)
		return ERR_NOMEM;
	for (rest = p->keys; rest != NULL;) {
		char *key = strsep(&rest, ",");

		if (key[0] == '\0' || strlen(key) > 253 ||
		    strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				"0123456789-_.") != strlen(key))
			return err_set(ei, ERR_INVAL, "--github-keys: \"%s\" is no key", key);
		if (d->key_count == GITHUB_KEYS_MAX)
			return err_set(
			    ei, ERR_LIMIT, "--github-keys: more than %d keys", GITHUB_KEYS_MAX);
		d->keys[d->key_count++] = key;
	}
	return 0;
}

static int
set_up(struct program *p, struct err_info *ei)
{
	struct settings *s = &p->set;
	int rc = check_settings(s, ei);

	if (rc == 0)
		rc = split_keys(p, ei);
	if (rc == 0)
		rc = s->kubeconfig != NULL
			 ? k8s_config_file(s->kubeconfig, &p->config, ei)
			 : k8s_config_in_cluster(K8S_ACCOUNT_DIR, &p->config, ei);
	if (rc == 0 && s->secret_file != NULL)
		rc = conf_read_secret(s->secret_file, &p->secret, ei);
	if (rc == 0)
		rc = repo_source_init(&p->source, s->repos, ei);
	if (rc != 0)
		return rc;
	p->source.ca_file = s->ca_file;
	s->desired.namespace_name =
	    s->namespace_name != NULL ? s->namespace_name : p->config.namespace_name;
	k8s_shared_init(&p->api, &p->config, (double)s->per_s, 2.0 * (double)s->per_s);
	p->has_api = true;
	return check_name("namespace", s->desired.namespace_name, ei);
}

/*
 * Serving.
 */

static int
on_health(void *ctx, struct buf *out)
{
	return supervisor_health(((struct program *)ctx)->supervisor, out);
}

static void
on_metrics(void *ctx, struct buf *out)
{
	supervisor_metrics(((struct program *)ctx)->supervisor, out);
}

static void
on_update(void *ctx)
{
	supervisor_update(((struct program *)ctx)->supervisor);
}

static int
on_allow_prune(void *ctx, size_t allow, struct err_info *ei)
{
	return supervisor_allow(((struct program *)ctx)->supervisor, allow, ei);
}

static int
start(struct program *p, struct err_info *ei)
{
	const struct settings *s = &p->set;
	const struct supervisor_opts o = { .api = &p->api,
		.source = &p->source,
		.desired = &s->desired,
		.lease_name = s->leader_elect ? s->lease_name : NULL,
		.batch = (size_t)s->batch,
		.prune_allowed = (size_t)s->allow_prune,
		.prune_percent = (unsigned)s->max_prune,
		.threads = (unsigned)s->concurrency,
		.list_ms = s->list_s * 1000,
		.resync_ms = s->resync_s * 1000 };
	struct addr addr;
	struct listener_opts l = { .addr = &addr,
		.secret = p->secret,
		.on_health = on_health,
		.on_metrics = on_metrics,
		.on_update = on_update,
		.on_allow_prune = on_allow_prune,
		.ctx = p };
	int rc = addr_parse(s->listen, &addr, ei);

	if (rc == 0)
		p->signal_fd = signal_fd_open((const int[]){ SIGTERM, SIGINT, SIGHUP, 0 }, 0);
	if (rc == 0 && p->signal_fd < 0)
		rc = err_set(ei, ERR_IO, "signals: %s", strerror(errno));
	if (rc == 0)
		rc = supervisor_start(&o, &p->supervisor, ei);
	return rc != 0 ? rc : listener_start(&l, &p->listener, ei);
}

static void
serve(struct program *p)
{
	struct signalfd_siginfo info;

	while (read(p->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo != SIGHUP)
			break;
		supervisor_update(p->supervisor);
	}
}

static int
run(struct program *p, struct err_info *ei)
{
	const struct reconcile_opts all = { .batch = (size_t)p->set.batch,
		.actions_max = (size_t)REPO_LIST_MAX * 4,
		.prune_percent = (unsigned)p->set.max_prune,
		.prune_allowed = (size_t)p->set.allow_prune };
	int rc;

	if (p->set.dry_run)
		return dry_run(&p->api, &p->source, &p->set.desired, &all, ei);
	rc = start(p, ei);
	if (rc == 0) {
		log_info("serving", LOG_S("listen", p->set.listen),
		    LOG_S("repos", p->set.repos), LOG_S("server", p->config.server),
		    LOG_S("namespace", p->set.desired.namespace_name), LOG_END);
		serve(p);
	}
	listener_stop(p->listener);
	supervisor_stop(p->supervisor);
	return rc;
}

int
main(int argc, char **argv)
{
	static struct program p = { .set = { .log_level = "info",
					.lease_name = "maintner-sprvsr",
					.github_keys = "token",
					.desired = { .manager = "maintner-sprvsr",
					    .pull_policy = "IfNotPresent",
					    .pod_host = "0.0.0.0",
					    .front_config = "mtr-pod-front",
					    .snapshot_size = "4Gi",
					    .disk_request = "1Gi",
					    .sync_memory = "512Mi",
					    .fcgi_memory = "256Mi" },
					.max_prune = 20,
					.batch = 20,
					.list_s = 60,
					.resync_s = 600,
					.per_s = 50,
					.concurrency = 4,
					.leader_elect = true } };
	enum log_severity level = LOG_SEV_INFO;
	enum conf_next next = CONF_RUN;
	struct err_info ei = { 0 };
	int rc = read_settings(&p.set, argc, argv, &next, &ei);

	if (rc == 0 && next == CONF_EXIT)
		return 0;
	if (rc == 0 && !log_severity_parse(p.set.log_level, &level))
		rc =
		    err_set(&ei, ERR_INVAL, "--log-level: \"%s\" is no level", p.set.log_level);
	log_setup("maintner-sprvsr", NULL, level);
	if (rc == 0)
		rc = set_up(&p, &ei);
	if (rc != 0) {
		fprintf(stderr, "maintner-sprvsr: %s\n", ei.text[0] ? ei.text : err_name(rc));
		rc = 2;
	} else {
		rc = run(&p, &ei);
		if (rc != 0)
			log_error("cannot go on",
			    LOG_S("error", ei.text[0] != '\0' ? ei.text : err_name(rc)),
			    LOG_END);
		else
			log_info("stopped", LOG_END);
		rc = rc != 0;
	}
	repo_source_clear(&p.source);
	if (p.has_api)
		k8s_shared_clear(&p.api);
	k8s_config_clear(&p.config);
	mem_free(p.keys);
	mem_free(p.secret);
	return rc;
}
