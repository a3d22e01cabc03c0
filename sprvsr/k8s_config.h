/*
 * k8s_config.h - where the Kubernetes API is and how to speak to it: the service account
 * of the pod this runs in, or a kubeconfig's current context.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#define K8S_FILE_MAX ((size_t)1 << 20) /* of a kubeconfig, certificate or token */

/* All owned; NULL where there is none. */
struct k8s_config {
	char *server;             /* "https://host:port[/path]" without a slash at its end */
	char *namespace_name;     /* "default" if nothing says another */
	char *token;              /* fixed bearer token */
	char *token_file;         /* or a file with one, read again as it is rotated */
	char *ca_pem;             /* certificates to trust */
	char *cert_pem, *key_pem; /* client certificate */
	char *account_dir;        /* where all of it came from: a service account's folder */
	char *kubeconfig;         /* or a file; neither: from bytes */
};

/*
 * From KUBERNETES_SERVICE_HOST and _PORT and the folder of the service account, usually
 * K8S_ACCOUNT_DIR.  ERR_INVAL outside of a pod, or as reading files fails.
 */
#define K8S_ACCOUNT_DIR "/var/run/secrets/kubernetes.io/serviceaccount"
int k8s_config_in_cluster(const char *dir, struct k8s_config *ret, struct err_info *ei);

/*
 * The current context of a kubeconfig file.  ERR_INVAL names what is wrong or missing;
 * ERR_UNSUPPORTED: exec plugins, auth providers, passwords, unverified TLS.
 */
int k8s_config_file(const char *path, struct k8s_config *ret, struct err_info *ei);

/* The same from bytes; files are named relative to `dir`, and read. */
int k8s_config_parse(
    struct slice text, const char *dir, struct k8s_config *ret, struct err_info *ei);
/*
 * Read what `c` came from once more; *ret is like a first reading's.  ERR_UNSUPPORTED when
 * it came from bytes.
 */
int k8s_config_reread(const struct k8s_config *c, struct k8s_config *ret, struct err_info *ei);
/* Are server, credentials and trust the same? */
bool k8s_config_is_same(const struct k8s_config *a, const struct k8s_config *b);
void k8s_config_clear(struct k8s_config *c);

/* A whole file as a heap string (mem_free), at most K8S_FILE_MAX; `what` for messages. */
int k8s_read_file(const char *what, const char *path, char **ret, struct err_info *ei);
