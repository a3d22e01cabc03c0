"""How often GitHub is asked, and that what is asked for less often is found all the same."""

import json
import unittest

import recordings
from fcgi_client import FcgiClient
from harness import SECRET, Case, Mirror, seeded, count_of, wait_until
from expected_answer import load_recording

GHOST = 10137  # the account to which REST may ascribe what a deleted one did
POLLS = ("issues", "comments", "events", "pulls", "review_comments")
SELDOM = ("repo", "labels", "milestones", "rules")
GRAPHQL_OFF = {"match": "graphql", "kind": "status", "status": 404, "times": -1}


def same_child(rest, graph):
    """GraphQL does not tell the repository of a commit whose fork is gone."""
    want, have = dict(rest[3]), dict(graph[3])
    if want.get("event") == "head_ref_force_pushed" and "commitOwner" not in have:
        want.pop("commitOwner", None)
        want.pop("commitRepo", None)
    return rest[:3] == graph[:3] and want == have


class Plan(Case):
    def open(self, folder, *others, **settings):
        self.double = self.stage.double(folder, *others, **settings)
        self.repo = load_recording(folder)["repo"]
        return Mirror(self.stage, self.repo, self.double.url)

    def asked(self):
        """{class: requests} since the last time, without zeros."""
        counts = self.double.counts()
        self.double.reset_counts()
        return {name: counts[name] for name in (*POLLS, *SELDOM, "reviews", "issue_events", "graphql")
                if counts.get(name)}

    def in_step(self, mirror):
        self.assert_mirrors(self.double.state(self.repo), mirror.answers())
        mirror.check_log()
        mirror.verify()


class Counts(Plan):
    def test_a_first_sync_asks_a_hundred_at_a_time(self):
        mirror = self.open(recordings.made(61, 300, 100, comments=500, events=900))
        mirror.sync()
        total = self.double.counts()["total"]
        asked = self.asked()
        print(f"first sync of 400 items: {total} requests: {asked}", flush=True)
        self.assertLessEqual(total, 40)  # a thousand for 10,000 items, and what begins a round
        self.assertEqual(0, asked.get("issue_events", 0) + asked.get("reviews", 0), asked)
        self.in_step(mirror)

    def test_a_quiet_poll_is_five_conditional_requests_and_every_tenth_four_more(self):
        mirror = self.open(recordings.made(62, 40, 20))
        mirror.sync()
        mirror.sync()  # reviews of the second in which the first one ended
        self.asked()
        for poll in range(11):
            mirror.sync()
            counts = self.double.counts()
            asked = self.asked()
            seldom = "labels" in asked
            with self.subTest(poll=poll):
                self.assertEqual({name: 1 for name in (POLLS + SELDOM if seldom else POLLS)}, asked)
                # There is no rules file, so that one is a 404.
                self.assertEqual(counts["total"] - (1 if seldom else 0), counts["not_modified"])
                self.assertEqual(seldom, poll % 10 == 8, poll)

    def test_ten_changed_issues_cost_twenty_requests_at_most(self):
        mirror = self.open(recordings.made(63, 60, 30))
        mirror.sync()
        mirror.sync()
        state = self.double.state(self.repo)
        numbers = [i["number"] for i in state["issues"] if "pull_request" not in i][:6]
        pulls = [p["number"] for p in state["pulls"]][:4]
        for n in numbers:
            self.double.edit(self.repo, "add_comment", number=n, body="news", user="ann")
        for n in pulls:
            self.double.edit(self.repo, "add_review", number=n, state="APPROVED", user="bob")
        self.double.reset_counts()
        mirror.sync()
        total = self.double.counts()["total"]
        print(f"ten changed issues: {total} requests: {self.asked()}", flush=True)
        self.assertLessEqual(total, 20)
        self.in_step(mirror)

    def test_without_graphql_everything_comes_by_rest(self):
        mirror = self.open(recordings.made(64, 60, 30))
        self.double.fault(**GRAPHQL_OFF)
        program = mirror.sync()
        self.assertTrue(program.log_with(severity="WARNING",
                                         message=lambda text: "GraphQL is of no use" in text))
        # Events by their listing, not issue by issue.
        self.assertEqual(0, self.double.counts().get("issue_events", 0))
        self.in_step(mirror)

    def test_both_ways_write_the_same_snapshot(self):
        folders = [recordings.made(65, 80, 60)]
        folders += [recordings.shared(name) for name in recordings.shared_archives()
                    if "quic-v2" in name or "gui.base" in name]
        for folder in folders:
            with self.subTest(folder=folder):
                graph = self.open(folder)
                graph.sync()
                rest = self.open(folder)
                self.double.fault(**GRAPHQL_OFF)
                rest.sync()
                found = self.events_of(graph)
                self.assertGreater(len(found), 0)
                wanted = self.events_of(rest)
                wrong = [pair for pair in zip(wanted, found) if not same_child(*pair)]
                self.assertEqual([], wrong[:5], f"{len(wrong)} differences")
                self.assertEqual(len(wanted), len(found))

    def events_of(self, mirror):
        program = self.stage.run("maint-dump", "--snapshot", mirror.snapshot)
        self.assertEqual(0, program.wait(), program.tail())
        rows = [json.loads(line) for line in program.stdout.split("\n") if line]
        rows = [row for row in rows if row["type"] == "issue"]
        for row in rows:
            for review in row["issue"].get("reviews", ()):
                review.pop("updatedAt", None)  # which REST does not always tell
            for event in row.get("events", ()):
                event.pop("assignerId", None)  # GraphQL has the actor only
                event.pop("requesterId", None)
                if event["actorId"] == GHOST:  # and calls a deleted account null
                    event["actorId"] = 0
        found = [(row["issue"]["issueId"], list_name, child["id"], child) for row in rows
                 for list_name in ("events", "reviews")
                 for child in row.get(list_name) or row["issue"].get(list_name) or ()]
        return sorted(found, key=lambda child: child[:3])


class Caps(Plan):
    def test_a_comment_listing_that_ends_goes_on_by_time(self):
        folder = recordings.made(66, 60, 20, comments=900)
        mirror = self.open(folder, options=["--page-cap-comments", "3"])
        mirror.sync()
        asked = self.asked()
        print(f"900 comments behind a cap of 300: {asked}", flush=True)
        self.assertLess(asked["comments"], 16)
        self.in_step(mirror)

    def test_an_event_listing_that_ends_goes_on_issue_by_issue(self):
        folder = recordings.made(67, 60, 20, events=900)
        mirror = self.open(folder, options=["--page-cap-events", "2"])
        self.double.fault(**GRAPHQL_OFF)
        mirror.sync()
        self.in_step(mirror)

    def test_a_query_that_is_too_large_is_halved(self):
        mirror = self.open(recordings.made(68, 90, 40))
        self.double.fault(match="graphql", kind="gateway", more_aliases=12, times=-1)
        program = mirror.sync()
        self.assertTrue(program.log_with(message="a GraphQL query was too large"))
        self.assertLess(self.double.counts()["reviews"], 5)
        self.in_step(mirror)


class Gone(Plan):
    def setUp(self):
        super().setUp()
        self.mirror = self.open(recordings.made(69, 30, 10),
                                recordings.made(72, 3, 1, repo="acme/elsewhere"))
        self.mirror.sync()
        state = self.double.state(self.repo)
        self.issues = [i["number"] for i in state["issues"] if "pull_request" not in i]

    def test_deleted_issues_are_found_by_the_slow_pass(self):
        for n in self.issues[:3]:
            self.double.edit(self.repo, "delete_issue", number=n)
        self.mirror.sync("--relist")
        self.assertFalse(set(self.issues[:3]) & set(self.mirror.answers()))
        self.in_step(self.mirror)

    def test_a_transferred_issue_is_gone_and_where_it_went_is_in_the_log(self):
        n = self.issues[0]
        self.double.edit(self.repo, "transfer_issue", number=n, to="acme/elsewhere")
        self.mirror.sync("--relist")
        self.assertNotIn(n, self.mirror.answers())
        program = self.stage.run("maint-dump", "--log-exact",
                                 f"file://{self.mirror.log_folder}")
        self.assertEqual(0, program.wait(), program.tail())
        self.assertIn("acme/elsewhere", program.stdout)
        self.in_step(self.mirror)

    def test_a_404_counts_only_when_it_repeats_an_hour_later(self):
        n = self.issues[1]
        self.double.edit(self.repo, "delete_issue", number=n, status=404)
        self.mirror.sync("--relist")
        self.mirror.sync("--relist")
        self.assertIn(n, self.mirror.answers())
        self.double.clock(advance_s=3700)
        self.mirror.sync()
        self.assertNotIn(n, self.mirror.answers())

    def test_a_404_that_passes_leaves_nothing(self):
        n = self.issues[2]
        self.double.edit(self.repo, "delete_issue", number=n, status=404)
        self.mirror.sync("--relist")
        self.double.edit(self.repo, "restore_issue", number=n)
        self.double.clock(advance_s=3700)
        self.mirror.sync()
        self.assertIn(n, self.mirror.answers())
        self.in_step(self.mirror)


class Promises(Plan):
    def test_a_poke_starts_a_round_and_asks_again_until_the_change_shows(self):
        mirror = self.open(recordings.made(70, 20, 5))
        secret, socket = self.stage.path("secret"), self.stage.path("sync.sock")
        with open(secret, "w", encoding="utf-8") as file:
            file.write(SECRET)
        program = mirror.start_sync("--listen", f"unix:{socket}", "--internal-secret-file", secret,
                                    "--interval", "3600")
        rounds = lambda: len(program.log_with(message="round finished"))  # noqa: E731
        wait_until(lambda: rounds() >= 1, program.tail, 60)
        client = FcgiClient(f"unix:{socket}")
        answer = client.ask("/internal/v1/sync", method="POST",
                            headers={"X-Maintner-Secret": SECRET}.items())
        self.assertEqual(202, answer.status)
        wait_until(lambda: rounds() >= 2, program.tail, 10)
        wait_until(lambda: rounds() >= 4, program.tail, 20)  # after 1 s and 2 s
        issue = self.double.state(self.repo)["issues"][0]["number"]
        self.double.edit(self.repo, "edit_title", number=issue, title="what was promised")
        wait_until(lambda: rounds() >= 5, program.tail, 20)
        self.assertEqual(0, program.stop(), program.tail())
        self.assertEqual("what was promised", mirror.answers()[issue]["title"])


class Property(Plan):
    """Whatever happens while a sync runs: after quiet, the mirror is what GitHub is."""

    FAULTS = ({"kind": "status", "status": 502}, {"kind": "drop"}, {"kind": "truncate"},
              {"kind": "secondary_limit", "retry_after": 1, "times": 1},
              {"kind": "gateway", "match": "graphql"}, {"kind": "garbage_json"})

    def test_random_edits_while_a_sync_runs_with_faults(self):
        rng = seeded()
        mirror = self.open(recordings.made(71, 60, 40))
        for seed in range(count_of(3, 200)):
            for fault in rng.sample(self.FAULTS, 2):
                self.double.fault(**{"match": "", "times": 2, "after": rng.randrange(12), **fault})
            self.double.control("random_edits", {"repo": self.repo, "count": 15,
                                                 "seed": rng.randrange(1 << 30)})
            program = mirror.start_sync("--once")
            for _ in range(3):
                self.double.control("random_edits", {"repo": self.repo, "count": 5,
                                                     "seed": rng.randrange(1 << 30)})
            program.wait()  # may have given up: the next one goes on
            self.double.clear_faults()
            self.double.clock(advance_s=120)
            mirror.sync("--relist")
            with self.subTest(seed=seed):
                self.in_step(mirror)


if __name__ == "__main__":
    unittest.main(verbosity=2)
