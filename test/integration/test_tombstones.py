"""The sync daemon's /internal/v1/tombstones: what is taken, what is done, what is told."""

import json
import threading
import time
import unittest

import recordings
from fcgi_client import FcgiClient
from harness import SECRET, Case, Mirror, accepts, wait_until

REPO = "acme/widgets"
PATH = "/internal/v1/tombstones"


class Tombstones(Case):
    def setUp(self):
        super().setUp()
        self.double = self.stage.double(recordings.made(77, 12, 6))
        self.mirror = Mirror(self.stage, REPO, self.double.url)
        self.address = "unix:" + self.stage.path("sync.sock")
        self.secret_file = self.stage.path("secret")
        with open(self.secret_file, "w", encoding="utf-8") as file:
            file.write(SECRET + "\n")
        self.program = self.mirror.start_sync(
            "--listen", self.address, "--internal-secret-file", self.secret_file,
            "--relist-interval", "0")
        wait_until(lambda: accepts(self.address), self.program.tail)
        self.client = FcgiClient(self.address)
        self.addCleanup(self.client.close)
        wait_until(lambda: self.program.log_with(message="round finished"), self.program.tail)
        wait_until(lambda: self.client.ask("/_healthz").json()["phase"] == "idle", "idle")
        self.numbers = sorted(i["number"] for i in self.double.state(REPO)["issues"])

    def post(self, numbers, query="wait=true", body=None, secret=SECRET):
        body = json.dumps({"numbers": numbers}).encode() if body is None else body
        return self.client.ask(PATH, query, method="POST", body=body,
                               headers={"X-Maintner-Secret": secret})

    def stop(self):
        self.assertEqual(0, self.program.stop(), self.program.tail())
        self.mirror.check_log()
        self.mirror.verify()

    def results(self, answer):
        self.assertEqual(200, answer.status, answer)
        return [(item["number"], item["result"]) for item in answer.json()["numbers"]]

    def test_live_issues_are_tombstoned_at_once_and_the_rest_is_told(self):
        a, b, c = self.numbers[:3]
        self.double.reset_counts()
        began = time.monotonic()
        answer = self.post([a, {"number": b, "reason": "gone"}, 99_999, a,
                            {"number": c, "reason": "transferred", "transferredTo": "o/r/9"}])
        self.assertLess(time.monotonic() - began, 5)
        self.assertEqual([(a, "tombstoned"), (b, "tombstoned"), (99_999, "unknown"),
                          (a, "already"), (c, "tombstoned")], self.results(answer))
        self.assertEqual(5, answer.json()["taken"])
        self.assertEqual(1, self.double.counts()["total"], "the repository was asked for once")
        self.assertEqual([(a, "already"), (99_999, "unknown")],
                         self.results(self.post([a, 99_999])))
        self.assertEqual(set(self.numbers[3:]), set(self.mirror.answers()))
        self.stop()

    def test_without_waiting_the_order_is_taken_and_done_soon(self):
        answer = self.post(self.numbers[:2], query="")
        self.assertEqual((202, {"taken": 2}), (answer.status, answer.json()))
        wait_until(lambda: len(self.program.log_with(message="issue is gone from GitHub")) == 2,
                   self.program.tail, 5)
        self.assertEqual([(self.numbers[0], "already")], self.results(self.post(self.numbers[:1])))
        self.assertEqual([], self.results(self.post([])))
        self.stop()

    def test_nothing_is_buried_while_the_repository_or_its_issues_are_away(self):
        self.double.edit(REPO, "disable_issues")
        answer = self.post(self.numbers[:2])
        self.assertEqual((503, 14), (answer.status, answer.json()["code"]), answer)
        self.assertIn("switched off", answer.json()["message"])
        self.double.edit(REPO, "enable_issues")
        self.assertEqual(set(self.numbers), set(self.mirror.answers()))
        self.assertEqual([(self.numbers[0], "tombstoned")],
                         self.results(self.post(self.numbers[:1])))
        self.stop()

    def test_during_a_long_round_the_order_is_done_between_two_steps(self):
        self.double.fault(match="GET /repos/", kind="slow", delay_s=0.4, times=-1)
        self.client.ask("/internal/v1/sync", method="POST", headers={"X-Maintner-Secret": SECRET})
        answer = self.post(self.numbers[:1])
        self.assertEqual([(self.numbers[0], "tombstoned")], self.results(answer))
        self.double.clear_faults()
        self.stop()

    def test_a_stop_answers_those_who_wait(self):
        self.double.fault(match="GET /repos/", kind="slow", delay_s=3, times=-1)
        self.client.ask("/internal/v1/sync", method="POST", headers={"X-Maintner-Secret": SECRET})
        time.sleep(0.2)
        answers = []
        other = FcgiClient(self.address)
        thread = threading.Thread(target=lambda: answers.append(other.ask(
            PATH, "wait=true", method="POST", body=b'{"numbers":[1]}',
            headers={"X-Maintner-Secret": SECRET})))
        thread.start()
        time.sleep(0.2)
        began = time.monotonic()
        self.stop()
        self.assertLess(time.monotonic() - began, 8)
        thread.join(5)
        other.close()
        self.assertEqual([503], [answer.status for answer in answers])

    def test_who_may_and_what_may_not(self):
        for secret in ("", "wrong"):
            answer = self.post([1], secret=secret)
            self.assertEqual((401, 16), (answer.status, answer.json()["code"]))
        self.assertEqual(405, self.client.ask(PATH).status)
        for body, word in ((b"", "JSON"), (b"{", "JSON"), (b'{"numbers":7}', "array"),
                           (b'{"numbers":[1,0]}', "element 1"), (b'{"numbers":["1"]}', "element 0"),
                           (json.dumps({"numbers": [1] * 10_001}).encode(), "10000"),
                           (b'{"numbers":[{"number":1,"reason":"transferred"}]}',
                            "transferredTo")):
            answer = self.post(None, body=body)
            self.assertEqual((400, 3), (answer.status, answer.json()["code"]), answer)
            self.assertIn(word, answer.json()["message"])
        answer = self.post(None, body=b"[" + b" " * (5 << 20) + b"]")
        self.assertEqual(413, answer.status)
        self.assertEqual(set(self.numbers), set(self.mirror.answers()))
        self.stop()


if __name__ == "__main__":
    unittest.main()
