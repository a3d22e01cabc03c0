"""What clients asked, for tests that hold a program to a request budget."""

import threading
from collections import Counter, deque

CLASSES = (
    "repo", "issues", "issue", "comments", "issue_comments", "events", "issue_events",
    "pulls", "pull", "reviews", "review_comments", "pull_comments", "labels", "milestones",
    "rate_limit", "rules", "graphql", "app", "app_token", "other",
)

KEPT_REQUESTS = 20_000
KEPT_VIOLATIONS = 1_000


class Counters:
    def __init__(self):
        self._flight_lock = threading.Lock()
        self.in_flight = 0
        self.reset()

    def reset(self):
        self._by_class = Counter()
        self._not_modified_by_class = Counter()
        self._by_status = Counter()
        self._total = 0
        self._conditional = 0
        self._authorized = 0
        self._bytes_sent = 0
        self._max_in_flight = self.in_flight
        self._violations = Counter()
        self.points = 0  # that GraphQL queries cost
        self._requests = deque(maxlen=KEPT_REQUESTS)

    def begin(self):
        """A request has arrived; called without the double's lock."""
        with self._flight_lock:
            self.in_flight += 1
            self._max_in_flight = max(self._max_in_flight, self.in_flight)

    def end(self, request, answer):
        """Count one finished request; `answer.status` 0: nothing was answered."""
        with self._flight_lock:
            self.in_flight -= 1
        self._total += 1
        self._by_class[request.kind] += 1
        self._by_status[answer.status] += 1
        if answer.status == 304:
            self._not_modified_by_class[request.kind] += 1
        if "if-none-match" in request.headers:
            self._conditional += 1
        if "authorization" in request.headers:
            self._authorized += 1
        self._bytes_sent += len(answer.body)
        self._requests.append((request.method, request.target, answer.status, request.graph))

    def violation(self, text):
        if text in self._violations or len(self._violations) < KEPT_VIOLATIONS:
            self._violations[text] += 1

    def report(self):
        return {
            **{name: self._by_class[name] for name in CLASSES},
            "total": self._total,
            "graphql_points": self.points,
            "conditional": self._conditional,
            "not_modified": self._by_status[304],
            "not_modified_by_class": dict(self._not_modified_by_class),
            "with_authorization": self._authorized,
            "max_in_flight": self._max_in_flight,
            "body_bytes": self._bytes_sent,
            "by_status": {str(k): v for k, v in sorted(self._by_status.items())},
            "violations": [{"what": k, "times": v} for k, v in self._violations.items()],
        }

    def requests(self):
        """The latest requests; of a GraphQL query also what it asked for."""
        return [{"method": m, "target": t, "status": s, **_query(graph)}
                for m, t, s, graph in self._requests]


def _query(graph):
    if graph is None:
        return {}
    return {"operationName": graph.name, "aliases": graph.aliases, "nodes": graph.nodes,
            "points": graph.points}
