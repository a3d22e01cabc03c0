"""The supervisor as a pod has it: a service account's folder, and the address from the environment."""

import os
import socket
import subprocess
import tempfile
import unittest

import paths
from harness import wait_until
from relays import Authority
from sprvsr_rig import CLUSTER_TOKEN, NAMESPACE, SupervisorCase

A, B = "foo/bar", "Owner/.github"
# A /run of its own, in which the account's folder is where every pod has it.
IN_POD = """mount -t tmpfs none /run && mkdir -p /run/secrets/kubernetes.io &&
    ln -s "$0" /run/secrets/kubernetes.io/serviceaccount && exec "$@\""""


def may_unshare():
    done = subprocess.run(["unshare", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "none", "/run"],
                          capture_output=True, check=False)
    return done.returncode == 0 and os.path.realpath("/var/run") == "/run"


def has_ipv6():
    with socket.socket(socket.AF_INET6 if socket.has_ipv6 else socket.AF_INET) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            return False
    return True


@unittest.skipUnless(may_unshare(), "a mount of its own is not allowed here")
class InPod(SupervisorCase):
    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory(prefix="maintner-pod-"))
        self.authority = Authority(self.folder, "cluster")
        certificate, key = self.authority.certificate("IP:127.0.0.1", "IP:::1")
        self.host = "::1" if has_ipv6() else "127.0.0.1"
        self.tls = {"tls_cert": certificate, "tls_key": key, "host": self.host}
        super().setUp()
        self.account = self.stage.path("account")
        os.mkdir(self.account)
        self.token_path = os.path.join(self.account, "token")
        self.write_token(CLUSTER_TOKEN)
        self.write_account("namespace", NAMESPACE)
        with open(self.authority.file, encoding="ascii") as file:
            self.write_account("ca.crt", file.read())
        self.write_list(A)

    def write_account(self, name, text):
        with open(os.path.join(self.account, name), "w", encoding="ascii") as file:
            file.write(text)

    def connection(self):
        return []

    def launch(self, *arguments, env=None):
        environment = {"KUBERNETES_SERVICE_HOST": self.host,
                       "KUBERNETES_SERVICE_PORT": self.double.origin.rpartition(":")[2], **(env or {})}
        return self.stage.start(["unshare", "--map-root-user", "--mount", "sh", "-c", IN_POD, self.account,
                                 paths.program("maintner-sprvsr"), *arguments], "maintner-sprvsr", environment)

    def test_the_account_of_a_pod_is_enough_and_its_token_may_be_rotated(self):
        program = self.start()
        self.wait_for(program, A)
        self.double.do("rotate", old=CLUSTER_TOKEN, new=CLUSTER_TOKEN + "2")
        self.write_token(CLUSTER_TOKEN + "2")
        self.write_list(A, B)
        self.update(program)
        self.wait_for(program, A, B)
        self.assertEqual({"supervisor", ""}, {r["user"] for r in self.double.requests()}, "'': the old token")
        self.assertEqual(0, program.stop(5), program.tail())

    def test_an_account_without_its_authority_or_address_is_named(self):
        os.unlink(os.path.join(self.account, "ca.crt"))
        program = self.start()
        self.assertEqual(2, program.wait(10), program.tail())
        self.assertIn("/serviceaccount/ca.crt: No such file", program.stderr)
        program = self.start(env={"KUBERNETES_SERVICE_HOST": ""})
        self.assertEqual(2, program.wait(10), program.tail())
        self.assertIn("this is no pod", program.stderr)


if __name__ == "__main__":
    unittest.main()
