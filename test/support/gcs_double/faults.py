"""Misbehaviour on request.

A fault is {"op", "kind", "times" (1; -1 = all), "after" (0), ...}; `op` is one of
insert, get, stat, list, delete, compose, rewrite, bucket, session, upload, token, or
"any".  Kinds:

  status        status, retry_after: answered instead of doing it
  reset_before  the connection is reset, nothing was done
  reset_after   it was done, the answer is lost
  lost_status   it was done, the answer is `status`
  broken        after `bytes` of the body the connection ends
  corrupt       one byte of the body is changed
  stall         nothing is sent for `delay_s`, then the connection ends
  slow          it is done after `delay_s`
  expired       answered 401, and every token is void
"""


class Fault:
    KINDS = ("status", "reset_before", "reset_after", "lost_status", "broken", "corrupt", "stall",
             "slow", "expired")

    def __init__(self, settings):
        self.op = settings.get("op", "any")
        self.kind = settings.get("kind")
        if self.kind not in self.KINDS:
            raise ValueError(f"unknown kind {self.kind!r}")
        self.left = int(settings.get("times", 1))
        self.to_pass = int(settings.get("after", 0))
        self.settings = settings

    def wants(self, op):
        if self.left == 0 or self.op not in ("any", op):
            return False
        if self.to_pass > 0:
            self.to_pass -= 1
            return False
        if self.left > 0:
            self.left -= 1
        return True


class Faults:
    def __init__(self):
        self.active = []

    def pick(self, op):
        return next((f for f in self.active if f.wants(op)), None)
