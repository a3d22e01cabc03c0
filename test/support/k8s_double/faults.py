"""Misbehaviour on command.

A fault is {"kind", and optionally "verb", "resource", "name", "user", "after" (let so many
pass), "times" (default 1, -1: always)} and what its kind needs:
  status    "status", "reason", "retry_after"     refuse, without doing it
  lost      the same                              do it, then refuse
  reset, reset_after                              close, before or after doing it
  hang      "delay_s"                             wait, then close
  slow      "delay_s"                             wait, then do it
  truncate  "bytes"                               do it, cut the answer's body short
  cut       "after_events"                        end a watch in the middle of the next object
  close     "after_events"                        end a watch between objects
"""

KINDS = ("status", "lost", "reset", "reset_after", "hang", "slow", "truncate", "cut", "close")
_KNOWN = {"kind", "verb", "resource", "name", "user", "after", "times", "status", "reason", "retry_after",
          "delay_s", "bytes", "after_events"}


class Fault:
    def __init__(self, settings):
        unknown = set(settings) - _KNOWN
        if unknown or settings.get("kind") not in KINDS:
            raise ValueError(f"bad fault: {settings}")
        self.kind = settings["kind"]
        self.settings = settings
        self.left = settings.get("times", 1)
        self.skip = settings.get("after", 0)

    def concerns(self, entry):
        return all(self.settings[field] == entry[field] for field in ("verb", "resource", "name", "user")
                   if field in self.settings)


class Faults:
    def __init__(self):
        self.active = []

    def pick(self, entry):
        """The first fault that concerns this request, spent by one."""
        for fault in self.active:
            if fault.left == 0 or not fault.concerns(entry):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            if fault.left > 0:
                fault.left -= 1
            return fault
        return None
