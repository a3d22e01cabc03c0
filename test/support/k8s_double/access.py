"""Who asks, and what they may: bearer tokens, client certificates, Roles."""

from .errors import Refused


class Access:
    """Without tokens everybody may do everything, as "anonymous"."""

    def __init__(self):
        self.tokens = {}  # token -> user
        self.rules = {}   # user -> [(namespace or None, rule of a Role)]

    def add_role(self, user, documents):
        """`documents`: the objects of a manifest; those that are no Role are passed over."""
        roles = [d for d in documents if d and d.get("kind") in ("Role", "ClusterRole")]
        if not roles:
            raise ValueError("no Role in the file of rules")
        for role in roles:
            where = role["metadata"].get("namespace") if role["kind"] == "Role" else None
            self.rules.setdefault(user, []).extend((where, rule) for rule in role.get("rules") or [])

    def user(self, authorization, certificate_name):
        if certificate_name:
            return certificate_name
        if not self.tokens:
            return "anonymous"
        scheme, _, token = (authorization or "").partition(" ")
        if scheme != "Bearer" or token not in self.tokens:
            raise Refused(401, "Unauthorized", "Unauthorized")
        return self.tokens[token]

    def demand(self, user, verb, kind, namespace, name, subresource):
        if user not in self.rules or any(
                _allows(rule, verb, kind, name, subresource) for where, rule in self.rules[user]
                if where in (None, namespace)):
            return
        what = f"{kind.plural}/{subresource}" if subresource else kind.plural
        scope = f' in the namespace "{namespace}"' if namespace else " at the cluster scope"
        shown = f'{kind.resource} "{name}"' if name else kind.resource
        raise Refused(403, "Forbidden", f'{shown} is forbidden: User "{user}" cannot {verb} resource "{what}" '
                      f'in API group "{kind.group}"{scope}', kind, name)


def _allows(rule, verb, kind, name, subresource):
    def has(field, value):
        return "*" in rule.get(field, []) or value in rule.get(field, [])

    names = rule.get("resourceNames")
    return has("verbs", verb) and has("apiGroups", kind.group) \
        and has("resources", f"{kind.plural}/{subresource}" if subresource else kind.plural) \
        and (not names or name in names)
