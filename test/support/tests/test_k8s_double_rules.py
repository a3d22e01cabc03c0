"""What the Kubernetes double refuses, and who may ask for what."""

import unittest

from k8s_objects import (CONTAINER, DEPLOYMENTS, EVENTS, LEASES, NAMESPACE, SERVICES, Case, changed, deployment,
                         lease, service)
from k8s_double import yaml_subset
from k8s_double.quantity import canonical

POD = ("spec", "template", "spec")

# path of the change, its value, status, field of the cause (or part of the message)
BAD_DEPLOYMENTS = [
    (("spec", "replica"), 1, 400, 'unknown field "spec.replica"'),
    (CONTAINER + ("prots",), [], 400, "containers[0].prots"),
    (("spec", "replicas"), "1", 400, "spec.replicas"),
    (("spec", "replicas"), -1, 422, "spec.replicas"),
    (("spec", "selector"), None, 422, "spec.selector"),
    (("spec", "selector", "matchLabels", "app"), "b", 422, "spec.template.metadata.labels"),
    (("metadata", "labels"), {"owner": "-x"}, 422, "metadata.labels"),
    (("metadata", "labels"), {"owner": "x" * 64}, 422, "metadata.labels"),
    (("metadata", "annotations"), {"a b": ""}, 422, "metadata.annotations"),
    (("metadata", "annotations"), {"a": "x" * 262144}, 422, "metadata.annotations"),
    (CONTAINER + ("image",), None, 422, "spec.template.spec.containers[0].image"),
    (CONTAINER + ("resources",), {"limits": {"memory": "1Gb"}}, 422, "spec.template.spec.containers[0].resources"),
    (CONTAINER + ("resources",), {"limits": {"cpu": "1"}, "requests": {"cpu": "2"}}, 422,
     "spec.template.spec.containers[0].resources.requests"),
    (CONTAINER + ("ports",), [{"containerPort": 70000}], 422, "spec.template.spec.containers[0].ports[0].containerPort"),
    (CONTAINER + ("livenessProbe",), {}, 422, "spec.template.spec.containers[0].livenessProbe"),
    (CONTAINER + ("volumeMounts",), [{"name": "v", "mountPath": "/v"}], 422,
     "spec.template.spec.containers[0].volumeMounts[0].name"),
    (POD + ("volumes",), [{"name": "v"}], 422, "spec.template.spec.volumes[0]"),
    (POD + ("volumes",), [{"name": "v", "emptyDir": {}, "secret": {"secretName": "s"}}], 422,
     "spec.template.spec.volumes[0].secret"),
    (POD + ("restartPolicy",), "Never", 422, "spec.template.spec.restartPolicy"),
    (("spec", "strategy"), {"type": "Recreate", "rollingUpdate": {"maxSurge": 1}}, 422, "spec.strategy.rollingUpdate"),
]


class Refusals(Case):
    def test_bad_deployments_are_refused_by_the_field(self):
        for path, value, want, field in BAD_DEPLOYMENTS:
            with self.subTest(path=path, value=str(value)[:40]):
                status, answer = self.double.apply(f"{DEPLOYMENTS}/a", changed(deployment(), path, value))
                self.assertEqual((status, answer["kind"]), (want, "Status"))
                told = answer["message"] if want == 400 else str([c["field"] for c in answer["details"]["causes"]])
                self.assertIn(field, told)
        self.assertEqual(self.double.objects("deployments"), {})

    def test_bad_services_are_refused(self):
        for name, spec in (("1s", {}), ("s.t", {}), ("s", {"ports": []}), ("s", {"type": "X"}),
                           ("s", {"ports": [{"port": 1}, {"port": 2}]}),
                           ("s", {"ports": [{"name": "x", "port": 1}, {"name": "x", "port": 2}]})):
            with self.subTest(name=name, spec=spec):
                self.assertEqual(self.ask("POST", SERVICES, service(name, **spec))[0], 422)

    def test_a_selector_does_not_change(self):
        self.apply(deployment())
        other = changed(changed(deployment(), ("spec", "selector", "matchLabels", "app"), "b"),
                        ("spec", "template", "metadata", "labels", "app"), "b")
        self.assertEqual(self.apply(other, want=422)["details"]["causes"][0]["field"], "spec.selector")

    def test_name_and_namespace_must_be_those_of_the_path(self):
        self.assertEqual(self.double.apply(f"{DEPLOYMENTS}/b", deployment())[0], 400)
        self.assertEqual(self.ask("POST", DEPLOYMENTS, changed(deployment(), ("metadata", "namespace"), "x"))[0], 400)
        self.assertEqual(self.ask("POST", "/apis/apps/v1/namespaces/nowhere/deployments", deployment())[0], 404)

    def test_leases_are_replaced_with_the_version_that_was_read(self):
        status, made = self.ask("POST", LEASES, lease())
        self.assertEqual(status, 201)
        self.assertEqual(self.ask("PUT", f"{LEASES}/l", lease("b"))[0], 422)
        version = made["metadata"]["resourceVersion"]
        self.assertEqual(self.ask("PUT", f"{LEASES}/l", lease("b", version))[0], 200)
        self.assertEqual(self.ask("PUT", f"{LEASES}/l", lease("c", version))[1]["reason"], "Conflict")
        self.assertEqual(self.ask("POST", LEASES, lease())[1]["reason"], "AlreadyExists")

    def test_an_event_is_about_something_in_its_namespace(self):
        event = {"apiVersion": "v1", "kind": "Event", "metadata": {"name": "e"}, "reason": "R", "message": "m",
                 "involvedObject": {"kind": "Deployment", "name": "a", "namespace": NAMESPACE}, "type": "Normal"}
        self.assertEqual(self.ask("POST", EVENTS, event)[0], 201)
        self.assertEqual(self.ask("POST", EVENTS, changed(event, ("involvedObject", "namespace"), "x"))[0], 422)

    def test_unknown_parameters_and_methods_are_refused(self):
        self.assertEqual(self.ask("GET", f"{DEPLOYMENTS}?lable=x")[0], 400)
        self.assertEqual(self.ask("PUT", DEPLOYMENTS, {})[0], 405)
        self.assertEqual(self.ask("GET", "/apis/apps/v2/deployments")[0], 404)
        self.assertEqual(self.ask("DELETE", f"{DEPLOYMENTS}/a")[1]["reason"], "NotFound")


class WhoMay(Case):
    settings = {"tokens": {"good": "sup", "root": "admin"}, "roles": {"sup": yaml_subset.load_all(f"""
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: sup
  namespace: {NAMESPACE}
rules:
- apiGroups: ["apps"]
  resources: ["deployments"]   # not their scale
  verbs: [get, list, patch, create]
- apiGroups: [""]
  resources: [services]
  resourceNames: [s]
  verbs: [get]
""")}}

    def test_without_a_good_token_the_answer_is_401(self):
        for token in (None, "bad"):
            self.assertEqual(self.ask("GET", DEPLOYMENTS, token=token)[1]["reason"], "Unauthorized")

    def test_what_no_rule_allows_is_403_and_names_it(self):
        self.assertEqual(self.ask("GET", DEPLOYMENTS, token="good")[0], 200)
        self.assertEqual(self.double.apply(f"{DEPLOYMENTS}/a", deployment(), token="good")[0], 201)
        for method, path in (("DELETE", f"{DEPLOYMENTS}/a"), ("GET", f"{DEPLOYMENTS}/a/scale"), ("GET", f"{SERVICES}/t"),
                             ("GET", "/apis/apps/v1/deployments"), ("GET", f"{DEPLOYMENTS}?watch=true")):
            status, answer = self.ask(method, path, token="good")
            self.assertEqual((status, answer["reason"]), (403, "Forbidden"), path)
            self.assertIn('User "sup" cannot', answer["message"])
        self.assertEqual(self.ask("GET", f"{SERVICES}/s", token="good")[0], 404)
        self.assertEqual(self.ask("DELETE", f"{DEPLOYMENTS}/a", token="root")[0], 200)

    def test_a_rotated_token_ends_the_old_one(self):
        self.double.do("rotate", old="good", new="better")
        self.assertEqual(self.ask("GET", DEPLOYMENTS, token="good")[0], 401)
        self.assertEqual(self.ask("GET", DEPLOYMENTS, token="better")[0], 200)


class Parts(unittest.TestCase):
    def test_quantities_have_one_form(self):
        for text, want in (("1024Mi", "1Gi"), ("1000m", "1"), ("0.5", "500m"), ("1.5Gi", "1536Mi"), ("1x", None),
                           ("0", "0"), ("100M", "100M")):
            self.assertEqual(canonical(text), want, text)

    def test_yaml_of_manifests_is_read(self):
        text = 'a: 1 # c\nb:\n- x: {c: [1, "q"], d: e}\n  y: |\n    foo\n      bar\n- z\n---\nk: \'it\'\'s\'\nu: http://x:80/a\nn:\nt: "1"\n'
        self.assertEqual(yaml_subset.load_all(text), [
            {"a": 1, "b": [{"x": {"c": [1, "q"], "d": "e"}, "y": "foo\n  bar\n"}, "z"]},
            {"k": "it's", "u": "http://x:80/a", "n": None, "t": "1"}])
        for bad in ("a: *x", "a: 1\na: 2", "a: [1", "a: 1\n\tb: 2"):
            with self.assertRaises(ValueError, msg=bad):
                yaml_subset.load_all(bad)


if __name__ == "__main__":
    unittest.main()
