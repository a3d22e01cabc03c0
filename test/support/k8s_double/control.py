"""Steering by POST /_double/NAME; every answer is the double's state.

  fault {...}  faults/clear  log/clear  compact  down {"for_s"}  clock {"advance_s"}  watches/stop
  set {"ready_after_s", "manual", "ready_by_name", "page_max", "gone_as_status", "bookmark_every_s", "mutations"}
                                              "mutations": kind -> strategic patch, as a webhook's
  ready {"namespace", "name", "ready"}        sets a Deployment's status now
  rotate {"old", "new"}                       another token for the same user
"""

import time

from .faults import Fault
from .rollout import DEPLOYMENT

_ROLLOUT = {"ready_after_s": "ready_after_s", "manual": "manual", "ready_by_name": "by_name"}
_DOUBLE = ("page_max", "gone_as_status", "bookmark_every_s")


def _set(double, settings):
    for name, value in settings.items():
        if name in _ROLLOUT:
            setattr(double.writes.rollout, _ROLLOUT[name], value)
        elif name == "mutations":
            double.writes.mutations = value
        elif name in _DOUBLE:
            setattr(double, name, value)
        else:
            raise ValueError(f"nothing to set: {name}")


def _advance(double, settings):
    double.store.clock.offset_s += settings["advance_s"]
    double.writes.rollout.tick()


def _down(double, settings):
    double.down_until = time.monotonic() + settings["for_s"]


def _ready(double, settings):
    found = double.store.get(DEPLOYMENT, settings.get("namespace", "default"), settings["name"])
    double.writes.rollout.set(found, settings.get("ready", True))


def _rotate(double, settings):
    double.access.tokens[settings["new"]] = double.access.tokens.pop(settings["old"])


def _stop_watches(double, _settings):
    for watch in list(double.watches):
        watch.stop()


_COMMANDS = {
    "state": lambda double, _s: None, "set": _set, "clock": _advance, "down": _down, "ready": _ready,
    "rotate": _rotate, "watches/stop": _stop_watches,
    "fault": lambda double, settings: double.faults.active.append(Fault(settings)),
    "faults/clear": lambda double, _s: double.faults.active.clear(),
    "log/clear": lambda double, _s: double.log.clear(),
    "compact": lambda double, _s: double.store.compact(),
}


def counts(log):
    """ "verb resource[/subresource]" -> how often it was asked."""
    out = {}
    for entry in log:
        key = f"{entry['verb']} {entry['resource']}"
        out[key] = out.get(key, 0) + 1
    return out


def command(double, name, settings):
    """Performs it and gives the state; ValueError for what there is not."""
    if name not in _COMMANDS:
        raise ValueError(f"no such command: {name}")
    with double.store.lock:
        _COMMANDS[name](double, settings)
        return {"log": double.log, "counts": counts(double.log), "version": double.store.version,
                "watches": len(double.watches)}
