"""Operations on issues (and on pull requests where they are issues).

https://docs.github.com/en/rest/issues/issues and .../issues/comments
"""

import github_objects as objects
import node_ids

from .edits import EditError, operation
from .model import Gone
from .records import Record


def new_issue(edit, draft=None):
    """Make the issue object of create_issue and create_pull, and file it."""
    repository = edit.repository
    number = int(edit.get("number", repository.next_number()))
    if number in repository.issues:
        raise EditError(f"issue {number} exists")
    author = edit.user(edit.get("user", edit.get("actor", "octo-maintainer")))
    data = objects.issue(repository.full_name, repository.next_id(), number,
                         edit.get("title", f"Made issue {number}"), author, edit.at,
                         edit.get("body", ""), draft)
    data["labels"] = [label_named(edit, name) for name in edit.get("labels", ())]
    data["assignees"] = [edit.user(login) for login in edit.get("assignees", ())]
    data["assignee"] = data["assignees"][0] if data["assignees"] else None
    if edit.get("milestone") is not None:
        data["milestone"] = milestone_record(edit, edit.get("milestone")).load()
    edit.identify("issues", data)
    repository.issues[number] = Record.of(data)
    repository.gone.pop(number, None)
    edit.recount()
    return data


@operation
def create_issue(edit):
    data = new_issue(edit)
    return {"number": data["number"], "id": data["id"]}


@operation
def edit_title(edit):
    new = edit.need("title")
    old = edit.issue_record().load()["title"]
    edit.change_issue(lambda data: data.update(title=new))
    edit.add_event("renamed", rename={"from": old, "to": new})


@operation
def edit_body(edit):
    body = edit.need("body")
    edit.change_issue(lambda data: data.update(body=body))


@operation
def touch(edit):
    """Only `updated_at` moves."""
    edit.change_issue(lambda data: None)


# Labels

def label_named(edit, name):
    """The label object of a name; GitHub makes an unknown one, and so do we."""
    for record in edit.repository.labels:
        data = record.load()
        if data["name"].lower() == name.lower():
            return data
    data = objects.label(edit.repository.full_name, edit.repository.next_id(), name)
    edit.identify("labels", data)
    edit.repository.labels.append(Record.of(data))
    return data


@operation
def add_label(edit):
    label = label_named(edit, edit.need("name"))

    def change(data):
        if all(old["id"] != label["id"] for old in data["labels"]):
            data["labels"].append(label)
    edit.change_issue(change)
    edit.add_event("labeled", label={"name": label["name"], "color": label["color"]})
    return {"id": label["id"]}


@operation
def remove_label(edit):
    name = edit.need("name")
    gone = [x for x in edit.issue_record().load()["labels"] if x["name"] == name]
    if not gone:
        raise EditError(f"issue {edit.number} has no label {name!r}")
    edit.change_issue(lambda data: data.update(
        labels=[x for x in data["labels"] if x["name"] != name]))
    edit.add_event("unlabeled", label={"name": name, "color": gone[0]["color"]})


# State

@operation
def close(edit):
    """Settings: state_reason (completed), commit_id of a closing commit."""
    reason = edit.get("state_reason", "completed")
    is_pull = edit.number in edit.repository.pulls
    closer = edit.actor()
    edit.change_issue(lambda data: data.update(
        state="closed", closed_at=edit.at, closed_by=closer,
        state_reason=None if is_pull else reason))
    edit.add_event("closed", commit_id=edit.get("commit_id"),
                   state_reason=None if is_pull else reason)
    edit.recount()


@operation
def reopen(edit):
    is_pull = edit.number in edit.repository.pulls
    edit.change_issue(lambda data: data.update(
        state="open", closed_at=None, closed_by=None,
        state_reason=None if is_pull else "reopened"))
    edit.add_event("reopened", state_reason=None)
    edit.recount()


@operation
def lock(edit):
    reason = edit.get("reason")
    edit.change_issue(lambda data: data.update(locked=True, active_lock_reason=reason))
    edit.add_event("locked", lock_reason=reason)


@operation
def unlock(edit):
    edit.change_issue(lambda data: data.update(locked=False, active_lock_reason=None))
    edit.add_event("unlocked")


# People and milestones

def _set_assignees(data, people):
    data["assignees"] = people
    data["assignee"] = people[0] if people else None


@operation
def assign(edit):
    """Settings: assignee (a login)."""
    person = edit.user(edit.need("assignee"))
    edit.change_issue(lambda data: _set_assignees(
        data, [p for p in data["assignees"] if p["id"] != person["id"]] + [person]))
    edit.add_event("assigned", assignee=person, assigner=edit.actor())


@operation
def unassign(edit):
    login = edit.need("assignee")
    person = edit.user(login)
    edit.change_issue(lambda data: _set_assignees(
        data, [p for p in data["assignees"] if p["login"] != login]))
    edit.add_event("unassigned", assignee=person, assigner=edit.actor())


def milestone_record(edit, number):
    for record in edit.repository.milestones:
        if record.number == number:
            return record
    raise EditError(f"no milestone {number}")


@operation
def set_milestone(edit):
    """Settings: milestone (its number)."""
    milestone = milestone_record(edit, edit.need("milestone")).load()
    edit.change_issue(lambda data: data.update(milestone=milestone))
    edit.add_event("milestoned", milestone={"title": milestone["title"]})


@operation
def clear_milestone(edit):
    old = edit.issue_record().load()["milestone"]
    if old is None:
        raise EditError(f"issue {edit.number} has no milestone")
    edit.change_issue(lambda data: data.update(milestone=None))
    edit.add_event("demilestoned", milestone={"title": old["title"]})


# Comments

@operation
def add_comment(edit):
    """Settings: body, user (a login, or null for a deleted account)."""
    repository, number = edit.repository, edit.number
    author = edit.user(edit.get("user", edit.get("actor", "octo-maintainer")))
    comment = objects.comment(repository.full_name, repository.next_id(), number,
                              number in repository.pulls, author, edit.at, edit.need("body"))
    edit.issue_record()
    edit.add_part("comments", number, comment)
    edit.change_issue(lambda data: data.update(comments=data["comments"] + 1))
    return {"id": comment["id"], "number": number}


@operation
def edit_comment(edit):
    """Settings: id, body."""
    _records, record = edit.part("comments", edit.need("id"))
    data = record.load()
    data.update(body=edit.need("body"), updated_at=edit.at)
    record.store(data)
    edit.change_issue(lambda issue: None, record.number)
    return {"number": record.number}


@operation
def delete_comment(edit):
    """Settings: id; move_updated, because GitHub was seen to do either."""
    records, record = edit.part("comments", edit.need("id"))
    author = record.load()["user"]
    records.remove(record)
    edit.change_issue(lambda issue: issue.update(comments=issue["comments"] - 1),
                      record.number)
    edit.add_event("comment_deleted", record.number, {"deleted_comment_author": author})
    return {"number": record.number}


# Other events

@operation
def add_event(edit):
    """Settings: event (its name), fields (of its REST object), hidden (what only GraphQL
    tells: graph/timeline.py), move_updated (false, as for mentions and references)."""
    fields = dict(edit.get("fields", {}))
    for name in ("event", "id", "node_id", "created_at", "actor"):
        if name in fields:
            raise EditError(f"{name!r} is not a field to set")
    edit.change_issue(lambda data: None, moves=False)
    return {"id": edit.add_event(edit.need("event"), hidden=edit.get("hidden"), **fields)}


# Leaving and coming back

@operation
def convert_to_discussion(edit):
    """Settings: stays (false).  The number is gone, as in recordings; or, as the event's
    documentation has it, the issue is closed, locked and stays."""
    number = edit.number
    edit.issue_record()
    if number in edit.repository.pulls:
        raise EditError(f"{number} is a pull request")
    if not edit.get("stays", False):
        edit.repository.gone[number] = Gone("missing", kept=edit.repository.move_away(number))
    else:
        edit.change_issue(lambda data: data.update(
            state="closed", closed_at=edit.at, closed_by=edit.actor(), locked=True,
            state_reason="completed"))
        edit.add_event("converted_to_discussion")
    edit.recount()

@operation
def delete_issue(edit):
    """Settings: status, 410 as for readers of the repository, or 404."""
    number = edit.number
    edit.issue_record()
    kind = "missing" if edit.get("status", 410) == 404 else "deleted"
    edit.repository.gone[number] = Gone(kind, kept=edit.repository.move_away(number))
    edit.recount()


@operation
def transfer_issue(edit):
    """Settings: to ("o/r"), new_number.  A repository that is served gets the issue."""
    number, name = edit.number, edit.need("to")
    edit.issue_record()
    target = edit.world.by_name(name)
    new_number = int(edit.get("new_number", target.next_number() if target else 1))
    kept = edit.repository.move_away(number)
    edit.repository.gone[number] = Gone("transferred", (name, new_number), kept)
    if target is not None:
        _arrive(edit, target, new_number, kept)
    edit.recount()
    return {"to": name, "new_number": new_number}


def _arrive(edit, target, number, kept):
    """File a copy of a transferred issue; comments keep their ids on GitHub."""
    old = kept["issue"].load()
    data = objects.issue(target.full_name, target.next_id(), number, old["title"], old["user"],
                         old["created_at"], old["body"])
    data.update(state=old["state"], closed_at=old["closed_at"], comments=old["comments"],
                assignees=old["assignees"], assignee=old["assignee"], updated_at=edit.at)
    node_ids.identify("issues", target.id, data)
    target.issues[number] = Record.of(data)
    for record in kept["families"]["comments"]:
        comment = record.load()
        comment["issue_url"] = data["url"]
        target.families["comments"].setdefault(number, []).append(Record.of(comment, number))
    event = objects.event(target.full_name, target.next_id(), "transferred", edit.actor(),
                          edit.at)
    node_ids.identify("events", target.id, event, data["id"])
    target.hidden[event["id"]] = {"from_repository": edit.repository.full_name}
    target.families["events"].setdefault(number, []).append(Record.of(event, number))
    target.touched()


@operation
def restore_issue(edit):
    """Bring back a deleted or transferred number as it was."""
    gone = edit.repository.gone.pop(edit.number, None)
    if gone is None or gone.kept is None:
        raise EditError(f"{edit.number} is not gone")
    edit.repository.put_back(edit.number, gone.kept)
    edit.recount()
