"""A supervisor on a stage, and the strict double of the Kubernetes API for it."""

import json
import os
import time

from fcgi_client import FcgiClient
from harness import SECRET, Case, accepts, wait_until
from k8s_double.client import K8sDouble
from router_rig import sha_of

NAMESPACE = "mirror"
CLUSTER_TOKEN = "cluster-token-that-must-not-leak"
WRITES = ("create", "update", "patch", "delete")
ROLE = {"kind": "Role", "metadata": {"name": "supervisor", "namespace": NAMESPACE}, "rules": [
    {"apiGroups": ["apps"], "resources": ["deployments"],
     "verbs": ["get", "list", "watch", "create", "patch", "delete"]},
    {"apiGroups": [""], "resources": ["services"],
     "verbs": ["get", "list", "watch", "create", "patch", "delete"]},
    {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"],
     "verbs": ["get", "create", "update"]},
    {"apiGroups": [""], "resources": ["events"], "verbs": ["create"]}]}


class SupervisorCase(Case):
    """Supervisors against the strict double of the Kubernetes API, a list in a file."""

    tls = {}  # of the double

    def setUp(self):
        super().setUp()
        self.double = K8sDouble([NAMESPACE], {CLUSTER_TOKEN: "supervisor", "root": "root"},
                                {"supervisor": [ROLE]}, **self.tls)
        self.addCleanup(self.double.stop)
        self.list_path = self.stage.path("repos.json")
        self.token_path = self.stage.path("token")
        self.count = 0
        self.write_token(CLUSTER_TOKEN)

    def write_list(self, *repos, text=None):
        if text is None:
            text = json.dumps({"repos": [{"repo": repo, "default_branch": "main",
                                          "is_tracking_issues": True} for repo in repos]})
        with open(self.list_path, "w", encoding="utf-8") as file:
            file.write(text)

    def write_token(self, token):
        with open(self.token_path + ".new", "w", encoding="utf-8") as file:
            file.write(token + "\n")
        os.replace(self.token_path + ".new", self.token_path)

    def cluster_entry(self):
        return {"server": self.double.origin}

    def user_entry(self):
        return {"tokenFile": self.token_path}

    def kubeconfig(self):
        path = self.stage.path("kubeconfig")
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"current-context": "c", "contexts": [
                {"name": "c", "context": {"cluster": "k", "user": "u", "namespace": NAMESPACE}}],
                "clusters": [{"name": "k", "cluster": self.cluster_entry()}],
                "users": [{"name": "u", "user": self.user_entry()}]}, file)
        return path

    def writes(self, **fields):
        """What the supervisor wrote."""
        return [r for r in self.double.requests(user="supervisor", **fields)
                if r["verb"] in WRITES and r["resource"] in ("deployments", "services")]

    def as_root(self, method, path, *body):
        status, answer = self.double.ask(method, path, *body, token="root")
        self.assertLess(status, 300, answer)
        return answer

    def path_of(self, repo, kind="deployments"):
        group = "/apis/apps/v1" if kind == "deployments" else "/api/v1"
        return f"{group}/namespaces/{NAMESPACE}/{kind}/mtr-{kind[0]}-{sha_of(repo)}"

    def assert_settled(self, program, seconds=1.0):
        """Nothing is written any more."""
        time.sleep(seconds)
        before = len(self.writes())
        time.sleep(seconds)
        self.assertEqual(before, len(self.writes()), program.tail())

    def wait_for(self, program, *repos, timeout_s=30):
        wait_until(lambda: (set(self.double.objects("deployments", NAMESPACE)),
                            set(self.double.objects("services", NAMESPACE)))
                   == self.wanted(repos), program.tail, timeout_s)

    def deployment(self, repo):
        return self.double.objects("deployments", NAMESPACE)["mtr-d-" + sha_of(repo)]

    def service(self, repo):
        return self.double.objects("services", NAMESPACE)["mtr-s-" + sha_of(repo)]

    def wait_for_event(self, program, reason, kind):
        wait_until(lambda: [e for e in self.double.objects("events", NAMESPACE).values()
                            if (e["reason"], e["type"], e["involvedObject"]["kind"]) == (reason, "Warning", kind)],
                   program.tail)

    def settle(self, seconds=0.6):
        """Requests that write, made in that time."""
        before = len(self.writes())
        time.sleep(seconds)
        return self.writes()[before:]

    def merge(self, path, change):
        """As somebody else would."""
        return self.as_root("PATCH", path, change, "application/merge-patch+json")

    def theirs(self, repo):
        """Somebody else makes a Deployment under the name of ours."""
        self.as_root("POST", self.path_of(repo).rpartition("/")[0], {
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "mtr-d-" + sha_of(repo)},
            "spec": {"selector": {"matchLabels": {"app": "theirs"}}, "template": {
                "metadata": {"labels": {"app": "theirs"}},
                "spec": {"containers": [{"name": "c", "image": "theirs:1"}]}}}})

    def connection(self):
        """How it finds the API and who it is."""
        return ["--kubeconfig", self.kubeconfig()]

    def launch(self, *arguments, env=None):
        return self.stage.run("maintner-sprvsr", *arguments, env=env)

    def arguments(self, *more):
        return ["--repos", f"file://{self.list_path}", "--log", "gs://bucket/logs",
                *self.connection(), "--requests-per-second", "2000",
                "--github-secret", "github", "--internal-secret", "internal",
                *([] if "--image" in more else ["--image", "registry/maintner:1"]), *more]

    def start(self, *more, env=None):
        self.count += 1
        secret = self.stage.path("internal-secret")
        with open(secret, "w", encoding="utf-8") as file:
            file.write(SECRET + "\n")
        address = f"unix:{self.stage.path(f'sprvsr{self.count}.sock')}"
        program = self.launch("--listen", address, "--internal-secret-file", secret, *self.arguments(*more), env=env)
        program.address = address
        wait_until(lambda: accepts(address) or program.process.poll() is not None, program.tail)
        return program

    def ask(self, program, path, **more):
        client = FcgiClient(program.address, timeout_s=30)
        try:
            return client.ask(path, more.pop("query", ""), **more)
        finally:
            client.close()

    def update(self, program):
        self.assertEqual(202, self.ask(program, "/api/v1/update", method="POST").status)

    def metric(self, program, name):
        for line in self.ask(program, "/metrics").body.decode().splitlines():
            if line.startswith(f"maintner_supervisor_{name} "):
                return float(line.rpartition(" ")[2])
        raise AssertionError(f"no {name}")

    def wanted(self, repos):
        return ({f"mtr-d-{sha_of(r)}" for r in repos}, {f"mtr-s-{sha_of(r)}" for r in repos})
