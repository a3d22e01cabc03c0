"""Strictness about headers, tokens, limits, ETags, redirects and the clock."""

import unittest

from context import REPO, Double, DoubleCase, DoubleClient, made_recording

ACCEPT = "application/vnd.github+json"
PATH = f"/repos/{REPO}"


class Headers(DoubleCase):
    def test_a_user_agent_is_required(self):
        self.assertEqual(self.client.request(PATH, {"Accept": ACCEPT}).status, 403)

    def test_the_media_type_is_required(self):
        answer = self.client.request(PATH, {"User-Agent": "t", "Accept": "application/json"})
        self.assertEqual(answer.status, 415)

    def test_an_unknown_version_is_refused_and_a_missing_one_noted(self):
        headers = {"User-Agent": "t", "Accept": ACCEPT}
        answer = self.client.request(PATH, {**headers, "X-GitHub-Api-Version": "1999-01-01"})
        self.assertEqual(answer.status, 400)
        self.client.reset_counts()
        self.assertEqual(self.client.request(PATH, headers).status, 200)
        self.assertIn("no X-GitHub-Api-Version", self.client.counts()["violations"][0]["what"])

    def test_well_formed_requests_violate_nothing(self):
        self.get()
        self.assertEqual(self.client.counts()["violations"], [])

    def test_unknown_parameters_are_noted(self):
        self.get("/issues/events?since=2020-01-01T00:00:00Z")
        self.assertIn("'since'", self.client.counts()["violations"][0]["what"])

    def test_names_of_any_case_are_found(self):
        self.assertEqual(self.client.get("/repos/ACME/Widgets").status, 200)

    def test_unknown_endpoints_and_numbers_are_404(self):
        for target in ("/nothing", "/repos/acme/other", f"{PATH}/issues/99999",
                       f"{PATH}/pulls/99999/reviews", f"{PATH}/stars"):
            self.assertEqual(self.client.get(target).status, 404, target)

    def test_an_issue_is_no_pull_request(self):
        self.assertEqual(self.get(f"/pulls/{self.numbers(False)[0]}").status, 404)

    def test_head_has_the_headers_and_no_body(self):
        whole = self.get("/labels")
        head = self.client.request(f"{PATH}/labels", self.client._headers, method="HEAD")
        self.assertEqual(head.body, b"")
        self.assertEqual(head.headers["ETag"], whole.headers["ETag"])
        self.assertEqual(int(head.headers["Content-Length"]), len(whole.body))

    def test_writing_is_refused(self):
        answer = self.client.request(f"{PATH}/issues", self.client._headers, "POST", b"{}")
        self.assertEqual(answer.status, 404)

    def test_answers_have_githubs_headers(self):
        answer = self.get("/issues")
        for name in ("Date", "ETag", "Last-Modified", "X-GitHub-Request-Id",
                     "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset",
                     "X-RateLimit-Used", "X-RateLimit-Resource"):
            self.assertIn(name, answer.headers)


class Conditional(DoubleCase):
    options = {"tokens": ("one", "two")}
    token = "one"

    def test_an_unchanged_answer_is_304_and_free(self):
        first = self.get("/issues")
        self.assertTrue(first.headers["ETag"].startswith('W/"'))
        left = first.headers["X-RateLimit-Remaining"]
        again = self.get("/issues", If_None_Match=first.headers["ETag"])
        self.assertEqual((again.status, again.body), (304, b""))
        self.assertEqual(again.headers["X-RateLimit-Remaining"], left)
        counts = self.client.counts()
        self.assertEqual((counts["conditional"], counts["not_modified"]), (1, 1))

    def test_lists_of_tags_and_a_star_match(self):
        tag = self.get("/issues").headers["ETag"]
        self.assertEqual(self.get("/issues", If_None_Match=f'"x", {tag}').status, 304)
        self.assertEqual(self.get("/issues", If_None_Match="*").status, 304)
        self.assertEqual(self.get("/issues", If_None_Match='W/"other"').status, 200)

    def test_a_change_makes_a_new_tag(self):
        tag = self.get("/issues").headers["ETag"]
        self.edit("create_issue", title="news")
        self.assertEqual(self.get("/issues", If_None_Match=tag).status, 200)

    def test_a_tag_belongs_to_its_token_and_url(self):
        tag = self.get("/issues").headers["ETag"]
        other = DoubleClient(self.double.url, "two")
        self.addCleanup(other.close)
        self.assertEqual(other.get(f"{PATH}/issues", If_None_Match=tag).status, 200)
        self.assertEqual(self.get("/issues?page=1", If_None_Match=tag).status, 200)

    def test_every_listing_has_a_tag(self):
        number = self.numbers(True)[0]
        for rest in ("", "/issues", f"/issues/{number}", "/issues/comments", "/issues/events",
                     f"/issues/{number}/comments", f"/issues/{number}/events", "/pulls",
                     f"/pulls/{number}", f"/pulls/{number}/reviews", "/pulls/comments",
                     "/labels", "/milestones"):
            tag = self.get(rest).headers["ETag"]
            self.assertEqual(self.get(rest, If_None_Match=tag).status, 304, rest)

    def test_unknown_tokens_are_refused(self):
        bad = DoubleClient(self.double.url, "three")
        none = DoubleClient(self.double.url)
        self.addCleanup(bad.close)
        self.addCleanup(none.close)
        self.assertEqual(bad.get(PATH).json()["message"], "Bad credentials")
        self.assertEqual(none.get(PATH).status, 401)
        classic = self.client.request(PATH, {**self.client._headers,
                                             "Authorization": "token two"})
        self.assertEqual(classic.status, 200)


class Limits(DoubleCase):
    options = {"rate_limit": 5}

    def test_a_used_up_limit_refuses_until_its_reset(self):
        self.client.clock(set="2025-01-01T00:00:00Z", frozen=True)
        left = [self.get().headers["X-RateLimit-Remaining"] for _ in range(5)]
        self.assertEqual(left, ["4", "3", "2", "1", "0"])
        refused = self.get()
        self.assertEqual(refused.status, 403)
        self.assertEqual(refused.headers["X-RateLimit-Remaining"], "0")
        self.client.clock(advance_s=3601)
        self.assertEqual(self.get().status, 200)

    def test_a_304_counts_for_an_anonymous_request(self):
        tag = self.get().headers["ETag"]
        self.assertEqual(self.get(If_None_Match=tag).headers["X-RateLimit-Remaining"], "3")

    def test_limits_can_be_moved_and_hidden(self):
        self.get()
        self.client.rate_limit(remaining=1)
        self.assertEqual(self.get().headers["X-RateLimit-Remaining"], "0")
        self.client.rate_limit(headers="absent")
        self.assertNotIn("X-RateLimit-Limit", self.get().headers)
        self.client.rate_limit(headers="zero")
        self.assertEqual(self.get().headers["X-RateLimit-Remaining"], "0")

    def test_the_rate_limit_endpoint_is_free(self):
        core = self.client.get("/rate_limit").json()["resources"]["core"]
        self.assertEqual((core["limit"], core["remaining"]), (5, 5))


class Clock(DoubleCase):
    def test_the_clock_can_be_set_stopped_and_freed(self):
        self.assertEqual(self.client.clock(set="2030-05-06T07:08:09Z", frozen=True),
                         "2030-05-06T07:08:09Z")
        self.assertEqual(self.get().headers["Date"], "Mon, 06 May 2030 07:08:09 GMT")
        self.assertEqual(self.client.clock(advance_s=60), "2030-05-06T07:09:09Z")
        made = self.edit("create_issue", title="later")
        self.assertEqual(made["at"], "2030-05-06T07:09:09Z")
        self.assertNotEqual(self.client.clock(set=None)[:4], "2030")


class Counting(DoubleCase):
    def test_requests_are_counted_by_class(self):
        number = self.numbers(True)[0]
        for rest in ("", "/issues", "/issues", f"/issues/{number}", f"/pulls/{number}/reviews",
                     "/nothing", "/issues?state=x"):
            self.get(rest)
        counts = self.client.counts()
        self.assertEqual([counts[name] for name in ("repo", "issues", "issue", "reviews",
                                                    "other", "total")], [1, 3, 1, 1, 1, 7])
        self.assertEqual(counts["by_status"], {"200": 5, "404": 1, "422": 1})
        self.assertEqual(counts["max_in_flight"], 1)
        self.assertEqual(self.client.requests()[-1],
                         {"method": "GET", "target": f"{PATH}/issues?state=x", "status": 422})
        self.client.reset_counts()
        self.assertEqual(self.client.counts()["total"], 0)

    def test_control_answers_nonsense_with_400(self):
        answer = self.client.request("/_double/edit", method="POST", body=b'{"op": "fly"}')
        self.assertEqual(answer.status, 400)
        self.assertIn("error", answer.json())


class Several(unittest.TestCase):
    def test_one_double_serves_several_repositories(self):
        folders = [made_recording(), made_recording(10, 5, "acme/gadgets")]
        with Double(folders) as double:
            client = DoubleClient(double.url)
            self.assertEqual(client.get("/repos/acme/gadgets").json()["name"], "gadgets")
            self.assertEqual(len(list(client.walk("/repos/acme/gadgets/issues?state=all"))), 15)
            client.close()


if __name__ == "__main__":
    unittest.main()
