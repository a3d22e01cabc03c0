"""Runs a validated query over plain objects, as the GraphQL specification says.

An object is a dictionary with `__typename`; a field's value is in it under the
field's name, or is a function of the field's arguments.  An error ends a field
with null, and a null where none may be takes the nearest object that may.
https://spec.graphql.org/October2021/#sec-Execution
"""

from .language import QueryRefused, kind_of, operation_kind, place


class FieldError(Exception):
    """An error of one field, with GitHub's `type` of it."""

    def __init__(self, kind, message):
        super().__init__(message)
        self.kind = kind
        self.message = message


class _Nulled(Exception):
    """A null under way to the nearest place that may hold it."""


def base_name(type_text):
    return type_text.strip("[]!")


class Operation:
    """A document's operation with its fragments and the values of its variables."""

    def __init__(self, schema, document, text, name, variables):
        self.schema = schema
        self.text = text
        self.fragments = {d.name.value: d for d in document.definitions
                          if kind_of(d) == "FragmentDefinition"}
        self.definition = _choose(document, name)
        self.name = self.definition.name.value if self.definition.name else None
        self.variables = _variables(self, variables)
        self._arguments = {}

    def arguments(self, node, field):
        """The argument values of a field node, defaults filled in."""
        key = id(node)
        if key not in self._arguments:
            given = {a.name.value: self.value(a.value) for a in node.arguments or ()
                     if not self._is_absent(a.value)}
            defaults = {n: d for n, (_t, d) in field.arguments.items() if d is not None}
            self._arguments[key] = {**defaults, **given}
        return self._arguments[key]

    def _is_absent(self, value):
        return kind_of(value) == "Variable" and value.name.value not in self.variables

    def value(self, node):
        """The plain value of a literal or a variable."""
        kind = kind_of(node)
        if kind == "Variable":
            return self.variables.get(node.name.value)
        if kind == "IntValue":
            return int(node.value)
        if kind == "FloatValue":
            return float(node.value)
        if kind == "ListValue":
            return [self.value(item) for item in node.values]
        if kind == "ObjectValue":
            return {f.name.value: self.value(f.value) for f in node.fields}
        return getattr(node, "value", None)  # String, Boolean, Enum; null has none

    def included(self, node):
        """What @skip and @include say."""
        for directive in node.directives or ():
            flag = any(self.value(a.value) for a in directive.arguments)
            if flag == (directive.name.value == "skip"):
                return False
        return True

    def selections(self, selection_set, type_name, into):
        """Collect {response name: [field nodes]} of an object type."""
        for node in selection_set.selections:
            if not self.included(node):
                continue
            kind = kind_of(node)
            if kind == "Field":
                into.setdefault((node.alias or node.name).value, []).append(node)
                continue
            if kind == "FragmentSpread":
                node = self.fragments[node.name.value]
            condition = node.type_condition
            if condition is None or type_name in self.schema.possible[condition.name.value]:
                self.selections(node.selection_set, type_name, into)
        return into


def _choose(document, name):
    found = [d for d in document.definitions if kind_of(d) == "OperationDefinition"]
    if name:
        found = [d for d in found if d.name and d.name.value == name]
    if len(found) != 1:
        raise QueryRefused([{"message": f'No operation named "{name}"' if name
                             else "An operation name is required"}])
    if operation_kind(found[0]) != "query":
        raise QueryRefused([{"message": "only queries are served"}])
    return found[0]


# Variables

def _variables(operation, given):
    answer = {}
    for definition in operation.definition.variable_definitions or ():
        name, type_text = definition.variable.name.value, _type_text(definition.type)
        if name in given:
            problem = _problem(operation.schema, type_text, given[name])
            value = given[name]
        elif definition.default_value is not None:
            problem, value = None, operation.value(definition.default_value)
        elif type_text.endswith("!"):
            problem, value = "Expected value to not be null", None
        else:
            continue
        if problem:
            raise QueryRefused([{
                "extensions": {"value": value, "problems": [{"path": [], "explanation": problem}]},
                "locations": [place(operation.text, definition)],
                "message": f"Variable ${name} of type {type_text} was provided invalid value"}])
        answer[name] = value
    return answer


def _type_text(node):
    kind = kind_of(node)
    if kind == "NonNullType":
        return _type_text(node.type) + "!"
    return f"[{_type_text(node.type)}]" if kind == "ListType" else node.name.value


_PYTHON_TYPES = {"String": str, "ID": (str, int), "Int": int, "Boolean": bool, "DateTime": str,
                 "URI": str}


def _problem(schema, type_text, value):
    """Why a variable's value does not fit its type, or None."""
    if type_text.endswith("!"):
        return "Expected value to not be null" if value is None \
            else _problem(schema, type_text[:-1], value)
    if value is None:
        return None
    if type_text.startswith("["):
        items = value if isinstance(value, list) else [value]
        return next(filter(None, (_problem(schema, type_text[1:-1], v) for v in items)), None)
    if type_text in schema.enums:
        return None if value in schema.enums[type_text] \
            else f'Expected "{value}" to be one of: {", ".join(sorted(schema.enums[type_text]))}'
    if type_text in schema.inputs:
        return _input_problem(schema, schema.inputs[type_text], value)
    wanted = _PYTHON_TYPES.get(type_text, str)
    wrong = not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool)
    if wrong or (type_text == "Int" and not -2**31 <= value < 2**31):
        return f"Could not coerce value {value!r} to {type_text}"
    return None


def _input_problem(schema, fields, value):
    if not isinstance(value, dict):
        return "Expected value to be an object"
    for name in value:
        if name not in fields:
            return f"Field is not defined: {name}"
    problems = (_problem(schema, t, value.get(n)) for n, t in fields.items())
    return next(filter(None, problems), None)


# Execution

class Execution:
    """One run: gathers data and errors."""

    def __init__(self, operation):
        self._operation = operation
        self._schema = operation.schema
        self._plans = {}
        self.errors = []

    def run(self, root):
        """`data`; the errors are in `errors`."""
        try:
            return self._object([self._operation.definition], "Query", root, ())
        except _Nulled:
            return None

    def _plan(self, nodes, type_name):
        """[(response name, field nodes, Field)] of an object under these nodes."""
        key = (type_name, *map(id, nodes))
        if key not in self._plans:
            found = {}
            for node in nodes:
                if node.selection_set is not None:
                    self._operation.selections(node.selection_set, type_name, found)
            fields = self._schema.fields[type_name]
            self._plans[key] = [(name, group, fields.get(group[0].name.value))
                                for name, group in found.items()]
        return self._plans[key]

    def _object(self, nodes, type_name, source, path):
        answer = {}
        for name, group, field in self._plan(nodes, type_name):
            if field is None:  # only __typename is in every type without being declared
                answer[name] = type_name
                continue
            answer[name] = self._field(group, field, source, (*path, name))
        return answer

    def _field(self, nodes, field, source, path):
        try:
            value = source.get(nodes[0].name.value)
            if callable(value):
                value = value(_Call(self._operation, nodes), **self._operation.arguments(nodes[0], field))
            return self._complete(nodes, field.type, value, path)
        except FieldError as error:
            self.errors.append(self.error(error, nodes, path))
            if field.type.endswith("!"):
                raise _Nulled from None
        except _Nulled:
            if field.type.endswith("!"):
                raise
        return None

    def error(self, error, nodes, path):
        return {"type": error.kind, "path": list(path),
                "locations": [place(self._operation.text, n) for n in nodes],
                "message": error.message}

    def _complete(self, nodes, type_text, value, path):
        if type_text.endswith("!"):
            if value is None:
                raise FieldError("INTERNAL", f"Cannot return null for non-nullable {path[-1]}")
            return self._complete(nodes, type_text[:-1], value, path)
        if value is None:
            return None
        if type_text.startswith("["):
            return [self._item(nodes, type_text[1:-1], v, (*path, i)) for i, v in enumerate(value)]
        if isinstance(value, dict):
            return self._object(nodes, value["__typename"], value, path)
        return value

    def _item(self, nodes, type_text, value, path):
        """An element of a list; an exception in its place is that element's error."""
        try:
            if isinstance(value, FieldError):
                raise value
            return self._complete(nodes, type_text, value, path)
        except FieldError as error:
            self.errors.append(self.error(error, nodes, path))
            if type_text.endswith("!"):
                raise _Nulled from None
        except _Nulled:
            if type_text.endswith("!"):
                raise
        return None


class _Call:
    """What a field's function may ask: the name of the field and what is wanted of it."""

    def __init__(self, operation, nodes):
        self.name = nodes[0].name.value
        self._operation = operation
        self._nodes = nodes

    def wants(self, *names):
        """True when one of these fields is selected below."""
        return any(_selects(self._operation, n.selection_set, names) for n in self._nodes)


def _selects(operation, selection_set, names):
    for node in selection_set.selections if selection_set else ():
        kind = kind_of(node)
        if kind == "Field":
            if node.name.value in names:
                return True
            continue
        if kind == "FragmentSpread":
            node = operation.fragments[node.name.value]
        if _selects(operation, node.selection_set, names):
            return True
    return False
