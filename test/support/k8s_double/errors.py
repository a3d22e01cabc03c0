"""Refusals, and the Status object that tells of one."""


class Refused(Exception):
    def __init__(self, code, reason, message, kind=None, name=None, causes=(), retry_after=None):
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.kind = kind
        self.name = name
        self.causes = list(causes)
        self.retry_after = retry_after

    def status(self):
        details = {}
        if self.name:
            details["name"] = self.name
        if self.kind is not None:
            if self.kind.group:
                details["group"] = self.kind.group
            details["kind"] = self.kind.kind if self.reason == "Invalid" else self.kind.plural
        if self.causes:
            details["causes"] = self.causes
        if self.retry_after is not None:
            details["retryAfterSeconds"] = self.retry_after
        out = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
               "message": self.message, "reason": self.reason, "code": self.code}
        if details:
            out["details"] = details
        return out


def bad_request(message):
    return Refused(400, "BadRequest", message)


def not_found(kind, name):
    return Refused(404, "NotFound", f'{kind.resource} "{name}" not found', kind, name)


def exists(kind, name):
    return Refused(409, "AlreadyExists", f'{kind.resource} "{name}" already exists', kind, name)


def stale(kind, name):
    return Refused(409, "Conflict", f'Operation cannot be fulfilled on {kind.resource} "{name}": the object '
                   "has been modified; please apply your changes to the latest version and try again", kind, name)


def expired(message):
    return Refused(410, "Expired", message)


def invalid(kind, name, causes):
    told = [f"{c['field']}: {c['message']}" for c in causes]
    text = told[0] if len(told) == 1 else "[" + ", ".join(told) + "]"
    head = f"{kind.kind}.{kind.group}" if kind.group else kind.kind
    return Refused(422, "Invalid", f'{head} "{name}" is invalid: {text}', kind, name, causes)
