"""Every listing gives each object exactly once, in its order, by following Link."""

import unittest
from collections import Counter

import context
import github_objects as objects
from context import REPO, DoubleCase, write_recording
from github_objects import PULL_DETAIL_FIELDS
from recording_maker.writer import FAMILIES


def ids(rows):
    return [row["id"] for row in rows]


class Walks(DoubleCase):
    def assert_all_once(self, rest, expected):
        found = ids(self.walk(rest))
        self.assertEqual(Counter(found), Counter(ids(expected)), rest)

    def flat(self, family):
        return [row for rows in self.state()[family].values() for row in rows]

    def test_issues_are_complete_under_every_order(self):
        issues = self.state()["issues"]
        for sort in ("created", "updated", "comments"):
            for direction in ("asc", "desc"):
                for size in (7, 100):
                    self.assert_all_once(f"/issues?state=all&sort={sort}&direction={direction}"
                                         f"&per_page={size}", issues)

    def test_issue_states_split_the_issues(self):
        issues = self.state()["issues"]
        for state in ("open", "closed"):
            self.assert_all_once(f"/issues?state={state}&per_page=10",
                                 [i for i in issues if i["state"] == state])
        self.assert_all_once("/issues", [i for i in issues if i["state"] == "open"])

    def test_issues_come_in_the_asked_order(self):
        for sort, key in (("created", "created_at"), ("updated", "updated_at"),
                          ("comments", "comments")):
            keys = [i[key] for i in self.walk(f"/issues?state=all&sort={sort}&direction=asc")]
            self.assertEqual(keys, sorted(keys))
        keys = [i["created_at"] for i in self.walk("/issues?state=all&per_page=9")]
        self.assertEqual(keys, sorted(keys, reverse=True))

    def test_repository_wide_families_are_complete(self):
        self.assert_all_once("/issues/comments?per_page=100", self.flat("comments"))
        self.assert_all_once("/issues/comments?sort=updated&direction=desc", self.flat("comments"))
        self.assert_all_once("/issues/events?per_page=100", self.flat("events"))
        self.assert_all_once("/pulls/comments?per_page=10", self.flat("review_comments"))
        self.assert_all_once("/pulls?state=all&per_page=11", self.state()["pulls"])
        self.assert_all_once("/labels?per_page=4", self.state()["labels"])
        self.assert_all_once("/milestones?state=all&per_page=2", self.state()["milestones"])

    def test_families_of_each_number_are_complete(self):
        state = self.state()
        for issue in state["issues"]:
            number = str(issue["number"])
            self.assert_all_once(f"/issues/{number}/comments", state["comments"].get(number, []))
            self.assert_all_once(f"/issues/{number}/events", state["events"].get(number, []))
        for pull in state["pulls"]:
            number = str(pull["number"])
            self.assert_all_once(f"/pulls/{number}/reviews", state["reviews"].get(number, []))
            self.assert_all_once(f"/pulls/{number}/comments",
                                 state["review_comments"].get(number, []))

    def test_one_issue_has_more_than_a_page_of_comments(self):
        self.assertGreater(max(i["comments"] for i in self.state()["issues"]), 100)

    def test_orders_of_the_other_listings(self):
        by_id = ids(self.walk("/issues/comments?direction=desc&per_page=100"))
        self.assertEqual(by_id, sorted(by_id), "direction without sort is ignored")
        events = self.walk("/issues/events?per_page=100")
        times = [e["created_at"] for e in events]
        self.assertEqual(times, sorted(times, reverse=True))
        updated = [p["updated_at"] for p in self.walk("/pulls?state=all&sort=updated")]
        self.assertEqual(updated, sorted(updated), "ascending unless sorted by creation")

    def test_events_carry_their_issue_only_in_the_wide_listing(self):
        wide = self.walk("/issues/events?per_page=100")
        self.assertTrue(all("number" in event["issue"] for event in wide))
        number = wide[0]["issue"]["number"]
        self.assertNotIn("issue", self.walk(f"/issues/{number}/events")[0])

    def test_the_pull_listing_lacks_the_detail(self):
        listed = self.walk("/pulls?state=all")[0]
        single = self.get(f"/pulls/{listed['number']}").json()
        for field in PULL_DETAIL_FIELDS:
            self.assertNotIn(field, listed)
            self.assertIn(field, single)
        self.assertEqual({**single, **listed}, single)

    def test_since_takes_what_changed_then_or_later(self):
        moments = sorted(i["updated_at"] for i in self.state()["issues"])
        since = moments[len(moments) // 2]
        found = self.walk(f"/issues?state=all&since={since}&per_page=5")
        self.assertEqual(len(found), sum(m >= since for m in moments))
        offset = self.walk(f"/issues?state=all&since={since.replace('Z', '%2B00:00')}")
        self.assertEqual(len(offset), len(found))
        comments = self.walk(f"/issues/comments?sort=updated&direction=asc&since={since}")
        self.assertTrue(all(c["updated_at"] >= since for c in comments))


class Pages(DoubleCase):
    def test_page_size_has_a_default_and_a_limit(self):
        self.assertEqual(len(self.get("/issues?state=all").json()), 30)
        self.assertEqual(len(self.get("/issues/events?per_page=500").json()), 100)
        self.assertEqual(len(self.get("/issues?state=all&per_page=0").json()), 30)

    def test_numbered_links_lead_everywhere(self):
        links = self.get("/issues/events?per_page=100&page=2").links()
        self.assertEqual(set(links), {"prev", "next", "last", "first"})
        self.assertIn(f"/repositories/{self.state()['repository']['id']}/", links["next"])
        self.assertTrue(links["next"].startswith(self.client.url))
        last = self.client.get(links["last"])
        self.assertEqual(set(last.links()), {"prev", "first"})
        self.assertTrue(last.json())

    def test_a_single_page_has_no_link(self):
        self.assertIsNone(self.get("/labels?per_page=100").headers.get("Link"))

    def test_issue_cursors_lead_forth_and_back(self):
        first = self.get("/issues?state=all&per_page=10")
        second = self.client.get(first.links()["next"])
        self.assertIn("after=", first.links()["next"])
        self.assertNotIn("last", first.links())
        back = self.client.get(second.links()["prev"])
        self.assertEqual(ids(back.json()), ids(first.json()))

    def test_a_cursor_survives_rows_that_move(self):
        first = self.get("/issues?state=all&per_page=10&sort=created&direction=asc")
        self.edit("delete_issue", number=first.json()[-1]["number"])
        self.edit("delete_issue", number=first.json()[0]["number"])
        rest = list(self.client.walk(first.links()["next"]))
        kept = {i["id"] for i in self.state()["issues"]}
        seen = set(ids(first.json())) | set(ids(rest))
        self.assertTrue(kept <= seen)
        self.assertEqual(len(rest), len(set(ids(rest))))

    def test_damaged_and_foreign_cursors_are_refused(self):
        link = self.get("/issues?state=all&per_page=10").links()["next"]
        for bad in (link.replace("after=", "after=A"), link.replace("state=all", "state=closed"),
                    link.replace("per_page", "sort=updated&per_page"),
                    f"{self.client.url}/repos/{REPO}/issues?after=nonsense"):
            self.assertEqual(self.client.get(bad).status, 422, bad)

    def test_deep_page_numbers_are_refused(self):
        answer = self.get("/issues?state=all&per_page=100&page=100")
        self.assertEqual(answer.status, 422)
        self.assertIn("cursor based pagination", answer.json()["message"])
        self.assertEqual(self.get("/issues?state=all&per_page=100&page=99").json(), [])

    def test_unknown_values_are_refused(self):
        for rest in ("/issues?sort=foo", "/issues?state=bar", "/issues?per_page=abc",
                     "/issues?since=yesterday", "/issues?direction=up", "/pulls?state=merged",
                     "/issues/comments?sort=id", "/milestones?state=x", "/issues?page=x"):
            answer = self.get(rest)
            self.assertEqual(answer.status, 422, rest)
            self.assertEqual(set(answer.json()), {"message", "errors", "documentation_url",
                                                  "status"})

    def test_comments_of_an_issue_know_no_order(self):
        number = self.numbers(False)[0]
        self.assertEqual(self.get(f"/issues/{number}/comments?sort=foo&direction=x").status, 200)


class Caps(DoubleCase):
    options = {"page_cap_events": 2, "page_cap_comments": 3}

    def test_capped_listings_end_early(self):
        self.assertEqual(len(self.walk("/issues/events?per_page=100")), 200)
        answer = self.get("/issues/events?per_page=100&page=3")
        self.assertEqual(answer.status, 422)
        self.assertIn("pagination is limited", answer.json()["message"])
        self.assertIn("page=2", self.get("/issues/events").links()["last"])
        self.assertEqual(len(self.walk("/issues/comments?per_page=100")), 300)


class NumberedIssues(DoubleCase):
    options = {"issue_cursors": False}

    def test_without_cursors_issues_have_page_numbers(self):
        first = self.get("/issues?state=all&per_page=10")
        self.assertEqual(set(first.links()), {"next", "last"})
        self.assertNotIn("after=", first.links()["next"])
        self.assertEqual(len(self.walk("/issues?state=all&per_page=10")),
                         len(self.state()["issues"]))


class Recorded(unittest.TestCase):
    def test_real_repositories_walk_completely(self):
        folders = context.recorded_folders()
        if not folders:
            self.skipTest("no recorded data here")
        with context.Double(folders, rate_limit=10**6) as double:
            client = context.DoubleClient(double.url)
            for repository in double.world.repositories:
                self.assert_complete(client, repository)
            client.close()

    def assert_complete(self, client, repository):
        root = f"/repos/{repository.full_name}"
        wide = {family: sum(map(len, repository.families[family].values()))
                for family in repository.families}
        for rest, count in ((f"{root}/issues?state=all&per_page=100", len(repository.issues)),
                            (f"{root}/pulls?state=all&per_page=100", len(repository.pulls)),
                            (f"{root}/issues/comments?per_page=100", wide["comments"]),
                            (f"{root}/issues/events?per_page=100", wide["events"]),
                            (f"{root}/pulls/comments?per_page=100", wide["review_comments"])):
            self.assertEqual(len({row["id"] for row in client.walk(rest)}), count, rest)


class Large(unittest.TestCase):
    def many_issues(self, count):
        """A recording of so many issues and nothing else."""
        author = objects.user("author", 1)
        moment = "2020-01-01T00:00:{:02}Z".format
        issues = [objects.issue("acme/large", n, n, f"issue {n}", author, moment(n % 60), "")
                  for n in range(1, count + 1)]
        families = {name: {} for name in FAMILIES}
        recording = {"repo": objects.repository("acme/large", 1, author, moment(0)), "labels": [],
                     "milestones": [], "issues": issues, "pulls": [], **families}
        folder = context.scratch("large")
        write_recording(folder, recording, {"kind": "made"})
        return folder

    def test_cursors_pass_ten_thousand_issues(self):
        with context.Double([self.many_issues(10_050)]) as double:
            client = context.DoubleClient(double.url)
            rows = client.walk("/repos/acme/large/issues?state=all&per_page=100&sort=updated")
            self.assertEqual(len({row["number"] for row in rows}), 10_050)
            self.assertEqual(client.counts()["issues"], 101)
            client.close()


if __name__ == "__main__":
    unittest.main()
