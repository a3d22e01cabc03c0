"""A mirror says what GitHub said: every field of every issue of every recording."""

import re
import unittest
from datetime import datetime

import recordings
from expected_answer import accepted_logins, expected_issues, load_recording
from harness import Mirror, Stage, differences

def login(user):
    return user["login"] if user else ""


def seconds(later, earlier):
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()


# Expressions, and what they say about an issue of the API's own JSON.
FILTERS = {
    "issue.number % 3 == 0": lambda i: i["issueId"] % 3 == 0,
    "issue.closed": lambda i: i["closed"],
    "!issue.closed && issue.is_pr": lambda i: not i["closed"] and i["isPr"],
    'issue.title.contains("the") || issue.title.startsWith("A")':
        lambda i: "the" in i["title"] or i["title"].startswith("A"),
    'issue.title.matches("^[A-Z][a-z]+ ") && !issue.is_pr':
        lambda i: re.search("^[A-Z][a-z]+ ", i["title"]) and not i["isPr"],
    "issue.labels.size() > 1": lambda i: len(i["labels"]) > 1,
    'issue.labels.exists(l, l.contains("e")) && issue.labels.all(l, l != "bug")':
        lambda i: any("e" in l for l in i["labels"]) and "bug" not in i["labels"],
    "size(issue.body) > 400": lambda i: len(i["body"]) > 400,
    'issue.body.contains("\\n") && issue.body.endsWith(".")':
        lambda i: "\n" in i["body"] and i["body"].endswith("."),
    "issue.body.contains('\"') || issue.body.contains('\\u00e9')":
        lambda i: '"' in i["body"] or "\u00e9" in i["body"],
    'issue.created_at < timestamp("2020-01-01T00:00:00Z")': lambda i: i["createdAt"] < "2020",
    "issue.updated_at == issue.created_at": lambda i: i["updatedAt"] == i["createdAt"],
    'issue.closed_at - issue.created_at < duration("24h")':
        lambda i: i["closedAt"] and seconds(i["closedAt"], i["createdAt"]) < 86400,
    "issue.closed_at == null": lambda i: i["closedAt"] is None,
    "has(issue.merged_at) && issue.mergedAt > issue.createdAt":
        lambda i: i["mergedAt"] and i["mergedAt"] > i["createdAt"],
    "issue.reporter.login == issue.closed_by.login":
        lambda i: login(i["reporter"]) == login(i["closedBy"]),
    "issue.closed_by != null && issue.reporter == issue.closed_by":
        lambda i: i["closedBy"] and i["reporter"] and i["reporter"]["id"] == i["closedBy"]["id"],
    "issue.assignees.exists(a, a.id == issue.reporter.id)":
        lambda i: i["reporter"] and any(a["id"] == i["reporter"]["id"] for a in i["assignees"]),
    'issue.milestone.title != "" && issue.milestone.number > 0':
        lambda i: i["milestone"] and i["milestone"]["title"] and i["milestone"]["number"] > 0,
    'issue.priority in ["P0", "P1"] || issue.issue_type == "BUG" || issue.blocked':
        lambda i: i["priority"] in ("P0", "P1") or i["issueType"] == "BUG" or i["blocked"],
    'issue.state_reason == "completed" || issue.author_association == "MEMBER"':
        lambda i: i["stateReason"] == "completed" or i["authorAssociation"] == "MEMBER",
    "issue.reactions.total_count > 0 || issue.reactions.heart == 1":
        lambda i: i["reactions"]["totalCount"] > 0 or i["reactions"]["heart"] == 1,
    'issue.base.ref == "main" && issue.head.repo == issue.base.repo':
        lambda i: i["base"] and i["base"]["ref"] == "main" and i["head"]
        and i["head"]["repo"] == i["base"]["repo"],
    "issue.comments.size() > 2": lambda i: len(i["comments"]) > 2,
    "issue.comments.exists(c, c.user.login == issue.reporter.login)":
        lambda i: any(login(c["user"]) == login(i["reporter"]) for c in i["comments"]),
    'issue.comments.exists_one(c, c.body.contains("thanks") || c.body.contains("Thanks"))':
        lambda i: sum("thanks" in c["body"] or "Thanks" in c["body"] for c in i["comments"]) == 1,
    'issue.reviews.exists(r, r.state == "APPROVED") && !issue.approved':
        lambda i: any(r["state"] == "APPROVED" for r in i["reviews"]) and not i["approved"],
    'issue.review_comments.exists(c, c.path.endsWith(".md") && c.line > 10)':
        lambda i: any(c["path"].endswith(".md") and (c["line"] or 0) > 10
                      for c in i["reviewComments"]),
    "repository.issue_count > 0 && issue.number > repository.pull_request_count": None,
}

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

    def test_filters_by_expressions(self):
        counts = {pull: sum(i["isPr"] == pull for i in self.whole.values())
                  for pull in (False, True)}
        for text, says in FILTERS.items():
            if says is None:
                says = lambda i: counts[False] > 0 and i["issueId"] > counts[True]
            want = [n for n, issue in sorted(self.whole.items()) if says(issue)]
            for more in ({}, {"pageSize": 23, "orderBy": "-number"}):
                pages = list(self.api.pages(fieldMask="issueId", filter=text, **more))
                got = [issue["issueId"] for page in pages for issue in page["issues"]]
                self.assertEqual(want[::-1] if more else want, got, text)
                self.assertEqual({len(want)}, {page["total"] for page in pages}, text)

    def test_bad_filters_are_refused_with_their_place(self):
        for text, why in (("issue.tilte == 'x'", "line 1, column 7: issue has no field 'tilte'"),
                          ("issue.title == 1", "line 1, column 13: no such overload"),
                          ("issue.closed &&\n  (", "line 2, column 4: expected an expression")):
            answer = self.api.ask(query={"filter": text})
            self.assertEqual(400, answer.status)
            self.assertIn(why, answer.json()["message"])

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
