"""Lists, pages, watches, rollout and faults of the Kubernetes double."""

import http.client
import json
import unittest
import urllib.parse
import urllib.request

from k8s_objects import DEPLOYMENTS, Case, deployment


class Lists(Case):
    def setUp(self):
        super().setUp()
        for number in range(5):
            self.apply(deployment(f"d{number}", n=str(number)))

    def names(self, query):
        status, answer = self.ask("GET", f"{DEPLOYMENTS}?{urllib.parse.urlencode(query)}")
        self.assertEqual(status, 200, answer)
        return [i["metadata"]["name"] for i in answer["items"]]

    def test_selectors_choose(self):
        for selector, want in (("n=1", ["d1"]), ("n in (1, 2)", ["d1", "d2"]), ("n notin (0,1,2)", ["d3", "d4"]),
                               ("!n", []), ("n,n!=4,n!=3", ["d0", "d1", "d2"])):
            self.assertEqual(self.names({"labelSelector": selector}), want, selector)
        self.assertEqual(self.names({"fieldSelector": "metadata.name=d3"}), ["d3"])
        for query in ("labelSelector=n=(", "labelSelector=n=-x", "fieldSelector=spec.replicas=1"):
            self.assertEqual(self.ask("GET", f"{DEPLOYMENTS}?{query}")[0], 400, query)

    def test_pages_are_of_one_version_and_end(self):
        status, first = self.ask("GET", f"{DEPLOYMENTS}?limit=3")
        self.assertEqual((status, first["metadata"]["remainingItemCount"]), (200, 2))
        self.ask("DELETE", f"{DEPLOYMENTS}/d4")
        token = first["metadata"]["continue"]
        _, second = self.ask("GET", f"{DEPLOYMENTS}?limit=3&continue={token}")
        self.assertEqual([i["metadata"]["name"] for i in second["items"]], ["d3", "d4"])
        self.assertEqual(second["metadata"], {"resourceVersion": first["metadata"]["resourceVersion"]})

    def test_pages_expire(self):
        for end in (lambda: self.double.do("compact"), lambda: self.double.do("clock", advance_s=301)):
            token = self.ask("GET", f"{DEPLOYMENTS}?limit=1")[1]["metadata"]["continue"]
            end()
            status, answer = self.ask("GET", f"{DEPLOYMENTS}?limit=1&continue={token}")
            self.assertEqual((status, answer["reason"]), (410, "Expired"))


class Watches(Case):
    def watch(self, query="", to_the_end=False):
        url = f"{self.double.origin}{DEPLOYMENTS}?watch=true&timeoutSeconds=1{query}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            lines = answer.read().split(b"\n")
        self.assertEqual(lines.pop(), b"")
        return [json.loads(line) for line in lines]

    def test_a_watch_tells_what_came_after_a_version(self):
        self.double.do("set", manual=True)
        version = self.apply(deployment("a"))["metadata"]["resourceVersion"]
        self.apply(deployment("b"))
        self.apply(deployment("b", more="x"))
        self.ask("DELETE", f"{DEPLOYMENTS}/b")
        seen = [(e["type"], e["object"]["metadata"]["name"]) for e in self.watch(f"&resourceVersion={version}")]
        self.assertEqual(seen, [("ADDED", "b"), ("MODIFIED", "b"), ("DELETED", "b")])

    def test_without_a_version_what_there_is_comes_first(self):
        self.apply(deployment("a"))
        self.assertEqual([e["type"] for e in self.watch()], ["ADDED"])

    def test_what_is_selected_no_longer_is_deleted(self):
        self.double.do("set", manual=True)
        version = self.apply(deployment("a", x="1"))["metadata"]["resourceVersion"]
        self.apply(deployment("a", x="2"))
        self.assertEqual([e["type"] for e in self.watch(f"&resourceVersion={version}&labelSelector=x=1")], ["DELETED"])

    def test_bookmarks_come_when_asked_for(self):
        self.double.do("set", bookmark_every_s=0.2)
        version = self.apply(deployment())["metadata"]["resourceVersion"]
        events = self.watch(f"&resourceVersion={version}&allowWatchBookmarks=true")
        marks = [e["object"] for e in events if e["type"] == "BOOKMARK"]
        self.assertGreater(len(marks), 1)
        self.assertEqual(marks[-1]["metadata"]["resourceVersion"], str(self.double.store.version))
        self.assertNotIn("BOOKMARK", [e["type"] for e in self.watch()])

    def test_history_that_is_gone_is_410_in_either_form(self):
        version = self.apply(deployment("a"))["metadata"]["resourceVersion"]
        self.apply(deployment("b"))
        self.double.do("compact")
        event = self.watch(f"&resourceVersion={version}")[0]
        self.assertEqual((event["type"], event["object"]["code"]), ("ERROR", 410))
        self.double.do("set", gone_as_status=True)
        self.assertEqual(self.ask("GET", f"{DEPLOYMENTS}?watch=true&resourceVersion={version}")[0], 410)

    def test_a_watch_can_be_cut_in_an_object(self):
        self.apply(deployment("a"))
        self.apply(deployment("b"))
        self.double.fault(verb="watch", kind="cut", after_events=1)
        with urllib.request.urlopen(f"{self.double.origin}{DEPLOYMENTS}?watch=true", timeout=10) as answer:
            with self.assertRaises(http.client.IncompleteRead) as broken:
                answer.read()
        whole, half = broken.exception.partial.split(b"\n")
        self.assertEqual(json.loads(whole)["object"]["metadata"]["name"], "a")
        with self.assertRaises(ValueError):
            json.loads(half)


class Rollout(Case):
    def ready(self):
        return self.live().get("status", {}).get("readyReplicas", 0)

    def test_a_deployment_is_ready_at_once_later_or_never(self):
        self.apply(deployment("a"))
        self.assertEqual((self.ready(), self.live()["status"]["observedGeneration"]), (1, 1))
        self.double.do("set", ready_after_s=50)
        self.ask("PATCH", f"{DEPLOYMENTS}/a/scale", {"spec": {"replicas": 2}}, "application/merge-patch+json")
        self.assertEqual((self.ready(), self.live()["status"]["observedGeneration"]), (0, 2))
        self.double.do("clock", advance_s=49)
        self.assertEqual(self.ready(), 0)
        self.double.do("clock", advance_s=1.5)
        self.assertEqual(self.ready(), 2)
        self.double.do("set", ready_after_s=None)
        self.ask("PATCH", f"{DEPLOYMENTS}/a/scale", {"spec": {"replicas": 1}}, "application/merge-patch+json")
        self.double.do("clock", advance_s=1e6)
        self.assertEqual(self.ready(), 0)
        self.double.do("ready", namespace="maintner", name="a")
        self.assertEqual(self.ready(), 1)

    def test_status_is_written_apart(self):
        self.double.do("set", manual=True)
        made = self.apply(deployment("a"))
        made["status"] = {"readyReplicas": 7}
        made["spec"]["replicas"] = 9
        self.assertEqual(self.ask("PUT", f"{DEPLOYMENTS}/a/status", made)[0], 200)
        self.assertEqual((self.ready(), self.live()["spec"]["replicas"], self.live()["metadata"]["generation"]), (7, 1, 1))


class Faults(Case):
    def test_a_refusal_carries_when_to_come_back(self):
        self.double.fault(verb="list", resource="deployments", kind="status", status=429, retry_after=3, after=1)
        self.assertEqual(self.ask("GET", DEPLOYMENTS)[0], 200)
        with self.assertRaises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(self.double.origin + DEPLOYMENTS, timeout=10)
        self.assertEqual((refused.exception.code, refused.exception.headers["Retry-After"]), (429, "3"))
        refused.exception.close()
        self.assertEqual(self.ask("GET", DEPLOYMENTS)[0], 200)

    def test_an_answer_can_be_lost_after_the_deed(self):
        for kind, name in (("lost", "a"), ("reset_after", "b"), ("truncate", "c")):
            self.double.fault(verb="patch", name=name, kind=kind, status=503)
            try:
                status, _ = self.double.apply(f"{DEPLOYMENTS}/{name}", deployment(name))
                self.assertEqual((kind, status), ("lost", 503))
            except (OSError, http.client.HTTPException):
                self.assertIn(kind, ("reset_after", "truncate"))
            self.assertIn(name, self.double.objects("deployments"))

    def test_a_reset_comes_before_the_deed(self):
        self.double.fault(verb="patch", kind="reset")
        with self.assertRaises(OSError):
            self.double.apply(f"{DEPLOYMENTS}/a", deployment())
        self.assertEqual(self.double.objects("deployments"), {})

    def test_it_can_be_down_for_a_while(self):
        self.double.do("down", for_s=60)
        with self.assertRaises(OSError):
            self.ask("GET", DEPLOYMENTS)
        self.double.do("down", for_s=0)
        self.assertEqual(self.ask("GET", DEPLOYMENTS)[0], 200)

    def test_requests_are_counted_and_logged(self):
        self.double.apply(f"{DEPLOYMENTS}/a", deployment())
        self.ask("GET", f"{DEPLOYMENTS}/b")
        self.assertEqual(self.double.counts(), {"patch deployments": 1, "get deployments": 1})
        logged = self.double.requests(verb="get")[0]
        self.assertEqual((logged["user"], logged["code"], logged["path"]), ("anonymous", 404, f"{DEPLOYMENTS}/b"))

    def test_a_fault_that_there_is_not_is_refused(self):
        with self.assertRaises(ValueError):
            self.double.fault(kind="statsu")


if __name__ == "__main__":
    unittest.main()
