"""The supervisor keeps a cluster equal to the list: scenarios to their exact end."""

import json
import signal
import subprocess
import time
import unittest

import paths
from harness import SECRET, wait_until
from router_rig import sha_of
from sprvsr_rig import SupervisorCase

A, B, C = "foo/bar", "Owner/.github", "x/" + "n" * 100
REPOS = [A, B, C, "end/dash-"]


def deployment(repo):
    return "mtr-d-" + sha_of(repo)


class Lists(SupervisorCase):
    def test_repositories_come_and_go_with_the_list_and_nothing_else_is_written(self):
        self.write_list(*REPOS)
        program = self.start()
        self.wait_for(program, *REPOS)
        self.assertEqual([], self.settle())
        self.assertEqual(8, len(self.cluster.writes()))
        self.write_list(A, B, "new/one")
        self.update(program)
        self.wait_for(program, A, B, "new/one")
        gone = [r for r in self.cluster.writes() if r[0] == "delete" and r[2].endswith(sha_of(C))]
        self.assertEqual(["services", "deployments"], [r[1] for r in gone])
        lists = [r for r in self.cluster.requests if r[0] == "list"]
        self.assertEqual(2, len(lists))
        self.assertEqual(200, self.ask(program, "/_healthz").status)
        self.assertEqual(0, program.stop(5), program.tail())
        self.assertTrue(self.cluster.names("events"))

    def test_a_second_supervisor_finds_nothing_to_do(self):
        self.write_list(*REPOS)
        program = self.start()
        self.wait_for(program, *REPOS)
        self.assertEqual(0, program.stop(5))
        before = len(self.cluster.writes())
        program = self.start()
        wait_until(lambda: self.metric(program, "leader") == 1, program.tail)
        self.assertEqual([], self.settle())
        self.assertEqual(before, len(self.cluster.writes()))

    def test_garbage_and_a_suddenly_empty_list_change_nothing(self):
        self.write_list(*REPOS)
        program = self.start("--list-interval", "1")
        self.wait_for(program, *REPOS)
        for text in ("", "{", '{"repos":7}', '{"repos":[]}', '{"repos":[{"repo":"a/b"}]}'):
            self.write_list(text=text)
            failures = self.metric(program, "list_failures_total")
            self.update(program)
            wait_until(lambda: self.metric(program, "list_failures_total") > failures,
                       program.tail)
            self.assertEqual([], self.settle(0.3))
        self.write_list(A, B)
        program.signal(signal.SIGHUP)
        self.wait_for(program, A, B)

    def test_many_removals_need_a_confirmation(self):
        repos = [f"o/r{i}" for i in range(12)]
        self.write_list(*repos)
        program = self.start()
        self.wait_for(program, *repos)
        self.write_list(*repos[:4])
        self.update(program)
        wait_until(lambda: self.metric(program, "prune_refused") == 1, program.tail)
        self.assertEqual([], self.settle())
        path = "/api/v1/update?allowPrune=8"
        self.assertEqual(401, self.ask(program, path, method="POST").status)
        few = self.ask(program, "/api/v1/update?allowPrune=7", method="POST",
                       headers={"X-Maintner-Secret": SECRET})
        self.assertEqual(202, few.status)
        self.assertEqual([], self.settle())
        self.ask(program, path, method="POST", headers={"X-Maintner-Secret": SECRET})
        self.wait_for(program, *repos[:4])

    def test_the_plan_is_printed_and_nothing_is_done(self):
        self.write_list(A)
        program = self.stage.run("maintner-sprvsr", "--dry-run", *self.arguments())
        self.assertEqual(0, program.wait(), program.tail())
        self.assertIn(f"# create  Deployment {deployment(A)}", program.stdout)
        self.assertIn("kind: \"Service\"", program.stdout)
        self.assertEqual([], self.cluster.writes())


class Drift(SupervisorCase):
    def setUp(self):
        super().setUp()
        self.write_list(*REPOS)
        self.program = self.start()
        self.wait_for(self.program, *REPOS)

    def test_edits_and_deletions_are_repaired_and_scaling_is_not(self):
        name = deployment(A)
        containers = lambda d: d["spec"]["template"]["spec"]["containers"]
        self.cluster.edit("deployments", name,
                          lambda d: containers(d)[0].update(image="other:2"))
        self.cluster.edit("services", "mtr-s-" + sha_of(B),
                          lambda s: s["metadata"]["labels"].pop("maintner-sprvsr-autogen"))
        self.cluster.remove("services", "mtr-s-" + sha_of(C))
        wait_until(lambda: containers(self.cluster.get("deployments", name))[0]["image"]
                   == "registry/maintner:1", self.program.tail, 5)
        self.wait_for(self.program, *REPOS, timeout_s=5)
        wait_until(lambda: "maintner-sprvsr-autogen" in self.cluster.get(
            "services", "mtr-s-" + sha_of(B))["metadata"]["labels"], self.program.tail, 5)
        self.settle()
        self.cluster.edit("deployments", name, lambda d: d["spec"].update(replicas=0))
        self.assertEqual([], self.settle())
        self.assertEqual(0, self.cluster.get("deployments", name)["spec"]["replicas"])
        self.assertEqual(1, self.metric(self.program, "scaled_to_zero"))

    def test_watches_that_are_cut_or_too_old_lose_nothing(self):
        self.cluster.cut = 2
        self.cluster.remove("services", "mtr-s-" + sha_of(A))
        self.cluster.remove("deployments", deployment(B))
        self.wait_for(self.program, *REPOS)
        self.cluster.forget()
        self.cluster.remove("deployments", deployment(C))
        self.wait_for(self.program, *REPOS)
        wait_until(lambda: self.metric(self.program, "relists_total") == 4, self.program.tail)

    def test_an_api_that_is_down_or_refuses_is_asked_again(self):
        self.cluster.down = True
        time.sleep(1)
        self.write_list(A, B, C)
        self.update(self.program)
        time.sleep(1)
        self.cluster.refuse = [500, 429, 503]
        self.cluster.down = False
        self.wait_for(self.program, A, B, C, timeout_s=60)

    def test_objects_of_others_are_left_alone(self):
        foreign = {"metadata": {"labels": {"app": "mine"}}, "spec": {"replicas": 1}}
        self.cluster.put("deployments", deployment("their/own"), foreign)
        self.write_list(*REPOS, "their/own")
        self.update(self.program)
        wait_until(lambda: self.metric(self.program, "conflicts") == 1, self.program.tail)
        self.settle()
        self.assertEqual({"app": "mine"}, self.cluster.get(
            "deployments", deployment("their/own"))["metadata"]["labels"])


class Rollout(SupervisorCase):
    def test_a_new_image_goes_out_in_batches_that_wait_for_readiness(self):
        repos = [f"o/r{i}" for i in range(7)]
        self.write_list(*repos)
        program = self.start()
        self.wait_for(program, *repos)
        self.assertEqual(0, program.stop(5))
        self.cluster.ready = False
        program = self.start("--image", "registry/maintner:2", "--rollout-batch", "3")
        changed = lambda: [r for r in repos if "maintner:2" in json.dumps(
            self.cluster.get("deployments", deployment(r)))]
        wait_until(lambda: len(changed()) == 3, program.tail)
        self.settle(1)
        self.assertEqual(3, len(changed()))
        program.kill()  # what was begun is known to the next one, too
        program = self.start("--image", "registry/maintner:2", "--rollout-batch", "3")
        wait_until(lambda: self.metric(program, "leader") == 1, program.tail, 40)
        self.settle(1)
        self.assertEqual(3, len(changed()))
        self.cluster.ready = True
        for repo in changed():
            self.cluster.edit("deployments", deployment(repo), lambda d: d["status"].update(
                updatedReplicas=1, readyReplicas=1))
        wait_until(lambda: len(changed()) == 7, program.tail)


class Leaders(SupervisorCase):
    def test_another_replica_takes_over_at_once_or_when_the_lease_has_ended(self):
        self.write_list(A)
        first = self.start()
        self.wait_for(first, A)
        second = self.start()
        wait_until(lambda: self.ask(second, "/_healthz").status == 200, second.tail)
        self.assertEqual(0, self.metric(second, "leader"))
        self.assertEqual(0, first.stop(5), first.tail())
        wait_until(lambda: self.metric(second, "leader") == 1, second.tail, 5)
        third = self.start()
        second.kill()
        begun = time.monotonic()
        wait_until(lambda: self.metric(third, "leader") == 1, third.tail, 20)
        self.assertGreater(time.monotonic() - begun, 5)
        self.write_list(A, B)
        self.update(third)
        self.wait_for(third, A, B)


class Pods(SupervisorCase):
    def test_the_programs_take_the_arguments_of_their_containers(self):
        self.write_list(*REPOS)
        program = self.start("--reader-secret", "reader", "--service-account-secret", "writer",
                             "--github-url", "https://ghe/$(HOME)/api", "--sync-interval", "60")
        self.wait_for(program, *REPOS)
        for repo in REPOS:
            pod = self.cluster.get("deployments", deployment(repo))["spec"]["template"]["spec"]
            self.assertNotIn("token", json.dumps(pod["containers"][1]))
            for container in pod["containers"]:
                command = [paths.program(container["command"][0])]
                done = subprocess.run(command + container["args"] + ["--help"],
                                      capture_output=True, timeout=30, check=False)
                self.assertEqual(0, done.returncode, done)
                self.assertTrue(done.stdout.startswith(b"Usage:"), done)
                probe = container["readinessProbe"]["exec"]["command"]
                done = subprocess.run([paths.program(probe[0]), *probe[1:], "--help"],
                                      capture_output=True, timeout=30, check=False)
                self.assertEqual(0, done.returncode, done)
        sync = pod["containers"][0]["args"]
        self.assertIn("--github-url=https://ghe/$$(HOME)/api", sync)


if __name__ == "__main__":
    unittest.main()
