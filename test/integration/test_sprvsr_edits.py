"""What others edit in the supervisor's objects: mended, or theirs."""

import unittest

from harness import wait_until
from router_rig import sha_of
from sprvsr_rig import NAMESPACE, SupervisorCase

A = "foo/bar"
CONTAINERS = "/spec/template/spec/containers"
MERGE, JSON_PATCH = "application/merge-patch+json", "application/json-patch+json"


class Edits(SupervisorCase):
    def setUp(self):
        super().setUp()
        self.write_list(A)
        self.program = self.start("--pod-front", "nginx:1")
        self.wait_for(self.program, A)
        self.settle()

    def specs(self):
        """What is wanted, without what changes with each repair."""
        return self.deployment(A)["spec"], self.service(A)["spec"]

    def assert_mended(self, kind, change, content_type=MERGE):
        before = self.specs()
        edited = self.as_root("PATCH", self.path_of(A, kind), change, content_type)
        self.assertNotIn(edited["spec"], before)
        wait_until(lambda: self.specs() == before, lambda: f"{self.specs()}\n{self.program.tail()}", 10)
        self.settle(0.3)  # the apply that comes last changes only who owns what
        self.assertEqual([], self.settle())

    def test_a_selector_with_one_label_more_leads_nowhere_and_is_mended(self):
        self.assert_mended("services", {"spec": {"selector": {"track": "stable"}}})

    def test_a_secret_with_one_file_more_is_mended(self):
        volumes = self.deployment(A)["spec"]["template"]["spec"]["volumes"]
        at = next(i for i, volume in enumerate(volumes) if volume["name"] == "github")
        self.assert_mended("deployments", [
            {"op": "add", "path": f"/spec/template/spec/volumes/{at}/secret/items/-",
             "value": {"key": "other", "path": "other"}}], JSON_PATCH)

    def test_what_may_not_stand_beside_ours_goes(self):
        """An editor owns what it wrote, so that an apply alone would only add ours: the server refuses both."""
        ports = self.service(A)["spec"]["ports"]
        self.assert_mended("services", {"spec": {"ports": [dict(ports[0], port=9005), *ports[1:]]}})
        self.assert_mended("deployments", [
            {"op": "replace", "path": f"{CONTAINERS}/0/ports/0/containerPort", "value": 9101}], JSON_PATCH)
        self.assert_mended("deployments", [
            {"op": "remove", "path": f"{CONTAINERS}/1/readinessProbe/exec"},
            {"op": "add", "path": f"{CONTAINERS}/1/readinessProbe/httpGet", "value": {"port": 9000}}], JSON_PATCH)
        self.assert_mended("deployments", [
            {"op": "replace", "path": "/spec/template/spec/volumes/0", "value": {
                "name": "snapshot", "persistentVolumeClaim": {"claimName": "theirs"}}}], JSON_PATCH)
        self.as_root("PATCH", self.path_of(A) + "/scale", {"spec": {"replicas": 0}}, MERGE)
        self.assert_mended("deployments", {"spec": {"strategy": {"type": "RollingUpdate"}}})
        self.assertEqual(0, self.deployment(A)["spec"]["replicas"])
        self.assertEqual(0, self.program.stop(5), self.program.tail())
        program = self.start()  # what an option added still goes with it
        wait_until(lambda: len(self.deployment(A)["spec"]["template"]["spec"]["containers"]) == 2 and
                   [port["name"] for port in self.service(A)["spec"]["ports"]] == ["fastcgi", "internal"],
                   program.tail)

    def test_what_others_add_beside_ours_is_theirs(self):
        self.merge(self.path_of(A), {"metadata": {"labels": {"team": "x"}, "annotations": {"note": "y"}}})
        self.as_root("PATCH", self.path_of(A), {"spec": {"template": {  # as `kubectl rollout restart` does
            "metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"}}}}}, MERGE)
        self.assertEqual([], self.settle(1))
        self.assertEqual("x", self.deployment(A)["metadata"]["labels"]["team"])

    def test_what_a_webhook_makes_of_every_write_is_not_fought(self):
        self.double.do("set", mutations={"Deployment": {"spec": {"template": {"spec": {"containers": [
            {"name": "sync", "resources": {"requests": {"cpu": "50m"}}}]}}}}})
        self.write_list(A, "new/one")
        self.update(self.program)
        self.wait_for(self.program, A, "new/one")
        name = f"mtr-d-{sha_of('new/one')}"
        written = lambda: len(self.writes(name=name))
        wait_until(lambda: written() >= 2, self.program.tail)  # made, and tried to repair
        wait_until(lambda: not self.settle(0.5), self.program.tail)
        before = written()
        for ready in (False, True) * 3:
            self.double.do("ready", namespace=NAMESPACE, name=name, ready=ready)
            self.settle(0.3)
        self.assertEqual(before, written(), self.program.tail())
        self.merge(self.path_of("new/one"), {"metadata": {"labels": {"owner": "x"}}})
        wait_until(lambda: self.deployment("new/one")["metadata"]["labels"]["owner"] == "new", self.program.tail, 5)
        self.assertEqual(0, self.program.stop(5), self.program.tail())
        before, live = written(), self.deployment("new/one")
        program = self.start("--pod-front", "nginx:1")
        wait_until(lambda: written() > before, program.tail)
        self.assertEqual([], self.settle())
        self.assertEqual(live, self.deployment("new/one"))
        self.assertEqual(0, self.metric(program, 'applied_total{action="repair"}'), "what changed nothing is none")

    def test_events_tell_which_object_they_are_about(self):
        def created():
            return {e["involvedObject"]["name"]: e["involvedObject"].get("uid")
                    for e in self.double.objects("events", NAMESPACE).values() if e["reason"] == "Created"}
        wait_until(lambda: len(created()) == 2, self.program.tail)
        self.assertEqual({f"mtr-d-{sha_of(A)}": self.deployment(A)["metadata"]["uid"],
                          f"mtr-s-{sha_of(A)}": self.service(A)["metadata"]["uid"]}, created())


if __name__ == "__main__":
    unittest.main()
