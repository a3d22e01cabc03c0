"""A whole cluster on a stage: the Kubernetes double, a node that runs its pods, the supervisor,
the router, and doubles of GitHub and of the bucket.  kubectl is the real one."""

import glob
import json
import os
import shutil
import subprocess
import sys

import paths
from fcgi_client import FcgiClient
from gcs_double.client import GcsDouble
from harness import SECRET, TOKEN, Case, accepts, wait_until
from harness import Api as Questions
from k8s_double import yaml_subset
from k8s_double.client import K8sDouble
from k8s_node.api import Api
from relays import Authority
from router_rig import sha_of

NAMESPACE = "maintner"
BUCKET = "mirror"
LIST = "repos.json"
SUPERVISOR = f"system:serviceaccount:{NAMESPACE}:maintner-sprvsr"
TOKENS = {"supervisor-token-that-must-not-leak": SUPERVISOR, "operator-token": "operator",
          "node-token": "node"}
TOKEN_OF = {user: token for token, user in TOKENS.items()}
READY_S = 120


def role_of_the_manifests():
    """What deploy/kubernetes lets the supervisor do."""
    with open(os.path.join(paths.DEPLOY, "kubernetes", "base", "rbac.yaml"), encoding="utf-8") as file:
        roles = [obj for obj in yaml_subset.load_all(file.read()) if obj["kind"] == "Role"]
    for role in roles:
        role["metadata"]["namespace"] = NAMESPACE
    return roles


def deployment(repo):
    return "mtr-d-" + sha_of(repo)


class ClusterCase(Case):
    """`recordings()` are the repositories that GitHub has; none is in the list at first."""

    node = None

    def recordings(self):
        return []

    def setUp(self):
        super().setUp()
        self.github = self.stage.double(*self.recordings())
        self.gcs = GcsDouble(buckets=[BUCKET], write_interval=0, page_size=1000)
        self.addCleanup(self.gcs.stop)
        # Over TLS: kubectl shows its token to nobody else.
        self.authority = Authority(self.stage.folder, "cluster")
        certificate, key = self.authority.certificate("IP:127.0.0.1")
        self.k8s = K8sDouble(namespaces=[NAMESPACE], tokens=TOKENS, roles={SUPERVISOR: role_of_the_manifests()},
                             tls_cert=certificate, tls_key=key)
        self.addCleanup(self.k8s.stop)
        self.k8s.do("set", manual=True)  # the node says what is ready
        self.secret("github", token=TOKEN)
        self.secret("internal", secret=SECRET)
        self.root = self.stage.path("n")
        self.as_users = os.getuid() == 0
        if self.as_users:
            os.chmod(self.stage.folder, 0o711)  # for the containers' users
        self.addCleanup(self.end_programs)

    def end_programs(self):
        """In the order in which a cluster would not miss them; the node ends its pods."""
        for program in reversed(self.stage.programs):
            status = program.stop(60)
            if program is self.node:
                self.assertEqual(0, status, self.node.tail())

    # the bucket

    def put_list(self, *repos):
        """The list as it stands in the bucket; the programs are told by update()."""
        text = json.dumps({"repos": [{"repo": repo, "default_branch": "main", "is_tracking_issues": True}
                                     for repo in repos]})
        self.gcs.put(BUCKET, LIST, text.encode())

    def log_of(self, repo):
        return [name for name in self.gcs.names(BUCKET) if name.startswith(f"logs/{repo}/")]

    def segments_of(self, repo):
        """What is in the log: WRITER stands there before the first record does."""
        return [name for name in self.log_of(repo) if name.endswith(".mutlog")]

    def delete_log(self, repo):
        """What `gsutil -m rm 'gs://BUCKET/logs/OWNER/REPO/**'` does: list, then delete each."""
        for name in self.store_cli("list", f"gs://{BUCKET}/logs/{repo}").split("\n"):
            if name:
                self.store_cli("delete", f"gs://{BUCKET}/logs/{repo}/{name.split()[0]}")

    def store_cli(self, *arguments):
        done = subprocess.run([paths.program("store-cli"), *arguments], capture_output=True, text=True,
                              timeout=60, check=False, env=self.stage.environment(
                                  {"STORAGE_EMULATOR_HOST": self.gcs.origin}))
        self.assertEqual(0, done.returncode, done)
        return done.stdout

    # the cluster

    def secret(self, name, **data):
        Api(self.k8s.origin, NAMESPACE, TOKEN_OF["operator"], self.authority.file).create("secrets", {
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data})

    def kubeconfig(self, user):
        path = self.stage.path(f"kubeconfig-{user.rpartition(':')[2]}")
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"apiVersion": "v1", "kind": "Config", "current-context": "c", "contexts": [
                {"name": "c", "context": {"cluster": "k", "user": "u", "namespace": NAMESPACE}}],
                "clusters": [{"name": "k", "cluster": {
                    "server": self.k8s.origin, "certificate-authority": self.authority.file}}],
                "users": [{"name": "u", "user": {"token": TOKEN_OF[user]}}]}, file)
        return path

    def kubectl(self, *arguments, status=0, timeout_s=60):
        """What it prints, as an operator; `status` None: it may fail."""
        if shutil.which("kubectl") is None:
            self.skipTest("kubectl is not here")
        done = subprocess.run(["kubectl", "--kubeconfig", self.kubeconfig("operator"), *arguments],
                              capture_output=True, text=True, timeout=timeout_s, check=False,
                              env=self.stage.environment({"HOME": self.stage.folder}))
        self.assertIn(status, (None, done.returncode), done)
        return done.stdout

    def start_node(self):
        os.mkdir(self.root)
        os.chmod(self.root, 0o755)
        environment = {"STORAGE_EMULATOR_HOST": self.gcs.origin, "ASAN_OPTIONS": "detect_leaks=1",
                       "MAINTNER_POINTS_PER_MINUTE": "1000000", "TMPDIR": "/tmp"}
        self.node = self.stage.start(
            [sys.executable, os.path.join(paths.SUPPORT, "k8s-node"), "--server", self.k8s.origin,
             "--namespace", NAMESPACE, "--token", TOKEN_OF["node"], "--ca-file", self.authority.file, "--root", self.root,
             "--programs", self.stage.public_programs(), *(["--as-users"] if self.as_users else []),
             *(part for pair in environment.items() for part in ("--env", "=".join(pair)))], "k8s-node")
        wait_until(lambda: "running" in self.node.stdout, self.node.tail)
        self.addCleanup(self.keep_logs)

    def keep_logs(self):
        """The containers' output, which is searched for sanitizers' reports and secrets."""
        self.stage.output_files += glob.glob(os.path.join(self.root, "p", "*", "*.log"))

    def start_supervisor(self, *arguments):
        secret = self.internal_secret_file()
        self.supervisor_address = f"unix:{self.stage.path('sprvsr.sock')}"
        self.supervisor = self.stage.run(
            "maintner-sprvsr", "--listen", self.supervisor_address, "--repos", f"gs://{BUCKET}/{LIST}",
            "--log", f"gs://{BUCKET}/logs", "--image", "registry/maintner:1", "--kubeconfig",
            self.kubeconfig(SUPERVISOR), "--github-secret", "github", "--internal-secret", "internal",
            "--internal-secret-file", secret, "--github-url", self.github.url, *arguments,
            env={"STORAGE_EMULATOR_HOST": self.gcs.origin})
        wait_until(lambda: accepts(self.supervisor_address) or self.supervisor.process.poll() is not None,
                   self.supervisor.tail)
        return self.supervisor

    def internal_secret_file(self):
        path = self.stage.path("internal-secret")
        with open(path, "w", encoding="utf-8") as file:
            file.write(SECRET + "\n")
        return path

    def start_router(self, *arguments):
        self.router_address = f"unix:{self.stage.path('rtr.sock')}"
        self.router = self.stage.run(
            "maintner-rtr", "--listen", self.router_address, "--repos", f"gs://{BUCKET}/{LIST}",
            "--backend", f"unix:{self.root}/run/{{sha}}.9000", "--internal",
            f"unix:{self.root}/run/{{sha}}.9001", "--sprvsr", self.supervisor_address,
            "--internal-secret-file", self.internal_secret_file(), *arguments,
            env={"STORAGE_EMULATOR_HOST": self.gcs.origin})
        wait_until(lambda: accepts(self.router_address) or self.router.process.poll() is not None,
                   self.router.tail)
        return self.router

    def start_all(self):
        self.start_node()
        self.start_supervisor()
        self.start_router()

    # questions, through the router

    def ask(self, path, query="", **more):
        client = FcgiClient(self.router_address, timeout_s=30)
        try:
            return client.ask(path, query, **more)
        finally:
            client.close()

    def update(self):
        """Router and supervisor read the list now."""
        got = self.ask("/api/v1/update", method="POST")
        self.assertEqual(202, got.status, got)

    def names(self):
        got = self.ask("/api/v1/owners/-/repositories")
        return [item["name"] for item in got.json().get("repositories", [])] if got.status == 200 else []

    def total(self, repo):
        """How many issues it has; None while it does not answer."""
        got = self.ask(f"/api/v1/{repo}/issues", "pageSize=1")
        return got.json()["total"] if got.status == 200 else None

    def complete(self, repo):
        got = self.ask(f"/api/v1/{repo}")
        return got.status == 200 and got.json()["repository"]["complete"]

    def wait_for_total(self, repo, total):
        """It answers from its first page on: the rest, the log too, may be under way."""
        wait_until(lambda: self.total(repo) == total, lambda: self.why(repo), READY_S)

    def wait_for_mirror(self, repo, total):
        """Everything is there, and in the log."""
        self.wait_for_total(repo, total)
        wait_until(lambda: self.complete(repo) and self.segments_of(repo), lambda: self.why(repo), READY_S)

    def why(self, repo):
        pods = {name: pod.get("status") for name, pod in self.k8s.objects("pods").items()}
        logs = ""
        for path in glob.glob(os.path.join(self.root, "p", "*", "*.log")):
            with open(path, encoding="utf-8", errors="replace") as file:
                logs += f"\n--- {path}\n{file.read()[-1500:]}"
        asked = [f"{e['verb']} {e['resource']} {e['code']}" for e in self.k8s.requests(user=SUPERVISOR)[-20:]]
        return (f"{repo}: {self.ask(f'/api/v1/{repo}/issues', 'pageSize=1')}; pods {pods}; asked {asked}; "
                f"{self.supervisor.tail(3000)}{logs}")

    def api(self, repo):
        return Questions(self.router_address, repo)
