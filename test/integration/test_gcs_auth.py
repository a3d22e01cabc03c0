"""Every kind of credentials against a double that verifies what it is given: signature,
audience, times, scope.  No key material may show anywhere."""

import json
import os
import subprocess
import tempfile
import time
import unittest

import paths

from gcs_double.client import GcsDouble
from rs256 import public_key

VARIABLES = ("GOOGLE_APPLICATION_CREDENTIALS", "GCE_METADATA_HOST", "STORAGE_EMULATOR_HOST",
             "MAINTNER_STORAGE_ENDPOINT")


class Auth(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        path = os.path.join(cls.folder.name, "key.pem")
        subprocess.run(["openssl", "genrsa", "-traditional", "-out", path, "2048"], check=True,
                       capture_output=True)
        with open(path, encoding="utf-8") as f:
            cls.pem = f.read()

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def setUp(self):
        self.double = GcsDouble(buckets=["logs"], write_interval=0)
        self.addCleanup(self.double.stop)
        self.double.tokens.required = True
        self.double.put("logs", "x", b"hello")

    def write(self, document, name="credentials.json"):
        path = os.path.join(self.folder.name, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(document if isinstance(document, str) else json.dumps(document))
        return path

    def get(self, credentials=None, times=1, **env):
        clean = {k: v for k, v in os.environ.items() if k not in VARIABLES}
        clean["MAINTNER_STORAGE_ENDPOINT"] = self.double.origin
        if credentials is not None:
            clean["GOOGLE_APPLICATION_CREDENTIALS"] = self.write(credentials)
        result = subprocess.run([paths.program("store-cli"), "--backoff-ms", "20", "--deadline-ms", "500",
                                 "get", "gs://logs/x", "-"], capture_output=True, text=True, timeout=60,
                                check=False, env={**clean, **env})
        self.assertNotIn("Sanitizer", result.stderr)
        for secret in (self.pem[100:160].replace("\n", ""), "s3cret", "subject-token", "ya29."):
            self.assertNotIn(secret, result.stderr)
        return result

    def service_account(self, **changes):
        self.double.tokens.account = {"client_email": "w@p.iam", "key": public_key(self.pem)}
        return {"type": "service_account", "client_email": "w@p.iam", "private_key_id": "k1",
                "private_key": self.pem, "token_uri": self.double.origin + "/token", **changes}

    def external(self, source, **more):
        self.double.tokens.subject = "subject-token"
        self.double.tokens.audience = "//iam.googleapis.com/pool"
        return {"type": "external_account", "audience": "//iam.googleapis.com/pool",
                "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
                "token_url": self.double.origin + "/sts/v1/token", "credential_source": source, **more}

    def assert_hello(self, result, kinds):
        self.assertEqual((result.returncode, result.stdout), (0, "hello"), result.stderr)
        self.assertEqual(self.double.tokens.minted, kinds)

    def test_service_account(self):
        self.assert_hello(self.get(self.service_account()), ["service"])

    def test_a_pkcs8_key_does_as_well(self):
        pkcs8 = subprocess.run(["openssl", "pkcs8", "-topk8", "-nocrypt"], input=self.pem, text=True,
                               capture_output=True, check=True).stdout
        self.assert_hello(self.get(self.service_account(private_key=pkcs8)), ["service"])

    def test_authorized_user(self):
        self.double.tokens.refresh = {"client_id": "c", "client_secret": "s3cret", "refresh_token": "1//r"}
        document = {"type": "authorized_user", "token_uri": self.double.origin + "/token",
                    **self.double.tokens.refresh}
        self.assert_hello(self.get(document), ["user"])

    def test_external_account_from_a_file(self):
        path = self.write("subject-token\n", "subject")
        self.assert_hello(self.get(self.external({"file": path})), ["sts"])

    def test_external_account_from_json(self):
        path = self.write({"t": "subject-token"}, "subject.json")
        source = {"file": path, "format": {"type": "json", "subject_token_field_name": "t"}}
        self.assert_hello(self.get(self.external(source)), ["sts"])

    def test_external_account_from_a_url_with_impersonation(self):
        document = self.external({"url": self.double.origin + "/subject", "headers": {"X-Flavor": "test"}},
                                 service_account_impersonation_url=self.double.origin + "/impersonate")
        self.assert_hello(self.get(document), ["sts", "impersonated"])

    def test_the_metadata_server_comes_last(self):
        host = self.double.origin[len("http://"):]
        self.assert_hello(self.get(GCE_METADATA_HOST=host), ["metadata"])

    def test_an_emulator_gets_no_credentials(self):
        self.double.tokens.required = False
        self.assert_hello(self.get(STORAGE_EMULATOR_HOST=self.double.origin), [])

    def test_a_token_that_was_taken_back_is_minted_again_once(self):
        self.double.fault(op="get", kind="expired")
        self.assert_hello(self.get(self.service_account()), ["service", "service"])
        self.double.clear()
        self.double.fault(op="get", kind="expired", times=-1)
        result = self.get(self.service_account())
        self.assertEqual(result.returncode, 1)
        self.assertEqual(len(self.double.attempts("get")), 2)
        self.assertIn("401", result.stderr)

    def test_a_token_endpoint_that_is_away_for_a_moment(self):
        self.double.fault(op="token", kind="status", status=503, times=2)
        self.assert_hello(self.get(self.service_account()), ["service"])

    def test_wrong_credentials_say_what_is_wrong(self):
        cases = (
            (self.service_account(client_email="other@p.iam"), "iss"),
            (self.service_account(private_key="-----BEGIN nonsense"), "no RSA key"),
            ({"type": "service_account", "client_email": "x"}, "private_key"),
            ({"type": "gdch"}, "none of"),
            ("{not json", "not JSON"),
            (self.external({"environment_id": "aws1"}), "only file and url"),
            (self.external({"file": "/does/not/exist"}), "/does/not/exist"),
        )
        for document, text in cases:
            with self.subTest(text=text):
                result = self.get(document)
                self.assertEqual(result.returncode, 1)
                self.assertIn(text, result.stderr)

    def test_a_missing_file_and_no_metadata_server_are_named(self):
        result = self.get(GOOGLE_APPLICATION_CREDENTIALS="/no/such/file")
        self.assertIn("/no/such/file", result.stderr)
        result = self.get(GCE_METADATA_HOST="127.0.0.1:1")
        self.assertIn("metadata server", result.stderr)

    def test_tokens_are_not_sent_without_tls_to_other_machines(self):
        result = self.get(self.service_account(), MAINTNER_STORAGE_ENDPOINT="http://storage.example")
        self.assertIn("without TLS", result.stderr)
        self.assertEqual(self.double.tokens.minted, [])

    def test_assertions_are_of_now(self):
        # The double refuses iat more than a minute ahead and exp more than an hour later.
        before = time.time()
        self.assert_hello(self.get(self.service_account()), ["service"])
        self.assertLess(time.time() - before, 60)


if __name__ == "__main__":
    unittest.main()
