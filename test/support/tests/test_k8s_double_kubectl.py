"""The Kubernetes double as a program, and the real kubectl against it."""

import json
import os
import re
import shutil
import subprocess
import sys
import unittest

from context import scratch
from k8s_objects import NAMESPACE, deployment, service

LAUNCHER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "k8s-double")


@unittest.skipUnless(shutil.which("kubectl"), "kubectl is not installed")
class Kubectl(unittest.TestCase):
    arguments = ()  # of the double
    flags = ()      # of kubectl
    token = None

    def setUp(self):
        self.process = subprocess.Popen(
            [sys.executable, LAUNCHER, "--namespace", NAMESPACE, *self.arguments], stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.end)
        self.url = re.fullmatch(r"listening on (\S+)\n", self.process.stdout.readline())[1]
        self.home = scratch("home")
        os.makedirs(self.home, exist_ok=True)

    def end(self):
        self.process.terminate()
        self.assertEqual(self.process.wait(10), 0)
        self.process.stdout.close()

    def kubectl(self, *arguments, want=0, given=None):
        command = ["kubectl", f"--server={self.url}", "-n", NAMESPACE, *self.flags, *arguments]
        if self.token:
            command.insert(1, f"--token={self.token}")
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, input=given,
                              env={"PATH": os.environ["PATH"], "HOME": self.home})
        self.assertEqual(done.returncode, want, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def apply(self, *objects, flags=(), want=0):
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
        return self.kubectl("apply", "--validate=false", "-f", "-", *flags, given=text, want=want)

    def test_a_repository_is_found_scaled_to_0_and_back_and_deleted(self):
        self.apply(deployment("mtr-d-1", owner="o", repository="r"), service("mtr-s-1"))
        name = self.kubectl("get", "deployments", "-l", "owner=o,repository=r", "-o", "name").strip()
        self.assertEqual(name, "deployment.apps/mtr-d-1")
        self.assertIn("mtr-d-1", self.kubectl("get", "deployments"))
        self.kubectl("scale", "--replicas=0", name)
        self.assertEqual("0", self.kubectl("get", name, "-o", "jsonpath={.spec.replicas}"))
        self.kubectl("scale", "--replicas=1", "deployment", "-l", "owner=o")
        self.kubectl("wait", "--for=condition=Available", "--timeout=10s", name)
        self.kubectl("rollout", "status", "--timeout=10s", name)
        self.kubectl("delete", "--timeout=10s", name)  # it waits until it is gone
        self.assertIn("NotFound", self.kubectl("get", name, want=1))
        self.assertIn("No resources", self.kubectl("get", "pods"))
        self.assertIn("No resources", self.kubectl("get", "events"))

    def test_apply_of_both_sides(self):
        self.assertIn("created", self.apply(service("s")))
        self.assertIn("unchanged", self.apply(service("s")))
        self.apply(service("t"), flags=["--server-side", "--field-manager=one"])
        refused = self.apply(service("t", ports=[{"name": "other", "port": 9000}]),
                             flags=["--server-side", "--field-manager=two"], want=1)
        self.assertIn('conflict with "one"', refused)


ROLE = f"""apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{name: reader, namespace: {NAMESPACE}}}
rules:
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, list]
"""


@unittest.skipUnless(shutil.which("openssl"), "openssl is not installed")
class OverTls(Kubectl):
    token = "secret"

    def setUp(self):
        folder = scratch("tls")
        os.makedirs(folder, exist_ok=True)
        key, certificate, role = (os.path.join(folder, name) for name in ("key.pem", "cert.pem", "role.yaml"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate,
                        "-days", "2", "-subj", "/CN=double", "-addext", "subjectAltName=IP:127.0.0.1"],
                       check=True, capture_output=True, timeout=60)
        with open(role, "w") as file:
            file.write(ROLE)
        self.arguments = ("--tls-cert", certificate, "--tls-key", key, "--token", "secret=admin",
                          "--token", "few=reader", "--role", f"reader={role}")
        super().setUp()
        self.flags = (f"--certificate-authority={certificate}",)

    def test_a_role_from_a_file_binds_its_user(self):
        self.token = "few"
        self.assertIn("No resources", self.kubectl("get", "deployments"))
        self.assertIn('User "reader" cannot list resource "services"', self.kubectl("get", "services", want=1))
        self.token = "other"
        self.assertIn("Unauthorized", self.kubectl("get", "deployments", want=1))


if __name__ == "__main__":
    unittest.main()
