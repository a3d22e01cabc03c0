/* kubeconfig files and the configuration of a pod. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sprvsr/k8s_config.h"

#define HEAD "current-context: c\ncontexts:\n- name: c\n  context: {cluster: k, user: u}\n"
#define CLUSTER "clusters:\n- name: k\n  cluster: {server: 'https://host:6443/'}\n"
#define USER(text) "users:\n- name: u\n  user: {" text "}\n"

static int
parse(const char *text, struct k8s_config *c, struct err_info *ei)
{
	return k8s_config_parse(slice_str(text), "/nonexistent", c, ei);
}

static void
the_current_context_is_read(void **state)
{
	struct k8s_config c = { .server = NULL };

	(void)state;
	assert_int_equal(parse(HEAD CLUSTER USER("token: abc, client-certificate-data: aGk=, "
						 "client-key-data: 'aGk+'"),
			     &c, NULL),
	    0);
	assert_string_equal(c.server, "https://host:6443");
	assert_string_equal(c.namespace_name, "default");
	assert_string_equal(c.token, "abc");
	assert_string_equal(c.cert_pem, "hi");
	k8s_config_clear(&c);
}

static void
what_is_wrong_is_named(void **state)
{
	static const struct {
		const char *text, *word;
		int rc;
	} cases[] = {
		{ "", "mapping", ERR_INVAL },
		{ "[1", "line", ERR_INVAL },
		{ "a: 1", "current-context", ERR_INVAL },
		{ "current-context: x", "\"contexts\"", ERR_INVAL },
		{ HEAD, "\"clusters\"", ERR_INVAL },
		{ HEAD CLUSTER, "\"users\"", ERR_INVAL },
		{ HEAD CLUSTER USER("exec: {command: x}"), "\"exec\"", ERR_UNSUPPORTED },
		{ HEAD CLUSTER USER("auth-provider: {name: gcp}"), "auth-provider",
		    ERR_UNSUPPORTED },
		{ HEAD CLUSTER USER("password: x"), "password", ERR_UNSUPPORTED },
		{ HEAD CLUSTER USER("client-certificate-data: aGk="), "client-key", ERR_INVAL },
		{ HEAD CLUSTER USER("client-key-data: '!'"), "Base64", ERR_INVAL },
		{ HEAD CLUSTER USER("client-key: key.pem"), "/nonexistent/key.pem", ERR_NOENT },
		{ HEAD "clusters:\n- name: k\n  cluster: {server: 'https://h', "
		       "insecure-skip-tls-verify: true}\n",
		    "insecure-skip-tls-verify", ERR_UNSUPPORTED },
		{ HEAD "clusters:\n- name: k\n  cluster: {server: ftp}\n", "\"server\"",
		    ERR_INVAL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct k8s_config c = { .server = NULL };
		struct err_info ei = { .text = "" };

		assert_int_equal(parse(cases[i].text, &c, &ei), cases[i].rc);
		assert_non_null(strstr(ei.text, cases[i].word));
		assert_null(c.server);
	}
}

static void
a_pod_has_its_account_and_ipv6_gets_brackets(void **state)
{
	char dir[] = "/tmp/maintner-account-XXXXXX", path[128];
	static const char *const names[] = { "token", "ca.crt", "namespace" };
	struct k8s_config c = { .server = NULL }, again = { .server = NULL };
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(dir));
	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		f = fopen(path, "w");
		assert_non_null(f);
		fprintf(f, "%s\n", i == 2 ? "mirror" : "x");
		fclose(f);
	}
	unsetenv("KUBERNETES_SERVICE_HOST");
	assert_int_equal(k8s_config_in_cluster(dir, &c, NULL), ERR_INVAL);
	setenv("KUBERNETES_SERVICE_HOST", "fd00::1", 1);
	setenv("KUBERNETES_SERVICE_PORT", "443", 1);
	assert_int_equal(k8s_config_in_cluster(dir, &c, NULL), 0);
	assert_string_equal(c.server, "https://[fd00::1]:443");
	assert_string_equal(c.namespace_name, "mirror");
	assert_int_equal(k8s_config_reread(&c, &again, NULL), 0);
	assert_true(k8s_config_is_same(&c, &again));
	k8s_config_clear(&again);
	snprintf(path, sizeof(path), "%s/ca.crt", dir);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs("another", f);
	fclose(f);
	assert_int_equal(k8s_config_reread(&c, &again, NULL), 0);
	assert_false(k8s_config_is_same(&c, &again));
	assert_string_equal(again.ca_pem, "another");
	k8s_config_clear(&again);
	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	assert_int_equal(k8s_config_reread(&c, &again, NULL), ERR_NOENT);
	k8s_config_clear(&c);
	assert_int_equal(k8s_config_in_cluster(dir, &c, NULL), ERR_NOENT);
	rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_current_context_is_read),
		cmocka_unit_test(what_is_wrong_is_named),
		cmocka_unit_test(a_pod_has_its_account_and_ipv6_gets_brackets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
