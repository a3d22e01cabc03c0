"""Create, update, patch, apply, delete: what becomes of the objects."""

import base64
import copy

from . import merge
from .defaults import add_defaults
from .errors import Refused, bad_request, invalid, not_found, stale
from .fields import Managers, values_of
from .kinds import SCALE
from .patch import PATCHES, patched, strategic
from .rollout import Rollout
from .rules import decode, validate
from .schema import prune_unknown

APPLY = "application/apply-patch+yaml"
SYSTEM_META = ("uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp",
               "deletionGracePeriodSeconds", "selfLink", "managedFields")
CREATE_ON_UPDATE = ("Lease", "Event")
NEEDS_VERSION = ("Lease", "Ingress", "NetworkPolicy")


class Writes:
    def __init__(self, store):
        self.store = store
        self.rollout = Rollout(store)
        self.mutations = {}  # kind -> strategic patch that a webhook makes of each write

    # the beginning: what was sent

    def decoded(self, ask, body, kind=None):
        """The object of a request's body, checked against the request's path."""
        kind = kind or ask.kind
        if not isinstance(body, dict):
            raise bad_request("the body is not an object")
        if (body.get("apiVersion"), body.get("kind")) != (kind.api_version, kind.kind):
            raise bad_request(f"the object provided is unrecognized: apiVersion {body.get('apiVersion')!r}, kind "
                              f"{body.get('kind')!r}, where {kind.api_version} {kind.kind} is wanted")
        decode(body, kind)
        obj = prune_unknown(body, kind.type)
        meta = obj.setdefault("metadata", {})
        if ask.kind.namespaced and meta.setdefault("namespace", ask.namespace) != ask.namespace:
            raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
        if not meta.get("name") and meta.get("generateName"):
            meta["name"] = meta["generateName"] + f"{self.store.version + 1:05x}"
        if not meta.get("name"):
            raise invalid(kind, "", [{"reason": "FieldValueRequired", "field": "metadata.name",
                                      "message": "Required value: name or generateName is required"}])
        if ask.name and meta["name"] != ask.name:
            raise bad_request(f"the name of the object ({meta['name']}) does not match the name on the URL ({ask.name})")
        return obj

    # the verbs

    def create(self, ask, body):
        obj = self.decoded(ask, body)
        if obj["metadata"].get("resourceVersion"):
            raise bad_request("resourceVersion should not be set on objects to be created")
        return self._finish(ask, None, obj, merge.note_update(None, self._clean(obj, ask.kind), ask.kind, ask.manager, ""))

    def update(self, ask, body):
        if ask.subresource == "scale":
            return self._scale(ask, self.decoded(ask, body, SCALE))
        obj = self.decoded(ask, body)
        live = self.store.find(ask.kind, ask.namespace, ask.name)
        if live is None and ask.kind.kind in CREATE_ON_UPDATE:
            return self.create(ask, body)
        if live is None:
            raise not_found(ask.kind, ask.name)
        if ask.kind.kind in NEEDS_VERSION and not obj["metadata"].get("resourceVersion"):
            raise invalid(ask.kind, ask.name, [{"reason": "FieldValueInvalid", "field": "metadata.resourceVersion",
                                                "message": "Invalid value: 0x0: must be specified for an update"}])
        return self._replace(ask, live, obj)

    def patch(self, ask, body, content_type):
        if content_type == APPLY:
            return self._apply(ask, body)
        if content_type not in PATCHES:
            raise Refused(415, "UnsupportedMediaType", f"the body of the request was in an unknown format: {content_type}")
        live = self.store.get(ask.kind, ask.namespace, ask.name)
        if ask.subresource == "scale":
            scale = patched(scale_of(live), body, content_type, SCALE)
            return self._scale(ask, self.decoded(ask, scale, SCALE))
        new = patched(live, body, content_type, ask.kind)
        return self._replace(ask, live, self.decoded(ask, new))

    def delete(self, ask, options):
        unknown = set(options) - {"kind", "apiVersion", "propagationPolicy", "preconditions", "gracePeriodSeconds",
                                  "orphanDependents", "dryRun"}
        if unknown:
            raise bad_request(f"strict decoding error: unknown fields of DeleteOptions: {sorted(unknown)}")
        live = self.store.get(ask.kind, ask.namespace, ask.name)
        for field, want in (options.get("preconditions") or {}).items():
            if live["metadata"].get(field) != want:
                raise Refused(409, "Conflict", f"Precondition failed: {field.upper()} in precondition: {want}, "
                              f"in object meta: {live['metadata'].get(field)}", ask.kind, ask.name)
        if ask.dry_run:
            return live
        if live["metadata"].get("finalizers"):
            new = copy.deepcopy(live)
            new["metadata"].setdefault("deletionTimestamp", self.store.clock.text())
            return self.store.replace(ask.kind, new)
        self.store.remove(ask.kind, ask.namespace, ask.name)
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
                "details": {"name": ask.name, "kind": ask.kind.plural, "uid": live["metadata"]["uid"],
                            **({"group": ask.kind.group} if ask.kind.group else {})}}

    # the parts

    @staticmethod
    def _clean(obj, kind):
        """A copy with defaults, as it will stand, for the question who owns what."""
        new = copy.deepcopy(obj)
        try:
            add_defaults(new, kind, lambda: "")
        except (KeyError, TypeError):
            pass  # it is not valid; validate() says what is wrong
        return new

    def _apply(self, ask, body):
        if not ask.query.get("fieldManager"):
            raise invalid(ask.kind, ask.name, [{"reason": "FieldValueRequired", "field": "fieldManager",
                                                "message": "Required value: is required for apply patch"}])
        if isinstance(body, dict) and (body.get("metadata") or {}).get("managedFields"):
            raise bad_request("metadata.managedFields must be nil")
        obj = self.decoded(ask, body)
        live = self.store.find(ask.kind, ask.namespace, ask.name)
        uid = obj["metadata"].get("uid")  # a precondition, and no conflict where it fails
        if uid and live is None:
            raise stale(ask.kind, ask.name)
        if uid and live["metadata"]["uid"] != uid:
            raise invalid(ask.kind, ask.name, [{"field": "metadata.uid", "reason": "FieldValueInvalid",
                          "message": f'Invalid value: "{uid}": field is immutable'}])
        self._same_version(ask, live, obj)
        if ask.kind.kind not in ("ConfigMap", "Secret"):
            if ask.subresource == "status":
                obj = {k: v for k, v in obj.items() if k in ("apiVersion", "kind", "metadata", "status")}
            else:
                obj.pop("status", None)
        if live is None and ask.subresource:
            raise not_found(ask.kind, ask.name)
        result, managers = merge.apply(live, obj, ask.kind, ask.manager, ask.query.get("force") == "true")
        return self._finish(ask, live, result, managers)

    def _same_version(self, ask, live, obj):
        want = obj["metadata"].pop("resourceVersion", None)
        uid = obj["metadata"].get("uid")
        if want and live is None:
            raise not_found(ask.kind, ask.name)
        if live is not None and ((want and live["metadata"]["resourceVersion"] != want)
                                 or (uid and live["metadata"]["uid"] != uid)):
            raise stale(ask.kind, ask.name)

    def _replace(self, ask, live, obj):
        self._same_version(ask, live, obj)
        if ask.subresource == "status":
            obj = {**copy.deepcopy(live), "status": obj.get("status", {})}
        elif "status" in ask.kind.subresources or ask.kind.kind == "Deployment":
            obj.pop("status", None)
            if "status" in live:
                obj["status"] = copy.deepcopy(live["status"])
        if ask.kind.kind == "Service" and "clusterIP" in live["spec"]:
            obj["spec"].setdefault("clusterIP", live["spec"]["clusterIP"])
        managers = merge.note_update(live, self._clean(obj, ask.kind), ask.kind, ask.manager, ask.subresource)
        return self._finish(ask, live, obj, managers)

    def _scale(self, ask, scale):
        live = self.store.get(ask.kind, ask.namespace, ask.name)
        self._same_version(ask, live, scale)
        new = copy.deepcopy(live)
        new["spec"]["replicas"] = (scale.get("spec") or {}).get("replicas", 0)
        managers = merge.note_update(live, new, ask.kind, ask.manager, "scale")
        return scale_of(self._finish(ask, live, new, managers))

    def _finish(self, ask, live, obj, managers):
        """Validates and stores; nothing is written where nothing changes."""
        kind, meta = ask.kind, obj["metadata"]
        for field in SYSTEM_META:
            meta.pop(field, None)
            if live is not None and field in live["metadata"] and field != "managedFields":
                meta[field] = live["metadata"][field]
        if kind.namespaced and ask.namespace not in self.store.namespaces:
            raise Refused(404, "NotFound", f'namespaces "{ask.namespace}" not found')
        if kind.kind in self.mutations:
            obj = strategic(obj, self.mutations[kind.kind], kind.type)
            meta = obj["metadata"]
        validate(obj, kind)
        add_defaults(obj, kind, self.store.next_address)
        if kind.kind == "Secret":
            _string_data(obj)
        validate(obj, kind, live)
        self._generation(kind, live, obj)
        before = Managers(live["metadata"].get("managedFields", ()) if live else ())
        if live is not None and before.sets == {k: v for k, v in managers.sets.items() if v} and \
                values_of(live, kind.type) == values_of(obj, kind.type):
            return live
        meta["managedFields"] = managers.entries(kind.api_version, self.store.clock.text(), before)
        if ask.dry_run:
            return obj
        stored = self.store.replace(kind, obj) if live else self.store.create(kind, obj)
        if meta.get("deletionTimestamp") and not meta.get("finalizers"):
            return self.store.remove(kind, ask.namespace, meta["name"])
        if kind.kind == "Deployment" and (not live or live["spec"] != obj["spec"]):
            self.rollout.written(stored)
        return stored

    def _generation(self, kind, live, obj):
        if kind.group in ("", "coordination.k8s.io", "rbac.authorization.k8s.io") or "spec" not in obj:
            return
        if live is None:
            obj["metadata"]["generation"] = 1
        elif live["spec"] != obj["spec"]:
            obj["metadata"]["generation"] = live["metadata"]["generation"] + 1


def _string_data(obj):
    for key, value in (obj.pop("stringData", None) or {}).items():
        obj.setdefault("data", {})[key] = base64.b64encode(value.encode()).decode()


def scale_of(deployment):
    meta = deployment["metadata"]
    labels = deployment["spec"]["selector"].get("matchLabels", {})
    return {"kind": "Scale", "apiVersion": "autoscaling/v1",
            "metadata": {f: meta[f] for f in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")},
            "spec": {"replicas": deployment["spec"]["replicas"]},
            "status": {"replicas": deployment.get("status", {}).get("replicas", 0),
                       "selector": ",".join(f"{k}={v}" for k, v in sorted(labels.items()))}}
