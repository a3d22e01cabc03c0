/* dry_run.h - what would be done, as a table and as YAML on standard output. */
#pragma once

#include "base/repo_source.h"
#include "sprvsr/k8s_client.h"
#include "sprvsr/reconcile.h"

/* Lists the cluster, reads the list, plans, prints.  Writes nothing to the cluster. */
int dry_run(struct k8s_shared *api, struct repo_source *source,
    const struct desired_opts *desired, const struct reconcile_opts *o, struct err_info *ei);
