/* k8s_kubeconfig.c - kubeconfig files; the only file that knows libyaml. */
#include <stdio.h>
#include <yaml.h>

#include "base/base64.h"
#include "base/mem.h"
#include "sprvsr/k8s_config.h"

struct reading {
	yaml_document_t doc;
	const char *dir;
	struct err_info *ei;
};

/* The value of a mapping's key, or NULL; texts only count if they are scalars. */
static yaml_node_t *
member(struct reading *r, yaml_node_t *map, const char *key)
{
	if (map == NULL || map->type != YAML_MAPPING_NODE)
		return NULL;
	for (yaml_node_pair_t *p = map->data.mapping.pairs.start;
	     p < map->data.mapping.pairs.top; p++) {
		yaml_node_t *k = yaml_document_get_node(&r->doc, p->key);

		if (k != NULL && k->type == YAML_SCALAR_NODE &&
		    strcmp((const char *)k->data.scalar.value, key) == 0)
			return yaml_document_get_node(&r->doc, p->value);
	}
	return NULL;
}

static const char *
text(struct reading *r, yaml_node_t *map, const char *key)
{
	yaml_node_t *v = member(r, map, key);

	if (v == NULL || v->type != YAML_SCALAR_NODE || v->data.scalar.length == 0 ||
	    strlen((const char *)v->data.scalar.value) != v->data.scalar.length)
		return NULL;
	return (const char *)v->data.scalar.value;
}

/* The element of root[list] whose name is `name`, and in it root's member `inner`. */
static int
named(
    struct reading *r, const char *list, const char *inner, const char *name, yaml_node_t **ret)
{
	yaml_node_t *items = member(r, yaml_document_get_root_node(&r->doc), list);

	if (name == NULL)
		return err_set(r->ei, ERR_INVAL, "kubeconfig: no %s is named", inner);
	if (items == NULL || items->type != YAML_SEQUENCE_NODE)
		return err_set(r->ei, ERR_INVAL, "kubeconfig: \"%s\" is not a list", list);
	for (yaml_node_item_t *i = items->data.sequence.items.start;
	     i < items->data.sequence.items.top; i++) {
		yaml_node_t *one = yaml_document_get_node(&r->doc, *i);
		const char *its = text(r, one, "name");

		if (its == NULL || strcmp(its, name) != 0)
			continue;
		*ret = member(r, one, inner);
		if (*ret == NULL || (*ret)->type != YAML_MAPPING_NODE)
			return err_set(
			    r->ei, ERR_INVAL, "kubeconfig: %s \"%s\" is empty", inner, name);
		return 0;
	}
	return err_set(
	    r->ei, ERR_INVAL, "kubeconfig: no %s \"%s\" in \"%s\"", inner, name, list);
}

/* Base64 as RFC 4648 section 4 has it, through the decoder that knows the other alphabet. */
static int
decode(struct reading *r, const char *key, const char *data, char **ret)
{
	size_t n = 0, got;
	char *plain = mem_alloc(strlen(data) + 1), *out = mem_alloc(strlen(data) + 1);

	if (plain == NULL || out == NULL) {
		mem_free(plain);
		mem_free(out);
		return ERR_NOMEM;
	}
	for (const char *p = data; *p != '\0'; p++) {
		if (strchr("=\n\r \t", *p) == NULL)
			plain[n++] = *p == '+' ? '-' : *p == '/' ? '_' : *p;
	}
	got = base64url_decode((struct slice){ plain, n }, out, strlen(data));
	mem_free(plain);
	if (got == SIZE_MAX || memchr(out, '\0', got) != NULL) {
		mem_free(out);
		return err_set(
		    r->ei, ERR_INVAL, "kubeconfig: \"%s\" is not Base64 of a text", key);
	}
	out[got] = '\0';
	*ret = out;
	return 0;
}

static char *
path_of(const struct reading *r, const char *file)
{
	struct buf b;
	char *path;

	buf_init(&b, 8192);
	if (file[0] != '/')
		buf_fmt(&b, "%s/", r->dir);
	buf_str(&b, file);
	path = buf_take(&b, NULL);
	buf_clear(&b);
	return path;
}

/* PEM text from KEY-data, else from the file that KEY names, else none. */
static int
pem(struct reading *r, yaml_node_t *map, const char *key, char **ret)
{
	char data_key[64], *path;
	const char *data, *file = text(r, map, key);
	int rc;

	snprintf(data_key, sizeof(data_key), "%s-data", key);
	data = text(r, map, data_key);
	if (data != NULL)
		return decode(r, data_key, data, ret);
	if (file == NULL)
		return 0;
	path = path_of(r, file);
	rc = path != NULL ? k8s_read_file(key, path, ret, r->ei) : ERR_NOMEM;
	mem_free(path);
	return rc;
}

static int
copy(const char *value, char **ret)
{
	if (value == NULL)
		return 0;
	*ret = mem_strdup(value);
	return *ret != NULL ? 0 : ERR_NOMEM;
}

static int
read_cluster(struct reading *r, yaml_node_t *cluster, struct k8s_config *c)
{
	static const char *const refused[] = { "proxy-url", "tls-server-name" };
	const char *server = text(r, cluster, "server");
	const char *lax = text(r, cluster, "insecure-skip-tls-verify");
	int rc;

	if (server == NULL ||
	    (strncmp(server, "https://", 8) != 0 && strncmp(server, "http://", 7) != 0))
		return err_set(
		    r->ei, ERR_INVAL, "kubeconfig: the cluster's \"server\" is no URL");
	if (lax != NULL && strcmp(lax, "false") != 0)
		return err_set(r->ei, ERR_UNSUPPORTED,
		    "kubeconfig: insecure-skip-tls-verify is refused; name the "
		    "certificate-authority");
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		if (member(r, cluster, refused[i]) != NULL)
			return err_set(r->ei, ERR_UNSUPPORTED,
			    "kubeconfig: the cluster's \"%s\" is not supported", refused[i]);
	}
	rc = copy(server, &c->server);
	for (size_t n = rc == 0 ? strlen(c->server) : 0; n > 0 && c->server[n - 1] == '/'; n--)
		c->server[n - 1] = '\0';
	return rc != 0 ? rc : pem(r, cluster, "certificate-authority", &c->ca_pem);
}

static int
read_user(struct reading *r, yaml_node_t *user, struct k8s_config *c)
{
	static const char *const refused[] = { "exec", "auth-provider", "username", "password",
		"as", "impersonate" };
	const char *file = text(r, user, "tokenFile");
	int rc = 0;

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		if (member(r, user, refused[i]) != NULL)
			return err_set(r->ei, ERR_UNSUPPORTED,
			    "kubeconfig: the user's \"%s\" is not supported; use a token, a "
			    "tokenFile or a client certificate",
			    refused[i]);
	}
	if (file != NULL) {
		c->token_file = path_of(r, file);
		rc = c->token_file != NULL ? 0 : ERR_NOMEM;
	} else {
		rc = copy(text(r, user, "token"), &c->token);
	}
	if (rc == 0)
		rc = pem(r, user, "client-certificate", &c->cert_pem);
	if (rc == 0)
		rc = pem(r, user, "client-key", &c->key_pem);
	if (rc == 0 && (c->cert_pem == NULL) != (c->key_pem == NULL))
		rc = err_set(r->ei, ERR_INVAL,
		    "kubeconfig: client-certificate and client-key need each other");
	return rc;
}

static int
read_document(struct reading *r, struct k8s_config *c)
{
	yaml_node_t *root = yaml_document_get_root_node(&r->doc);
	yaml_node_t *context = NULL, *cluster = NULL, *user = NULL;
	const char *ns;
	int rc;

	if (root == NULL || root->type != YAML_MAPPING_NODE)
		return err_set(r->ei, ERR_INVAL, "kubeconfig: it is not a mapping");
	if (text(r, root, "current-context") == NULL)
		return err_set(r->ei, ERR_INVAL, "kubeconfig: no current-context");
	rc = named(r, "contexts", "context", text(r, root, "current-context"), &context);
	if (rc == 0)
		rc = named(r, "clusters", "cluster", text(r, context, "cluster"), &cluster);
	if (rc == 0)
		rc = read_cluster(r, cluster, c);
	if (rc == 0 && text(r, context, "user") != NULL) {
		rc = named(r, "users", "user", text(r, context, "user"), &user);
		if (rc == 0)
			rc = read_user(r, user, c);
	}
	ns = rc == 0 ? text(r, context, "namespace") : NULL;
	return rc != 0 ? rc : copy(ns != NULL ? ns : "default", &c->namespace_name);
}

int
k8s_config_parse(
    struct slice bytes, const char *dir, struct k8s_config *ret, struct err_info *ei)
{
	struct reading r = { .dir = dir, .ei = ei };
	struct k8s_config c = { .server = NULL };
	yaml_parser_t parser;
	int rc;

	if (bytes.len > K8S_FILE_MAX)
		return err_set(
		    ei, ERR_LIMIT, "kubeconfig: larger than %zu bytes", K8S_FILE_MAX);
	if (yaml_parser_initialize(&parser) == 0)
		return ERR_NOMEM;
	yaml_parser_set_input_string(
	    &parser, (const unsigned char *)(bytes.len > 0 ? bytes.ptr : ""), bytes.len);
	if (yaml_parser_load(&parser, &r.doc) == 0) {
		rc = err_set(ei, ERR_INVAL, "kubeconfig: line %zu: %s",
		    parser.problem_mark.line + 1,
		    parser.problem != NULL ? parser.problem : "no YAML");
	} else {
		rc = read_document(&r, &c);
		yaml_document_delete(&r.doc);
	}
	yaml_parser_delete(&parser);
	if (rc == 0) {
		*ret = c;
		return 0;
	}
	k8s_config_clear(&c);
	return rc;
}

int
k8s_config_file(const char *path, struct k8s_config *ret, struct err_info *ei)
{
	const char *slash = strrchr(path, '/');
	struct k8s_config c = { .server = NULL };
	char *bytes = NULL, *dir;
	int rc = k8s_read_file("kubeconfig", path, &bytes, ei);

	if (rc != 0)
		return rc;
	dir = mem_strdup(slash != NULL ? path : ".");
	if (dir != NULL && slash != NULL)
		dir[slash == path ? 1 : slash - path] = '\0';
	rc = dir != NULL ? k8s_config_parse(slice_str(bytes), dir, &c, ei) : ERR_NOMEM;
	mem_free(dir);
	mem_free(bytes);
	if (rc == 0)
		rc = copy(path, &c.kubeconfig);
	if (rc == 0)
		*ret = c;
	else
		k8s_config_clear(&c);
	return rc;
}
