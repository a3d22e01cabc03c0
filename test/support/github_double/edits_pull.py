"""Operations on pull requests and their reviews.

https://docs.github.com/en/rest/pulls/pulls, .../pulls/reviews, .../pulls/comments
"""

import hashlib
import zlib

import github_objects as objects

from .edits import EditError, operation
from .edits_issue import new_issue
from .records import Record

REVIEW_STATES = ("APPROVED", "CHANGES_REQUESTED", "COMMENTED", "DISMISSED")


def made_sha(*parts):
    """A commit id that follows from its parts."""
    return hashlib.sha1("/".join(str(part) for part in parts).encode()).hexdigest()


@operation
def create_pull(edit):
    """Settings: as create_issue, and draft, head_ref, base_ref."""
    repository = edit.repository
    issue = new_issue(edit, draft=bool(edit.get("draft", False)))
    number = issue["number"]
    info = repository.info
    head = objects.branch_side(issue["user"], info, edit.get("head_ref", f"topic-{number}"),
                               made_sha(repository.full_name, number, "head"))
    base = objects.branch_side(info["owner"], info,
                               edit.get("base_ref", info.get("default_branch", "main")),
                               made_sha(repository.full_name, number, "base"))
    data = objects.pull(repository.full_name, repository.next_id(), issue, head, base)
    edit.identify("pulls", data)
    repository.pulls[number] = Record.of(data)
    edit.change_issue(lambda whole: whole.update(node_id=data["node_id"]), number)
    repository.touched()
    return {"number": number, "id": issue["id"]}


@operation
def merge_pull(edit):
    """Settings: sha of the merge commit."""
    number = edit.number
    sha = edit.get("sha", made_sha(edit.repository.full_name, number, "merge"))
    merger = edit.actor()
    edit.change_pull(lambda data: data.update(
        merged=True, merged_at=edit.at, merged_by=merger, merge_commit_sha=sha))

    def change(data):
        data.update(state="closed", closed_at=edit.at, closed_by=merger)
        data["pull_request"]["merged_at"] = edit.at
    edit.change_issue(change)
    edit.add_event("merged", commit_id=sha)
    edit.add_event("closed", state_reason=None)
    edit.recount()
    return {"sha": sha}


@operation
def set_draft(edit):
    draft = bool(edit.need("draft"))
    edit.change_pull(lambda data: data.update(draft=draft))
    edit.change_issue(lambda data: data.update(draft=draft))
    edit.add_event("convert_to_draft" if draft else "ready_for_review")


@operation
def push_head(edit):
    """A force push: the head moves; settings: sha."""
    sha = edit.get("sha", made_sha(edit.repository.full_name, edit.number, edit.at))
    before = _pull(edit)["head"]["sha"]
    edit.change_pull(lambda data: data["head"].update(sha=sha))
    edit.change_issue(lambda data: None)
    edit.add_event("head_ref_force_pushed", hidden={"before_commit_id": before}, commit_id=sha)
    return {"sha": sha}


def _pull(edit):
    """The pull request object of the edit's number."""
    if edit.number not in edit.repository.pulls:
        raise EditError(f"{edit.number} is no pull request")
    return edit.repository.pulls[edit.number].load()


@operation
def change_base(edit):
    """Settings: base_ref, sha of its head."""
    new, old = edit.need("base_ref"), _pull(edit)["base"]["ref"]
    sha = edit.get("sha", made_sha(edit.repository.full_name, new))
    owner = edit.repository.info["owner"]["login"]
    edit.change_pull(lambda data: data["base"].update(ref=new, sha=sha, label=f"{owner}:{new}"))
    edit.change_issue(lambda data: None)
    edit.add_event("base_ref_changed", hidden={"previous_ref": old, "current_ref": new})
    return {"sha": sha}


@operation
def delete_head(edit):
    """The branch of a pull request is deleted; `updated_at` stays."""
    _pull(edit)
    edit.change_issue(lambda data: None, moves=False)
    edit.add_event("head_ref_deleted")


@operation
def restore_head(edit):
    _pull(edit)
    edit.change_issue(lambda data: None, moves=False)
    edit.add_event("head_ref_restored")


@operation
def request_review(edit):
    """Settings: reviewer (a login), or team (a name)."""
    if edit.get("team") is not None:
        found = objects.team(edit.get("team"), zlib.crc32(edit.get("team").encode()))
        field, fields = "requested_teams", {"requested_team": found}
    else:
        found = edit.user(edit.need("reviewer"))
        field, fields = "requested_reviewers", {"requested_reviewer": found}
    edit.change_pull(lambda data: data.update(
        {field: [p for p in data[field] if p["id"] != found["id"]] + [found]}))
    edit.change_issue(lambda data: None)
    edit.add_event("review_requested", **fields, review_requester=edit.actor())


@operation
def remove_review_request(edit):
    """Settings: reviewer (a login)."""
    login = edit.need("reviewer")
    gone = [p for p in _pull(edit)["requested_reviewers"] if p["login"] == login]
    if not gone:
        raise EditError(f"nobody asked {login!r} to review {edit.number}")
    edit.change_pull(lambda data: data.update(requested_reviewers=[
        p for p in data["requested_reviewers"] if p["login"] != login]))
    edit.change_issue(lambda data: None)
    edit.add_event("review_request_removed", requested_reviewer=gone[0],
                   review_requester=edit.actor())


@operation
def add_review(edit):
    """Settings: user, state, body, commit_id, move_updated."""
    repository, number = edit.repository, edit.number
    state = edit.get("state", "COMMENTED")
    if state not in REVIEW_STATES:
        raise EditError(f"state must be one of {REVIEW_STATES}")
    if number not in repository.pulls:
        raise EditError(f"{number} is no pull request")
    author = edit.user(edit.get("user", edit.get("actor", "octo-maintainer")))
    head_sha = repository.pulls[number].load()["head"]["sha"]
    review = objects.review(repository.full_name, repository.next_id(), number, author, edit.at,
                            state, edit.get("body", ""), edit.get("commit_id", head_sha))
    edit.add_part("reviews", number, review)
    edit.change_issue(lambda data: None)
    return {"id": review["id"], "number": number}


@operation
def edit_review(edit):
    """Settings: id, body.  `updated_at` stays: a listing does not tell."""
    _records, record = edit.part("reviews", edit.need("id"))
    data = record.load()
    data["body"] = edit.need("body")
    record.store(data)
    edit.repository.hidden[record.id] = {"edited_at": edit.at}
    edit.change_issue(lambda issue: None, record.number, moves=False)
    return {"number": record.number}


@operation
def dismiss_review(edit):
    """Settings: id, message."""
    _records, record = edit.part("reviews", edit.need("id"))
    data = record.load()
    old_state = data["state"]
    data["state"] = "DISMISSED"
    record.store(data)
    edit.change_issue(lambda issue: None, record.number)
    edit.add_event("review_dismissed", record.number, dismissed_review={
        "state": old_state.lower(), "review_id": record.id,
        "dismissal_message": edit.get("message", "No longer valid"),
        "dismissal_commit_id": None})
    return {"number": record.number}


@operation
def add_review_comment(edit):
    """Settings: body, user, review_id, path, line."""
    repository, number = edit.repository, edit.number
    if number not in repository.pulls:
        raise EditError(f"{number} is no pull request")
    sha = repository.pulls[number].load()["head"]["sha"]
    comment = objects.review_comment(
        repository.full_name, repository.next_id(), number, edit.get("review_id"),
        edit.user(edit.get("user", "octo-maintainer")), edit.at, edit.need("body"), sha,
        edit.get("path", "src/widget.c"), edit.get("line", 10))
    edit.add_part("review_comments", number, comment)
    edit.change_issue(lambda data: None)
    edit.change_pull(lambda data: data.update(
        review_comments=data.get("review_comments", 0) + 1))
    return {"id": comment["id"], "number": number}


@operation
def edit_review_comment(edit):
    """Settings: id, body.  The issue's `updated_at` does not move."""
    _records, record = edit.part("review_comments", edit.need("id"))
    data = record.load()
    data.update(body=edit.need("body"), updated_at=edit.at)
    record.store(data)
    edit.change_issue(lambda issue: None, record.number, moves=False)
    return {"number": record.number}


@operation
def delete_review_comment(edit):
    """Settings: id."""
    records, record = edit.part("review_comments", edit.need("id"))
    records.remove(record)
    edit.change_issue(lambda issue: None, record.number, moves=False)
    pull = edit.repository.pulls[record.number]
    data = pull.load()
    data["review_comments"] = max(0, data.get("review_comments", 1) - 1)
    pull.store(data)
    edit.repository.touched()
    return {"number": record.number}
