"""The way to GitHub: certificates that are trusted or not, and proxies."""

import shutil
import unittest
from urllib.parse import urlsplit

import recordings
from expected_answer import load_recording
from harness import Case, Mirror, wait_until
from relays import Authority, Relay

FAR = "github.test"  # no such host: only a proxy can reach it


class TransportCase(Case):
    def setUp(self):
        super().setUp()
        folder = recordings.made(73, 12, 6)
        self.double = self.stage.double(folder)
        self.repo = load_recording(folder)["repo"]
        self.address = (urlsplit(self.double.url).hostname, urlsplit(self.double.url).port)

    def relay(self, *arguments):
        relay = Relay(*arguments)
        self.addCleanup(relay.close)
        return relay

    def mirror(self, url):
        return Mirror(self.stage, self.repo, url)

    def assert_syncs(self, mirror, *arguments, env=None):
        mirror.sync(*arguments, env=env)
        self.assert_mirrors(self.double.state(self.repo), mirror.answers())

    def assert_fails(self, mirror, *arguments, word):
        """Nothing reaches GitHub; the reason is told."""
        before = self.double.counts()["total"]
        program = mirror.start_sync(*arguments)
        wait_until(lambda: program.log_with(message="round failed"), program.tail)
        self.assertEqual(0, program.stop(), program.tail())
        errors = [line["error"] for line in program.log_with(message="round failed")]
        self.assertTrue(any(word in error for error in errors), errors)
        self.assertEqual(before, self.double.counts()["total"])


@unittest.skipUnless(shutil.which("openssl"), "no openssl here")
class Certificates(TransportCase):
    def setUp(self):
        super().setUp()
        self.authority = Authority(self.stage.folder, "right")

    def test_only_the_right_authority_is_trusted(self):
        relay = self.relay(self.address, self.authority.certificate("IP:127.0.0.1"))
        self.assert_syncs(self.mirror(relay.url), "--ca-file", self.authority.file)
        other = Authority(self.stage.folder, "wrong")
        for arguments in (("--ca-file", other.file), ()):
            with self.subTest(arguments=arguments):
                self.assert_fails(self.mirror(relay.url), *arguments, word="certificate problem")

    def test_a_certificate_of_another_host_is_refused(self):
        relay = self.relay(self.address, self.authority.certificate("DNS:elsewhere.test"))
        self.assert_fails(self.mirror(relay.url), "--ca-file", self.authority.file,
                          word="certificate subject name")

    def test_a_file_without_certificates_is_told(self):
        relay = self.relay(self.address, self.authority.certificate("IP:127.0.0.1"))
        path = self.stage.path("authorities.pem")
        program = self.mirror(relay.url).start_sync("--once", "--ca-file", path)
        self.assertEqual(1, program.wait(20), program.tail())
        self.assertTrue(program.log_with(message="cannot start",
                                         error=lambda text: path in text), program.tail())
        with open(path, "w", encoding="ascii") as file:
            file.write("nothing of that kind\n")
        self.assert_fails(self.mirror(relay.url), "--ca-file", path, word=path)

    def test_a_tunnel_through_a_proxy_keeps_its_certificate(self):
        relay = self.relay(self.address, self.authority.certificate(f"DNS:{FAR}"))
        proxy = self.relay(("127.0.0.1", relay.port))
        self.assert_syncs(self.mirror(f"https://{FAR}"), "--ca-file", self.authority.file,
                          env={"https_proxy": proxy.url})
        self.assertEqual({f"{FAR}:443"}, set(proxy.targets))


class Proxies(TransportCase):
    def test_a_proxy_of_the_environment_is_used(self):
        proxy = self.relay(self.address)
        self.assert_syncs(self.mirror(f"http://{FAR}"), env={"http_proxy": proxy.url})
        self.assertTrue(proxy.targets)
        self.assertTrue(all(target.startswith(f"http://{FAR}/") for target in proxy.targets))

    def test_no_proxy_is_heeded(self):
        proxy = self.relay(("127.0.0.1", 1))
        env = {"http_proxy": proxy.url, "no_proxy": "127.0.0.1"}
        self.assert_syncs(self.mirror(self.double.url), env=env)
        self.assertEqual([], proxy.targets)


if __name__ == "__main__":
    unittest.main()
