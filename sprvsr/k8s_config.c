/* k8s_config.c - the configuration of a pod, and what both kinds share. */
#include "sprvsr/k8s_config.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"

int
k8s_read_file(const char *what, const char *path, char **ret, struct err_info *ei)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc = 0;
	char piece[4096];
	ssize_t n = -1;
	struct buf b;

	buf_init(&b, K8S_FILE_MAX);
	while (fd >= 0 && (n = read(fd, piece, sizeof(piece))) > 0)
		buf_add(&b, piece, (size_t)n);
	if (n < 0)
		rc = err_set(
		    ei, err_from_errno(errno), "%s %s: %s", what, path, strerror(errno));
	else if (buf_err(&b) != 0)
		rc = err_set(
		    ei, buf_err(&b), "%s %s: larger than %zu bytes", what, path, K8S_FILE_MAX);
	else if (b.len > 0 && memchr(b.ptr, '\0', b.len) != NULL)
		rc = err_set(ei, ERR_INVAL, "%s %s: a NUL byte in it", what, path);
	if (fd >= 0)
		close(fd);
	if (rc == 0) {
		buf_str(&b, "");
		*ret = b.len > 0 ? buf_take(&b, NULL) : mem_strdup("");
		rc = *ret != NULL ? 0 : ERR_NOMEM;
	}
	buf_clear(&b);
	return rc;
}

void
k8s_config_clear(struct k8s_config *c)
{
	mem_free(c->server);
	mem_free(c->namespace_name);
	mem_free(c->token);
	mem_free(c->token_file);
	mem_free(c->ca_pem);
	mem_free(c->cert_pem);
	mem_free(c->key_pem);
	mem_free(c->account_dir);
	mem_free(c->kubeconfig);
	*c = (struct k8s_config){ .server = NULL };
}

static void
cut_spaces(char *text)
{
	size_t len = strlen(text);

	while (len > 0 && isspace((unsigned char)text[len - 1]))
		text[--len] = '\0';
}

static char *
join(const char *dir, const char *name)
{
	struct buf b;
	char *path;

	buf_init(&b, 4096);
	buf_fmt(&b, "%s/%s", dir, name);
	path = buf_take(&b, NULL);
	buf_clear(&b);
	return path;
}

static int
read_member(const char *dir, const char *name, char **ret, struct err_info *ei)
{
	char *path = join(dir, name);
	int rc = path != NULL ? k8s_read_file("service account", path, ret, ei) : ERR_NOMEM;

	mem_free(path);
	return rc;
}

int
k8s_config_in_cluster(const char *dir, struct k8s_config *ret, struct err_info *ei)
{
	const char *host = getenv("KUBERNETES_SERVICE_HOST");
	const char *port = getenv("KUBERNETES_SERVICE_PORT");
	struct k8s_config c = { .server = NULL };
	struct buf url;
	int rc;

	if (host == NULL || host[0] == '\0' || port == NULL || port[0] == '\0')
		return err_set(ei, ERR_INVAL,
		    "this is no pod: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are "
		    "not "
		    "set (use --kubeconfig FILE elsewhere)");
	buf_init(&url, 1024);
	/* An IPv6 address needs brackets beside a port. */
	buf_fmt(
	    &url, strchr(host, ':') != NULL ? "https://[%s]:%s" : "https://%s:%s", host, port);
	c.server = buf_take(&url, NULL);
	buf_clear(&url);
	c.token_file = join(dir, "token");
	c.account_dir = mem_strdup(dir);
	rc = c.server != NULL && c.token_file != NULL && c.account_dir != NULL ? 0 : ERR_NOMEM;
	if (rc == 0)
		rc = read_member(dir, "ca.crt", &c.ca_pem, ei);
	if (rc == 0)
		rc = read_member(dir, "namespace", &c.namespace_name, ei);
	if (rc == 0)
		cut_spaces(c.namespace_name);
	if (rc == 0 && c.namespace_name[0] == '\0')
		rc = err_set(ei, ERR_INVAL, "service account %s/namespace is empty", dir);
	if (rc == 0) {
		*ret = c;
		return 0;
	}
	k8s_config_clear(&c);
	return rc;
}

int
k8s_config_reread(const struct k8s_config *c, struct k8s_config *ret, struct err_info *ei)
{
	if (c->kubeconfig != NULL)
		return k8s_config_file(c->kubeconfig, ret, ei);
	if (c->account_dir != NULL)
		return k8s_config_in_cluster(c->account_dir, ret, ei);
	return err_set(ei, ERR_UNSUPPORTED, "this configuration is of no file");
}

static bool
same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

bool
k8s_config_is_same(const struct k8s_config *a, const struct k8s_config *b)
{
	return same_text(a->server, b->server) && same_text(a->token, b->token) &&
	       same_text(a->token_file, b->token_file) && same_text(a->ca_pem, b->ca_pem) &&
	       same_text(a->cert_pem, b->cert_pem) && same_text(a->key_pem, b->key_pem);
}
