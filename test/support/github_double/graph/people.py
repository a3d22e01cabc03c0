"""Users, bots, teams and the small objects around issues, as GraphQL shows them.

Where REST and GraphQL differ, this does as GraphQL: a deleted account is null and
not the ghost, a bot's login has no `[bot]`, and a `databaseId` beyond 31 bits is null
(`fullDatabaseId` has it where the type offers one).
"""

import github_objects as objects
import node_ids

BOT_SUFFIX = "[bot]"


def database_id(number):
    return number if number is not None and number < 2**31 else None


def global_id(data, type_name, repository_id=0):
    """The node id of an object: its own, or one made of its id."""
    return data.get("node_id") or node_ids.made(type_name, repository_id, data["id"])


def actor(user):
    """Any of the types behind the interface Actor; null for a deleted account."""
    if user is None or user.get("id") == objects.GHOST_ID:
        return None
    kind = user.get("type", "User")
    login = user["login"]
    return {
        "__typename": kind, "id": global_id(user, kind), "databaseId": database_id(user["id"]),
        "login": login.removesuffix(BOT_SUFFIX) if kind == "Bot" else login,
        "url": user.get("html_url"), "avatarUrl": user.get("avatar_url"), "name": None,
        "createdAt": "2011-01-25T18:44:36Z",
    }


def only(user, *kinds):
    """The actor where the field allows its type, else null."""
    found = actor(user)
    return found if found is not None and found["__typename"] in kinds else None


def requested_reviewer(event):
    team = event.get("requested_team")
    if team is not None:
        return {"__typename": "Team", "id": global_id(team, "Team"),
                "databaseId": database_id(team["id"]), "name": team["name"],
                "slug": team.get("slug", team["name"])}
    return only(event.get("requested_reviewer"), "User", "Bot", "Mannequin")


def commit(repository_shape, full_name, oid):
    """A commit of a repository, or null where there is none."""
    if not oid:
        return None
    return {"__typename": "Commit", "id": "C_" + oid[:20], "oid": oid,
            "abbreviatedOid": oid[:7], "message": "", "repository": repository_shape,
            "url": f"{objects.WEB}/{full_name}/commit/{oid}"}


def label(repository, shape, data):
    """A label of an issue or of an event; an event has only its name and colour."""
    if "id" not in data:
        known = repository.view("labels by name", lambda: {
            found["name"]: found for found in (record.load() for record in repository.labels)})
        data = {**known.get(data["name"], {"id": 0, "node_id": "LA_gone"}), **data}
    return {"__typename": "Label", "id": global_id(data, "Label", repository.id),
            "name": data["name"], "color": data["color"], "description": data.get("description"),
            "isDefault": data.get("default", False), "repository": shape,
            "url": f"{objects.WEB}/{repository.full_name}/labels/{data['name']}"}


def milestone(repository, shape, data):
    if data is None:
        return None
    return {"__typename": "Milestone", "id": global_id(data, "Milestone", repository.id),
            "number": data["number"], "title": data["title"],
            "description": data.get("description"), "state": data["state"].upper(),
            "dueOn": data.get("due_on"), "closed": data["state"] == "closed",
            "closedAt": data.get("closed_at"), "createdAt": data["created_at"],
            "updatedAt": data["updated_at"], "creator": actor(data.get("creator")),
            "repository": shape, "url": data.get("html_url")}
