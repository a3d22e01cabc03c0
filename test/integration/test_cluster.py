"""Everything together: from an entry of the list to answers through the router, and back."""

import json
import os
import signal
import time
import unittest

from cluster_rig import NAMESPACE, READY_S, SUPERVISOR, ClusterCase, deployment
from harness import differences, wait_until
from recordings import made
from router_rig import sha_of

WIDGETS, GEARS = "acme/widgets", "acme/gears"
AUTOGEN = "maintner-sprvsr-autogen=true"


class FromTheList(ClusterCase):
    def recordings(self):
        return [made(repo=WIDGETS), made(seed=202, issues=20, pulls=10, repo=GEARS)]

    def assert_right(self, repo):
        """Every field of every issue, through the router."""
        api = self.api(repo)
        try:
            found = differences(self.github.state(repo), api.all())
        finally:
            api.close()
        self.assertEqual([], found[:10])

    def test_a_repository_that_is_listed_answers_and_one_that_is_not_is_gone(self):
        self.put_list(WIDGETS)
        self.start_all()
        self.wait_for_mirror(WIDGETS, 100)
        self.assertEqual(404, self.ask(f"/api/v1/{GEARS}/issues").status)
        self.put_list(WIDGETS, GEARS)
        self.update()
        self.wait_for_mirror(GEARS, 30)
        self.assertEqual([GEARS, WIDGETS], self.names())
        for repo in (WIDGETS, GEARS):
            self.assert_right(repo)
        first = self.pod_of(WIDGETS)
        self.put_list(GEARS)
        self.update()
        wait_until(lambda: deployment(WIDGETS) not in self.k8s.objects("deployments"), self.supervisor.tail)
        wait_until(lambda: first not in self.k8s.objects("pods"), self.node.tail)
        self.assertEqual({deployment(GEARS)}, set(self.k8s.objects("deployments")))
        self.assertEqual({"mtr-s-" + sha_of(GEARS)}, set(self.k8s.objects("services")))
        self.assertEqual(404, self.ask(f"/api/v1/{WIDGETS}/issues").status)
        self.assertEqual([GEARS], self.names())
        self.assertEqual(30, self.total(GEARS))
        self.assertTrue(self.segments_of(WIDGETS), "what was mirrored is kept")
        self.put_list(GEARS, WIDGETS)  # it comes back, from its log
        self.update()
        self.wait_for_mirror(WIDGETS, 100)
        self.assert_least_privilege()

    def pod_of(self, repo):
        return next(name for name, pod in self.k8s.objects("pods").items()
                    if pod["metadata"]["labels"]["app"] == deployment(repo))

    def kill(self, program):
        """One container's process, as if memory had run out."""
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    line = file.read().decode()
            except OSError:
                continue  # it ended meanwhile
            if line.split("\0")[0].endswith(f"/{program}") and f"{self.root}/" in line:
                os.kill(int(pid), signal.SIGKILL)
                return
        self.fail(f"no {program} runs")

    def restarts(self):
        return sum(container["restartCount"] for pod in self.k8s.objects("pods").values()
                   for container in pod["status"].get("containerStatuses", []))

    def assert_least_privilege(self):
        """It never asked for more than its Role gives."""
        asked = self.k8s.requests(user=SUPERVISOR)
        self.assertEqual([], [e for e in asked if e["code"] == 403])
        self.assertTrue(any(e["resource"] == "events" for e in asked))

    def test_a_container_that_dies_is_started_again_and_a_new_image_replaces_it(self):
        self.put_list(GEARS)
        self.start_all()
        self.wait_for_total(GEARS, 30)
        for program in ("maintnerd-fcgi", "maintnerd-sync"):
            self.kill(program)
        wait_until(lambda: self.restarts() == 2, self.node.tail)
        self.wait_for_total(GEARS, 30)
        old = self.pod_of(GEARS)
        self.supervisor.stop()
        self.start_supervisor("--sync-interval", "3600", "--image", "registry/maintner:2")
        wait_until(lambda: self.k8s.objects("pods") and self.pod_of(GEARS) != old, self.supervisor.tail, 60)
        self.assertEqual(1, len(self.k8s.objects("pods")), "Recreate: one at a time")
        self.wait_for_mirror(GEARS, 30)
        self.assert_right(GEARS)


class Reset(ClusterCase):
    """The procedure by hand, while the supervisor watches."""

    def recordings(self):
        return [made(seed=202, issues=20, pulls=10, repo=GEARS)]

    def replicas(self):
        return self.k8s.objects("deployments")[deployment(GEARS)]["spec"]["replicas"]

    def test_a_repository_is_reset_by_hand_and_the_supervisor_does_not_undo_it(self):
        self.put_list(GEARS)
        self.start_all()
        self.wait_for_mirror(GEARS, 30)
        labels = ("-l", f"{AUTOGEN},owner=acme,repository=gears")
        name = self.kubectl("get", "deployments", *labels, "-o", "name").strip()
        self.assertEqual(f"deployment.apps/{deployment(GEARS)}", name)
        self.kubectl("scale", name, "--replicas=0")
        # Older ones of kubectl fail where nothing is left to wait for.
        self.kubectl("wait", "--for=delete", "pod", *labels, "--timeout=60s", status=None, timeout_s=90)
        self.assertEqual({}, self.k8s.objects("pods"))
        self.update()  # the supervisor compares, and leaves it
        time.sleep(2)
        self.assertEqual(0, self.replicas())
        self.assertEqual(503, self.ask(f"/api/v1/{GEARS}/issues").status)
        self.delete_log(GEARS)
        self.assertEqual([], self.log_of(GEARS))
        self.github.reset_counts()
        self.kubectl("scale", name, "--replicas=1")
        self.kubectl("wait", "--for=condition=Available", name, f"--timeout={READY_S}s", timeout_s=READY_S + 30)
        self.wait_for_mirror(GEARS, 30)
        self.assertGreater(self.github.counts()["issues"], 0, "it was asked of GitHub again")
        self.assertEqual(1, self.replicas())

    def test_kubectl_shows_what_the_supervisor_made(self):
        self.put_list(GEARS)
        self.start_all()
        self.wait_for_total(GEARS, 30)
        listed = json.loads(self.kubectl("get", "deployments,services", "-l", AUTOGEN, "-o", "json"))
        self.assertEqual({"Deployment", "Service"}, {item["kind"] for item in listed["items"]})
        for item in listed["items"]:
            self.assertEqual({"maintner/owner": "acme", "maintner/repository": "gears"},
                             {key: item["metadata"]["annotations"][key]
                              for key in ("maintner/owner", "maintner/repository")})
        self.assertIn(GEARS.partition("/")[2], self.kubectl("get", "events", "-n", NAMESPACE, "-o", "json"))
        pods = json.loads(self.kubectl("get", "pods", "-l", "owner=acme", "-o", "json"))["items"]
        self.assertEqual(["Running"], [pod["status"]["phase"] for pod in pods])
        self.assert_restricted(pods[0]["spec"])

    def assert_restricted(self, pod):
        """As the namespace of deploy/kubernetes demands."""
        self.assertEqual("RuntimeDefault", pod["securityContext"]["seccompProfile"]["type"])
        self.assertLessEqual({key for volume in pod["volumes"] for key in volume} - {"name"}, {"emptyDir", "secret"})
        for container in pod["containers"]:
            context = container["securityContext"]
            self.assertEqual((True, False, True, ["ALL"]), (
                context["runAsNonRoot"], context["allowPrivilegeEscalation"], context["readOnlyRootFilesystem"],
                context["capabilities"]["drop"]))
        github = [[m["mountPath"] for m in c["volumeMounts"] if m["name"] == "github"] for c in pod["containers"]]
        self.assertEqual([["/etc/maintner/github"], []], github, "only sync has a credential of GitHub's")


if __name__ == "__main__":
    unittest.main()
