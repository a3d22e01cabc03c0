"""Decodes mutation log records by hand, against the table of known fields.

Only the protobuf wire format (https://protobuf.dev/programming-guides/encoding/)
is used, no generated code, so that a fault in the product's encoder cannot
hide behind the same fault here.  The table is that of the design's chapter on
the mutation log; fields from 1000 on are the product's own extensions.
"""

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
FIRST_EXTENSION = 1000
MAX_FIELD = (1 << 29) - 1


class WireError(ValueError):
    """Bytes that are no well-formed record of the table."""


class Field:
    """Name, type and cardinality of one field of the table.

    `kind` is one of int32 int64 bool string bytes, or the name of a message.
    """

    def __init__(self, name, kind, repeated=False):
        self.name = name
        self.kind = kind
        self.repeated = repeated


def _fields(text):
    """`number:name:kind` triples; a kind in brackets is repeated."""
    table = {}
    for part in text.split():
        number, name, kind = part.split(":")
        table[int(number)] = Field(name, kind.strip("[]"), kind.startswith("["))
    return table


# The messages.  GithubMutation, GithubIssueMutation and the rest are named as
# in the design; git and gerrit mutations are carried but not looked into.
MESSAGES = {
    "Mutation": _fields(
        "1:github_issue:GithubIssueMutation 2:git:bytes 3:github:GithubMutation "
        "4:gerrit:bytes"),
    "GithubMutation": _fields(
        "1:owner:string 2:repo:string 3:labels:[GithubLabel] 4:milestones:[GithubMilestone]"),
    "GithubIssueMutation": _fields(
        "1:owner:string 2:repo:string 3:number:int32 13:not_exist:bool 12:id:int64 "
        "4:user:GithubUser 10:assignees:[GithubUser] 11:deleted_assignees:[int64] "
        "5:created:Timestamp 6:updated:Timestamp 9:title:string 31:body_change:StringChange "
        "7:body:string 15:no_milestone:bool 16:milestone_id:int64 17:milestone_num:int64 "
        "18:milestone_title:string 19:closed:BoolChange 25:locked:BoolChange "
        "28:pull_request:bool 21:closed_at:Timestamp 22:closed_by:GithubUser "
        "23:remove_label:[int64] 24:add_label:[GithubLabel] "
        "8:comment:[GithubIssueCommentMutation] 14:comment_status:GithubIssueSyncStatus "
        "26:event:[GithubIssueEvent] 27:event_status:GithubIssueSyncStatus "
        "29:review:[GithubReview] 30:review_status:GithubIssueSyncStatus"),
    "BoolChange": _fields("1:val:bool"),
    "StringChange": _fields("1:val:string"),
    "GithubLabel": _fields("1:id:int64 2:name:string"),
    "GithubMilestone": _fields("1:id:int64 2:title:string 3:closed:BoolChange 4:number:int64"),
    "GithubIssueEvent": _fields(
        "1:id:int64 2:event_type:string 3:actor_id:int64 4:created:Timestamp "
        "5:label:GithubLabel 6:milestone:GithubMilestone 7:assignee_id:int64 "
        "8:assigner_id:int64 9:commit:GithubCommit 11:rename_from:string 12:rename_to:string "
        "13:reviewer_id:int64 14:review_requester_id:int64 16:team_reviewer:GithubTeam "
        "15:dismissed_review:GithubDismissedReviewEvent 10:other_json:bytes"),
    "GithubDismissedReviewEvent": _fields(
        "1:review_id:int64 3:dismissal_message:string 4:state:string"),
    "GithubCommit": _fields("1:owner:string 2:repo:string 3:commit_id:string"),
    "GithubReview": _fields(
        "1:id:int64 2:actor_id:int64 3:created:Timestamp 4:body:string 5:state:string "
        "6:commit_id:string 7:actor_association:string 8:other_json:bytes"),
    "GithubIssueSyncStatus": _fields("1:server_date:Timestamp"),
    "GithubIssueCommentMutation": _fields(
        "1:id:int64 2:user:GithubUser 3:body:string 4:created:Timestamp 5:updated:Timestamp"),
    "GithubUser": _fields("1:id:int64 2:login:string"),
    "GithubTeam": _fields("1:id:int64 2:slug:string"),
    "Timestamp": _fields("1:seconds:int64 2:nanos:int32"),
}

# google.protobuf.Timestamp: from year 1 to the end of year 9999.
MIN_SECONDS, MAX_SECONDS = -62_135_596_800, 253_402_300_799


def read_varint(data, at):
    """(value, next position); a varint has at most ten bytes and fits 64 bits."""
    value = shift = 0
    while True:
        if at >= len(data):
            raise WireError("varint runs past the end")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
        shift += 7
        if shift > 63:
            raise WireError("varint longer than ten bytes")
    if value >> 64:
        raise WireError("varint does not fit 64 bits")
    return value, at


def split_fields(data):
    """Yield (field number, wire type, raw value) of a message's bytes."""
    at = 0
    while at < len(data):
        key, at = read_varint(data, at)
        number, wire = key >> 3, key & 7
        if not 1 <= number <= MAX_FIELD:
            raise WireError(f"field number {number}")
        if wire == VARINT:
            value, at = read_varint(data, at)
        elif wire == BYTES:
            size, at = read_varint(data, at)
            value, at = _take(data, at, size)
        elif wire in (FIXED64, FIXED32):
            value, at = _take(data, at, 8 if wire == FIXED64 else 4)
        else:
            raise WireError(f"wire type {wire} of field {number}")
        yield number, wire, value


def _take(data, at, size):
    if size > len(data) - at:
        raise WireError(f"{size} bytes announced, {len(data) - at} there")
    return data[at:at + size], at + size


def _signed(value, bits):
    """Two's complement; an int32 travels sign-extended to 64 bits."""
    value = value - (1 << 64) if value >> 63 else value
    if not -(1 << (bits - 1)) <= value < 1 << (bits - 1):
        raise WireError(f"{value} does not fit int{bits}")
    return value


def _scalar(kind, raw):
    if kind == "bool":
        if raw > 1:
            raise WireError(f"bool is {raw}")
        return bool(raw)
    return _signed(raw, 32 if kind == "int32" else 64)


def _value(field, wire, raw):
    """The decoded value (a list for packed numbers); the wire type must fit."""
    if field.kind in ("int32", "int64", "bool"):
        if wire == VARINT:
            return _scalar(field.kind, raw)
        if wire == BYTES and field.repeated:
            return _packed(field.kind, raw)
        raise WireError(f"{field.name}: wire type {wire} for {field.kind}")
    if wire != BYTES:
        raise WireError(f"{field.name}: wire type {wire} for {field.kind}")
    if field.kind == "bytes":
        return bytes(raw)
    if field.kind == "string":
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise WireError(f"{field.name}: not UTF-8: {error}") from None
    try:
        return decode(field.kind, raw)
    except WireError as error:
        raise WireError(f"{field.name}: {error}") from None


def _packed(kind, raw):
    values, at = [], 0
    while at < len(raw):
        value, at = read_varint(raw, at)
        values.append(_scalar(kind, value))
    return values


def decode(message, data):
    """A dictionary of the fields that are there; repeated ones are lists.

    Extension fields stand under "extensions" as (number, wire type, raw).
    """
    table = MESSAGES[message]
    result = {}
    for number, wire, raw in split_fields(data):
        field = table.get(number)
        if field is None:
            if number < FIRST_EXTENSION:
                raise WireError(f"{message} has no field {number}")
            result.setdefault("extensions", []).append((number, wire, raw))
        elif field.repeated:
            value = _value(field, wire, raw)
            result.setdefault(field.name, []).extend(
                value if isinstance(value, list) else [value])
        elif field.name in result:
            raise WireError(f"{message}.{field.name} stands there twice")
        else:
            result[field.name] = _value(field, wire, raw)
    if message == "Timestamp":
        _check_timestamp(result)
    return result


def _check_timestamp(value):
    if not MIN_SECONDS <= value.get("seconds", 0) <= MAX_SECONDS:
        raise WireError(f"seconds {value['seconds']} are outside of years 1 to 9999")
    if not 0 <= value.get("nanos", 0) <= 999_999_999:
        raise WireError(f"nanos are {value['nanos']}")
