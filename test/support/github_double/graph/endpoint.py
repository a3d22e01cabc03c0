"""POST /graphql: one query in, GitHub's JSON out.

https://docs.github.com/en/graphql/guides/forming-calls-with-graphql
Status is 200 even when the query is refused; only a request that is no query at
all, or has no good token, gets another.
"""

import functools
import json

import github_objects as objects

from ..answers import Answer, ApiError
from ..clock import format_time
from ..records import encode
from . import cost, people
from .execute import Execution, Operation
from .language import MAX_QUERY_BYTES, QueryRefused, Schema, parse
from .repository import Objects

AUTHENTICATE = ("https://docs.github.com/graphql/guides/forming-calls-with-graphql"
                "#authenticating-with-graphql")
RATE_LIMITED = {"type": "RATE_LIMITED", "message": "API rate limit exceeded for user ID 1."}

KEPT_DOCUMENTS = 64


@functools.cache
def schema_of(age):
    """The `new` or `old` schema, built once in a process, when the first query comes."""
    return Schema(age)


@functools.lru_cache(KEPT_DOCUMENTS)
def _checked(age, text):
    """The document of a query that fits the schema; clients send the same text often."""
    document = parse(text)
    schema_of(age).check(document, text)
    return document


class Prepared:
    """A request's query after everything that needs no data: parsed, checked, counted."""

    def __init__(self, body, age="new"):
        self._age = age
        self.operation = self.cost = self.refusal = self.answer = None
        self.name = None
        self.nodes = self.aliases = 0
        self.points = 1
        try:
            self._read(body)
        except QueryRefused as refused:
            self.refusal = refused.errors
        except ApiError as error:
            self.answer = error.answer()

    def _read(self, body):
        call = _call(body)
        text = call.get("query")
        if not isinstance(text, str) or len(text) > MAX_QUERY_BYTES:
            raise QueryRefused([{"message":
                                 "A query attribute must be specified and must be a string."}])
        variables = call.get("variables") or {}
        if not isinstance(variables, dict):
            raise QueryRefused([{"message": "Variables must be an object"}])
        self.operation = Operation(schema_of(self._age), _checked(self._age, text), text,
                                   call.get("operationName"), variables)
        self.cost = cost.Cost(self.operation)
        self.name = self.operation.name
        self.nodes, self.aliases = self.cost.nodes, self.cost.aliases
        self.points = self.cost.points
        if self.nodes > cost.MAX_NODES:
            raise QueryRefused([{
                "type": "MAX_NODE_LIMIT_EXCEEDED", "message": "This query requests up to "
                f"{self.nodes:,} possible nodes which exceeds the maximum limit of "
                f"{cost.MAX_NODES:,}."}])


def _call(body):
    try:
        call = json.loads(body)
    except ValueError:
        call = None
    if not isinstance(call, dict):
        raise ApiError(400, "Problems parsing JSON")
    return call


class Graph:
    """Runs prepared queries; the gate charges for them."""

    def __init__(self, world, limits):
        self._world = world
        self._limits = limits

    def answer(self, request, token):
        prepared = request.graph
        if prepared.answer is not None:
            return prepared.answer
        if self._limits.is_used_up(token):
            return answer_of(None, [RATE_LIMITED])
        if prepared.refusal is not None:
            return Answer(200, encode({"errors": prepared.refusal}))
        execution = Execution(prepared.operation)
        things = Objects(self._world, prepared.operation.schema)
        root = things.root(lambda _call: self._rate_limit(prepared, token), lambda _call: people.actor(
            objects.user("octo-viewer", 583_231)))
        data = execution.run(root)
        return answer_of(data, execution.errors)

    def _rate_limit(self, prepared, token):
        if self._limits.header_mode != "normal":
            return None  # an Enterprise server without limits
        left = max(0, self._limits.remaining(token) - prepared.points)
        return {"__typename": "RateLimit", "limit": self._limits.limit, "cost": prepared.points,
                "remaining": left, "used": self._limits.limit - left,
                "resetAt": format_time(self._limits.reset(token)), "nodeCount": prepared.nodes}


def answer_of(data, errors):
    body = {"data": data}
    if errors:
        body["errors"] = errors
    return Answer(200, encode(body))
