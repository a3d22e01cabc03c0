"""Server-side apply and the other patches of the Kubernetes double."""

import unittest

from k8s_objects import CONTAINER, DEPLOYMENTS, SERVICES, Case, changed, deployment, service

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"


def owned(obj, manager):
    return [e["fieldsV1"] for e in obj["metadata"]["managedFields"] if e["manager"] == manager]


class Apply(Case):
    def test_an_absent_object_is_made_with_defaults_that_nobody_owns(self):
        status, made = self.double.apply(f"{DEPLOYMENTS}/a", deployment(), "sup")
        self.assertEqual(status, 201)
        self.assertEqual(made["spec"]["replicas"], 1)
        self.assertEqual(made["spec"]["template"]["spec"]["containers"][0]["ports"][0]["protocol"], "TCP")
        self.assertNotIn("f:replicas", owned(made, "sup")[0]["f:spec"])

    def test_applying_the_same_again_writes_nothing(self):
        self.apply(deployment())
        before = self.live()
        self.assertEqual(self.apply(deployment()), before)
        self.assertEqual(self.double.do("state")["version"], int(before["metadata"]["resourceVersion"]))

    def test_equal_quantities_are_the_same(self):
        with_memory = changed(deployment(), CONTAINER + ("resources",), {"limits": {"memory": "1024Mi"}})
        self.apply(with_memory)
        before = self.live()["metadata"]["resourceVersion"]
        self.apply(changed(with_memory, CONTAINER + ("resources",), {"limits": {"memory": "1Gi"}}))
        self.assertEqual(self.live()["metadata"]["resourceVersion"], before)

    def test_a_field_that_stands_twice_is_refused(self):
        body = '{"apiVersion":"v1","kind":"Service","metadata":{"name":"s","name":"s"},"spec":{"ports":[{"port":1}]}}'
        status, refused = self.double.ask("PATCH", f"{SERVICES}/s?fieldManager=sup", body, "application/apply-patch+yaml")
        self.assertEqual(400, status, refused)
        self.assertIn("twice", refused["message"])

    def test_another_managers_field_is_a_conflict_unless_forced(self):
        self.apply(deployment())
        self.ask("PATCH", f"{DEPLOYMENTS}/a?fieldManager=kubectl-edit",
                 {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "i:2"}]}}}}, STRATEGIC)
        self.assertEqual(self.live()["spec"]["template"]["spec"]["containers"][0]["image"], "i:2")
        refused = self.apply(deployment(), want=409)
        self.assertEqual(refused["details"]["causes"], [{
            "reason": "FieldManagerConflict", "message": 'conflict with "kubectl-edit" using apps/v1',
            "field": '.spec.template.spec.containers[name="c"].image'}])
        self.apply(deployment(), force=True)
        self.assertEqual(self.live()["spec"]["template"]["spec"]["containers"][0]["image"], "i:1")
        self.assertEqual(owned(self.live(), "kubectl-edit"), [])

    def test_the_same_value_is_owned_together(self):
        self.apply(deployment())
        self.apply(deployment(), "other")
        self.assertEqual(owned(self.live(), "sup"), owned(self.live(), "other"))

    def test_a_field_no_longer_sent_goes_when_nobody_else_owns_it(self):
        self.apply(deployment(owner="o", gone="x", shared="y"))
        self.apply({"apiVersion": "apps/v1", "kind": "Deployment",
                    **{k: deployment(shared="y")[k] for k in ("metadata", "spec")}}, "other")
        self.apply(deployment(owner="o"))
        self.assertEqual(self.live()["metadata"]["labels"], {"owner": "o", "shared": "y"})

    def test_an_item_of_a_list_goes_by_its_key(self):
        ports = [{"name": "fastcgi", "port": 9000}, {"name": "internal", "port": 9001}]
        self.apply(service(ports=ports))
        self.apply(service(ports=ports[1:]))
        self.assertEqual([p["port"] for p in self.double.objects("services")["s"]["spec"]["ports"]], [9001])

    def test_replicas_that_were_scaled_stay(self):
        self.apply(deployment())
        status, scale = self.ask("PATCH", f"{DEPLOYMENTS}/a/scale?fieldManager=kubectl", {"spec": {"replicas": 0}}, MERGE)
        self.assertEqual((status, scale["spec"]["replicas"]), (200, 0))
        self.apply(deployment(more="y"), force=True)
        self.assertEqual(self.live()["spec"]["replicas"], 0)
        self.assertEqual(self.live()["metadata"]["generation"], 2)

    def test_a_manager_must_be_named(self):
        status, refused = self.ask("PATCH", f"{DEPLOYMENTS}/a", deployment(), "application/apply-patch+yaml")
        self.assertEqual((status, refused["details"]["causes"][0]["field"]), (422, "fieldManager"))

    def test_a_body_may_be_yaml(self):
        text = "apiVersion: v1\nkind: Service\nmetadata:\n  name: s\nspec:\n  ports:\n  - port: 80\n    name: 'http'\n"
        status, made = self.double.apply(f"{SERVICES}/s", text)
        self.assertEqual((status, made["spec"]["ports"][0]["targetPort"]), (201, 80))

    def test_a_dry_run_writes_nothing(self):
        status, _ = self.ask("PATCH", f"{DEPLOYMENTS}/a?fieldManager=x&dryRun=All", deployment(),
                             "application/apply-patch+yaml")
        self.assertEqual((status, self.double.objects("deployments")), (201, {}))

    def test_a_stale_version_is_a_conflict(self):
        self.apply(deployment())
        self.apply(changed(deployment(), ("metadata", "resourceVersion"), "7"), want=409)


class OtherPatches(Case):
    def test_merge_patch_takes_nulls_away(self):
        self.apply(deployment(owner="o", more="x"))
        self.ask("PATCH", f"{DEPLOYMENTS}/a", {"metadata": {"labels": {"more": None}}}, MERGE)
        self.assertEqual(self.live()["metadata"]["labels"], {"owner": "o"})

    def test_strategic_patch_deletes_an_item(self):
        self.apply(service(ports=[{"name": "x", "port": 1}, {"name": "y", "port": 2}]))
        self.ask("PATCH", f"{SERVICES}/s", {"spec": {"ports": [{"port": 1, "$patch": "delete"}]}}, STRATEGIC)
        self.assertEqual([p["name"] for p in self.double.objects("services")["s"]["spec"]["ports"]], ["y"])

    def test_json_patch_replaces_and_tests(self):
        self.apply(deployment())
        kind = "application/json-patch+json"
        status, _ = self.ask("PATCH", f"{DEPLOYMENTS}/a", [{"op": "replace", "path": "/spec/replicas", "value": 3}], kind)
        self.assertEqual((status, self.live()["spec"]["replicas"]), (200, 3))
        status, _ = self.ask("PATCH", f"{DEPLOYMENTS}/a", [{"op": "test", "path": "/spec/replicas", "value": 9}], kind)
        self.assertEqual(status, 422)

    def test_other_types_are_refused(self):
        self.apply(deployment())
        self.assertEqual(self.ask("PATCH", f"{DEPLOYMENTS}/a", {}, "application/json")[0], 415)


if __name__ == "__main__":
    unittest.main()
