"""GraphQL: bounds, pages, errors, node ids, money, and faults."""

import base64
import json
import unittest

from context import REPO, DoubleCase, DoubleClient, made_recording
import node_ids
from github_double.graph.endpoint import schema_of
from github_double.graph.language import item_type
from test_double_graphql import DETAILS, ITEM, NAME, OWNER, GraphCase

HEAD = '{ repository(owner: "%s", name: "%s") { %%s } }' % (OWNER, NAME)


class Requests(GraphCase):
    options = {"tokens": ("reader",)}

    def post(self, body, **headers):
        return self.client.request("/graphql", {**self.client._headers, **headers}, "POST", body)

    def test_a_good_token_is_needed(self):
        for token in (None, "other"):
            client = DoubleClient(self.double.url, token)
            self.addCleanup(client.close)
            answer = client.graphql("{ viewer { login } }")
            self.assertEqual(answer.status, 401)
            self.assertIn("documentation_url", answer.json())

    def test_what_is_no_json_is_400_and_what_is_no_query_an_error(self):
        self.assertEqual(self.post(b"{").status, 400)
        self.assertEqual(self.post(b"[]").status, 400)
        for body in ({}, {"query": 3}, {"query": "{viewer{login}}", "variables": 3}):
            answer = self.post(json.dumps(body).encode())
            self.assertEqual(answer.status, 200)
            self.assertIn("errors", answer.json())

    def test_only_post_is_served(self):
        self.assertEqual(self.client.get("/graphql").status, 404)

    def test_headers_name_the_resource(self):
        answer = self.client.graphql("{ viewer { login } }")
        self.assertEqual(answer.headers["X-RateLimit-Resource"], "graphql")
        self.assertEqual(answer.headers["X-RateLimit-Remaining"], "4999")
        self.assertEqual(self.get().headers["X-RateLimit-Remaining"], "4999")
        report = self.client.get("/rate_limit").json()["resources"]
        self.assertEqual((report["core"]["used"], report["graphql"]["used"]), (1, 1))


class Refusals(GraphCase):
    def errors(self, query, **variables):
        body = self.refused(query, **variables)
        self.assertTrue(body["errors"])
        return body["errors"][0], body.get("data")

    def test_what_does_not_parse(self):
        error, data = self.errors("{ viewer { login }")
        self.assertEqual(error["locations"], [{"line": 1, "column": 19}])
        self.assertIsNone(data)

    def test_a_field_that_is_not_there(self):
        error, _data = self.errors("{\n viewer { logn } }")
        self.assertEqual(error["message"], "Field 'logn' doesn't exist on type 'User'")
        self.assertEqual(error["extensions"]["code"], "undefinedField")
        self.assertEqual(error["locations"], [{"line": 2, "column": 11}])

    def test_most_events_have_no_database_id(self):
        error, _data = self.errors(HEAD % (
            "issue(number: 1) { timelineItems(first: 1) { nodes { ... on LabeledEvent "
            "{ databaseId } } } }"))
        self.assertEqual(error["extensions"]["typeName"], "LabeledEvent")

    def test_an_argument_or_a_kind_of_item_that_is_not_there(self):
        error, _data = self.errors('{ repository(owner: "a", name: "b", page: 3) { id } }')
        self.assertEqual(error["extensions"]["code"], "argumentNotAccepted")
        self.errors(HEAD % "issue(number: 1) { timelineItems(first: 1, itemTypes: "
                           "[MERGED_EVENT]) { filteredCount } }")

    def test_unused_and_unknown_fragments(self):
        self.errors("{ viewer { login } } fragment X on User { login }")
        self.errors("{ viewer { ...X } }")

    def test_variables_of_another_type(self):
        query = "query Q($n: Int!, $s: DateTime) { repository(owner: \"a\", name: \"b\") {" \
                "issue(number: $n) { id } issues(first: 1, filterBy: {since: $s}) {totalCount}}}"
        for value in ("3", None, 1.5, True, 2**31):
            error, _data = self.errors(query, n=value)
            self.assertIn("Variable $n of type Int!", error["message"])
        self.errors(query)

    def test_fields_that_cannot_be_merged(self):
        error, _data = self.errors(HEAD % "pullRequest(number: 1) { timelineItems(first: 1) { nodes {"
                                   "... on MergedEvent { commit { oid } } "
                                   "... on PullRequestCommit { commit { oid } } } } }")
        self.assertIn("commit", error["message"])  # it may be null in one and not in the other

    def test_connections_need_bounds(self):
        number = self.numbers(False)[0]
        error, data = self.errors(HEAD % f"issue(number: {number}) {{ comments {{ nodes {{ id }} }} }}")
        self.assertEqual(error["type"], "MISSING_PAGINATION_BOUNDARIES")
        self.assertEqual(error["path"], ["repository", "issue", "comments"])
        self.assertEqual(data, {"repository": {"issue": None}})  # comments may not be null
        error, _data = self.errors(HEAD % "issues(first: 101) { nodes { id } }")
        self.assertEqual(error["type"], "EXCESSIVE_PAGINATION")
        self.assertIn("`first` limit of 100 records", error["message"])
        self.errors(HEAD % "issues(first: 1, last: 1) { nodes { id } }")
        self.assertIn("totalCount", self.repository("issues { totalCount }")["issues"])

    def test_too_many_nodes(self):
        error, data = self.errors(HEAD % "issues(first: 100) { nodes { comments(first: 100) { nodes { id } }"
                                  " timelineItems(first: 100) { nodes { ... on IssueComment { issue {"
                                  " comments(first: 100) { nodes { id } } } } } } } }")
        self.assertEqual(error["type"], "MAX_NODE_LIMIT_EXCEEDED")
        self.assertIsNone(data)

    def test_numbers_that_are_not_there_are_null_beside_the_others(self):
        number = self.numbers(False)[0]
        body = self.refused(HEAD % f"a: issueOrPullRequest(number: 99999) {{ __typename }} "
                            f"b: issue(number: {number}) {{ number }} "
                            f"c: pullRequest(number: {number}) {{ number }}")
        self.assertEqual(body["data"]["repository"], {"a": None, "b": {"number": number}, "c": None})
        self.assertEqual([(e["type"], e["path"]) for e in body["errors"]],
                         [("NOT_FOUND", ["repository", "a"]), ("NOT_FOUND", ["repository", "c"])])


class Cost(GraphCase):
    def cost(self, query):
        return self.ask(query)["rateLimit"]

    def test_points_are_requests_in_hundreds(self):
        found = self.cost("{ rateLimit { cost nodeCount limit remaining used resetAt } "
                          'repository(owner: "%s", name: "%s") { issues(first: 100) { nodes {'
                          " comments(first: 50) { nodes { id } } } } } }" % (OWNER, NAME))
        self.assertEqual((found["cost"], found["nodeCount"]), (1, 5100))
        found = self.cost("{ rateLimit { cost nodeCount } "
                          'repository(owner: "%s", name: "%s") { pullRequests(first: 100) { nodes {'
                          " a: comments(first: 1) { nodes { id } } reviews(first: 5) { nodes {"
                          " comments(first: 1) { nodes { id } } } } } } } }" % (OWNER, NAME))
        self.assertEqual((found["cost"], found["nodeCount"]), (7, 100 + 100 + 500 + 500))

    def test_a_hundred_aliases_are_one_point(self):
        numbers = (self.numbers(False) + self.numbers(True))[:100]
        query = DETAILS % " ".join(ITEM % (n, n) for n in numbers)
        data = self.ask(query, owner=OWNER, name=NAME)
        # The dearer of an issue and a pull request counts: two connections of 100.
        self.assertEqual((data["rateLimit"]["cost"], data["rateLimit"]["nodeCount"]), (2, 20_000))
        self.assertEqual(self.client.counts()["graphql"], 1)
        self.assertEqual(self.client.counts()["graphql_points"], 2)
        last = self.client.requests()[-1]
        self.assertEqual((last["operationName"], last["aliases"], last["points"]),
                         ("Details", len(numbers), 2))

    def test_a_budget_that_is_used_up(self):
        self.client.clock(set="2026-01-01T00:00:00Z", frozen=True)
        self.client.rate_limit(resource="graphql", token=self.token, remaining=1)
        self.assertEqual(self.cost("{ rateLimit { remaining resetAt } }"),
                         {"remaining": 0, "resetAt": "2026-01-01T01:00:00Z"})
        answer = self.client.graphql("{ viewer { login } }")
        self.assertEqual((answer.status, answer.json()["errors"][0]["type"]), (200, "RATE_LIMITED"))
        self.assertEqual(answer.headers["X-RateLimit-Remaining"], "0")
        self.assertEqual(self.get().status, 200)
        self.client.clock(advance_s=3601)
        self.ask("{ viewer { login } }")


class Pages(GraphCase):
    def walk_by_cursor(self, field, size, selection="number", forward=True):
        found, cursor = [], None
        while True:
            bounds = f"first: {size}" if forward else f"last: {size}"
            if cursor:
                bounds += f', {"after" if forward else "before"}: "{cursor}"'
            page = self.repository(f"x: {field % bounds} {{ totalCount nodes {{ {selection} }} pageInfo "
                                   "{ hasNextPage endCursor hasPreviousPage startCursor } }")["x"]
            found += page["nodes"] if forward else page["nodes"][::-1]
            info = page["pageInfo"]
            if not info["hasNextPage" if forward else "hasPreviousPage"]:
                self.assertEqual(page["totalCount"], len(found))
                return found
            cursor = info["endCursor" if forward else "startCursor"]

    def test_every_issue_comes_once(self):
        wanted = [{"number": n} for n in self.numbers(False)]
        for forward in (True, False):
            found = self.walk_by_cursor("issues(%s)", 7, forward=forward)
            self.assertEqual(sorted(found, key=lambda x: x["number"]), wanted)

    def test_orders_filters_and_states(self):
        found = self.walk_by_cursor(
            "issues(%s, orderBy: {field: UPDATED_AT, direction: DESC})", 9, "number updatedAt")
        times = [x["updatedAt"] for x in found]
        self.assertEqual(times, sorted(times, reverse=True))
        since = times[5]
        newer = self.repository('issues(first: 100, filterBy: {since: "%s"}) { nodes { updatedAt } }'
                                % since)["issues"]["nodes"]
        self.assertEqual(len(newer), sum(t >= since for t in times))
        merged = self.repository("pullRequests(first: 100, states: MERGED) { nodes { state mergedAt"
                                 " mergeCommit { oid } } }")["pullRequests"]["nodes"]
        self.assertTrue(merged and all(p["mergedAt"] and p["mergeCommit"] for p in merged))

    def test_timelines_are_walked_by_cursor(self):
        state = self.state()
        number, rows = max(state["events"].items(), key=lambda item: len(item[1]))
        kind = "pullRequest" if int(number) in self.numbers(True) else "issue"
        found, cursor = [], ""
        while cursor is not None:
            item = self.repository(
                f"x: {kind}(number: {number}) {{ timelineItems(first: 2{cursor}) {{ totalCount "
                "filteredCount pageCount pageInfo { hasNextPage endCursor } nodes { ... on Node { id } } } }")
            page = item["x"]["timelineItems"]
            self.assertEqual(page["filteredCount"], page["totalCount"] - len(found))
            found += [n["id"] for n in page["nodes"]]
            info = page["pageInfo"]
            cursor = ', after: "%s"' % info["endCursor"] if info["hasNextPage"] else None
        self.assertEqual(len(found), len(set(found)))
        self.assertTrue({e["node_id"] for e in rows} <= set(found))

    def test_a_cursor_holds_its_place_when_rows_come(self):
        number = self.numbers(False)[0]
        for body in "abc":
            self.edit("add_comment", number=number, body=body)
        ask = "issue(number: %d) { comments(%s) { nodes { body } pageInfo { startCursor } } }"
        page = self.repository(ask % (number, "last: 1"))["issue"]["comments"]
        self.edit("add_comment", number=number, body="d")
        cursor = page["pageInfo"]["startCursor"]
        after = self.repository(ask % (number, f'first: 9, after: "{cursor}"'))["issue"]["comments"]
        self.assertEqual([n["body"] for n in after["nodes"]], ["d"])

    def test_a_cursor_that_is_none(self):
        body = self.refused(HEAD % 'issues(first: 1, after: "x") { nodes { id } }')
        self.assertEqual(body["errors"][0]["type"], "INVALID_CURSOR_ARGUMENTS")


class Nodes(GraphCase):
    def test_node_ids_name_what_rest_names(self):
        state = self.state()
        ids = [i["node_id"] for i in state["issues"]][:40]
        for family in ("events", "comments", "reviews", "review_comments"):
            ids += [r["node_id"] for rows in list(state[family].values())[:5] for r in rows[:3]]
        ids.append(state["repository"]["node_id"])
        self.assertTrue(any("_" in i for i in ids) and any("=" in i for i in ids))
        for start in range(0, len(ids), 100):
            part = ids[start:start + 100]
            found = self.ask("query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }", ids=part)
            self.assertEqual([n and n["id"] for n in found["nodes"]], part)

    def test_an_issue_and_its_pull_request_have_one_node_id(self):
        state = self.state()
        pulls = {p["number"]: p["node_id"] for p in state["pulls"]}
        self.assertTrue(all(i["node_id"] == pulls[i["number"]] for i in state["issues"]
                            if i["number"] in pulls))

    def test_unknown_ones_are_null_with_an_error(self):
        known = self.state()["issues"][0]["node_id"]
        body = self.refused("query($i: [ID!]!) { nodes(ids: $i) { id } }", i=[known, "I_kwDOAAAAAc4AAAAB", "?"])
        self.assertEqual(body["data"]["nodes"], [{"id": known}, None, None])
        self.assertEqual([(e["type"], e["path"]) for e in body["errors"]],
                         [("NOT_FOUND", ["nodes", 1]), ("NOT_FOUND", ["nodes", 2])])

    def test_both_forms_are_read(self):
        self.assertEqual(node_ids.parse("LE_lADOEEET9c7B1Wf-zwAAAARdpkRO"),
                         ("LabeledEvent", [0, 272700405, 3251988478, 18751046734]))
        older = base64.b64encode(b"012:LabeledEvent4673893179").decode()
        self.assertEqual(node_ids.parse(older), ("LabeledEvent", [4673893179]))
        self.assertEqual(node_ids.newer("LabeledEvent", 272700405, 3251988478, 18751046734),
                         "LE_lADOEEET9c7B1Wf-zwAAAARdpkRO")
        for text in ("", "LE_", "LE_!!!!", "LE_kw", "x", "MDEy"):
            with self.assertRaises(ValueError, msg=text):
                node_ids.parse(text)


class Edits(GraphCase):
    """What edits of the model look like by GraphQL."""

    def setUp(self):
        super().setUp()
        self.issue, self.pull = self.numbers(False)[0], next(
            p["number"] for p in self.state()["pulls"] if p["state"] == "open")

    def last(self, number, selection, kind="pullRequest"):
        return self.repository(f"x: {kind}(number: {number}) {{ timelineItems(last: 1) {{ nodes {{ __typename "
                               f"{selection} }} }} }}")["x"]["timelineItems"]["nodes"][0]

    def test_events_tell_more_than_rest(self):
        self.edit("push_head", number=self.pull, sha="b" * 40)
        event = self.last(self.pull, "... on HeadRefForcePushedEvent { beforeCommit { oid } afterCommit { oid } }")
        self.assertEqual(event["afterCommit"]["oid"], "b" * 40)
        self.assertIsNotNone(event["beforeCommit"])
        self.edit("change_base", number=self.pull, base_ref="next")
        event = self.last(self.pull, "... on BaseRefChangedEvent { previousRefName currentRefName databaseId }")
        self.assertEqual((event["previousRefName"], event["currentRefName"]), ("main", "next"))
        self.edit("request_review", number=self.pull, team="core")
        event = self.last(self.pull, "... on ReviewRequestedEvent { requestedReviewer { ... on Team { name } } }")
        self.assertEqual(event["requestedReviewer"], {"name": "core"})
        made = self.edit("add_comment", number=self.issue, user="gone-soon", body="x")
        self.edit("delete_comment", id=made["id"])
        event = self.last(self.issue, "... on CommentDeletedEvent { deletedCommentAuthor { login } }", "issue")
        self.assertEqual(event["deletedCommentAuthor"], {"login": "gone-soon"})

    def test_reviews_and_their_edits(self):
        made = self.edit("add_review", number=self.pull, user="judge", state="APPROVED", body="a")
        self.client.clock(advance_s=60)
        self.edit("edit_review", id=made["id"], body="b")
        review = self.repository("pullRequest(number: %d) { reviews(last: 1) { nodes { body state createdAt updatedAt "
                                 "databaseId fullDatabaseId } } }" % self.pull)["pullRequest"]["reviews"]["nodes"][0]
        self.assertEqual((review["body"], review["state"]), ("b", "APPROVED"))
        self.assertGreater(review["updatedAt"], review["createdAt"])
        self.assertEqual((review["databaseId"], review["fullDatabaseId"]), (None, str(made["id"])))

    def test_who_is_deleted_is_null_and_a_bot_has_a_short_login(self):
        self.edit("add_comment", number=self.issue, user="leaver", body="x")
        self.edit("delete_user", login="leaver", become="ghost")
        ask = "issue(number: %d) { comments(last: 1) { nodes { author { __typename login } } } }" % self.issue
        self.assertIsNone(self.repository(ask)["issue"]["comments"]["nodes"][0]["author"])
        bot = {"login": "helper[bot]", "id": 5, "type": "Bot", "node_id": "BOT_kgAF",
               "html_url": "https://github.com/apps/helper", "avatar_url": "https://a/b"}
        self.edit("add_comment", number=self.issue, user=bot, body="x")
        self.assertEqual(self.repository(ask)["issue"]["comments"]["nodes"][0]["author"],
                         {"__typename": "Bot", "login": "helper"})

    def test_what_left_is_not_found(self):
        for op in ("delete_issue", "transfer_issue"):
            number = self.edit("create_issue")["number"]
            self.edit(op, number=number, **({"to": "acme/else"} if op == "transfer_issue" else {}))
            body = self.refused(HEAD % f"issue(number: {number}) {{ id }}")
            self.assertEqual((body["data"]["repository"]["issue"], body["errors"][0]["type"]), (None, "NOT_FOUND"))

    def test_a_renamed_repository_is_followed_unless_not_wished(self):
        self.edit("rename_repo", new_name="acme/gizmos")
        self.assertEqual(self.repository("nameWithOwner")["nameWithOwner"], "acme/gizmos")
        body = self.refused('{ repository(owner: "%s", name: "%s", followRenames: false) { id } }' % (OWNER, NAME))
        self.assertEqual((body["data"], body["errors"][0]["type"]), ({"repository": None}, "NOT_FOUND"))

    def test_a_removed_repository_and_issues_switched_off(self):
        self.edit("disable_issues")
        self.assertEqual(self.repository("hasIssuesEnabled issues { totalCount }"),
                         {"hasIssuesEnabled": False, "issues": {"totalCount": 0}})
        self.edit("remove_repo")
        self.assertEqual(self.refused(HEAD % "id")["errors"][0]["type"], "NOT_FOUND")

    def test_a_duplicate_is_told_only_when_asked_for(self):
        self.edit("close", number=self.issue, state_reason="duplicate")
        found = self.repository("issue(number: %d) { stateReason long: stateReason(enableDuplicate: true) state "
                                "closed closedAt }" % self.issue)["issue"]
        self.assertEqual((found["stateReason"], found["long"], found["state"]),
                         ("NOT_PLANNED", "DUPLICATE", "CLOSED"))


# REST fields without which an event of a kind is none
EVENT_FIELDS = {
    "labeled": {"label": {"name": "P1", "color": "ededed"}},
    "unlabeled": {"label": {"name": "no longer there", "color": "000000"}},
    "milestoned": {"milestone": {"title": "1.0"}}, "demilestoned": {"milestone": {"title": "1.0"}},
    "renamed": {"rename": {"from": "a", "to": "b"}},
    "review_dismissed": {"dismissed_review": {"state": "approved", "review_id": 1,
                                              "dismissal_message": None,
                                              "dismissal_commit_id": None}},
}

LEAVES = ("String", "Int", "Boolean", "ID", "DateTime", "URI", "BigInt", "GitObjectID")


class Kinds(GraphCase):
    """Every event type keeps what the schema promises."""

    def selection(self, schema, type_name):
        """All fields of a type; objects by their type name alone."""
        parts = []
        for name, field in schema.fields[type_name].items():
            base = field.type.strip("[]!")
            leaf = base in LEAVES or base in schema.enums
            parts.append(name if leaf else f"{name} {{ __typename }}")
        return " ".join(parts)

    def test_every_kind_has_its_fields(self):
        schema = schema_of("new")
        for kind, number in (("Issue", self.numbers(False)[0]),
                             ("PullRequest", self.numbers(True)[0])):
            field = kind[0].lower() + kind[1:]
            for type_name in sorted(schema.possible[f"{kind}TimelineItems"]):
                if not type_name.endswith("Event") or type_name == "CrossReferencedEvent":
                    continue
                event = "renamed" if type_name == "RenamedTitleEvent" else \
                    item_type(type_name).removesuffix("_EVENT").lower()
                made = self.edit("add_event", number=number, event=event,
                                 fields=EVENT_FIELDS.get(event, {}))
                items = self.repository(
                    f"x: {field}(number: {number}) {{ timelineItems(last: 1, itemTypes: "
                    f"{item_type(type_name)}) {{ nodes {{ __typename ... on {type_name} "
                    f"{{ {self.selection(schema, type_name)} }} }} }} }}")["x"]["timelineItems"]
                self.assertEqual(items["nodes"][0]["__typename"], type_name)
                text = items["nodes"][0]["id"]
                self.assertEqual(node_ids.parse(text)[1][-1], made["id"])
                node = self.ask("query($i: ID!) { node(id: $i) { __typename id } }", i=text)
                self.assertEqual(node["node"], {"__typename": type_name, "id": text})

    def test_other_things_have_their_fields(self):
        schema = schema_of("new")
        number = next(iter(n for n, rows in self.state()["review_comments"].items() if rows))
        for path, type_name in (
                ("comments(first: 3)", "IssueComment"), ("reviews(first: 3)", "PullRequestReview"),
                ("labels(first: 3)", "Label"), ("assignees(first: 3)", "User"),
                ("reviewRequests(first: 3)", "ReviewRequest"),
                ("reviewThreads(first: 3)", "PullRequestReviewThread"),
                ("reviewThreads(first: 3) { nodes { comments(first: 3)", "PullRequestReviewComment")):
            close = " } }" if "{" in path else ""
            self.repository("pullRequest(number: %s) { %s { nodes { %s } } %s }" % (
                number, path, self.selection(schema, type_name), close))
        for type_name, path in (("Issue", "issues(first: 20)"), ("PullRequest", "pullRequests(first: 20)"),
                                ("Milestone", "milestones(first: 9)"), ("Label", "labels(first: 9)")):
            self.repository("%s { nodes { %s } }" % (path, self.selection(schema, type_name)))
        self.repository(self.selection(schema, "Repository").replace(
            "issue {", "issue(number: %d) {" % self.numbers(False)[0]).replace(
            "pullRequest {", "pullRequest(number: %s) {" % number).replace(
            "issueOrPullRequest {", "issueOrPullRequest(number: %s) {" % number))


class OldSchema(GraphCase):
    options = {"graphql_schema": "old"}

    def test_newer_types_are_refused(self):
        ask = HEAD % "issue(number: %d) { timelineItems(itemTypes: [LOCKED_EVENT%%s]) { filteredCount } }" \
            % self.numbers(False)[0]
        self.assertIn("data", self.refused(ask % ""))
        self.assertNotIn("data", self.refused(ask % ", ISSUE_TYPE_ADDED_EVENT"))

    def test_a_server_without_limits_has_none_to_tell(self):
        self.client.rate_limit(resource="graphql", headers="absent")
        answer = self.client.graphql("{ rateLimit { cost } }")
        self.assertEqual(answer.json(), {"data": {"rateLimit": None}})
        self.assertNotIn("X-RateLimit-Limit", answer.headers)


class Faults(GraphCase):
    ASK = "{ viewer { login } }"

    def test_gateway_errors_have_html_and_may_cost(self):
        self.client.fault(match="graphql", kind="gateway", status=504, points=12)
        answer = self.client.graphql(self.ASK)
        self.assertEqual((answer.status, answer.headers["Content-Type"]), (504, "text/html"))
        self.assertTrue(answer.body.startswith(b"<html>"))
        self.assertEqual(self.client.graphql(self.ASK).headers["X-RateLimit-Used"], "13")

    def test_only_large_queries_fail(self):
        self.client.fault(match="graphql", kind="gateway", more_nodes=500, times=-1)
        ask = HEAD % "issues(first: %d) { nodes { comments(first: 10) { totalCount } } }"
        self.assertEqual(self.client.graphql(ask % 80).status, 502)
        self.assertEqual(self.client.graphql(ask % 40).status, 200)
        self.client.clear_faults()
        self.client.fault(match="graphql", kind="gateway", more_aliases=2, times=-1)
        for count, status in ((2, 200), (3, 502)):
            ask = HEAD % " ".join(f"n{i}: issues {{ totalCount }}" for i in range(count))
            self.assertEqual(self.client.graphql(ask).status, status)

    def test_partial_data(self):
        ask = HEAD % "a: issues { totalCount } b: issues { totalCount } c: issues { totalCount }"
        self.client.fault(match="graphql", kind="partial", fields=["b"])
        body = self.refused(ask)
        self.assertEqual([k for k, v in body["data"]["repository"].items() if v is None], ["b"])
        self.assertEqual(body["errors"][0]["path"], ["repository", "b"])
        self.assertEqual(body["errors"][0]["type"], "RESOURCE_LIMITS_EXCEEDED")
        self.client.fault(match="graphql", kind="partial", at_once=True)
        self.assertIsNone(self.refused(ask)["data"])

    def test_limits(self):
        self.client.fault(match="graphql", kind="graphql_limited", reset_in_s=9)
        answer = self.client.graphql(self.ASK)
        self.assertEqual((answer.status, answer.json()["errors"][0]["type"]), (200, "RATE_LIMITED"))
        for status in (403, 200):
            self.client.fault(match="graphql", kind="secondary_limit", status=status, retry_after=7)
            answer = self.client.graphql(self.ASK)
            self.assertEqual((answer.status, answer.headers["Retry-After"]), (status, "7"))
            self.assertIn(b"secondary rate limit", answer.body)

    def test_a_body_cut_short(self):
        self.client.fault(match="graphql", kind="truncate", bytes=10)
        with self.assertRaises(Exception):
            self.client.graphql(self.ASK)
        self.assertEqual(self.client.graphql(self.ASK).status, 200)


class SwitchedOff(GraphCase):
    options = {"graphql": False}

    def test_a_server_without_it_says_404(self):
        self.assertEqual(self.client.graphql("{ viewer { login } }").status, 404)


class Enterprise(DoubleCase):
    options = {"base_path": "/api/v3"}
    token = "reader"

    def test_both_apis_have_their_places(self):
        self.assertEqual(self.get().status, 404)
        answer = self.client.get(f"/api/v3/repos/{REPO}/issues?per_page=5")
        self.assertEqual(answer.status, 200)
        link = answer.links()["next"]
        self.assertTrue(link.startswith(self.double.rest_url + "/repositories/"))
        self.assertEqual(self.client.get(link).status, 200)
        answer = self.client.graphql("{ viewer { login } }", path="/api/graphql")
        self.assertEqual(answer.json()["data"]["viewer"]["login"], "octo-viewer")

    @classmethod
    def folders(cls):
        return [made_recording()]


if __name__ == "__main__":
    unittest.main()
