"""A mirror says what GitHub said: every field of every issue of every recording."""

import unittest

import recordings
from expected_answer import accepted_logins, expected_issues, load_recording
from harness import Mirror, Stage, differences

CHILD_FIELDS = ("comments", "reviews", "reviewComments")


def snake(name):
    return "".join("_" + c.lower() if c.isupper() else c for c in name)


class Faithful:
    """The tests of one recording; subclasses are made below."""

    folder = None  # a function

    @classmethod
    def setUpClass(cls):
        cls.stage = Stage("faithful")
        cls.addClassCleanup(cls.stage.close)
        cls.source = load_recording(cls.folder())
        cls.repo = cls.source["repo"]
        cls.expected = expected_issues(cls.source)
        cls.logins = accepted_logins(cls.source)
        cls.double = cls.stage.double(cls.folder())
        cls.mirror = Mirror(cls.stage, cls.repo, cls.double.url)
        cls.mirror.sync()
        cls.first_counts = cls.double.counts()
        cls.program, cls.api = cls.mirror.responder()
        cls.addClassCleanup(cls.api.close)
        cls.whole = cls.api.all()

    def assert_same(self, found):
        self.assertEqual([], found[:25], f"{len(found)} differences")

    # The answers

    def test_a_list_holds_every_field(self):
        self.assert_same(differences(self.source, self.whole))

    def test_a_single_issue_is_the_same_object(self):
        for number in self.expected:
            got = self.api.get(str(number), comments="true", reviews="true",
                               reviewComments="true")
            self.assertEqual(["issue"], list(got))
            self.assertEqual(self.whole[number], got["issue"], number)

    def test_comments_and_reviews_only_when_asked_for(self):
        for issue in self.api.walk():
            self.assertFalse(set(CHILD_FIELDS) & issue.keys())
            whole = self.whole[issue["issueId"]]
            self.assertEqual({k: v for k, v in whole.items() if k not in CHILD_FIELDS}, issue)
        for name in CHILD_FIELDS:
            for issue in self.api.walk(**{name: "true"}):
                self.assertEqual(set(CHILD_FIELDS) & issue.keys(), {name})

    def test_each_field_by_its_mask(self):
        names = set(next(iter(self.whole.values()), {}))
        self.assertLessEqual(set(next(iter(self.expected.values()))), names)
        for name in sorted(names):
            for spelled in {name, snake(name)}:
                got = self.api.walk(fieldMask=spelled)
                self.assertEqual([{name: self.whole[n][name]} for n in sorted(self.whole)], got,
                                 spelled)

    def test_several_fields_by_one_mask(self):
        want = [{k: self.whole[n][k] for k in ("title", "issueId", "reviews")}
                for n in sorted(self.whole)]
        self.assertEqual(want, self.api.walk(field_mask="issue_id,title,reviews"))

    def test_filters_by_state_and_kind(self):
        for closed in (None, True, False):
            for pull in (None, True, False):
                query = {"closed": closed, "pullRequest": pull}
                query = {k: str(v).lower() for k, v in query.items() if v is not None}
                want = [n for n, issue in sorted(self.expected.items())
                        if closed in (None, issue["closed"]) and pull in (None, issue["isPr"])]
                page = next(self.api.pages(fieldMask="issueId", **query))
                self.assertEqual(len(want), page["total"], query)
                got = [i["issueId"] for i in self.api.walk(fieldMask="issueId", **query)]
                self.assertEqual(want, got, query)
                if pull is not None:
                    query["pull_request"] = query.pop("pullRequest")
                got = [i["issueId"] for i in self.api.walk(field_mask="issue_id", **query)]
                self.assertEqual(want, got, query)

    # Pages

    def test_page_sizes(self):
        numbers = sorted(self.expected)
        for size, most in ((1, 1), (7, 7), (100, 100), (500, 500), (0, 500), (-1, 500),
                           (501, 500)):
            if size == 1 and len(numbers) > 200:
                continue
            pages = list(self.api.pages(pageSize=size, fieldMask="issueId"))
            got = [issue["issueId"] for page in pages for issue in page["issues"]]
            self.assertEqual(numbers, got, size)
            for page in pages:
                self.assertEqual(len(numbers), page["total"])
            self.assertTrue(all(len(page["issues"]) == most for page in pages[:-1]), size)
            self.assertLessEqual(len(pages[-1]["issues"]), most)

    def test_every_order(self):
        keys = {
            "number": lambda i: i["issueId"],
            "created": lambda i: (i["createdAt"], i["issueId"]),
            "updated": lambda i: (i["updatedAt"], i["issueId"]),
            "comments": lambda i: (len(i["comments"]), i["issueId"]),
        }
        for order, key in keys.items():
            want = [i["issueId"] for i in sorted(self.expected.values(), key=key)]
            for prefix in ("", "-"):
                got = [i["issueId"] for i in self.api.walk(
                    orderBy=prefix + order, pageSize=23, fieldMask="issueId")]
                self.assertEqual(want[::-1] if prefix else want, got, prefix + order)

    def test_damaged_and_foreign_tokens_are_refused(self):
        token = self.api.get(pageSize=1, fieldMask="title")["nextPageToken"]
        self.assertTrue(token)
        good = {"pageSize": 1, "fieldMask": "title", "pageToken": token}
        self.assertEqual(self.api.ask(query=good).status, 200)
        for at in range(len(token)):
            damaged = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1:]
            self.assert_refused({**good, "pageToken": damaged}, damaged)
        for bad in (token[:-1], token + "A", "x", "%00", "=" * 40, "\u00e9"):
            self.assert_refused({**good, "pageToken": bad}, bad)
        for more in ({"closed": "true"}, {"pullRequest": "true"}, {"orderBy": "-number"},
                     {"orderBy": "updated"}):
            self.assert_refused({**good, **more}, more)

    def assert_refused(self, query, what, code=3, status=400):
        answer = self.api.ask(query=query)
        self.assertEqual(status, answer.status, what)
        self.assert_error(answer, code)

    def assert_error(self, answer, code):
        body = answer.json()
        self.assertEqual({"code", "message", "details"}, body.keys())
        self.assertEqual((code, []), (body["code"], body["details"]))
        self.assertTrue(body["message"])
        self.assertEqual("application/json", answer.headers["content-type"])

    # Bad questions

    def test_bad_parameters_are_refused(self):
        for query in ({"fieldMask": "nothing"}, {"fieldMask": "title,"}, {"closed": "maybe"},
                      {"pullRequest": "2"}, {"pageSize": "ten"}, {"orderBy": "size"},
                      "pageToken=%zz", "fieldMask=%", {"comments": "yes"}):
            self.assert_refused(query, query)

    def test_what_is_not_there_is_404(self):
        for path in ("/api/v1/other/repo/issues", "/api/v1/other/repo/issues/1", "99999999",
                     "2147483647", "/", "/api", "/api/v1", "/api/v2/o/r/issues",
                     f"/api/v1/{self.repo}/issues/1/nothing", f"/api/v1/{self.repo}/other",
                     f"//api/v1/{self.repo}/issues", f"/api/v1/{self.repo}/issues/"):
            answer = self.api.ask(path)
            self.assertEqual(404, answer.status, path)
            self.assert_error(answer, 5)

    def test_numbers_that_are_none(self):
        for text in ("0", "01", "-1", "x", "1x", "2147483648", "99999999999999999999", "%31x"):
            answer = self.api.ask(text)
            self.assertEqual(400, answer.status, text)
            self.assert_error(answer, 3)

    def test_other_methods_are_405_with_allow(self):
        for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "get"):
            answer = self.api.ask(method=method)
            self.assertEqual(405, answer.status, method)
            self.assertEqual({"GET", "HEAD"}, set(answer.headers["allow"].split(", ")))
            self.assert_error(answer, 12)

    def test_head_is_get_without_a_body(self):
        first = str(min(self.expected))
        for path, query in (("", {"comments": "true"}), (first, {}), ("99999999", {})):
            want = self.api.ask(path, query)
            got = self.api.ask(path, query, method="HEAD")
            self.assertEqual((want.status, want.headers), (got.status, got.headers))
            self.assertEqual(b"", got.body)
            self.assertEqual(str(len(want.body)), got.headers["content-length"])

    def test_names_are_case_insensitive_and_percent_encoded(self):
        first = str(min(self.expected))
        want = self.api.ask(first).body
        owner, short = self.repo.split("/")
        encoded = "".join(f"%{ord(c):02x}" for c in owner)
        for path in (f"/api/v1/{self.repo.upper()}/issues/{first}",
                     f"/api/v1/{encoded}/{short}/issues/{first}"):
            answer = self.api.ask(path)
            self.assertEqual((200, want), (answer.status, answer.body), path)

    def test_repositories(self):
        issues = sum(not issue["isPr"] for issue in self.expected.values())
        row = {"name": self.repo, "issueCount": issues,
               "pullRequestCount": len(self.expected) - issues}
        for owner in (self.repo.split("/")[0], "-"):
            got = self.api.get(f"/api/v1/owners/{owner}/repositories")
            self.assertEqual((1, ""), (got["total"], got["nextPageToken"]))
            self.assertEqual(row, {name: got["repositories"][0][name] for name in row})
        got = self.api.get("/api/v1/owners/nobody/repositories")
        self.assertEqual({"repositories": [], "nextPageToken": "", "total": 0}, got)

    # The files

    def test_snapshot_and_log_agree(self):
        self.mirror.verify()

    def test_the_log_is_sound(self):
        counts = self.mirror.check_log()
        self.assertEqual(len(self.expected), counts["issues"])
        for name in ("comments", "events", "reviews"):
            want = sum(len(rows) for rows in self.source[name].values())
            self.assertEqual(want, counts[name], name)
        self.assertEqual(0, counts["tombstones"])

    def test_github_was_asked_politely(self):
        self.assertEqual([], self.first_counts["violations"])
        self.assertEqual(1, self.first_counts["max_in_flight"])
        self.assertEqual(self.first_counts["total"], self.first_counts["with_authorization"])

    def test_nothing_new_costs_nothing_and_writes_nothing(self):
        size = self.mirror.log_bytes()
        before = self.mirror.check_log()
        self.double.reset_counts()
        program = self.mirror.sync()
        counts = self.double.counts()
        unconditional = counts["total"] - counts["not_modified"]
        self.assertLessEqual(unconditional, 1, self.double.requests())
        self.assertEqual(unconditional, counts["repo"])
        self.assertEqual(0, program.log_with(message="round finished")[-1]["records"])
        self.assertEqual((size, before), (self.mirror.log_bytes(), self.mirror.check_log()))
        self.assertEqual(self.whole, self.api.all())


def load_tests(_loader, _tests, _pattern):
    suite = unittest.TestSuite()
    for name, folder in recordings.everything().items():
        case = type(f"Faithful[{name}]", (Faithful, unittest.TestCase),
                    {"folder": staticmethod(folder)})
        suite.addTests(unittest.defaultTestLoader.loadTestsFromTestCase(case))
    return suite


if __name__ == "__main__":
    unittest.main(verbosity=2)
