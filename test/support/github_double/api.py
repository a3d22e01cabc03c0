"""The read endpoints of GitHub's REST API over the model.

Each handler is named after its page in https://docs.github.com/en/rest and
returns an Answer or raises ApiError.  Request checks that hold for every
endpoint (headers, tokens, limits, ETags) are in gate.py.
"""

import base64
import hashlib
import re

from . import listing
from .answers import Answer, ApiError, moved, not_found
from .graph.endpoint import Prepared
from .records import encode

PAGE_ISSUES = "issues/issues#list-repository-issues"
PAGE_ISSUE = "issues/issues#get-an-issue"
PAGE_COMMENTS = "issues/comments#list-issue-comments-for-a-repository"
PAGE_ISSUE_COMMENTS = "issues/comments#list-issue-comments"
PAGE_EVENTS = "issues/events#list-issue-events-for-a-repository"
PAGE_ISSUE_EVENTS = "issues/events#list-issue-events"
PAGE_PULLS = "pulls/pulls#list-pull-requests"
PAGE_PULL = "pulls/pulls#get-a-pull-request"
PAGE_REVIEWS = "pulls/reviews#list-reviews-for-a-pull-request"
PAGE_REVIEW_COMMENTS = "pulls/comments#list-review-comments-in-a-repository"
PAGE_LABELS = "issues/labels#list-labels-for-a-repository"
PAGE_MILESTONES = "issues/milestones#list-milestones"
PAGE_CONTENTS = "repos/contents#get-repository-content"
PAGE_REPO = "repos/repos#get-a-repository"

# The second is that of an Enterprise server, whose REST API lies below /api/v3.
GRAPHQL_PATHS = ("/graphql", "/api/graphql")

RULES_PATH = ".github/issue_slo_rules.json"

_REPO_PREFIX = re.compile(r"/repos/([^/]+)/([^/]+)((?:/.*)?)\Z")
_ID_PREFIX = re.compile(r"/repositories/(\d+)((?:/.*)?)\Z")

# Endpoints that answer 410 while a repository's issues are switched off.
ISSUE_KINDS = ("issues", "issue", "comments", "issue_comments", "events", "issue_events")

STATES = ("open", "closed", "all")
DIRECTIONS = ("asc", "desc")


class Api:
    def __init__(self, world, options):
        self.world = world
        self.options = options
        routes = (
            (r"", "repo", self.repo, ()),
            (r"/issues", "issues", self.issues,
             ("state", "sort", "direction", "since", "after", "before")),
            (r"/issues/comments", "comments", self.comments, ("sort", "direction", "since")),
            (r"/issues/events", "events", self.events, ()),
            (r"/issues/(\d+)", "issue", self.issue, ()),
            (r"/issues/(\d+)/comments", "issue_comments", self.issue_comments, ("since",)),
            (r"/issues/(\d+)/events", "issue_events", self.issue_events, ()),
            (r"/pulls", "pulls", self.pulls, ("state", "sort", "direction")),
            (r"/pulls/comments", "review_comments", self.review_comments,
             ("sort", "direction", "since")),
            (r"/pulls/(\d+)", "pull", self.pull, ()),
            (r"/pulls/(\d+)/reviews", "reviews", self.reviews, ()),
            (r"/pulls/(\d+)/comments", "pull_comments", self.pull_comments,
             ("sort", "direction", "since")),
            (r"/labels", "labels", self.labels, ()),
            (r"/milestones", "milestones", self.milestones, ("state", "sort", "direction")),
            (r"/contents/" + re.escape(RULES_PATH), "rules", self.rules, ("ref",)),
        )
        self._routes = [(re.compile(pattern + r"\Z"), kind, handler, known)
                        for pattern, kind, handler, known in routes]

    # Finding the endpoint and the repository

    def classify(self, request):
        """Set request.kind and the route; before any check, so all is counted."""
        request.route = None
        if request.path in GRAPHQL_PATHS:
            request.kind = "graphql"
            if request.method == "POST" and self.options.graphql:
                request.graph = Prepared(request.body, self.options.graphql_schema)
            return
        rest = _rest_of(request.path)
        if request.path == "/rate_limit":
            request.kind = "rate_limit"
        if rest is None:
            return
        for pattern, kind, handler, known in self._routes:
            match = pattern.match(rest)
            if match:
                numbers = [int(group) for group in match.groups()]
                request.kind = kind
                request.route = (handler, numbers, known)
                return

    def unknown_parameters(self, request):
        """Names in the query that the endpoint does not have."""
        if request.route is None:
            return []
        known = (*request.route[2], "per_page", "page")
        return [name for name in listing.Query(request.query).values if name not in known]

    def answer(self, request):
        repository = self._repository(request)
        if request.route is None:
            raise not_found()
        handler, numbers, _known = request.route
        if request.kind in ISSUE_KINDS and not repository.has_issues:
            raise ApiError(410, "Issues has been disabled in this repository.", page=PAGE_ISSUES)
        return handler(request, repository, *numbers)

    def _repository(self, request):
        match = _ID_PREFIX.match(request.path)
        if match:
            found = self.world.by_id(int(match.group(1)))
        else:
            match = _REPO_PREFIX.match(request.path)
            if match is None:
                raise not_found()
            found = self._by_name(request, match)
        if found is None or found.removed:
            raise not_found(PAGE_REPO)
        return found

    def _by_name(self, request, match):
        full_name = f"{match.group(1)}/{match.group(2)}"
        found = self.world.by_name(full_name)
        if found is None:
            renamed = self.world.by_old_name(full_name)
            if renamed is not None and not renamed.removed:
                query = f"?{request.query}" if request.query else ""
                raise moved(f"{request.base_url}/repositories/{renamed.id}"
                            f"{match.group(3)}{query}", PAGE_REPO)
        return found

    # Single objects

    def repo(self, request, repository):
        return Answer(200, repository.info_raw(),
                      last_modified=repository.info.get("updated_at"))

    def issue(self, request, repository, number):
        record = self._present(request, repository, number, PAGE_ISSUE)
        return Answer(200, record.raw, last_modified=record.updated)

    def pull(self, request, repository, number):
        self._present(request, repository, number, PAGE_PULL)
        record = repository.pulls.get(number)
        if record is None:
            raise not_found(PAGE_PULL)
        return Answer(200, record.raw, last_modified=record.updated)

    def rules(self, request, repository):
        if repository.rules is None:
            raise not_found(PAGE_CONTENTS)
        if "raw" in request.headers.get("accept", ""):
            return Answer(200, repository.rules)
        return Answer(200, encode(_file_object(repository, repository.rules)))

    def _present(self, request, repository, number, page):
        """The issue record of a number, or what GitHub says of one that is gone."""
        record = repository.issues.get(number)
        if record is not None:
            return record
        gone = repository.gone.get(number)
        if gone is None or gone.kind == "missing":
            raise not_found(page)
        if gone.kind == "deleted":
            raise ApiError(410, "This issue was deleted", page=page)
        name, new_number = gone.target
        target = self.world.by_name(name)
        where = f"repositories/{target.id}" if target else f"repos/{name}"
        rest = re.sub(r"\A/issues/\d+|\A/pulls/\d+", "", _rest_of(request.path))
        raise moved(f"{request.base_url}/{where}/issues/{new_number}{rest}", page)

    # Listings of a repository

    def issues(self, request, repository):
        query = listing.Query(request.query, "Issue", PAGE_ISSUES)
        sort = query.choice("sort", ("created", "updated", "comments"), "created")
        state = query.choice("state", STATES, "open")
        descending = query.choice("direction", DIRECTIONS, "desc") == "desc"
        since = query.since()
        key = listing.issue_sort_key(sort)
        rows = repository.view(("issues", sort, state), lambda: sorted(
            _in_state(repository.issues.values(), state), key=key))
        rows = _since(rows, since)
        if not self.options.issue_cursors:
            return self._numbered(request, repository, rows[::-1] if descending else rows, query)
        binding = [repository.id, sort, descending, state, since]
        pager = listing.CursorPager(binding, key, descending)
        page, link = pager.page_of(rows, query, _link_url(request, repository))
        return _listing_answer(page, link)

    def pulls(self, request, repository):
        query = listing.Query(request.query, "PullRequest", PAGE_PULLS)
        sort = query.choice("sort", ("created", "updated", "popularity", "long-running"),
                            "created")
        state = query.choice("state", STATES, "open")
        default = "desc" if sort == "created" else "asc"
        descending = query.choice("direction", DIRECTIONS, default) == "desc"
        order = "comments" if sort == "popularity" else sort
        rows = repository.view(("pulls", sort, state, descending), lambda: sorted(
            _in_state(repository.pulls.values(), state),
            key=listing.issue_sort_key(order), reverse=descending))
        page, link = listing.page_of(rows, query, _link_url(request, repository))
        return _listing_answer(page, link, [record.pull_listing_raw() for record in page])

    def comments(self, request, repository):
        return self._dated(request, repository, "comments", PAGE_COMMENTS,
                           self.options.page_cap_comments)

    def review_comments(self, request, repository):
        return self._dated(request, repository, "review_comments", PAGE_REVIEW_COMMENTS)

    def _dated(self, request, repository, family, page, cap=0):
        """A repository-wide listing with sort, direction and since."""
        query = listing.Query(request.query, "IssueComment", page)
        sort = query.choice("sort", ("created", "updated"), None)
        descending = query.choice("direction", DIRECTIONS, "asc") == "desc"
        rows = repository.all_of(family)
        if sort is not None:
            rows = repository.view((family, sort, descending), lambda: sorted(
                repository.all_of(family), key=listing.id_sort_key(sort), reverse=descending))
        return self._numbered(request, repository, _since(rows, query.since()), query, cap)

    def events(self, request, repository):
        query = listing.Query(request.query, "IssueEvent", PAGE_EVENTS)
        rows = repository.view("events newest first", lambda: sorted(
            repository.all_of("events"), key=lambda r: (r.created, r.id), reverse=True))
        page, link = listing.page_of(rows, query, _link_url(request, repository),
                                     self.options.page_cap_events)
        return _listing_answer(page, link, [_with_issue(repository, r) for r in page])

    def labels(self, request, repository):
        query = listing.Query(request.query, "Label", PAGE_LABELS)
        return self._numbered(request, repository, repository.labels, query)

    def milestones(self, request, repository):
        query = listing.Query(request.query, "Milestone", PAGE_MILESTONES)
        state = query.choice("state", STATES, "open")
        query.choice("sort", ("due_on", "completeness"), "due_on")
        descending = query.choice("direction", DIRECTIONS, "asc") == "desc"
        rows = sorted(_in_state(repository.milestones, state),
                      key=lambda record: record.number, reverse=descending)
        return self._numbered(request, repository, rows, query)

    # Listings of one number

    def issue_comments(self, request, repository, number):
        self._present(request, repository, number, PAGE_ISSUE_COMMENTS)
        query = listing.Query(request.query, "IssueComment", PAGE_ISSUE_COMMENTS)
        rows = sorted(repository.of_number("comments", number), key=lambda r: r.id)
        return self._numbered(request, repository, _since(rows, query.since()), query)

    def issue_events(self, request, repository, number):
        self._present(request, repository, number, PAGE_ISSUE_EVENTS)
        query = listing.Query(request.query, "IssueEvent", PAGE_ISSUE_EVENTS)
        return self._numbered(request, repository, repository.of_number("events", number), query)

    def reviews(self, request, repository, number):
        self.pull(request, repository, number)
        query = listing.Query(request.query, "PullRequestReview", PAGE_REVIEWS)
        return self._numbered(request, repository, repository.of_number("reviews", number), query)

    def pull_comments(self, request, repository, number):
        self.pull(request, repository, number)
        query = listing.Query(request.query, "PullRequestReviewComment", PAGE_REVIEW_COMMENTS)
        sort = query.choice("sort", ("created", "updated"), None)
        descending = query.choice("direction", DIRECTIONS, "asc") == "desc"
        rows = sorted(repository.of_number("review_comments", number), key=lambda r: r.id)
        if sort is not None:
            rows.sort(key=listing.id_sort_key(sort), reverse=descending)
        return self._numbered(request, repository, _since(rows, query.since()), query)

    def _numbered(self, request, repository, rows, query, cap=0):
        page, link = listing.page_of(rows, query, _link_url(request, repository), cap)
        return _listing_answer(page, link)


def _rest_of(path):
    match = _ID_PREFIX.match(path)
    if match:
        return match.group(2)
    match = _REPO_PREFIX.match(path)
    return match.group(3) if match else None


def _link_url(request, repository):
    """GitHub's links name the repository by id, whatever the request named."""
    return f"{request.base_url}/repositories/{repository.id}{_rest_of(request.path)}"


def _in_state(records, state):
    return [r for r in records if state == "all" or r.state == state]


def _since(rows, since):
    return rows if since is None else [r for r in rows if r.updated >= since]


def _with_issue(repository, record):
    """An event of the repository-wide listing has its issue inside."""
    issue = repository.issues.get(record.number)
    if issue is None:
        return record.raw
    return record.raw[:-1] + b',"issue":' + issue.raw + b"}"


def _listing_answer(page, link, raws=None):
    raws = raws if raws is not None else [record.raw for record in page]
    newest = max((record.updated for record in page), default=None)
    headers = {"Link": link} if link else {}
    return Answer(200, b"[" + b",".join(raws) + b"]", headers, newest)


def _file_object(repository, content):
    blob = b"blob %d\0" % len(content) + content
    name = RULES_PATH.rsplit("/", 1)[1]
    url = f"https://api.github.com/repos/{repository.full_name}/contents/{RULES_PATH}"
    return {
        "name": name, "path": RULES_PATH, "sha": hashlib.sha1(blob).hexdigest(),
        "size": len(content), "url": url, "type": "file",
        "content": base64.encodebytes(content).decode(), "encoding": "base64",
    }
