"""Server-side apply, and what other writes do to the ownership of fields."""

import copy

from .errors import Refused
from .fields import Managers, children, item_key, shown, values_of
from .schema import List, Map, Struct, is_atomic, resolve


def merge(live, applied, kind):
    """`live` with what `applied` says; lists keep live's order, new items come last."""
    inner = resolve(kind)
    if live is None or is_atomic(kind) or not isinstance(live, type(applied)):
        return copy.deepcopy(applied)
    if isinstance(inner, (Struct, Map)):
        out = dict(live)
        for name, value in applied.items():
            below = inner.fields[name] if isinstance(inner, Struct) else inner.item
            out[name] = merge(live.get(name), value, below)
        return out
    if isinstance(inner, List):
        news = {item_key(v, inner): v for v in applied}
        out = [merge(v, news.pop(item_key(v, inner)), inner.item) if item_key(v, inner) in news else v
               for v in live]
        return out + [copy.deepcopy(v) for v in news.values()]
    return applied


def without(value, kind, path):
    """`value` without the field at `path`; containers that this empties go too."""
    inner = resolve(kind)
    below = children(value, kind)
    if below is None or path[0] not in [element for element, _, _ in below]:
        return value
    if isinstance(inner, List):
        out = []
        for item in value:
            if item_key(item, inner) != path[0]:
                out.append(item)
            elif len(path) > 1:
                out.append(without(item, inner.item, path[1:]))
        return out
    name = path[0][2:]
    out = dict(value)
    kept = None
    if len(path) > 1:
        kept = without(value[name], inner.fields[name] if isinstance(inner, Struct) else inner.item, path[1:])
    if kept in (None, {}, []):
        del out[name]
    else:
        out[name] = kept
    return out


def apply(live, applied, kind, manager, force, force_hint=True):
    """Server-side apply: the new object, without its managedFields, and the Managers."""
    managers = Managers(live["metadata"].get("managedFields", ()) if live else ())
    me = (manager, "Apply", "")
    wanted = values_of(applied, kind.type)
    if live is None:
        managers.sets[me] = set(wanted)
        return copy.deepcopy(applied), managers
    have = values_of(live, kind.type)
    conflicts = _conflicts(managers, me, wanted, have)
    if conflicts and not force:
        raise _conflict(kind, applied["metadata"]["name"], conflicts)
    managers.disown({path for _, path in conflicts}, me)
    result = merge(live, applied, kind.type)
    gone = managers.sets.get(me, set()) - set(wanted)
    for path in sorted(gone, key=len):
        if not managers.owned_elsewhere(path, me) and not any(p[:len(path)] == path for p in wanted):
            result = without(result, kind.type, path)
    managers.sets[me] = set(wanted)
    return result, managers


def _conflicts(managers, me, wanted, have):
    out = []
    for key, owned in managers.sets.items():
        if key == me:
            continue
        for path in sorted(owned & set(wanted)):
            if path[-1][0] == "f" and have.get(path) != wanted[path]:
                out.append((key, path))
    return out


def _conflict(kind, name, conflicts):
    causes = [{"reason": "FieldManagerConflict", "message": f'conflict with "{key[0]}"'
               + (f" using {kind.api_version}" if key[1] == "Update" else ""), "field": shown(path)}
              for key, path in conflicts]
    word = "conflict" if len(causes) == 1 else "conflicts"
    return Refused(409, "Conflict", f"Apply failed with {len(causes)} {word}: " + "; ".join(
        f"{c['message']}: {c['field']}" for c in causes), kind=kind, name=name, causes=causes)


def note_update(live, new, kind, manager, subresource):
    """Managers after a write that is no apply: who changes a field owns it."""
    managers = Managers(live["metadata"].get("managedFields", ()) if live else ())
    before = values_of(live, kind.type) if live else {}
    after = values_of(new, kind.type)
    me = (manager, "Update", subresource)
    changed = {p for p, v in after.items() if p not in before or before[p] != v}
    managers.disown((set(before) - set(after)) | {p for p in changed if p[-1][0] == "f"}, None)
    if changed:
        managers.sets[me] = managers.sets.get(me, set()) | changed
    return managers
