"""The `/_double/` interface, with which a test steers and questions the double.

  GET  /_double/counts          what clients asked (counters.py)
  POST /_double/counts/reset
  GET  /_double/requests        the latest requests, oldest first
  POST /_double/fault           add a fault, or a list of them (faults.py)
  GET  /_double/faults          faults and how often each was used
  POST /_double/faults/clear
  POST /_double/clock           {"set": RFC 3339 | null, "frozen": bool, "advance_s": n}
  POST /_double/rate_limit      {"resource": "core" | "graphql", "token", "remaining", "reset_in_s", "limit",
                                 "headers": "normal" | "absent" | "zero"}
  POST /_double/secondary       {"rest": points a minute, "graphql", "status": 403 or 429,
                                 "retry_after": bool}; 0 points: no limit
  POST /_double/token           {"revoke": token, or "*" for all installation tokens};
                                answers how many there are
  POST /_double/edit            {"repo": "o/r", "op": ...}, or a list (edits.py)
  POST /_double/random_edits    {"repo", "count", "seed", "kinds": [op, ...], "spread_s"}:
                                so many edits, the same for a seed (edits_random.py)
  POST /_double/delta           one line of a deltas file (edits_delta.py)
  POST /_double/load            {"recording": DIR}: one repository more
  GET  /_double/state?repo=o/r  everything that the repository holds

Answers are JSON; a request that makes no sense is a 400 with `error`.
"""

import json
from urllib.parse import parse_qsl

from .answers import Answer
from .clock import parse_time
from .edits import EditError, apply_edit
from .edits_delta import apply_delta
from .edits_random import random_edits
from .faults import FaultError
from .limits import HEADER_MODES
from .loading import load_repository
from .records import encode


class ControlError(ValueError):
    pass


class Control:
    def __init__(self, double):
        self._double = double
        self._routes = {
            ("GET", "counts"): self._counts,
            ("POST", "counts/reset"): self._reset_counts,
            ("GET", "requests"): self._requests,
            ("POST", "fault"): self._add_fault,
            ("GET", "faults"): self._list_faults,
            ("POST", "faults/clear"): self._clear_faults,
            ("POST", "clock"): self._set_clock,
            ("GET", "clock"): self._read_clock,
            ("POST", "rate_limit"): self._set_rate_limit,
            ("POST", "secondary"): self._set_secondary,
            ("POST", "token"): self._token,
            ("POST", "edit"): self._edit,
            ("POST", "random_edits"): self._random_edits,
            ("POST", "delta"): self._delta,
            ("POST", "load"): self._load,
            ("GET", "state"): self._state,
        }

    def answer(self, request):
        name = request.path.split("/", 2)[2]
        handler = self._routes.get((request.method, name))
        if handler is None:
            return _json({"error": f"no {request.method} {request.path}"}, 404)
        try:
            result = handler(request)
        except (ControlError, EditError, FaultError, ValueError, KeyError, TypeError,
                OSError) as error:
            return _json({"error": f"{type(error).__name__}: {error}"}, 400)
        return result if isinstance(result, Answer) else _json(result)

    def _counts(self, _request):
        return self._double.counters.report()

    def _reset_counts(self, _request):
        self._double.counters.reset()
        return {"ok": True}

    def _requests(self, _request):
        return self._double.counters.requests()

    def _add_fault(self, request):
        for settings in _list_of_objects(request):
            self._double.faults.add(settings)
        return {"ok": True}

    def _list_faults(self, _request):
        return self._double.faults.report()

    def _clear_faults(self, _request):
        self._double.faults.clear()
        return {"ok": True}

    def _set_clock(self, request):
        wish = _object(request)
        clock = self._double.clock
        if "set" in wish:
            if wish["set"] is None:
                clock.use_real_time()
            else:
                clock.set(parse_time(wish["set"]), bool(wish.get("frozen")))
        clock.advance(wish.get("advance_s", 0))
        return self._read_clock(request)

    def _read_clock(self, _request):
        return {"now": self._double.clock.text()}

    def _set_rate_limit(self, request):
        wish = _object(request)
        names = {"core": self._double.limits, "graphql": self._double.graph_limits}
        limits = names[wish.get("resource", "core")]
        if "headers" in wish:
            if wish["headers"] not in HEADER_MODES:
                raise ControlError(f"headers must be one of {HEADER_MODES}")
            limits.header_mode = wish["headers"]
        if "limit" in wish:
            limits.limit = int(wish["limit"])
        token = wish.get("token")
        limits.set(token and self._double.tokens.owner(token), wish.get("remaining"), wish.get("reset_in_s"))
        return {"ok": True}

    def _set_secondary(self, request):
        self._double.secondary.set(_object(request))
        return {"ok": True, "refused": self._double.secondary.refused}

    def _token(self, request):
        wish = _object(request)
        if "revoke" in wish:
            self._double.tokens.revoke(wish["revoke"])
        return self._double.tokens.report()

    def _edit(self, request):
        wish = _body(request)
        if isinstance(wish, list):
            return [self._one_edit(settings) for settings in wish]
        return self._one_edit(wish)

    def _one_edit(self, settings):
        return apply_edit(self._double.world, self._double.clock, settings)

    def _random_edits(self, request):
        return random_edits(self._double.world, self._double.clock, _object(request))

    def _delta(self, request):
        return apply_delta(self._double.world, _object(request))

    def _load(self, request):
        repository = load_repository(_object(request)["recording"])
        self._double.world.add(repository)
        return {"repo": repository.full_name}

    def _state(self, request):
        name = dict(parse_qsl(request.query)).get("repo", "")
        repository = self._double.world.by_name(name)
        if repository is None:
            raise ControlError(f"no repository {name!r}")
        return Answer(200, repository.state(), {"Content-Type": "application/json"})


def _body(request):
    return json.loads(request.body or b"{}")


def _object(request):
    body = _body(request)
    if not isinstance(body, dict):
        raise ControlError("a JSON object is expected")
    return body


def _list_of_objects(request):
    body = _body(request)
    return body if isinstance(body, list) else [body]


def _json(value, status=200):
    return Answer(status, encode(value) + b"\n", {"Content-Type": "application/json"})
