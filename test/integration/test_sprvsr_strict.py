"""The supervisor against the strict double: least privilege, every option, faults."""

import json
import os
import time
import unittest

from harness import Case, wait_until
from k8s_double.client import K8sDouble
from router_rig import sha_of
from sprvsr_rig import CLUSTER_TOKEN, NAMESPACE, SupervisorCase

ROLE = {"kind": "Role", "metadata": {"name": "supervisor", "namespace": NAMESPACE}, "rules": [
    {"apiGroups": ["apps"], "resources": ["deployments"],
     "verbs": ["get", "list", "watch", "create", "patch", "delete"]},
    {"apiGroups": [""], "resources": ["services"],
     "verbs": ["get", "list", "watch", "create", "patch", "delete"]},
    {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"],
     "verbs": ["get", "create", "update"]},
    {"apiGroups": [""], "resources": ["events"], "verbs": ["create"]}]}
REPOS = ["foo/bar", "Owner/.github", "x/" + "n" * 100, "end/dash-"]
EVERYTHING = ["--pod-front", "nginx:1", "--service-account-secret", "writer", "--reader-secret",
              "reader", "--pod-service-account", "worker", "--github-keys", "a,b",
              "--sync-interval", "60", "--github-url", "https://ghe.example/api/v3"]
WRITES = ("create", "update", "patch", "delete")


class Strict(SupervisorCase):
    def setUp(self):
        Case.setUp(self)
        self.double = K8sDouble([NAMESPACE], {CLUSTER_TOKEN: "supervisor"},
                                {"supervisor": [ROLE]})
        self.addCleanup(self.double.stop)
        self.list_path = self.stage.path("repos.json")
        self.token_path = self.stage.path("token")
        self.count = 0
        self.write_token(CLUSTER_TOKEN)
        self.write_list(*REPOS)

    def write_token(self, token):
        with open(self.token_path + ".new", "w", encoding="utf-8") as file:
            file.write(token + "\n")
        os.replace(self.token_path + ".new", self.token_path)

    def kubeconfig(self):
        path = self.stage.path("kubeconfig")
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"current-context": "c", "contexts": [
                {"name": "c", "context": {"cluster": "k", "user": "u", "namespace": NAMESPACE}}],
                "clusters": [{"name": "k", "cluster": {"server": self.double.origin}}],
                "users": [{"name": "u", "user": {"tokenFile": self.token_path}}]}, file)
        return path

    def writes(self):
        return [r for r in self.double.requests() if r["verb"] in WRITES
                and r["resource"] in ("deployments", "services")]

    def wait_for(self, program, *repos, timeout_s=30):
        wait_until(lambda: (set(self.double.objects("deployments", NAMESPACE)),
                            set(self.double.objects("services", NAMESPACE)))
                   == self.wanted(repos), program.tail, timeout_s)

    def deployment(self, repo):
        return self.double.objects("deployments", NAMESPACE)["mtr-d-" + sha_of(repo)]

    def test_every_option_is_valid_and_no_right_is_missing(self):
        program = self.start(*EVERYTHING)
        self.wait_for(program, *REPOS)
        time.sleep(1)
        refused = [r for r in self.double.requests() if r["code"] >= 400 and r["code"] != 404]
        self.assertEqual([], refused)
        self.assertEqual(8, len(self.writes()))
        self.assertTrue(self.double.objects("events", NAMESPACE))
        notes = self.deployment("Owner/.github")["metadata"]["annotations"]
        self.assertEqual(".github", notes["maintner/repository"])
        self.assertEqual(0, program.stop(5), program.tail())
        before = len(self.writes())
        program = self.start(*EVERYTHING)
        wait_until(lambda: self.metric(program, "leader") == 1, program.tail)
        time.sleep(1)
        self.assertEqual(before, len(self.writes()), program.tail())
        program.stop()
        program = self.start()  # options that go take their containers and volumes along
        front = lambda: [c["name"] for c in self.deployment("foo/bar")[
            "spec"]["template"]["spec"]["containers"]]
        wait_until(lambda: front() == ["sync", "fcgi"], program.tail)
        time.sleep(1)
        count = len(self.writes())
        time.sleep(1)
        self.assertEqual(count, len(self.writes()), program.tail())

    def test_what_breaks_on_the_way_is_made_good(self):
        for fault in ({"kind": "status", "status": 429, "retry_after": 1, "verb": "patch"},
                      {"kind": "reset", "verb": "patch"}, {"kind": "lost", "status": 500,
                                                           "verb": "patch"},
                      {"kind": "truncate", "bytes": 40, "verb": "patch"},
                      {"kind": "reset_after", "verb": "patch"},
                      {"kind": "cut", "after_events": 1, "verb": "watch"},
                      {"kind": "truncate", "bytes": 100, "verb": "list"}):
            self.double.fault(**fault)
        program = self.start()
        self.wait_for(program, *REPOS)
        self.double.do("watches/stop")
        self.double.do("compact")
        path = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/mtr-d-" + sha_of("foo/bar")
        self.double.access.tokens["root"] = "root"
        self.assertEqual(200, self.double.ask("DELETE", path, token="root")[0])
        self.wait_for(program, *REPOS)
        self.double.do("down", for_s=3)
        self.write_list(*REPOS[:3], "new/one")
        self.update(program)
        self.wait_for(program, *REPOS[:3], "new/one", timeout_s=60)

    def test_a_token_that_is_rotated_is_read_again(self):
        program = self.start()
        self.wait_for(program, *REPOS)
        self.double.do("rotate", old=CLUSTER_TOKEN, new=CLUSTER_TOKEN + "2")
        self.write_token(CLUSTER_TOKEN + "2")
        self.write_list(*REPOS, "new/one")
        self.update(program)
        self.wait_for(program, *REPOS, "new/one")

    def test_scaling_to_zero_stays_and_a_foreign_edit_does_not(self):
        program = self.start()
        self.wait_for(program, *REPOS)
        self.double.access.tokens["root"] = "root"
        path = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/mtr-d-" + sha_of("foo/bar")
        merge = "application/merge-patch+json"
        self.assertEqual(200, self.double.ask(
            "PATCH", path + "/scale", {"spec": {"replicas": 0}}, merge, token="root")[0])
        self.assertEqual(200, self.double.ask("PATCH", path, {"metadata": {"labels": {
            "owner": "other"}}, "spec": {"strategy": {"type": "RollingUpdate"}}}, merge,
            token="root")[0])
        wait_until(lambda: self.deployment("foo/bar")["spec"]["strategy"]["type"] == "Recreate"
                   and self.deployment("foo/bar")["metadata"]["labels"]["owner"] == "foo",
                   program.tail, 5)
        self.assertEqual(0, self.deployment("foo/bar")["spec"]["replicas"])


if __name__ == "__main__":
    unittest.main()
