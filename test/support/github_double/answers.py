"""Answers of the double and the error bodies that GitHub gives.

Status codes and messages follow
https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api
and https://docs.github.com/en/rest/using-the-rest-api/getting-started-with-the-rest-api
"""

from .records import encode

DOCS = "https://docs.github.com/rest"

REASONS = {
    200: "OK", 201: "Created", 301: "Moved Permanently", 302: "Found",
    304: "Not Modified", 307: "Temporary Redirect", 400: "Bad Request",
    401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
    405: "Method Not Allowed", 410: "Gone", 413: "Content Too Large",
    415: "Unsupported Media Type", 422: "Unprocessable Entity",
    429: "Too Many Requests", 431: "Request Header Fields Too Large",
    500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable",
    504: "Gateway Timeout",
}


class Answer:
    """What goes back for one request; `delivery` is set by a fault (faults.py)."""

    def __init__(self, status, body=b"", headers=None, last_modified=None):
        self.status = status
        self.body = body
        self.headers = headers if headers is not None else {}
        self.last_modified = last_modified  # time string of the newest object in it
        self.delivery = None
        self.points = None  # what a fault charges for it, instead of its cost

    @property
    def reason(self):
        return REASONS.get(self.status, "Unknown")


class ApiError(Exception):
    """Raised by any handler; becomes GitHub's JSON error."""

    def __init__(self, status, message, errors=None, page="", headers=None, extra=None,
                 url=None):
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors
        self.page = page
        self.headers = headers or {}
        self.extra = extra or {}
        self.url = url  # of the documentation, where it is not below DOCS

    def answer(self):
        body = {"message": self.message}
        if self.errors is not None:
            body["errors"] = self.errors
        body.update(self.extra)
        body["documentation_url"] = self.url or (f"{DOCS}/{self.page}" if self.page else DOCS)
        body["status"] = str(self.status)
        return Answer(self.status, encode(body), dict(self.headers))


def not_found(page=""):
    return ApiError(404, "Not Found", page=page)


def invalid(resource, field, value, page=""):
    """A query parameter with a value that the endpoint does not know."""
    error = {"resource": resource, "field": field, "code": "invalid", "value": value}
    return ApiError(422, "Validation Failed", [error], page)


def moved(location, page=""):
    """A permanent redirect, as for renamed repositories and transferred issues."""
    return ApiError(301, "Moved Permanently", page=page,
                    headers={"Location": location}, extra={"url": location})
