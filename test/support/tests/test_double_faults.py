"""Each kind of misbehaviour, and when it strikes."""

import http.client
import time
import unittest

from context import REPO, DoubleCase
from github_double.client import ControlFailed


class Timing(DoubleCase):
    def statuses(self, count, rest="/labels"):
        return [self.get(rest).status for _ in range(count)]

    def test_a_fault_strikes_once_by_default(self):
        self.client.fault(match="labels", kind="status", status=502)
        self.assertEqual(self.statuses(3), [502, 200, 200])

    def test_after_lets_requests_pass_and_times_repeats(self):
        self.client.fault(match="labels", kind="status", status=500, after=2, times=2)
        self.assertEqual(self.statuses(6), [200, 200, 500, 500, 200, 200])
        self.assertEqual(self.client.faults()[0]["fired"], 2)

    def test_minus_one_is_for_ever_until_cleared(self):
        self.client.fault(match="labels", kind="status", status=503, times=-1)
        self.assertEqual(self.statuses(3), [503] * 3)
        self.client.clear_faults()
        self.assertEqual(self.statuses(1), [200])

    def test_a_pattern_matches_method_and_target(self):
        self.client.fault(match=r"GET .*/issues/events\?.*page=2", kind="status", status=500,
                          times=-1)
        self.assertEqual(self.statuses(1, "/issues/events?page=1"), [200])
        self.assertEqual(self.statuses(1, "/issues/events?page=2"), [500])

    def test_nonsense_is_refused(self):
        for settings in ({"kind": "explode"}, {"kind": "drop", "match": "("}):
            with self.assertRaises(ControlFailed):
                self.client.fault(**settings)


class Answers(DoubleCase):
    def test_status_carries_body_and_headers(self):
        self.client.fault(match="repo", kind="status", status=410, body={"message": "no"},
                          headers={"X-Extra": "1"})
        answer = self.get()
        self.assertEqual((answer.status, answer.json(), answer.headers["X-Extra"]),
                         (410, {"message": "no"}, "1"))

    def test_secondary_limit_with_and_without_retry_after(self):
        self.client.fault(match="repo", kind="secondary_limit", status=429, retry_after=7)
        self.client.fault(match="repo", kind="secondary_limit")
        first, second = self.get(), self.get()
        self.assertEqual((first.status, first.headers["Retry-After"]), (429, "7"))
        self.assertEqual((second.status, second.headers.get("Retry-After")), (403, None))
        self.assertIn("secondary rate limit", second.json()["message"])

    def test_primary_limit_says_when_it_ends(self):
        self.client.clock(set="2025-01-01T00:00:00Z", frozen=True)
        self.client.fault(match="repo", kind="primary_limit", reset_in_s=30)
        answer = self.get()
        self.assertEqual((answer.status, answer.headers["X-RateLimit-Remaining"],
                          answer.headers["X-RateLimit-Reset"]), (403, "0", "1735689630"))

    def test_garbage_and_wrong_types(self):
        self.client.fault(match="labels", kind="garbage_json")
        with self.assertRaises(ValueError):
            self.get("/labels").json()
        self.client.fault(match="labels", kind="wrong_type")
        self.assertEqual(self.get("/labels").json(), {})
        self.client.fault(match="repo", kind="wrong_type")
        self.assertEqual(self.get().json(), [])

    def test_redirect_goes_where_it_is_told(self):
        self.client.fault(match="labels", kind="redirect", location="http://127.0.0.1:9/x",
                          status=307, keep_path=True)
        answer = self.get("/labels")
        self.assertEqual((answer.status, answer.headers["Location"]),
                         (307, f"http://127.0.0.1:9/x/repos/{REPO}/labels"))

    def test_stale_ends_a_listing_early(self):
        self.client.fault(match="issues", kind="stale")
        self.assertEqual(len(self.walk("/issues?state=all")), 30)


class Deliveries(DoubleCase):
    def test_truncate_promises_more_than_it_sends(self):
        self.client.fault(match="labels", kind="truncate")
        with self.assertRaises(http.client.IncompleteRead):
            self.get("/labels")

    def test_drop_answers_nothing(self):
        self.client.fault(match="labels", kind="drop")
        with self.assertRaises((http.client.RemoteDisconnected, ConnectionResetError)):
            self.get("/labels")
        self.assertEqual(self.client.counts()["by_status"], {"0": 1})

    def test_drop_after_sends_a_part(self):
        self.client.fault(match="labels", kind="drop_after", bytes=60)
        with self.assertRaises((http.client.HTTPException, ConnectionResetError)):
            self.get("/labels")
        self.assertEqual(self.get("/labels").status, 200)

    def test_huge_bodies_are_valid_json(self):
        for chunked in (False, True):
            self.client.fault(match="labels", kind="huge", bytes=300_000, chunked=chunked)
            answer = self.get("/labels")
            self.assertEqual(len(answer.body), 300_000)
            self.assertIsInstance(answer.json(), list)

    def test_slow_waits_and_trickles(self):
        self.client.fault(match="repo", kind="slow", delay_s=0.2)
        began = time.monotonic()
        self.assertEqual(self.get().status, 200)
        self.assertGreater(time.monotonic() - began, 0.19)
        self.client.fault(match="rules", kind="slow", bytes_per_s=4000)
        began = time.monotonic()
        self.get("/contents/.github/issue_slo_rules.json")
        self.assertGreater(time.monotonic() - began, 0.1)


if __name__ == "__main__":
    unittest.main()
