"""Parsing and validation, done by the library graphql-core, version 2 or 3.

Debian 12 packages version 2 and Debian 13 version 3 (python3-graphql-core); what
differs between them stays in here.  Of the library we use the parser, the schema
and the validation rules; execution is ours (execute.py), as its errors must have
GitHub's shape.
"""

import os
import re
import sys

DEBIAN_MODULES = "/usr/lib/python3/dist-packages"


def _library():
    """The module; a Python that is not Debian's own finds it among Debian's modules."""
    try:
        import graphql
    except ImportError:
        sys.path.append(DEBIAN_MODULES)
        try:
            import graphql
        finally:
            sys.path.remove(DEBIAN_MODULES)
    return graphql


_graphql = _library()
VERSION = int(_graphql.__version__.split(".")[0])

# Names of an alias chain deeper than this are refused, as are very long texts.
MAX_QUERY_BYTES = 1_000_000


class QueryRefused(Exception):
    """A query that does not parse or does not fit the schema; holds GitHub's errors."""

    def __init__(self, errors):
        super().__init__(errors[0]["message"])
        self.errors = errors


class Field:
    """A field of a type: its type as text, and {argument: (type text, default)}."""

    def __init__(self, definition):
        self.type = str(definition.type)
        self.arguments = {name: (str(a.type), _default(a.default_value))
                          for name, a in (definition.args or {}).items()}


def _default(value):
    """None for an absent default in either version of the library."""
    return None if value is None or type(value).__name__ == "UndefinedType" else value


AGES = ("new", "old")

# Types that came since 2025, with the itemTypes that ask for them; Enterprise servers lack them.
NEWER_TYPES = (
    "AddedToProjectV2Event", "BlockedByAddedEvent", "BlockedByRemovedEvent", "BlockingAddedEvent",
    "BlockingRemovedEvent", "ConvertedFromDraftEvent", "IssueCommentPinnedEvent",
    "IssueCommentUnpinnedEvent", "IssueTypeAddedEvent", "IssueTypeChangedEvent",
    "IssueTypeRemovedEvent", "ProjectV2ItemStatusChangedEvent", "RemovedFromProjectV2Event",
)


def item_type(type_name):
    """The value of itemTypes that asks for a type: ADDED_TO_PROJECT_V2_EVENT."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type_name).upper()


def _without(text, type_name):
    """A schema's text without a type, wherever it stands."""
    text = re.sub(rf"(?m)^type {type_name} [^}}]*}}\n\n?", "", text)
    text = re.sub(rf"\b{item_type(type_name)}\b", "", text)
    return re.sub(rf"\|\s*{type_name}\b|\b{type_name}\s*\|", "", text)


class Schema:
    """The schema as execution needs it, by names; an `old` one lacks NEWER_TYPES."""

    def __init__(self, age="new"):
        text = "".join(_read(name) for name in ("schema.graphql", "schema_timeline.graphql"))
        for name in NEWER_TYPES if age == "old" else ():
            text = _without(text, name)
        if VERSION == 2:  # it knows only the older form of the list of interfaces
            text = re.sub(r"(?m)^(type .*)$", lambda m: m.group(1).replace(" & ", ", "), text)
            self._own = _graphql.build_ast_schema(_graphql.parse(text))
            types = self._own.get_type_map()
        else:
            self._own = _graphql.build_schema(text)
            types = self._own.type_map
        self.fields, self.possible, self.enums, self.inputs, self.scalars = {}, {}, {}, {}, set()
        for name, definition in types.items():
            if not name.startswith("__"):
                self._take(name, definition)

    def _take(self, name, definition):
        kind = type(definition).__name__
        if kind in ("GraphQLObjectType", "GraphQLInterfaceType"):
            self.fields[name] = {n: Field(f) for n, f in definition.fields.items()}
        if kind == "GraphQLInputObjectType":
            self.inputs[name] = {n: str(f.type) for n, f in definition.fields.items()}
        if kind == "GraphQLScalarType":
            self.scalars.add(name)
        if kind == "GraphQLEnumType":
            values = definition.values
            self.enums[name] = set(values) if isinstance(values, dict) \
                else {v.name for v in values}
        if kind == "GraphQLObjectType":
            self.possible[name] = frozenset((name,))
        elif kind in ("GraphQLInterfaceType", "GraphQLUnionType"):
            self.possible[name] = frozenset(t.name for t in self._own.get_possible_types(definition))

    def check(self, document, text):
        """Raise QueryRefused unless the document is valid."""
        found = _graphql.validate(self._own, document)
        if found:
            raise QueryRefused([_refusal(error, text) for error in found])


def _read(name):
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), name)
    with open(path, encoding="utf-8") as file:
        return file.read()


def kind_of(node):
    """`Field`, `InlineFragment`, ... in either version of the library."""
    return type(node).__name__.removesuffix("Node")


def operation_kind(definition):
    kind = definition.operation
    return kind if isinstance(kind, str) else kind.value


def place(text, node):
    """GitHub's `locations` element of a node."""
    before = text[:node.loc.start]
    return {"line": before.count("\n") + 1, "column": len(before) - before.rfind("\n")}


def parse(text):
    try:
        return _graphql.parse(text)
    except _graphql.GraphQLError as error:
        first = error.message.strip().splitlines()[0]
        where = [{"line": spot.line, "column": spot.column} for spot in error.locations or ()]
        raise QueryRefused([{"message": f"Parse error: {first}", "locations": where}]) from None


_UNKNOWN_FIELD = re.compile(r"""Cannot query field ["'](\w+)["'] on type ["'](\w+)["']""")
_UNKNOWN_ARGUMENT = re.compile(
    r"""Unknown argument ["'](\w+)["'] on field ["'](?:\w+\.)?(\w+)["'](?: of type ["'](\w+)["'])?""")


def _refusal(error, text):
    """One validation error in the shape in which GitHub gives it."""
    where = [place(text, node) for node in error.nodes or ()]
    match = _UNKNOWN_FIELD.search(error.message)
    if match:
        field, owner = match.groups()
        return {"path": ["query", field],
                "extensions": {"code": "undefinedField", "typeName": owner, "fieldName": field},
                "locations": where,
                "message": f"Field '{field}' doesn't exist on type '{owner}'"}
    match = _UNKNOWN_ARGUMENT.search(error.message)
    if match:
        name, field = match.group(1), match.group(2)
        return {"path": ["query", field, name],
                "extensions": {"code": "argumentNotAccepted", "name": field, "typeName": "Field",
                               "argumentName": name},
                "locations": where,
                "message": f"Field '{field}' doesn't accept argument '{name}'"}
    return {"path": ["query"], "extensions": {"code": "invalidQuery"}, "locations": where,
            "message": error.message.strip()}
