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
void k8s_config_clear(struct k8s_config *c);

/* A whole file as a heap string (mem_free), at most K8S_FILE_MAX; `what` for messages. */
int k8s_read_file(const char *what, const char *path, char **ret, struct err_info *ei);
