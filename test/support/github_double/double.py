"""Puts the parts together: one Double is one server with its whole state."""

import sys
import threading

from .answers import Answer
from .api import GRAPHQL_PATHS, Api
from .app import App
from .clock import Clock
from .control import Control
from .counters import Counters
from .faults import FaultList
from .gate import Gate
from .graph.endpoint import Graph
from .limits import RateLimits, SecondaryLimits
from .loading import load_repository
from .model import World
from .server import Server
from .tokens import TokenBook

CONTROL_PREFIX = "/_double/"


class Options:
    """Settings of a Double; the defaults are those of the command line."""

    def __init__(self, **values):
        self.port = values.pop("port", 0)
        self.tokens = tuple(values.pop("tokens", ()))
        self.rate_limit = values.pop("rate_limit", 5000)
        self.graphql_limit = values.pop("graphql_limit", 5000)
        self.rest_points = values.pop("rest_points", 0)
        self.graphql_points = values.pop("graphql_points", 0)
        self.app_id = values.pop("app_id", None)
        self.app_key = values.pop("app_key", None)
        self.page_cap_events = values.pop("page_cap_events", 0)
        self.page_cap_comments = values.pop("page_cap_comments", 0)
        self.issue_cursors = values.pop("issue_cursors", True)
        self.graphql = values.pop("graphql", True)
        self.graphql_schema = values.pop("graphql_schema", "new")
        self.base_path = _base_path(values.pop("base_path", ""))
        self.quiet = values.pop("quiet", True)
        if values:
            raise TypeError(f"unknown options: {', '.join(values)}")


def _base_path(text):
    """The REST root's path without a slash at its end; "" is the root itself."""
    path = text.rstrip("/")
    if path and not path.startswith("/"):
        raise ValueError(f"a base path begins with a slash: {text!r}")
    return path


class Double:
    """Use as a context manager, or start() and stop() it."""

    def __init__(self, recordings=(), **options):
        self.options = Options(**options)
        self.clock = Clock()
        self.counters = Counters()
        self.faults = FaultList()
        self.limits = RateLimits(self.options.rate_limit, self.clock)
        self.graph_limits = RateLimits(self.options.graphql_limit, self.clock, "graphql")
        self.secondary = SecondaryLimits(self.clock, self.options.rest_points,
                                         self.options.graphql_points)
        self.tokens = TokenBook(self.options.tokens, self.clock, bool(self.options.app_key))
        self.world = World()
        for folder in recordings:
            self.world.add(load_repository(folder))
        self.app = App(self.options.app_id, self.options.app_key, self.world, self.tokens,
                       self.clock)
        self.api = Api(self.world, self.options)
        self.graph = Graph(self.world, self.graph_limits)
        self._gate = Gate(self)
        self._control = Control(self)
        self._lock = threading.Lock()
        self._server = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_exception):
        self.stop()

    def start(self):
        self._server = Server(self.options.port, self.respond)
        self._server.start()

    def stop(self):
        self._server.stop()

    @property
    def url(self):
        return self._server.url

    @property
    def rest_url(self):
        """The root of the REST API, what a client is given."""
        return self._server.url + self.options.base_path

    def _place(self, request):
        """Take the base path off a REST request; what lies outside of it is not there."""
        base = self.options.base_path
        if not base or request.path in GRAPHQL_PATHS:
            return
        inside = request.path == base or request.path.startswith(base + "/")
        request.path = request.path[len(base):] or "/" if inside else "/outside/the/base/path"
        request.base_url += base

    @property
    def port(self):
        return self._server.port

    def respond(self, request):
        """The answer of one request; model and counters change only in here."""
        if request.path.startswith(CONTROL_PREFIX):
            with self._lock:
                return self._control.answer(request)
        self.counters.begin()
        self._place(request)
        with self._lock:
            if not self.app.classify(request):
                self.api.classify(request)
            answer = Answer(500)
            try:
                answer = self._gate.answer(request)
            finally:
                if answer.delivery is None:
                    self.counters.end(request, answer)
        if answer.delivery is not None:
            answer.delivery = self._counted(request, answer, answer.delivery)
        if not self.options.quiet:
            print(f"{request.method} {request.target} {answer.status}{_query_text(request.graph)}",
                  file=sys.stderr)
        return answer

    def _counted(self, request, answer, deliver):
        """A slow delivery counts as in flight until it is over."""
        def wrapped(sock, head, body):
            try:
                return deliver(sock, head, body)
            finally:
                with self._lock:
                    self.counters.end(request, answer)
        return wrapped


def _query_text(graph):
    """What the log says of a GraphQL query."""
    return "" if graph is None else f" {graph.name} aliases={graph.aliases} points={graph.points}"
