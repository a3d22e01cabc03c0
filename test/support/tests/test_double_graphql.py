"""GraphQL: what a query may ask, what comes back, and what it costs."""

import base64
import json
import unittest

import context
import node_ids
from context import REPO, Double, DoubleCase, DoubleClient, made_recording

OWNER, NAME = REPO.split("/")

ACTOR = """
fragment A on Actor {
  __typename login
  ... on User { databaseId id } ... on Bot { databaseId id } ... on Organization { databaseId }
  ... on Mannequin { databaseId }
}
"""

EVENTS = """
  __typename ... on Node { id }
  ... on LabeledEvent { actor { ...A } createdAt label { name color } }
  ... on UnlabeledEvent { actor { ...A } createdAt label { name color } }
  ... on ClosedEvent { actor { ...A } createdAt stateReason closer { ... on Commit { oid } } }
  ... on ReopenedEvent { actor { ...A } createdAt }
  ... on AssignedEvent { actor { ...A } createdAt assignee { ... on User { login databaseId } } }
  ... on MilestonedEvent { actor { ...A } createdAt milestoneTitle }
  ... on RenamedTitleEvent { actor { ...A } createdAt previousTitle currentTitle }
  ... on LockedEvent { actor { ...A } createdAt lockReason }
  ... on ReferencedEvent { actor { ...A } createdAt commit { oid }
                           commitRepository { nameWithOwner } }
"""

TYPES = """LABELED_EVENT, UNLABELED_EVENT, CLOSED_EVENT, REOPENED_EVENT, ASSIGNED_EVENT,
  MILESTONED_EVENT, RENAMED_TITLE_EVENT, LOCKED_EVENT, REFERENCED_EVENT"""

DETAILS = """
query Details($owner: String!, $name: String!) {
  repository(owner: $owner, name: $name) { %s }
  rateLimit { cost remaining resetAt nodeCount }
}
fragment I on Issue {
  number
  timelineItems(first: 100, itemTypes: [""" + TYPES + """]) {
    filteredCount pageInfo { hasNextPage endCursor } nodes { """ + EVENTS + """ }
  }
}
fragment P on PullRequest {
  number mergedBy { ...A }
  reviews(first: 100) {
    pageInfo { hasNextPage endCursor }
    nodes { id fullDatabaseId databaseId author { ...A } state body submittedAt updatedAt
            commit { oid } authorAssociation url comments { totalCount } }
  }
  timelineItems(first: 100, itemTypes: [""" + TYPES + """, MERGED_EVENT,
                                        REVIEW_REQUESTED_EVENT, REVIEW_DISMISSED_EVENT]) {
    filteredCount pageInfo { hasNextPage endCursor }
    nodes { """ + EVENTS + """
      ... on MergedEvent { actor { ...A } createdAt merge: commit { oid } mergeRefName }
      ... on ReviewRequestedEvent { actor { ...A } createdAt
        requestedReviewer { __typename ... on User { login } ... on Team { name } } }
      ... on ReviewDismissedEvent { actor { ...A } createdAt dismissalMessage
        previousReviewState review { databaseId fullDatabaseId } }
    }
  }
}
""" + ACTOR

ITEM = "n%d: issueOrPullRequest(number: %d) { __typename ...I ...P }"


class GraphCase(DoubleCase):
    token = "reader"

    def ask(self, query, **variables):
        """`data` of a query that must succeed."""
        body = self.refused(query, **variables)
        self.assertNotIn("errors", body)
        return body["data"]

    def refused(self, query, **variables):
        answer = self.client.graphql(query, **variables)
        self.assertEqual(answer.status, 200)
        return answer.json()

    def repository(self, selection):
        return self.ask("{ repository(owner: \"%s\", name: \"%s\") { %s } }"
                        % (OWNER, NAME, selection))["repository"]


class Details(GraphCase):
    """The query that a sync sends, against what REST says of the same things."""

    KINDS = {"labeled": "LabeledEvent", "unlabeled": "UnlabeledEvent", "closed": "ClosedEvent",
             "reopened": "ReopenedEvent", "assigned": "AssignedEvent",
             "milestoned": "MilestonedEvent", "renamed": "RenamedTitleEvent",
             "locked": "LockedEvent", "referenced": "ReferencedEvent", "merged": "MergedEvent",
             "review_requested": "ReviewRequestedEvent",
             "review_dismissed": "ReviewDismissedEvent"}

    def details(self, numbers):
        query = DETAILS % " ".join(ITEM % (n, n) for n in numbers)
        return self.ask(query, owner=OWNER, name=NAME)

    def test_it_tells_what_rest_tells(self):
        state = self.state()
        pulls = {p["number"]: p for p in state["pulls"]}
        numbers = [i["number"] for i in state["issues"]]
        for start in range(0, len(numbers), 50):
            data = self.details(numbers[start:start + 50])
            for number in numbers[start:start + 50]:
                self.check(number, data["repository"][f"n{number}"], state, pulls)
            self.assertEqual(data["rateLimit"]["cost"], 1)

    def check(self, number, item, state, pulls):
        self.assertEqual(item["__typename"], "PullRequest" if number in pulls else "Issue")
        self.assertEqual(item["number"], number)
        rows = state["events"].get(str(number), [])
        wanted = sorted((e["created_at"], e["id"], e) for e in rows if e["event"] in self.KINDS)
        got = item["timelineItems"]
        self.assertEqual(got["filteredCount"], len(wanted))
        self.assertEqual(got["pageInfo"]["hasNextPage"], len(wanted) > 100)
        for event, (_at, _id, rest) in zip(got["nodes"], wanted):
            self.check_event(event, rest)
        if number in pulls:
            self.check_reviews(item, state["reviews"].get(str(number), []))
            self.assertEqual(item["mergedBy"] and item["mergedBy"]["login"],
                             login(pulls[number]["merged_by"]))

    def check_event(self, event, rest):
        self.assertEqual(event["id"], rest["node_id"])
        self.assertEqual(node_ids.parse(event["id"])[1][-1], rest["id"])
        self.assertEqual(event["__typename"], self.KINDS[rest["event"]])
        self.assertEqual(event["createdAt"], rest["created_at"])
        self.assertEqual(event["actor"] and event["actor"]["login"], login(rest["actor"]))
        if "label" in rest:
            self.assertEqual(event["label"], rest["label"])
        if "rename" in rest:
            self.assertEqual((event["previousTitle"], event["currentTitle"]),
                             (rest["rename"]["from"], rest["rename"]["to"]))
        if "milestone" in rest:
            self.assertEqual(event["milestoneTitle"], rest["milestone"]["title"])
        if rest["event"] == "merged":
            self.assertEqual(event["merge"]["oid"], rest["commit_id"])
        if rest["event"] == "closed":
            self.assertEqual(event["stateReason"],
                             (rest.get("state_reason") or "").upper() or None)
        if rest["event"] == "review_dismissed":
            self.assertEqual(event["review"]["fullDatabaseId"],
                             str(rest["dismissed_review"]["review_id"]))

    def check_reviews(self, item, rows):
        wanted = sorted(rows, key=lambda r: (r["submitted_at"], r["id"]))
        self.assertEqual(len(item["reviews"]["nodes"]), len(wanted))
        for review, rest in zip(item["reviews"]["nodes"], wanted):
            self.assertEqual((review["fullDatabaseId"], review["id"], review["state"],
                              review["body"], review["submittedAt"], review["commit"]["oid"]),
                             (str(rest["id"]), rest["node_id"], rest["state"], rest["body"],
                              rest["submitted_at"], rest["commit_id"]))
            self.assertEqual(review["author"] and review["author"]["login"], login(rest["user"]))


class RecordedDetails(Details):
    """The same against a real repository's objects."""

    @classmethod
    def folders(cls):
        found = [f for f in context.recorded_folders() if f.endswith("bitcoin-core__gui")]
        if not found:
            raise unittest.SkipTest("no recorded repository here")
        return found

    def setUp(self):
        super().setUp()
        self.name = self.double.world.repositories[0].full_name

    def state(self):
        return self.client.state(self.name)

    def details(self, numbers):
        query = DETAILS % " ".join(ITEM % (n, n) for n in numbers)
        owner, name = self.name.split("/")
        return self.ask(query, owner=owner, name=name)


def login(user):
    """The login as GraphQL gives it."""
    if user is None or user["login"] == "ghost":
        return None
    return user["login"].removesuffix("[bot]")


if __name__ == "__main__":
    unittest.main()
