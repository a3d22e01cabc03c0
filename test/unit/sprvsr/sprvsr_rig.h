/* sprvsr_rig.h - a desired set from names, and a cluster that holds what was applied. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "sprvsr/reconcile.h"

static const struct desired_opts rig_opts = { .manager = "maintner-sprvsr",
	.namespace_name = "mirror",
	.image = "image:1",
	.pull_policy = "IfNotPresent",
	.log = "gs://bucket/logs",
	.pod_host = "0.0.0.0",
	.github_secret = "github",
	.snapshot_size = "4Gi",
	.disk_request = "1Gi",
	.sync_memory = "512Mi",
	.fcgi_memory = "256Mi",
	.keys = { "a", "b", "c" },
	.key_count = 3 };

/* `count` repositories o/r0, o/r1, ... */
static inline void
rig_desired(const struct desired_opts *o, unsigned first, unsigned count, struct desired *ret)
{
	struct repo_list list = { .items = NULL };
	struct buf b;

	buf_init(&b, (size_t)4 << 20);
	buf_str(&b, "{\"repos\":[");
	for (unsigned i = first; i < first + count; i++)
		buf_fmt(&b, "%s{\"repo\":\"o/r%u\",\"is_tracking_issues\":true}",
		    i > first ? "," : "", i);
	buf_str(&b, "]}");
	assert_int_equal(repo_list_parse(buf_view(&b), NULL, NULL, &list, NULL), 0);
	assert_int_equal(desired_build(o, &list, ret), 0);
	buf_clear(&b);
}

/* The controller has told of what is shown next that all its pods were ready once. */
static bool rig_rolled_out;

/* The cluster shows what an apply made of it, `ready` or not, in a new version. */
static inline void
rig_show(struct observed *seen, const struct desired_opts *o, const struct action *a,
    const struct repo_entry *e, bool ready)
{
	static unsigned version;
	char hash[SHA224_HEX_LEN + 1], number[16];
	struct buf b;
	json_t *doc = NULL, *meta;

	buf_init(&b, OBJECT_BYTES_MAX);
	assert_int_equal(desired_render(o, e, a->kind, a->was_ready, &b, hash), 0);
	assert_int_equal(json_in_parse(buf_view(&b), "object", &doc, NULL), 0);
	meta = json_object_get(doc, "metadata");
	snprintf(number, sizeof(number), "%u", ++version);
	json_object_set_new(meta, "resourceVersion", json_string(number));
	json_object_set_new(meta, "uid", json_string("uid"));
	json_object_set_new(meta, "generation", json_integer(1));
	json_object_set_new(doc, "status",
	    json_pack("{s:i,s:i,s:i,s:[{s:s,s:s}]}", "observedGeneration", 1, "updatedReplicas",
		1, "readyReplicas", ready ? 1 : 0, "conditions", "type", "Progressing",
		"reason",
		ready || rig_rolled_out ? "NewReplicaSetAvailable" : "ReplicaSetUpdated"));
	assert_int_equal(observed_put(seen, a->kind, doc, NULL), 0);
	json_decref(doc);
	buf_clear(&b);
}
