"""The supervisor keeps a cluster equal to the list: scenarios to their exact end."""

import json
import signal
import subprocess
import unittest

import paths
from harness import SECRET, wait_until
from router_rig import sha_of
from sprvsr_rig import NAMESPACE, SupervisorCase

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
        self.assertEqual(8, len(self.writes()))
        self.write_list(A, B, "new/one")
        self.update(program)
        self.wait_for(program, A, B, "new/one")
        gone = [r for r in self.writes(verb="delete") if r["name"].endswith(sha_of(C))]
        self.assertEqual(["services", "deployments"], [r["resource"] for r in gone])
        self.assertEqual(2, len(self.double.requests(verb="list")))
        self.assertEqual(200, self.ask(program, "/_healthz").status)
        self.assertEqual(0, program.stop(5), program.tail())
        self.assertTrue(self.double.objects("events", NAMESPACE))

    def test_a_second_supervisor_finds_nothing_to_do(self):
        self.write_list(*REPOS)
        program = self.start()
        self.wait_for(program, *REPOS)
        self.assertEqual(0, program.stop(5))
        before = len(self.writes())
        program = self.start("--resync-interval", "1")
        wait_until(lambda: self.metric(program, "leader") == 1, program.tail)
        passes = self.metric(program, "passes_total")
        wait_until(lambda: self.metric(program, "passes_total") >= passes + 2, program.tail)
        self.assertEqual(before, len(self.writes()))
        self.assertEqual(2, self.metric(program, "relists_total"), "a full pass lists nothing")

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
        self.wait_for_event(program, "RemovalRefused", "Lease")
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
        self.assertEqual([], self.writes())

    def test_what_is_removed_is_named_beforehand_and_afterwards(self):
        self.write_list(A, B)
        program = self.start()
        self.wait_for(program, A, B)
        self.write_list(A)
        plan = self.stage.run("maintner-sprvsr", "--dry-run", *self.arguments())
        self.assertEqual(0, plan.wait(), plan.tail())
        self.assertRegex(plan.stdout, rf"# delete  Service    mtr-s-{sha_of(B)} +{B}\n")
        self.update(program)
        self.wait_for(program, A)
        removed = lambda: sorted(e["involvedObject"]["kind"] for e in self.double.objects("events", NAMESPACE).values()
                                 if e["reason"] == "Removed" and e["message"] == B)
        wait_until(lambda: removed() == ["Deployment", "Service"], program.tail)
        self.assertIn(f'"object":"{deployment(B)}","repository":"{B}"', program.stderr.partition('"delete"')[2])


class Drift(SupervisorCase):
    def setUp(self):
        super().setUp()
        self.write_list(*REPOS)
        self.program = self.start()
        self.wait_for(self.program, *REPOS)

    def test_edits_and_deletions_are_repaired_and_scaling_is_not(self):
        containers = lambda: self.deployment(A)["spec"]["template"]["spec"]["containers"]
        self.as_root("PATCH", self.path_of(A), {"spec": {"template": {"spec": {"containers": [
            {"name": "sync", "image": "other:2"}]}}}}, "application/strategic-merge-patch+json")
        self.merge(self.path_of(B, "services"), {"metadata": {"labels": {
            "maintner-sprvsr-autogen": None}}})
        self.as_root("DELETE", self.path_of(C, "services"))
        wait_until(lambda: containers()[0]["image"] == "registry/maintner:1",
                   self.program.tail, 5)
        self.wait_for(self.program, *REPOS, timeout_s=5)
        wait_until(lambda: "maintner-sprvsr-autogen" in self.service(B)["metadata"]["labels"],
                   self.program.tail, 5)
        self.settle()
        self.merge(self.path_of(A) + "/scale", {"spec": {"replicas": 0}})
        self.assertEqual([], self.settle())
        self.assertEqual(0, self.deployment(A)["spec"]["replicas"])
        self.assertEqual(1, self.metric(self.program, "scaled_to_zero"))

    def test_watches_that_are_cut_or_too_old_lose_nothing(self):
        self.double.fault(kind="cut", verb="watch", times=2)
        self.double.do("watches/stop")
        self.as_root("DELETE", self.path_of(A, "services"))
        self.as_root("DELETE", self.path_of(B))
        self.wait_for(self.program, *REPOS)
        self.double.do("watches/stop")
        self.double.do("compact")
        self.as_root("DELETE", self.path_of(C))
        self.wait_for(self.program, *REPOS)
        relists = lambda: self.metric(self.program, "relists_total")
        wait_until(lambda: relists() > 2, self.program.tail)
        self.settle()
        self.assertLessEqual(relists(), 4)

    def test_a_list_whose_next_page_has_expired_begins_anew(self):
        self.assertEqual(0, self.program.stop(5), self.program.tail())
        before = len(self.writes())
        lists = lambda: self.double.requests(verb="list", resource="deployments")
        listed = len(lists())
        self.double.do("set", page_max=1)
        self.double.fault(kind="status", status=410, reason="Expired", verb="list", resource="deployments", after=2)
        program = self.start()
        wait_until(lambda: self.metric(program, "leader") == 1, program.tail)
        self.assertEqual([], self.settle())
        self.assertEqual(before, len(self.writes()), "what the cut list did not name is not missing")
        self.assertEqual([200, 200, 410, 200, 200, 200, 200], [r["code"] for r in lists()[listed:]])

    def test_an_api_that_is_down_or_refuses_is_asked_again(self):
        self.double.do("down", for_s=2)
        self.write_list(A, B, C)
        self.update(self.program)
        for status in (500, 429, 503):
            self.double.fault(kind="status", status=status, retry_after=1, user="supervisor",
                              resource="deployments")
        self.wait_for(self.program, A, B, C, timeout_s=60)

    def test_objects_of_others_are_left_alone(self):
        self.theirs("their/own")
        before = self.deployment("their/own")
        self.write_list(*REPOS, "their/own")
        self.update(self.program)
        wait_until(lambda: self.metric(self.program, "conflicts") == 1, self.program.tail)
        self.wait_for_event(self.program, "Conflict", "Deployment")
        self.settle()
        self.assertEqual(before, self.deployment("their/own"))


class Rollout(SupervisorCase):
    def test_a_new_image_goes_out_in_batches_that_wait_for_readiness(self):
        repos = [f"o/r{i}" for i in range(7)]
        self.write_list(*repos)
        program = self.start()
        self.wait_for(program, *repos)
        self.assertEqual(0, program.stop(5))
        self.double.do("set", ready_after_s=None)
        program = self.start("--image", "registry/maintner:2", "--rollout-batch", "3")
        changed = lambda: [r for r in repos if "maintner:2" in json.dumps(
            self.deployment(r))]
        wait_until(lambda: len(changed()) == 3, program.tail)
        self.settle(1)
        self.assertEqual(3, len(changed()))
        program.kill()  # what was begun is known to the next one, too
        program = self.start("--image", "registry/maintner:2", "--rollout-batch", "3")
        wait_until(lambda: self.metric(program, "leader") == 1, program.tail, 40)
        self.settle(1)
        self.assertEqual(3, len(changed()))
        self.double.do("set", ready_after_s=0)
        for repo in changed():
            self.double.do("ready", namespace=NAMESPACE, name=deployment(repo))
        wait_until(lambda: len(changed()) == 7, program.tail)


class Pods(SupervisorCase):
    def test_the_programs_take_the_arguments_of_their_containers(self):
        self.write_list(*REPOS)
        program = self.start("--reader-secret", "reader", "--service-account-secret", "writer",
                             "--github-url", "https://ghe/$(HOME)/api", "--sync-interval", "60")
        self.wait_for(program, *REPOS)
        for repo in REPOS:
            pod = self.deployment(repo)["spec"]["template"]["spec"]
            self.assertNotIn("token", json.dumps(pod["containers"][1]))
            for container in pod["containers"]:
                command = [paths.program(container["command"][0])]
                done = subprocess.run(command + container["args"] + ["--help"],
                                      capture_output=True, timeout=30, check=False)
                self.assertEqual(0, done.returncode, done)
                self.assertTrue(done.stdout.startswith(b"Usage:"), done)
                for probe in ("readinessProbe", "livenessProbe"):
                    command = container[probe]["exec"]["command"]
                    done = subprocess.run([paths.program(command[0]), *command[1:], "--help"],
                                          capture_output=True, timeout=30, check=False)
                    self.assertEqual(0, done.returncode, done)
        sync = pod["containers"][0]["args"]
        self.assertIn("--github-url=https://ghe/$$(HOME)/api", sync)


if __name__ == "__main__":
    unittest.main()
