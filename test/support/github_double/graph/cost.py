"""Counts what a query asks for before it runs: nodes, points, aliases.

Nodes are bounded, and points are what a query costs; both follow from `first` and
`last` alone: https://docs.github.com/en/graphql/overview/rate-limits-and-node-limits-for-the-graphql-api
Where a field may be of several types, the dearest of them counts.
"""

from .execute import base_name
from .language import kind_of

MAX_NODES = 500_000
REQUESTS_PER_POINT = 100


class Cost:
    def __init__(self, operation):
        self._operation = operation
        self._schema = operation.schema
        self._known = {}
        selections = operation.definition.selection_set
        self.nodes, requests = self._of(selections, "Query")
        self.points = max(1, (requests + REQUESTS_PER_POINT // 2) // REQUESTS_PER_POINT)
        self.aliases = _aliases(selections)

    def _of(self, selection_set, type_name):
        """(nodes, requests) of one object of a type."""
        key = (id(selection_set), type_name)
        if key not in self._known:
            self._known[key] = max(self._of_object(selection_set, name)
                                   for name in self._schema.possible[type_name])
        return self._known[key]

    def _of_object(self, selection_set, type_name):
        nodes = requests = 0
        found = self._operation.selections(selection_set, type_name, {})
        for group in found.values():
            field = self._schema.fields[type_name].get(group[0].name.value)
            if field is None:
                continue
            for node in group:
                more_nodes, more_requests = self._of_field(node, field)
                nodes, requests = nodes + more_nodes, requests + more_requests
        return nodes, requests

    def _of_field(self, node, field):
        target = base_name(field.type)
        if node.selection_set is None:
            return 0, 0
        below = self._of(node.selection_set, target) if target in self._schema.possible else (0, 0)
        arguments = self._operation.arguments(node, field)
        if "first" in field.arguments:
            count = arguments.get("first") or arguments.get("last") or 0
            count = count if isinstance(count, int) and count > 0 else 0
            if not count:
                return below
            # Of a connection's own fields, what lies below `nodes` is there once a node.
            return count + count * below[0], 1 + count * below[1]
        if "ids" in field.arguments:
            count = len(arguments.get("ids") or ())
            return count + count * below[0], 1 + count * below[1]
        return below


def _aliases(selection_set):
    """The most aliases that stand side by side anywhere, at the two upper levels."""
    if selection_set is None:
        return 0
    fields = [n for n in selection_set.selections if kind_of(n) == "Field"]
    here = sum(1 for n in fields if n.alias is not None)
    return max([here, *(sum(1 for m in n.selection_set.selections if kind_of(m) == "Field" and m.alias)
                        for n in fields if n.selection_set is not None)], default=here)
