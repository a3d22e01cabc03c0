/* Names, labels, keys, and the objects of a repository. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "test/unit/sprvsr/sprvsr_rig.h"

static void
names_are_made_legal_label_values(void **state)
{
	static const struct {
		const char *from, *to;
	} cases[] = { { ".github", "github" }, { "name-", "name" }, { "_x_", "x" },
		{ "Upper", "Upper" }, { "feature/x y", "feature-x-y" }, { "", "" },
		{ "---", "" } };
	char out[LABEL_VALUE_MAX], longest[101];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		desired_label(slice_str(cases[i].from), out);
		assert_string_equal(out, cases[i].to);
	}
	for (size_t len = 1; len < LABEL_VALUE_MAX; len++) { /* legal ones stay what they are */
		char legal[LABEL_VALUE_MAX] = "";

		for (size_t i = 0; i < len; i++)
			legal[i] = i == 0 || i + 1 == len ? "aZ09"[len % 4] : "b.C-1_"[i % 6];
		desired_label(slice_str(legal), out);
		assert_string_equal(out, legal);
	}
	memset(longest, 'n', 100);
	longest[100] = '\0';
	longest[62] = '-';
	desired_label(slice_str(longest), out);
	assert_int_equal(strlen(out), 62);
}

static void
a_key_that_goes_moves_only_what_it_held(void **state)
{
	struct desired_opts fewer = rig_opts;
	size_t held[3] = { 0 };
	struct desired d;

	(void)state;
	fewer.keys[1] = fewer.keys[2];
	fewer.key_count = 2;
	rig_desired(&rig_opts, 0, 3000, &d);
	for (size_t i = 0; i < d.list.count; i++) {
		const char *before = desired_key(&rig_opts, &d.list.items[i]);
		const char *after = desired_key(&fewer, &d.list.items[i]);

		held[before[0] - 'a']++;
		if (before[0] != 'b')
			assert_string_equal(before, after);
	}
	for (int k = 0; k < 3; k++)
		assert_in_range(held[k], 900, 1100);
	desired_clear(&d);
}

static json_t *
rendered(const struct desired_opts *o, enum kind kind, bool was_ready, char *hash)
{
	struct repo_entry e = {
		.name = "Owner/.github", .owner_len = 5, .default_branch = "a/b"
	};
	struct buf b;
	json_t *doc = NULL;

	assert_int_equal(sha224_hex(slice_str(e.name), e.sha), 0);
	buf_init(&b, OBJECT_BYTES_MAX);
	assert_int_equal(desired_render(o, &e, kind, was_ready, &b, hash), 0);
	assert_int_equal(json_in_parse(buf_view(&b), "object", &doc, NULL), 0);
	buf_clear(&b);
	return doc;
}

static void
the_hash_tells_every_change_but_not_readiness(void **state)
{
	char a[SHA224_HEX_LEN + 1], b[SHA224_HEX_LEN + 1];
	struct desired_opts other = rig_opts;

	(void)state;
	json_decref(rendered(&rig_opts, KIND_DEPLOYMENT, false, a));
	json_decref(rendered(&rig_opts, KIND_DEPLOYMENT, true, b));
	assert_string_equal(a, b);
	other.sync_memory = "1Gi";
	json_decref(rendered(&other, KIND_DEPLOYMENT, false, b));
	assert_string_not_equal(a, b);
}

static void
the_responder_gets_no_credential_and_replicas_are_nobodys(void **state)
{
	char hash[SHA224_HEX_LEN + 1], *text;
	struct desired_opts o = rig_opts;
	const json_t *spec, *pod, *fcgi;
	json_t *doc;

	(void)state;
	o.internal_secret = "internal";
	o.service_account_secret = "writer";
	doc = rendered(&o, KIND_DEPLOYMENT, false, hash);
	spec = json_object_get(doc, "spec");
	assert_null(json_object_get(spec, "replicas"));
	pod = json_object_get(json_object_get(spec, "template"), "spec");
	assert_true(json_is_true(json_object_get(pod, "shareProcessNamespace")));
	fcgi = json_array_get(json_object_get(pod, "containers"), 1);
	text = json_dumps(fcgi, JSON_COMPACT);
	assert_null(strstr(text, "github"));
	assert_null(strstr(text, "gcp"));
	assert_null(strstr(text, "internal"));
	free(text);
	assert_string_equal(
	    json_string_value(json_object_get(
		json_object_get(json_object_get(doc, "metadata"), "annotations"),
		"maintner/repository")),
	    ".github");
	json_decref(doc);
}

static void
a_web_server_is_there_when_it_is_wanted(void **state)
{
	char hash[SHA224_HEX_LEN + 1];
	struct desired_opts o = rig_opts;
	json_t *doc;

	(void)state;
	o.front_image = "nginx:1";
	o.front_config = "front";
	doc = rendered(&o, KIND_SERVICE, false, hash);
	assert_int_equal(
	    json_array_size(json_object_get(json_object_get(doc, "spec"), "ports")), 3);
	json_decref(doc);
	json_decref(rendered(&o, KIND_DEPLOYMENT, false, hash));
}

static json_t *
pod_of(const struct desired_opts *o, json_t **ret_doc)
{
	char hash[SHA224_HEX_LEN + 1];

	*ret_doc = rendered(o, KIND_DEPLOYMENT, false, hash);
	return json_object_get(
	    json_object_get(json_object_get(*ret_doc, "spec"), "template"), "spec");
}

static void
what_hangs_is_killed_after_minutes_but_nothing_for_being_not_ready(void **state)
{
	struct desired_opts o = rig_opts;
	json_t *doc, *containers;

	(void)state;
	o.front_image = "nginx:1";
	o.front_config = "front";
	containers = json_object_get(pod_of(&o, &doc), "containers");
	assert_int_equal(json_array_size(containers), 3);
	for (size_t i = 0; i < 3; i++) {
		const json_t *c = json_array_get(containers, i);
		const json_t *live = json_object_get(c, "livenessProbe");
		char *text = json_dumps(live, JSON_COMPACT);

		assert_non_null(json_object_get(c, "readinessProbe"));
		assert_non_null(live);
		assert_in_range(
		    json_integer_value(json_object_get(live, "periodSeconds")) *
			json_integer_value(json_object_get(live, "failureThreshold")),
		    180, 600);
		/* sync's health is 200 from its start on, the responder's only when it has data. */
		assert_int_equal(strstr(text, "/_healthz") != NULL, i == 0);
		assert_int_equal(strstr(text, "/metrics") != NULL, i == 1);
		assert_int_equal(strstr(text, "tcpSocket") != NULL, i == 2);
		free(text);
	}
	json_decref(doc);
}

static void
disk_is_asked_for_once_in_a_pod(void **state)
{
	struct desired_opts o = rig_opts;
	json_t *doc, *containers;

	(void)state;
	o.disk_request = "3Gi";
	containers = json_object_get(pod_of(&o, &doc), "containers");
	for (size_t i = 0; i < json_array_size(containers); i++) {
		const char *disk = json_string_value(json_object_get(
		    json_object_get(json_object_get(json_array_get(containers, i), "resources"),
			"requests"),
		    "ephemeral-storage"));

		if (i == 0)
			assert_string_equal(disk, "3Gi");
		else
			assert_null(disk);
	}
	json_decref(doc);
}

static void
images_are_pulled_with_the_secret_that_is_named(void **state)
{
	struct desired_opts o = rig_opts;
	json_t *doc, *want = json_pack("[{s:s}]", "name", "registry");

	(void)state;
	assert_null(json_object_get(pod_of(&o, &doc), "imagePullSecrets"));
	json_decref(doc);
	o.pull_secret = "registry";
	assert_true(json_equal(json_object_get(pod_of(&o, &doc), "imagePullSecrets"), want));
	json_decref(doc);
	json_decref(want);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_made_legal_label_values),
		cmocka_unit_test(a_key_that_goes_moves_only_what_it_held),
		cmocka_unit_test(the_hash_tells_every_change_but_not_readiness),
		cmocka_unit_test(the_responder_gets_no_credential_and_replicas_are_nobodys),
		cmocka_unit_test(a_web_server_is_there_when_it_is_wanted),
		cmocka_unit_test(
		    what_hangs_is_killed_after_minutes_but_nothing_for_being_not_ready),
		cmocka_unit_test(disk_is_asked_for_once_in_a_pod),
		cmocka_unit_test(images_are_pulled_with_the_secret_that_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
