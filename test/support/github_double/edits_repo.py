"""Operations on a repository: labels, milestones, users, names, existence.

https://docs.github.com/en/rest/issues/labels, .../issues/milestones, .../repos/repos
"""

import json

import github_objects as objects

from .edits import EditError, operation
from .edits_issue import label_named, milestone_record
from .records import Record, encode

# Fields that hold a user of which nothing but null or the ghost remains.
_USER_FIELDS = ("user", "actor", "closed_by", "merged_by", "assignee", "assigner", "creator",
                "requested_reviewer", "review_requester", "owner", "deleted_comment_author")


# Labels

@operation
def create_label(edit):
    """Settings: name, color."""
    label = objects.label(edit.repository.full_name, edit.repository.next_id(),
                          edit.need("name"), edit.get("color", "ededed"))
    edit.repository.labels.append(Record.of(edit.identify("labels", label)))
    edit.repository.touched()
    return {"id": label["id"]}


def _label_record(edit, name):
    for record in edit.repository.labels:
        if record.load()["name"].lower() == name.lower():
            return record
    raise EditError(f"no label {name!r}")


def _change_labels_of_issues(edit, label_id, change):
    """Give each issue with a label change(list of labels); `updated_at` stays."""
    for number, record in edit.repository.issues.items():
        if b'"id":%d' % label_id in record.raw:
            if any(x["id"] == label_id for x in record.load()["labels"]):
                edit.change_issue(lambda data: data.update(labels=change(data["labels"])),
                                  number, moves=False)


@operation
def rename_label(edit):
    """Settings: name, new_name.  The issues show the new name, their time stays."""
    record = _label_record(edit, edit.need("name"))
    data = record.load()
    fresh = objects.label(edit.repository.full_name, data["id"], edit.need("new_name"),
                          data["color"], data.get("description"))
    record.store({**data, "name": fresh["name"], "url": fresh["url"]})
    new = record.load()
    _change_labels_of_issues(edit, data["id"], lambda labels: [
        new if x["id"] == new["id"] else x for x in labels])
    edit.repository.touched()
    return {"id": data["id"]}


@operation
def delete_label(edit):
    """Settings: name.  No issue's `updated_at` moves and no event tells."""
    record = _label_record(edit, edit.need("name"))
    edit.repository.labels.remove(record)
    _change_labels_of_issues(edit, record.id, lambda labels: [
        x for x in labels if x["id"] != record.id])
    edit.repository.touched()


# Milestones

@operation
def create_milestone(edit):
    """Settings: title, description, due_on."""
    repository = edit.repository
    number = max((record.number for record in repository.milestones), default=0) + 1
    data = objects.milestone(
        repository.full_name, repository.next_id(), number, edit.need("title"), edit.actor(),
        edit.at, due_on=edit.get("due_on"), description=edit.get("description"))
    repository.milestones.append(Record.of(edit.identify("milestones", data)))
    repository.touched()
    return {"milestone": number, "id": data["id"]}


@operation
def edit_milestone(edit):
    """Settings: milestone, and any of title, description, due_on, state."""
    record = milestone_record(edit, edit.need("milestone"))
    data = record.load()
    data.update({k: edit.get(k) for k in ("title", "description", "due_on", "state")
                 if k in edit.settings})
    data["updated_at"] = edit.at
    if "state" in edit.settings:
        data["closed_at"] = edit.at if data["state"] == "closed" else None
    record.store(data)
    _change_milestone_of_issues(edit, record.id, data)


@operation
def delete_milestone(edit):
    """Settings: milestone.  Its issues lose it, their `updated_at` stays."""
    record = milestone_record(edit, edit.need("milestone"))
    edit.repository.milestones.remove(record)
    _change_milestone_of_issues(edit, record.id, None)


def _change_milestone_of_issues(edit, milestone_id, new):
    for number, record in edit.repository.issues.items():
        old = record.load()["milestone"]
        if old is not None and old["id"] == milestone_id:
            edit.change_issue(lambda data: data.update(milestone=new), number, moves=False)
    edit.repository.touched()


# Users

def _repositories(edit):
    return [edit.repository] if edit.repository else edit.world.repositories


@operation
def rename_user(edit):
    """Settings: login, new_login.  Without `repo`, in all repositories."""
    old, new = edit.need("login"), edit.need("new_login")
    pairs = _user_substitutions(old, new)
    count = 0
    for repository in _repositories(edit):
        count += sum(record.replace_bytes(pairs) for record in repository.every_record())
        repository.info = _substituted(repository.info, pairs)
        repository.hidden = {k: _substituted(v, pairs) for k, v in repository.hidden.items()}
        repository.people.clear()
        repository.touched()
    return {"records": count}


def _substituted(value, pairs):
    """A JSON value after byte substitutions in its compact form."""
    raw = encode(value)
    for before, after in pairs:
        raw = raw.replace(before, after)
    return json.loads(raw)


def _user_substitutions(old, new):
    """Byte pairs that rename a user in compact JSON, and never inside a text."""
    patterns = ['"login":"{}"', '":"https://api.github.com/users/{}"',
                '":"https://api.github.com/users/{}/', '":"https://github.com/{}"',
                '"label":"{}:']
    return [(p.format(old).encode(), p.format(new).encode()) for p in patterns]


@operation
def delete_user(edit):
    """Settings: login, become ("null" or "ghost")."""
    login = edit.need("login")
    heir = objects.ghost() if edit.get("become", "null") == "ghost" else None
    count = 0
    for repository in _repositories(edit):
        needle = b'"login":"%s"' % login.encode()
        for record in list(repository.every_record()):
            if needle in record.raw:
                record.store(_without_user(record.load(), login, heir))
                count += 1
        repository.hidden = _without_user(repository.hidden, login, heir)
        repository.people.clear()
        repository.touched()
    return {"records": count}


def _without_user(value, login, heir):
    if isinstance(value, list):
        kept = [v for v in value if not _is_user(v, login)]
        return [_without_user(v, login, heir) for v in kept]
    if isinstance(value, dict):
        return {key: heir if key in _USER_FIELDS and _is_user(item, login)
                else _without_user(item, login, heir) for key, item in value.items()}
    return value


def _is_user(value, login):
    return isinstance(value, dict) and value.get("login") == login


# Name and existence

@operation
def rename_repo(edit):
    """Settings: new_name ("o/r" or "r").  The old name redirects from now on."""
    repository = edit.repository
    old, new = repository.full_name, edit.need("new_name")
    if "/" not in new:
        new = f"{old.split('/')[0]}/{new}"
    edit.world.rename(repository, new)
    pairs = []
    for root in (objects.API + "/repos", objects.WEB):
        for end in ('"', "/", "{"):
            pairs.append((f'":"{root}/{old}{end}'.encode(), f'":"{root}/{new}{end}'.encode()))
    for record in repository.every_record():
        record.replace_bytes(pairs)
    info = json.dumps(repository.info).replace(f"/{old}", f"/{new}")
    repository.info = json.loads(info)
    repository.info.update(full_name=new, name=new.split("/")[1], updated_at=edit.at)
    repository.touched()
    return {"repo": new, "id": repository.id}


@operation
def remove_repo(edit):
    """The repository is deleted or made private: 404 for everything."""
    edit.repository.removed = True


@operation
def restore_repo(edit):
    edit.repository.removed = False


@operation
def disable_issues(edit):
    """Issues are switched off: 410 for all issue endpoints."""
    edit.repository.info["has_issues"] = False
    edit.repository.touched()


@operation
def enable_issues(edit):
    edit.repository.info["has_issues"] = True
    edit.repository.touched()


@operation
def set_rules(edit):
    """Settings: content, the text of .github/issue_slo_rules.json, or null."""
    content = edit.need("content")
    edit.repository.rules = None if content is None else content.encode()


@operation
def ensure_label(edit):
    """Settings: name.  Make a label unless it exists."""
    return {"id": label_named(edit, edit.need("name"))["id"]}
