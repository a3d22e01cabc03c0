"""Node ids: GitHub's names of objects that REST and GraphQL have in common.

The newer form is a prefix of the type, `_`, and the unpadded base64url of a
msgpack array [0, repository id, (id of the issue or pull request,) id]; the older
is base64 of `012:LabeledEvent4673893179`.  Both are met in recordings, where the
last element is the id that REST gives.  To clients a node id is opaque:
https://docs.github.com/en/graphql/guides/using-global-node-ids
"""

import base64
import re
import struct

from github_objects import node_id as older_node_id

PREFIXES = {
    "Repository": "R", "Issue": "I", "PullRequest": "PR", "IssueComment": "IC",
    "PullRequestReview": "PRR", "PullRequestReviewComment": "PRRC", "Label": "LA",
    "Milestone": "MI", "User": "U", "Organization": "O", "Bot": "BOT", "Team": "T",
    "PullRequestReviewThread": "PRRT", "ReviewRequest": "RR", "Commit": "C",
    "AssignedEvent": "AE", "UnassignedEvent": "UNE", "ClosedEvent": "CE", "ReopenedEvent": "REE",
    "CommentDeletedEvent": "CDE", "ConnectedEvent": "COE", "ConvertToDraftEvent": "CTDE",
    "DemilestonedEvent": "DEME", "MilestonedEvent": "MIE", "HeadRefDeletedEvent": "HRDE",
    "HeadRefForcePushedEvent": "HRFPE", "HeadRefRestoredEvent": "HRRE",
    "IssueTypeAddedEvent": "ITAE", "LabeledEvent": "LE", "UnlabeledEvent": "UNLE",
    "LockedEvent": "LOE", "UnlockedEvent": "UNLOE", "MentionedEvent": "MEE", "MergedEvent": "ME",
    "ReadyForReviewEvent": "RFRE", "ReferencedEvent": "REFE", "RenamedTitleEvent": "RTE",
    "ReviewDismissedEvent": "RDE", "ReviewRequestedEvent": "RRE",
    "ReviewRequestRemovedEvent": "RRRE", "SubscribedEvent": "SE", "UnsubscribedEvent": "UE",
    "UserBlockedEvent": "UBE",
}
_TYPES = {prefix: name for name, prefix in PREFIXES.items()}

_OLDER = re.compile(r"0(\d+):([A-Za-z0-9]+)\Z")

# Events whose GraphQL type is not simply the name of the event.
_EVENT_TYPES = {"renamed": "RenamedTitleEvent"}


def event_type(kind):
    """The GraphQL type of a REST event: `LabeledEvent` of `labeled`."""
    return _EVENT_TYPES.get(kind) or "".join(w.capitalize() for w in kind.split("_")) + "Event"


def prefix_of(type_name):
    return PREFIXES.get(type_name) or "".join(c for c in type_name if c.isupper()) + "X"


def _pack(number):
    if number < 0x80:
        return struct.pack("B", number)
    for mark, form, limit in ((0xCC, ">BB", 8), (0xCD, ">BH", 16), (0xCE, ">BI", 32),
                              (0xCF, ">BQ", 64)):
        if number < 1 << limit:
            return struct.pack(form, mark, number)
    raise ValueError(f"{number} is no id")


def newer(type_name, *numbers):
    """PREFIX_... of [0, numbers...]."""
    packed = struct.pack("B", 0x90 | (len(numbers) + 1)) + b"\0" + b"".join(map(_pack, numbers))
    return prefix_of(type_name) + "_" + base64.urlsafe_b64encode(packed).decode().rstrip("=")


def made(type_name, repository_id, number, parent_id=None):
    """The node id of an object that has none: older for even ids, newer for odd ones."""
    if number % 2 == 0:
        return older_node_id(type_name, number)
    middle = () if parent_id is None else (parent_id,)
    return newer(type_name, repository_id, *middle, number)


def _unpack(data):
    """The numbers of a packed array; ValueError when it is none."""
    if not data or data[0] & 0xF0 != 0x90:
        raise ValueError("no array")
    numbers, at = [], 1
    for _ in range(data[0] & 0x0F):
        mark = data[at] if at < len(data) else 0xFF
        size = {0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8}.get(mark, 0)
        if mark >= 0x80 and not size:
            raise ValueError("no number")
        numbers.append(int.from_bytes(data[at + 1:at + 1 + size], "big") if size else mark)
        at += 1 + size
    if at != len(data):
        raise ValueError("trailing bytes")
    return numbers


def parse(text):
    """(type name, numbers) of a node id, the object's own id last; ValueError if it is none.

    The type of an unknown prefix is the prefix itself.
    """
    prefix, mark, rest = text.partition("_")
    if mark and prefix.isalpha() and prefix.isupper():
        data = base64.b64decode(rest + "=" * (-len(rest) % 4), altchars=b"-_", validate=True)
        return _TYPES.get(prefix, prefix), _unpack(data)
    match = _OLDER.match(base64.b64decode(text, validate=True).decode("ascii"))
    # The length says where the type ends and its number begins.
    if match is None or len(match.group(2)) <= int(match.group(1)):
        raise ValueError("no node id")
    length = int(match.group(1))
    return match.group(2)[:length], [int(match.group(2)[length:])]


# Objects of a family, by the family's name in a recording

_FAMILY_TYPES = {"comments": "IssueComment", "reviews": "PullRequestReview",
                 "review_comments": "PullRequestReviewComment", "labels": "Label",
                 "milestones": "Milestone", "issues": "Issue", "pulls": "PullRequest"}


def identify(family, repository_id, row, parent_id=None):
    """Give an object of a recording its made node id; events name their issue in it."""
    type_name = event_type(row["event"]) if family == "events" else _FAMILY_TYPES[family]
    row["node_id"] = made(type_name, repository_id, row["id"],
                          parent_id if family == "events" else None)


def identify_number(repository_id, issue, pull, families):
    """The same for an issue, its pull request (or None), and its lists by family.

    The two objects of a pull request have one node id, that of the pull request.
    """
    identify("issues" if pull is None else "pulls", repository_id, issue if pull is None else pull)
    if pull is not None:
        issue["node_id"] = pull["node_id"]
    parent_id = (pull or issue)["id"]
    for family, rows in families.items():
        for row in rows:
            identify(family, repository_id, row, parent_id)
