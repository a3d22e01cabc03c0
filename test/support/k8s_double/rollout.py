"""Plays the Deployment controller: status follows spec, at once, later or never."""

import copy

from .kinds import KINDS

DEPLOYMENT = next(k for k in KINDS if k.kind == "Deployment")


def _condition(kind, good, reason, now):
    return {"type": kind, "status": "True" if good else "False", "reason": reason, "message": reason,
            "lastUpdateTime": now, "lastTransitionTime": now}


def status_of(obj, ready, now):
    want = obj["spec"]["replicas"]
    out = {"observedGeneration": obj["metadata"]["generation"],
           "conditions": [_condition("Available", ready, "MinimumReplicasAvailable" if ready
                                     else "MinimumReplicasUnavailable", now),
                          _condition("Progressing", True, "NewReplicaSetAvailable" if ready
                                     else "ReplicaSetUpdated", now)]}
    if want:
        out.update(replicas=want, updatedReplicas=want)
        if ready:
            out.update(readyReplicas=want, availableReplicas=want)
        else:
            out.update(unavailableReplicas=want)
    return out


class Rollout:
    """`ready_after_s`: None is never; `rules` hold other times for single names.  `manual`: hands off."""

    def __init__(self, store):
        self.store = store
        self.ready_after_s = 0.0
        self.by_name = {}
        self.manual = False
        self.due = {}  # (namespace, name) -> (generation, time or None)

    def written(self, obj):
        """After each write of a Deployment that changed its spec."""
        if self.manual:
            return
        meta = obj["metadata"]
        after = self.by_name.get(meta["name"], self.ready_after_s)
        if obj["spec"]["replicas"] == 0:
            after = 0
        if after != 0:
            self.set(obj, False)
        if after is None:
            return
        self.due[(meta["namespace"], meta["name"])] = (meta["generation"], self.store.clock.monotonic() + after)
        self.tick()

    def tick(self):
        now = self.store.clock.monotonic()
        for key, (generation, when) in list(self.due.items()):
            if when > now:
                continue
            del self.due[key]
            obj = self.store.find(DEPLOYMENT, *key)
            if obj is not None and obj["metadata"]["generation"] == generation:
                self.set(obj, True)

    def set(self, obj, ready):
        new = copy.deepcopy(obj)
        new["status"] = status_of(obj, ready, self.store.clock.text())
        self.store.replace(DEPLOYMENT, new)
