"""maint-reset and the scaling of maint-bucket-migrate: what a person would do by hand, and safe."""

import hashlib
import json
import os
import pty
import signal
import threading
import time
import unittest

import paths  # makes the doubles importable
import many_logs
from cluster_rig import BUCKET, NAMESPACE, ClusterCase, deployment
from gcs_double.client import GcsDouble
from harness import Case, count_of, seeded, some_of, wait_until
from k8s_double.client import K8sDouble
from recordings import made
from router_rig import sha_of

GEARS = "acme/gears"
ROLE = {"kind": "Role", "metadata": {"name": "operator", "namespace": NAMESPACE}, "rules": [
    {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get", "list", "patch"]},
    {"apiGroups": ["apps"], "resources": ["deployments/scale"], "verbs": ["patch"]},
    {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]}
TOKEN = "operator-token-that-must-not-leak"


def object_of(repo, name=None, replicas=1, **labels):
    """A Deployment as the supervisor makes it, as far as tools look at it."""
    owner, _, short = repo.partition("/")
    name = name or deployment(repo)
    return {"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": name, "annotations": {"maintner/owner": owner, "maintner/repository": short},
                         "labels": {"maintner-sprvsr-autogen": "true", "owner": owner, "repository": short, **labels}},
            "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}},
                     "template": {"metadata": {"labels": {"app": name}},
                                  "spec": {"containers": [{"name": "c", "image": "i:1"}]}}}}


class Live(ClusterCase):
    """The whole procedure on a repository that is being mirrored and watched."""

    def recordings(self):
        return [made(seed=202, issues=20, pulls=10, repo=GEARS)]

    def test_it_is_fetched_anew_and_the_supervisor_does_not_interfere(self):
        self.put_list(GEARS)
        self.start_all()
        self.wait_for_mirror(GEARS, 30)
        self.github.reset_counts()
        program = self.stage.run(
            "maint-reset", GEARS, "--log", f"gs://{BUCKET}/logs", "--kubeconfig", self.kubeconfig("operator"),
            "--router", self.router_address, "--yes", "--keep-backup", "--timeout", "120",
            env={"STORAGE_EMULATOR_HOST": self.gcs.origin})
        self.assertEqual(0, program.wait(180), lambda: program.tail() + self.why(GEARS))
        self.assertIn(f"{GEARS} is complete again: 20 issues, 10 pull requests", program.stdout)
        self.assertEqual(30, self.total(GEARS))
        self.assertEqual(1, self.k8s.objects("deployments")[deployment(GEARS)]["spec"]["replicas"])
        self.assertGreater(self.github.counts()["issues"], 0, "it was asked of GitHub again")
        kept = [name for name in self.gcs.names(BUCKET) if name.startswith("logs/.backup/")]
        self.assertTrue(all(name.split("/", 3)[3].startswith(GEARS + "/") for name in kept), kept)
        segments = [name for name in kept if name.endswith(".mutlog")]
        self.assertTrue(segments, program.tail() + self.why(GEARS))
        for name in segments:
            self.assertEqual(name.split(".")[-2], hashlib.sha224(self.gcs.data(BUCKET, name)).hexdigest())


class StepsCase(Case):
    """Deployments without pods, logs made by hand."""

    repos = [GEARS]
    buckets = [BUCKET]

    def setUp(self):
        super().setUp()
        self.k8s = K8sDouble([NAMESPACE], {TOKEN: "operator", "root": "root"}, {"operator": [ROLE]})
        self.addCleanup(self.k8s.stop)
        self.gcs = GcsDouble(buckets=self.buckets, write_interval=0)
        self.addCleanup(self.gcs.stop)
        for repo in self.repos:
            self.create(object_of(repo))
        self.before = self.make_log(GEARS)

    def create(self, obj):
        status, answer = self.k8s.ask("POST", f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments", obj, token="root")
        self.assertEqual(201, status, answer)

    def make_log(self, repo, prefix=None, holder="pod", released=True, lease_s=300, records=300):
        """{object name: bytes}"""
        folder = self.stage.path("made", repo)
        prefix = f"logs/{repo}/" if prefix is None else prefix
        many_logs.make(folder, [tuple(repo.split("/"))], records, seed=7)
        objects = {}
        for name in os.listdir(folder):
            with open(os.path.join(folder, name), "rb") as file:
                objects[prefix + name] = file.read()
        (name, data), = objects.items()
        objects[prefix + "WRITER"] = json.dumps({
            "epoch": 3, "holder": holder, "released": released, "lease_s": lease_s,
            "tail": {"number": 0, "size": len(data), "sha224": name.split(".")[-2]}}).encode()
        for name, data in objects.items():
            self.gcs.put(BUCKET, name, data)
        return objects

    def kubeconfig(self):
        path = self.stage.path("kubeconfig")
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"current-context": "c", "contexts": [
                {"name": "c", "context": {"cluster": "k", "user": "u", "namespace": NAMESPACE}}],
                "clusters": [{"name": "k", "cluster": {"server": self.k8s.origin}}],
                "users": [{"name": "u", "user": {"token": TOKEN}}]}, file)
        return path

    def start(self, *arguments, repo=GEARS, stdin=None, yes=True):
        return self.stage.run(
            "maint-reset", repo, "--log", f"gs://{BUCKET}/logs", "--kubeconfig", self.kubeconfig(),
            *(["--yes"] if yes else []), "--timeout", "60", *arguments,
            env={"STORAGE_EMULATOR_HOST": self.gcs.origin}, stdin=stdin)

    def reset(self, *arguments, status=0, **more):
        program = self.start(*arguments, **more)
        self.assertEqual(status, program.wait(60), program.tail())
        return program

    def objects(self, prefix="logs/"):
        return {name: self.gcs.data(BUCKET, name) for name in self.gcs.names(BUCKET) if name.startswith(prefix)}

    def replicas(self, repo=GEARS):
        return self.k8s.objects("deployments", NAMESPACE)[deployment(repo)]["spec"]["replicas"]

    def writes(self):
        return [r for r in self.k8s.requests(user="operator") if r["verb"] not in ("get", "list")]

    def assert_untouched(self):
        self.assertEqual(self.before, self.objects())
        self.assertEqual(1, self.replicas())

    def assert_whole_or_empty(self):
        """What a pod that started now would find: nothing that is half a log."""
        there = self.objects()
        writer = there.get(f"logs/{GEARS}/WRITER")
        if writer is None:
            self.assertEqual({}, there)
        elif json.loads(writer)["tail"] is not None:
            self.assertEqual(self.before, there)

    def assert_reset(self):
        self.assertEqual({}, self.objects())
        self.assertEqual(1, self.replicas())


class Reset(StepsCase):
    def test_the_least_rights_are_enough_and_everything_is_told(self):
        program = self.reset()
        self.assert_reset()
        self.assertIn("1 objects deleted", program.stdout)
        self.assertEqual([], [r for r in self.k8s.requests() if r["code"] >= 400])
        self.assertIn("scaling " + deployment(GEARS) + " to 0", program.stderr)

    def test_a_dry_run_tells_and_does_nothing(self):
        program = self.reset("--dry-run", "--keep-backup", yes=False)
        self.assertIn(f"Deployment {deployment(GEARS)} in namespace {NAMESPACE}, 1 replicas", program.stdout)
        self.assertIn("1 segments", program.stdout)
        self.assert_untouched()
        self.assertEqual([], self.writes())

    def test_without_a_terminal_nothing_is_done_unless_told(self):
        self.assertIn("--yes", self.reset(status=1, yes=False).stderr)
        self.assert_untouched()

    def answer(self, text):
        ours, theirs = pty.openpty()
        program = self.start(yes=False, stdin=theirs)
        os.close(theirs)
        wait_until(lambda: "Type its name" in program.stderr, program.tail)
        os.write(ours, text.encode() + b"\n")
        status = program.wait(60)
        os.close(ours)
        return status, program

    def test_a_terminal_is_asked_for_the_name(self):
        status, program = self.answer("acme/gear")
        self.assertEqual(1, status, program.tail())
        self.assertIn('"acme/gear" is another name: nothing was done', program.stderr)
        self.assert_untouched()
        status, program = self.answer(GEARS)
        self.assertEqual(0, status, program.tail())
        self.assert_reset()

    def test_a_signal_at_the_prompt_ends_it_at_once(self):
        ours, theirs = pty.openpty()
        program = self.start(yes=False, stdin=theirs)
        os.close(theirs)
        wait_until(lambda: "Type its name" in program.stderr, program.tail)
        program.signal(signal.SIGINT)
        self.assertEqual(1, program.wait(5), program.tail())
        os.close(ours)
        self.assertIn("nothing was done", program.stderr)
        self.assert_untouched()
        self.assertEqual([], self.writes())

    def test_a_log_that_the_pod_does_not_write_is_refused(self):
        repo = "acme/args"
        obj = object_of(repo)
        obj["spec"]["template"]["spec"]["containers"][0]["args"] = [f"--log=gs://{BUCKET}/logs/", "--repo=args"]
        self.create(obj)
        self.make_log(repo)
        before = self.objects()
        for arguments in (["--log", f"gs://{BUCKET}/log"], ["--log", f"gs://other/logs"]):
            program = self.reset(*arguments, repo=repo, status=1)
            self.assertIn(f"writes its log to gs://{BUCKET}/logs/{repo}, not to", program.stderr)
        self.assertEqual(before, self.objects())
        self.assertEqual([], self.writes())
        self.reset(repo=repo)
        self.assertEqual(self.before, self.objects())

    def test_a_scaling_whose_answer_is_lost_is_undone_and_told(self):
        self.k8s.fault(kind="lost", status=500, resource="deployments/scale", times=4)
        program = self.reset(status=1)
        self.assertIn(deployment(GEARS) + " is at 1 replicas again", program.stderr)
        self.assert_untouched()
        self.k8s.fault(kind="lost", status=500, resource="deployments/scale", times=8)
        program = self.reset(status=1)
        self.assertIn(deployment(GEARS) + " may be at 0 replicas", program.stderr)
        self.reset()
        self.assert_reset()

    def test_pods_are_not_gone_before_the_controller_has_seen_the_scaling(self):
        self.k8s.do("set", manual=True)
        program = self.reset("--timeout", "2", status=1)
        self.assertIn("the controller has not seen the scaling", program.stderr)
        self.assert_untouched()

    def test_what_only_is_not_ready_in_time_is_not_to_be_begun_anew(self):
        self.k8s.do("set", ready_after_s=30)
        program = self.reset("--timeout", "2", status=1)
        self.assertIn("running this again would begin anew", program.stderr)
        self.assertNotIn("partly deleted", program.stderr)
        self.assert_reset()

    def test_bad_command_lines_say_what_is_wrong(self):
        for arguments, text in ((["--log-exact", "gs://b/x"], "either --log or --log-exact"),
                                (["--backup", "gs://b/x"], "--backup is for --keep-backup"),
                                (["--log", "/logs"], "--log: /logs: not file:///dir or gs://"),
                                (["--keep-backup", "--backup", "aside"], "--backup: aside: not file:///dir"),
                                (["--router", "nowhere"], "nowhere")):
            self.assertIn(text, self.reset(*arguments, status=2).stderr)
        self.assertIn('"gears" is not OWNER/REPO', self.reset(repo="gears", status=2).stderr)
        self.assert_untouched()

    def test_the_deployment_is_the_one_whose_annotations_say_so(self):
        self.create(object_of("acme/.gears", owner="acme", repository="gears"))  # made legal: they collide
        self.reset()
        self.assert_reset()
        self.assertIn("there is one of acme/gears", self.reset(repo="acme/Gears", status=1).stderr)
        self.assertIn("no Deployment", self.reset(repo="acme/none", status=1).stderr)
        self.create(object_of(GEARS, name="mtr-d-another"))
        self.assertIn("2 Deployments", self.reset(status=1).stderr)

    def test_names_that_are_no_labels_are_found_too(self):
        repo = "acme/.github-" + "n" * 80
        self.create(object_of(repo, owner="acme", repository="github"))
        self.make_log(repo)
        self.reset(repo=repo)
        self.assertEqual(self.before, self.objects())
        self.assertEqual(1, self.replicas(repo))

    def test_what_is_no_part_of_a_log_stops_it_before_anything_is_done(self):
        self.gcs.put(BUCKET, f"logs/{GEARS}/notes.txt", b"mine")
        self.before[f"logs/{GEARS}/notes.txt"] = b"mine"
        self.assertIn("notes.txt is no part of a log", self.reset(status=1).stderr)
        self.assert_untouched()

    def test_a_holder_that_is_alive_is_named_and_the_pod_comes_back(self):
        self.before = self.make_log(GEARS, holder="somebody", released=False, lease_s=4)
        writer, stop = f"logs/{GEARS}/WRITER", threading.Event()

        def renew():
            while not stop.wait(1):
                self.gcs.put(BUCKET, writer, self.before[writer])
        thread = threading.Thread(target=renew)
        thread.start()
        program = self.reset(status=1)
        stop.set()
        thread.join()
        self.assertIn("somebody holds the log and is alive", program.stderr)
        self.assertIn("the log was not touched, and " + deployment(GEARS) + " is at 1 replicas again", program.stderr)
        self.assert_untouched()

    def test_a_holder_that_died_is_waited_for_and_backed_up_as_released(self):
        self.before = self.make_log(GEARS, holder="dead", released=False, lease_s=2)
        began = time.monotonic()
        program = self.reset("--keep-backup", "--backup", f"gs://{BUCKET}/aside")
        self.assertGreater(time.monotonic() - began, 2)
        self.assertIn("dead did not release the log", program.stderr)
        self.assert_reset()
        kept = self.objects("aside/")
        self.assertEqual(2, len(kept))
        (writer,) = (json.loads(data) for name, data in kept.items() if name.endswith("WRITER"))
        self.assertTrue(writer["released"])
        self.assertEqual([data for name, data in self.before.items() if name.endswith(".mutlog")],
                         [data for name, data in kept.items() if name.endswith(".mutlog")])

    def test_a_damaged_writer_does_not_stand_in_the_way(self):
        self.gcs.put(BUCKET, f"logs/{GEARS}/WRITER", b'{"epoch":')
        program = self.start()
        wait_until(lambda: "a damaged WRITER did not release the log" in program.stderr, program.tail)
        program.signal(15)  # its lease is five minutes
        self.assertEqual(1, program.wait(10), program.tail())
        self.assertIn("the log was not touched", program.stderr)
        self.assertEqual(1, self.replicas())

    def test_two_at_once_do_no_harm(self):
        for program in [self.start(), self.start()]:
            if program.wait(60) != 0:
                self.assertRegex(program.stderr, "took the log over meanwhile|somebody scaled")
        self.reset()
        self.assert_reset()

    def test_each_request_may_fail_for_a_while(self):
        self.reset()
        asked = len(self.k8s.requests(user="operator")), len(self.gcs.attempts())
        for double, count, faults in (
                (self.k8s, asked[0], ({"kind": "status", "status": 503}, {"kind": "reset_after"})),
                (self.gcs, asked[1], ({"kind": "status", "status": 503}, {"kind": "reset_after"}))):
            for nth in some_of(count):
                fault = faults[nth % 2]
                with self.subTest(double=type(double).__name__, nth=nth, **fault):
                    self.before = self.make_log(GEARS)
                    double.fault(after=nth, **fault)
                    if self.start().wait(60) != 0:  # it told; then it is run again
                        self.reset()
                    self.assert_reset()

    def test_each_request_may_be_refused_and_a_rerun_ends_it(self):
        self.reset()
        asked = len(self.k8s.requests(user="operator")), len(self.gcs.attempts())
        for double, count in ((self.k8s, asked[0]), (self.gcs, asked[1])):
            for nth in some_of(count):
                with self.subTest(double=type(double).__name__, nth=nth):
                    self.before = self.make_log(GEARS)
                    double.fault(after=nth, kind="status", status=403)
                    program = self.reset(status=1)
                    self.assertIn("403", program.stderr)
                    if self.replicas() == 0:
                        self.assertIn("left undone", program.stderr)
                    self.assert_whole_or_empty()
                    self.reset()
                    self.assert_reset()

    def test_kills_at_random_points_change_nothing_in_the_end(self):
        rng = seeded()
        began = time.monotonic()
        self.reset()
        length = time.monotonic() - began
        for _ in range(count_of(6, 60)):
            self.before = self.make_log(GEARS)
            program = self.start()
            time.sleep(rng.random() * length)
            program.kill()
            self.assert_whole_or_empty()
            self.reset()
            self.assert_reset()


class Migrate(StepsCase):
    """maint-bucket-migrate with its pods down."""

    repos = ["acme/a", "acme/b", "acme/c"]
    buckets = [BUCKET, *(f"mtr-{kind}-{sha_of(repo)}" for repo in repos for kind in "pq")]

    def setUp(self):
        super().setUp()
        for repo in self.repos:
            objects = self.make_log(repo, prefix="x/")
            for name, data in objects.items():
                self.gcs.put(f"mtr-p-{sha_of(repo)}", name.removeprefix("x/"), data)

    def start(self, *arguments, repos=None):
        return self.stage.run(
            "maint-bucket-migrate", *(word for repo in repos or self.repos for word in ("--repo", repo)),
            "--from-prefix", "gs://mtr-p-", "--to-prefix", "gs://mtr-q-", "--kubernetes", "--kubeconfig",
            self.kubeconfig(), *arguments, env={"STORAGE_EMULATOR_HOST": self.gcs.origin})

    def migrate(self, *arguments, status=0, **more):
        program = self.start(*arguments, **more)
        self.assertEqual(status, program.wait(60), program.tail())
        return program

    def names(self, kind, repo):
        return self.gcs.names(f"mtr-{kind}-{sha_of(repo)}")

    def assert_restored(self):
        for name, obj in self.k8s.objects("deployments", NAMESPACE).items():
            self.assertEqual(1, obj["spec"]["replicas"], name)
            self.assertNotIn("maintner/scaled-from", obj["metadata"]["annotations"])

    def scalings(self):
        return [(r["name"], r["verb"]) for r in self.k8s.requests(user="operator")
                if r["resource"] == "deployments/scale"]

    def test_each_pod_is_down_while_its_log_is_copied(self):
        self.migrate()
        for repo in self.repos:
            self.assertEqual(self.names("p", repo), self.names("q", repo))
        self.assertEqual([name for repo in self.repos for name in [(deployment(repo), "patch")] * 2], self.scalings())
        self.assert_restored()
        self.assertEqual([], [r for r in self.k8s.requests() if r["code"] >= 400])

    def test_one_that_fails_is_scaled_back_and_stops_no_other(self):
        self.gcs.put(f"mtr-p-{sha_of('acme/b')}", "notes.txt", b"mine")
        program = self.migrate(status=1)
        self.assertIn("2 of 3 repositories done", program.stdout)
        self.assertIn("notes.txt is no part of a log", program.stderr)
        self.assertEqual([], self.names("q", "acme/b"))
        self.assert_restored()
        self.assertNotIn(deployment("acme/b"), [name for name, _ in self.scalings()], "no pod ends for what cannot be")

    def test_one_that_a_killed_run_left_at_0_comes_back_also_when_its_copy_cannot_be(self):
        self.gcs.put(f"mtr-p-{sha_of('acme/b')}", "notes.txt", b"mine")
        path = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{deployment('acme/b')}"
        for suffix, body in (("", {"metadata": {"annotations": {"maintner/scaled-from": "1"}}}),
                             ("/scale", {"spec": {"replicas": 0}})):
            status, answer = self.k8s.ask("PATCH", path + suffix, body, token="root",
                                          content_type="application/merge-patch+json")
            self.assertEqual(200, status, answer)
        self.migrate(status=1, repos=["acme/b"])
        self.assert_restored()

    def test_a_dry_run_scales_nothing(self):
        bucket = f"mtr-p-{sha_of(self.repos[0])}"
        held = self.gcs.data(bucket, "WRITER").replace(b'"released": true', b'"released": false')
        self.assertIn(b"false", held)
        self.gcs.put(bucket, "WRITER", held)  # by the pod that would be scaled
        program = self.migrate("--dry-run")
        self.assertEqual(3, program.stdout.count("to be scaled from 1 to 0 and back"))
        self.assertEqual([], self.writes())
        self.assertEqual(held, self.gcs.data(bucket, "WRITER"))

    def test_a_killed_run_leaves_behind_what_the_next_one_needs_to_scale_back(self):
        rng = seeded()
        began = time.monotonic()
        self.migrate()
        length = time.monotonic() - began
        for _ in range(count_of(5, 40)):
            program = self.start("--replace")
            time.sleep(rng.random() * length)
            program.kill()
            self.migrate("--replace")
            self.assert_restored()

    def test_answers_that_are_lost_leave_no_note_and_no_pod_down(self):
        one = self.repos[:1]
        self.k8s.fault(kind="lost", status=500, resource="deployments", verb="patch", times=4)
        self.migrate(status=1, repos=one)
        self.assert_restored()
        self.k8s.fault(kind="lost", status=500, resource="deployments/scale", times=4)
        self.migrate(status=1, repos=one)
        self.assert_restored()
        self.k8s.fault(kind="status", status=403, resource="deployments/scale", after=1)
        program = self.migrate(status=1, repos=one)
        self.assertIn("is at 0 replicas, to be 1", program.stderr)
        self.migrate(repos=one)
        self.assert_restored()

    def test_a_signal_ends_it_with_everything_scaled_back(self):
        self.gcs.fault(op="rewrite", kind="stall", delay_s=3, times=-1)
        program = self.start()
        wait_until(lambda: self.gcs.attempts("rewrite"), program.tail)
        program.signal(15)
        self.assertEqual(1, program.wait(10), program.tail())
        self.assertIn("0 of 3 repositories done", program.stdout)
        self.assert_restored()

    def test_kubernetes_may_refuse_each_request(self):
        one = self.repos[:1]
        self.migrate(repos=one)
        count = len(self.k8s.requests(user="operator"))
        for nth in some_of(count):
            with self.subTest(nth=nth):
                self.k8s.fault(after=nth, kind="status", status=403)
                program = self.migrate("--replace", status=1, repos=one)
                self.assertIn("403", program.stderr)
                if self.replicas(one[0]) == 0:
                    self.assertIn("is at 0 replicas, to be 1", program.stderr)
                self.migrate("--replace", repos=one)
                self.assert_restored()


if __name__ == "__main__":
    unittest.main(verbosity=2)
