"""docs/openapi.yaml tells the truth: real answers are what its schemas say, for every route."""

import csv
import io
import json
import os
import unittest

import jsonschema
import yaml

import recordings
from expected_answer import load_recording
from fcgi_client import FcgiClient
from harness import Case, Mirror, count_of, seeded

ROOT = os.path.normpath(os.path.join(os.path.dirname(__file__), "..", ".."))
RULES = json.dumps([{"appliesTo": {"prs": True},
                     "complianceSettings": {"responseTime": "2d", "requiresAssignee": True}}])


class OpenApi(Case):
    @classmethod
    def setUpClass(cls):
        with open(os.path.join(ROOT, "docs", "openapi.yaml"), encoding="utf-8") as file:
            cls.document = yaml.safe_load(file)

    def setUp(self):
        super().setUp()
        folder = recordings.made(75, 40, 20)
        self.double = self.stage.double(folder)
        self.repo = load_recording(folder)["repo"]
        self.double.edit(self.repo, "set_rules", content=RULES)
        self.mirror = Mirror(self.stage, self.repo, self.double.url)
        self.mirror.sync()
        self.program, self.api = self.mirror.responder("--log", f"file://{self.mirror.log_root}")
        self.addCleanup(self.api.close)
        self.asked = set()

    def schema_of(self, template, answer):
        responses = self.document["paths"][template]["get"]["responses"]
        response = responses.get(str(answer.status), responses.get("default"))
        self.assertIsNotNone(response, f"{template} has no {answer.status}")
        if "$ref" in response:
            response = self.document["components"]["responses"][response["$ref"].split("/")[-1]]
        kind = answer.headers["content-type"].split(";")[0]
        return response["content"][kind].get("schema", {})

    def validate(self, schema, value):
        whole = {**schema, "components": self.document["components"]}
        jsonschema.Draft202012Validator(whole).validate(value)

    def check(self, template, query="", status=200, **values):
        owner, name = self.repo.split("/")
        path = template.format(owner=owner, repo=name, **values)
        answer = self.api.ask(path, query)
        self.assertEqual(status, answer.status, answer)
        schema = self.schema_of(template, answer)
        if answer.headers["content-type"].startswith("application/json"):
            self.validate(schema, answer.json())
        self.asked.add(template)
        return answer

    def numbers(self):
        return sorted(self.api.all(fieldMask="issueId"))

    def test_every_route(self):
        issue = "/api/v1/{owner}/{repo}/issues/{number}"
        for number in self.numbers():
            self.check(issue, "comments=true&reviews=true&reviewComments=true", number=number)
            for part in ("comments", "reviews", "reviewComments", "events"):
                self.check(f"{issue}/{part}", number=number)
                self.check(f"{issue}/{part}", "pageSize=1", number=number)
                self.check(f"{issue}/{part}", "pageToken=%21", status=400, number=number)
        self.check(issue, status=404, number=99_999_999)
        self.check(issue, status=400, number="x")
        root = "/api/v1/{owner}/{repo}"
        self.check(root)
        self.check(f"{root}/issues", "comments=true&reviews=true&reviewComments=true")
        self.check(f"{root}/issues", "fieldMask=title,reporter")
        self.check(f"{root}/issues", "orderBy=x", status=400)
        self.check(f"{root}/labels")
        self.check(f"{root}/milestones")
        slo = self.check(f"{root}/slo", "closed=true").json()
        self.assertTrue(slo["issues"])
        self.check(f"{root}/slo", "compliant=false&pageSize=2")
        self.check(f"{root}/logs")
        self.check(f"{root}/logs/{{number}}", number=0)
        self.check("/api/v1/owners/{owner}/repositories")
        self.check("/_healthz")
        self.assertEqual(set(self.document["paths"]), self.asked)

    def test_whole_lists(self):
        answer = self.check("/api/v1/{owner}/{repo}/issues", "format=ndjson&comments=true")
        lines = [json.loads(line) for line in answer.body.decode().split("\n")[:-1]]
        for line in lines:
            self.validate({"$ref": "#/components/schemas/Issue"}, line)
        self.assertEqual(self.api.walk(comments="true"), lines)
        table = self.check("/api/v1/{owner}/{repo}/issues", "format=csv&csvRaw=true")
        rows = list(csv.DictReader(io.StringIO(table.body.decode(), newline="")))
        self.assertEqual([line["title"] for line in lines], [row["title"] for row in rows])
        self.assertEqual([line["body"] for line in lines], [row["body"] for row in rows])
        self.assertEqual([", ".join(line["labels"]) for line in lines],
                         [row["labels"] for row in rows])
        self.assertEqual([line["reporter"]["login"] if line["reporter"] else "" for line in lines],
                         [row["reporter"] for row in rows])

    def test_parameters_are_those_of_the_schema(self):
        """Every query parameter that is named is taken, and refuses nonsense or has none."""
        for template, path in self.document["paths"].items():
            for parameter in path["get"].get("parameters", []):
                if "$ref" in parameter:
                    name = parameter["$ref"].split("/")[-1]
                    parameter = self.document["components"]["parameters"][name]
                if parameter["in"] != "query" or parameter["name"] in ("filter", "pageSize"):
                    continue
                query = f"{parameter['name']}=%00%ff"
                with self.subTest(path=template, parameter=parameter["name"]):
                    if template.startswith("/api/v1/owners"):
                        continue
                    self.check(template, query, status=400, number=self.numbers()[0])


class Order(Case):
    """An answer does not depend on what was asked before it, or is asked beside it."""

    def questions(self, repo, first):
        root = f"/api/v1/{repo}"
        queries = ["", "comments=true&reviews=true", "format=csv", "format=ndjson&comments=true",
                   "pageSize=3", "pageSize=3&orderBy=-updated", "fieldMask=reporter.login,title",
                   "filter=issue.is_pr", "filter=issue.title.contains('e')&pageSize=2",
                   "format=csv&filter=issue.closed&orderBy=-comments", "filter=nonsense",
                   "orderBy=nonsense", "closed=true&pullRequest=true", "format=csv&comments=true"]
        paths_ = [f"{root}/issues/{first}", f"{root}/issues/{first}/comments",
                  f"{root}/issues/{first}/events", f"{root}/labels", f"{root}/milestones", root,
                  f"{root}/issues/0", f"{root}/nothing", "/api/v1/owners/-/repositories"]
        return ([("GET", f"{root}/issues", query) for query in queries] +
                [("HEAD", f"{root}/issues", query) for query in ("", "format=csv")] +
                [("POST", f"{root}/issues", "")] + [("GET", path, "") for path in paths_])

    def test_answers_in_any_order(self):
        rng = seeded()
        folder = recordings.made(76, 30, 15)
        double = self.stage.double(folder)
        repo = load_recording(folder)["repo"]
        mirror = Mirror(self.stage, repo, double.url)
        mirror.sync()
        _, api = mirror.responder("--threads", "1")
        self.addCleanup(api.close)
        questions = self.questions(repo, min(api.all(fieldMask="issueId")))
        # A responder for each answer has no before.
        want = {}
        for method, path, query in questions:
            program, alone = mirror.responder()
            answer = alone.ask(path, query, method=method)
            want[method, path, query] = (answer.status, answer.body)
            alone.close()
            program.kill()
        clients = [FcgiClient(api.client.address) for _ in range(4)]
        for client in clients:
            self.addCleanup(client.close)
        for _ in range(count_of(400, 20_000)):
            method, path, query = rng.choice(questions)
            got = rng.choice(clients).ask(path, query, method)
            self.assertEqual(want[method, path, query], (got.status, got.body),
                             f"{method} {path}?{query}")


if __name__ == "__main__":
    unittest.main(verbosity=2)
