"""The supervisor against the strict double: least privilege, every option, faults."""

import base64
import os
import shutil
import subprocess
import tempfile
import time
import unittest

from harness import FULL, wait_until
from router_rig import sha_of
from sprvsr_rig import CLUSTER_TOKEN, NAMESPACE, SupervisorCase

REPOS = ["foo/bar", "Owner/.github", "x/" + "n" * 100, "end/dash-"]
EVERYTHING = ["--pod-front", "nginx:1", "--service-account-secret", "writer", "--reader-secret",
              "reader", "--image-pull-secret", "registry", "--disk-request", "2Gi", "--pod-service-account", "worker", "--github-keys", "a,b",
              "--sync-interval", "60", "--github-url", "https://ghe.example/api/v3"]


class Strict(SupervisorCase):
    def setUp(self):
        super().setUp()
        self.write_list(*REPOS)

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
        self.as_root("DELETE", self.path_of("foo/bar"))
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

    def test_a_kubeconfig_whose_token_is_replaced_is_read_again(self):
        self.token = CLUSTER_TOKEN
        self.user_entry = lambda: {"token": self.token}
        program = self.start()
        self.wait_for(program, *REPOS)
        self.token += "2"
        self.kubeconfig()
        self.double.do("rotate", old=CLUSTER_TOKEN, new=self.token)
        self.write_list(*REPOS, "new/one")
        self.update(program)
        self.wait_for(program, *REPOS, "new/one")

    def test_scaling_to_zero_stays_and_a_foreign_edit_does_not(self):
        program = self.start()
        self.wait_for(program, *REPOS)
        path, merge = self.path_of("foo/bar"), "application/merge-patch+json"
        self.as_root("PATCH", path + "/scale", {"spec": {"replicas": 0}}, merge)
        self.as_root("PATCH", path, {"metadata": {"labels": {"owner": "other"}}, "spec": {
            "strategy": {"type": "RollingUpdate"}}}, merge)
        wait_until(lambda: self.deployment("foo/bar")["spec"]["strategy"]["type"] == "Recreate"
                   and self.deployment("foo/bar")["metadata"]["labels"]["owner"] == "foo",
                   program.tail, 5)
        self.assertEqual(0, self.deployment("foo/bar")["spec"]["replicas"])

    def test_lists_in_quick_succession_end_as_the_last_one_says(self):
        self.double.fault(kind="slow", delay_s=0.3, verb="patch", times=20)
        self.write_list(*(f"o/first{i}" for i in range(12)), "foo/bar")
        program = self.start()
        wait_until(lambda: len(self.writes()) >= 3, program.tail)
        for nth in (2, 3):  # while the first one is being applied
            self.write_list(*(f"o/first{i}" for i in range(12 - nth)), f"o/nth{nth}", "foo/bar")
            self.update(program)
            time.sleep(0.2)
        want = [*(f"o/first{i}" for i in range(9)), "o/nth3", "foo/bar"]
        self.wait_for(program, *want)
        self.assert_settled(program)
        for repo in want:  # once each, however often the list changed
            for name in ("mtr-d-" + sha_of(repo), "mtr-s-" + sha_of(repo)):
                self.assertEqual(1, len(self.writes(name=name)), (repo, program.tail()))
        for entry in self.writes(verb="delete"):
            self.assertEqual(1, len(self.writes(verb="patch", name=entry["name"])))

    def test_a_renamed_repository_is_a_new_one_and_the_old_one_goes(self):
        program = self.start()
        self.wait_for(program, *REPOS)
        before = len(self.writes())
        # Kubernetes' names are digests of the exact name: a change of case is a rename, too.
        self.write_list("foo/renamed", "owner/.github", *REPOS[2:])
        self.update(program)
        self.wait_for(program, "foo/renamed", "owner/.github", *REPOS[2:])
        self.assert_settled(program)
        written = [(r["verb"], r["name"]) for r in self.writes()][before:]
        self.assertEqual(8, len(written), written)
        for old, new in (("foo/bar", "foo/renamed"), ("Owner/.github", "owner/.github")):
            service, deployment = (written.index(("delete", f"mtr-{kind}-{sha_of(old)}"))
                                   for kind in "sd")
            self.assertLess(service, deployment)
            self.assertIn(("patch", f"mtr-d-{sha_of(new)}"), written)
            self.assertIn(("patch", f"mtr-s-{sha_of(new)}"), written)

    def test_a_name_that_somebody_takes_in_the_last_moment_stays_theirs(self):
        self.write_list("foo/bar")
        self.double.fault(kind="slow", delay_s=1, verb="patch", resource="deployments")
        program = self.start()
        wait_until(lambda: self.double.requests(verb="patch", resource="deployments"),
                   program.tail)
        self.theirs("foo/bar")
        wait_until(lambda: self.metric(program, "conflicts") == 1, program.tail)
        self.assert_theirs(program, "foo/bar")

    def test_a_name_that_somebody_takes_while_ours_is_being_changed_stays_theirs(self):
        self.write_list("foo/bar", "o/gone")
        program = self.start()
        self.wait_for(program, "foo/bar", "o/gone")
        self.assertEqual(0, program.stop(5), program.tail())
        self.double.fault(kind="slow", delay_s=1, verb="patch", resource="deployments", times=2)
        program = self.start("--image", "registry/maintner:2")
        wait_until(lambda: len(self.writes(verb="patch", resource="deployments")) == 4,
                   program.tail)
        self.as_root("DELETE", self.path_of("o/gone"))
        self.as_root("DELETE", self.path_of("foo/bar"))
        self.theirs("foo/bar")
        wait_until(lambda: self.metric(program, "conflicts") == 1, program.tail)
        self.wait_for(program, "foo/bar", "o/gone")  # what was deleted is made anew
        self.assert_theirs(program, "foo/bar")

    def assert_theirs(self, program, repo):
        self.assert_settled(program)
        there = self.deployment(repo)
        self.assertEqual({"app": "theirs"}, there["spec"]["selector"]["matchLabels"])
        self.assertEqual("RollingUpdate", there["spec"]["strategy"]["type"])
        self.assertNotIn("annotations", there["metadata"])
        self.assertEqual(["theirs:1"], [c["image"] for c in there["spec"]["template"]["spec"][
            "containers"]])

    def test_a_start_with_an_empty_list_removes_nothing_however_few_there_are(self):
        program = self.start()
        self.wait_for(program, *REPOS)
        self.assertEqual(0, program.stop(5), program.tail())
        before = len(self.writes())
        self.write_list()
        self.double.fault(kind="slow", delay_s=0.5, verb="list", times=2)
        program = self.start("--list-interval", "1")  # it reads the list before the cluster
        wait_until(lambda: self.metric(program, "list_failures_total") >= 1, program.tail)
        self.assert_settled(program)
        self.assertEqual(before, len(self.writes()), program.tail())
        self.write_list(*REPOS[:2])
        self.wait_for(program, *REPOS[:2])

    def test_a_leader_that_hung_longer_than_its_lease_writes_nothing_more(self):
        self.write_list("foo/bar")
        program = self.start()
        self.wait_for(program, "foo/bar")
        self.double.fault(kind="status", status=503, retry_after=30, times=-1, verb="patch")
        self.write_list("foo/bar", "new/one")
        self.update(program)
        wait_until(lambda: len(self.writes(verb="patch", code=503)) >= 2, program.tail)
        self.double.fault(kind="status", status=503, times=-1, resource="leases")
        wait_until(lambda: self.metric(program, "leader") == 0, program.tail, 20)
        self.double.do("faults/clear")
        self.double.fault(kind="status", status=503, times=-1, resource="leases")
        self.assert_settled(program)

    def test_an_api_that_was_down_for_long_is_not_stormed(self):
        program = self.start()
        self.wait_for(program, *REPOS)
        down_s = 150 if FULL else 8
        self.double.do("down", for_s=down_s)
        self.write_list(*REPOS[:3], "new/one")
        self.update(program)
        time.sleep(down_s)
        self.double.do("log/clear")
        self.wait_for(program, *REPOS[:3], "new/one", timeout_s=60)
        self.assert_settled(program)
        self.assertEqual(4, len(self.writes()), self.writes())
        self.assertLess(len(self.double.requests(user="supervisor")), 30)

    def test_a_stop_while_the_api_hangs_is_quick_and_gives_the_lease_back(self):
        self.double.fault(kind="hang", delay_s=60, times=-1, verb="patch")
        program = self.start()
        wait_until(lambda: len(self.double.requests(verb="patch")) >= 4, program.tail)
        time.sleep(0.5)
        self.assertEqual(4, len(self.double.requests(verb="patch")), "so many at once and no more")
        self.assertEqual(0, program.stop(5), program.tail())
        (lease,) = self.double.objects("leases", NAMESPACE).values()
        self.assertFalse(lease["spec"].get("holderIdentity"))
        self.double.do("faults/clear")
        self.double.fault(kind="hang", delay_s=60, times=-1)  # everything
        program = self.start()
        time.sleep(1)
        self.assertEqual(0, program.stop(5), program.tail())
        self.double.do("faults/clear")

    def test_a_leader_to_which_nothing_answers_any_more_stops_in_time(self):
        program = self.start()
        self.wait_for(program, *REPOS)
        wait_until(lambda: len(self.double.objects("events", NAMESPACE)) == 8, program.tail)
        self.double.fault(kind="hang", delay_s=60, times=-1)  # its lease cannot be given back
        self.write_list(*REPOS, "new/one")
        self.update(program)
        wait_until(lambda: [r for r in self.double.requests(verb="patch") if r["name"].endswith(sha_of("new/one"))],
                   program.tail)
        self.assertEqual(0, program.stop(5), program.tail())
        self.double.do("faults/clear")

    def test_a_watch_that_is_told_to_wait_waits(self):
        program = self.start()
        self.wait_for(program, *REPOS)
        self.double.fault(kind="status", status=429, retry_after=2, verb="watch", resource="services")
        watches = lambda: self.double.requests(verb="watch", resource="services")
        wait_until(watches, program.tail)
        before = len(watches())
        self.double.do("watches/stop")
        wait_until(lambda: len(watches()) >= before + 2, program.tail)
        refused, again = watches()[before:][:2]
        self.assertEqual(429, refused["code"])
        self.assertGreaterEqual(again["at"] - refused["at"], 2)

    def test_limits_that_kubernetes_would_refuse_are_refused_at_the_start(self):
        for flag, value, word in (("--sync-memory", "63Mi", "less than 64Mi"), ("--fcgi-memory", "1", "less than 32Mi"),
                                  ("--snapshot-size", "0x10", "no size"), ("--disk-request", "0", "less than 1")):
            program = self.stage.run("maintner-sprvsr", "--dry-run", *self.arguments(flag, value))
            self.assertEqual(2, program.wait(), program.tail())
            self.assertIn(f'{flag}: "{value}" is {word}', program.stderr)


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=60)


class Tls(SupervisorCase):
    """A client certificate, and a server's that must be the right one."""

    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(tempfile.TemporaryDirectory(prefix="maintner-tls-"))
        cls.make("ca", "/CN=ca", [])
        cls.make("server", "/CN=server", ["subjectAltName=IP:127.0.0.1"], "ca")
        cls.make("client", "/CN=supervisor", ["extendedKeyUsage=clientAuth"], "ca")
        cls.make("other", "/CN=other", [])
        cls.make_expired("expired", "/CN=supervisor", "ca")
        cls.tls = {"tls_cert": cls.file("server.crt"), "tls_key": cls.file("server.key"),
                   "client_ca": cls.file("ca.crt")}

    @classmethod
    def file(cls, name):
        return os.path.join(cls.folder, name)

    @classmethod
    def make(cls, name, subject, extensions, signer=None):
        more = [word for e in extensions for word in ("-addext", e)]
        if signer:
            more += ["-CA", cls.file(signer + ".crt"), "-CAkey", cls.file(signer + ".key")]
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", subject,
                "-keyout", cls.file(name + ".key"), "-out", cls.file(name + ".crt"), *more)

    @classmethod
    def make_expired(cls, name, subject, signer):
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", subject,
                "-keyout", cls.file(name + ".key"), "-out", cls.file(name + ".csr"))
        openssl("x509", "-req", "-in", cls.file(name + ".csr"), "-CA", cls.file(signer + ".crt"),
                "-CAkey", cls.file(signer + ".key"), "-CAcreateserial", "-days", "-1",
                "-out", cls.file(name + ".crt"))

    def setUp(self):
        self.ca, self.client, self.as_data = "ca", "client", False
        super().setUp()
        self.write_list(*REPOS)

    def entry(self, key, name):
        if not self.as_data:
            return {key: self.file(name)}
        with open(self.file(name), "rb") as file:
            return {key + "-data": base64.b64encode(file.read()).decode()}

    def cluster_entry(self):
        return {"server": self.double.origin,
                **self.entry("certificate-authority", self.ca + ".crt")}

    def user_entry(self):
        if self.client is None:
            return {}
        return {**self.entry("client-certificate", self.client + ".crt"),
                **self.entry("client-key", self.client + ".key")}

    def test_the_certificate_is_who_we_are(self):
        for self.as_data in (False, True):
            with self.subTest(as_data=self.as_data):
                self.write_list(*REPOS, f"as/data{self.as_data}")
                program = self.start()
                self.wait_for(program, *REPOS, f"as/data{self.as_data}")
                self.assertEqual(0, program.stop(5), program.tail())
        self.assertEqual({"supervisor"}, {r["user"] for r in self.double.requests()})

    @unittest.skipUnless(shutil.which("kubectl"), "kubectl is not installed")
    def test_kubectl_applies_what_the_plan_prints_and_nothing_is_left_to_do(self):
        plan = self.stage.run("maintner-sprvsr", "--dry-run", *self.arguments(*EVERYTHING))
        self.assertEqual(0, plan.wait(), plan.tail())
        done = subprocess.run(["kubectl", "--kubeconfig", self.kubeconfig(), "apply", "--server-side", "--validate=false",
                               "--field-manager=maintner-sprvsr", "-f", "-"], input=plan.stdout, text=True, timeout=60,
                              capture_output=True, check=False, env=self.stage.environment({"HOME": self.stage.folder}))
        self.assertEqual(0, done.returncode, done)
        self.assertEqual(8, len(self.writes()))
        program = self.start(*EVERYTHING)
        wait_until(lambda: self.metric(program, "leader") == 1, program.tail)
        self.assert_settled(program, 0.5)
        self.assertEqual(8, len(self.writes()), program.tail())

    def test_a_server_that_our_authority_did_not_sign_is_refused_and_named(self):
        self.ca = "other"
        program = self.start()
        wait_until(lambda: self.double.origin.partition("//")[2] in program.stderr
                   and "certificate" in program.stderr, program.tail)
        self.assertEqual(503, self.ask(program, "/_healthz").status)
        self.assertEqual(0, program.stop(5), program.tail())
        self.assertEqual([], self.double.requests())

    def test_authorities_and_certificates_may_be_replaced_while_it_runs(self):
        self.ca, self.client = "other", None
        program = self.start()
        wait_until(lambda: "certificate" in program.stderr, program.tail)
        self.ca = "ca"
        self.kubeconfig()  # the authority is the right one, but who we are is not known
        wait_until(lambda: "HTTP 401" in program.stderr or "HTTP 403" in program.stderr,
                   program.tail)
        self.client, self.as_data = "client", True
        self.kubeconfig()
        self.wait_for(program, *REPOS)
        self.assertEqual(0, program.stop(5), program.tail())

    def test_a_certificate_that_has_expired_is_told_and_may_be_renewed(self):
        self.client = "expired"
        program = self.start()
        wait_until(lambda: "expired" in program.stderr, program.tail)
        self.assertEqual(503, self.ask(program, "/_healthz").status)
        self.assertEqual([], self.double.requests())
        self.client = "client"
        self.kubeconfig()
        self.wait_for(program, *REPOS)
        self.assertEqual(0, program.stop(5), program.tail())

    def test_without_a_certificate_nothing_is_allowed_and_said_so(self):
        self.client = None
        program = self.start()
        wait_until(lambda: "HTTP 401" in program.stderr or "HTTP 403" in program.stderr,
                   program.tail)
        self.assertEqual(0, program.stop(5), program.tail())
        self.assertEqual([], [r for r in self.double.requests() if r["code"] < 400])


if __name__ == "__main__":
    unittest.main()
