"""A strict stand-in for the Kubernetes API: the part that a supervisor, kubectl and the
manifests of deploy/ use.

Written from https://kubernetes.io/docs/reference/using-api/ (api-concepts, server-side
apply) and the API reference's tables of fields.  It refuses what the real one refuses,
and unknown fields always; counts and logs what it is asked; misbehaves on command.

  schema.py, types_*.py  what fields there are, how lists merge, what values are legal
  rules.py               what the fields mean together; immutable fields; defaults.py
  fields.py, merge.py    ownership of fields, server-side apply; patch.py other patches
  store.py               objects, versions, history, pages; selectors.py
  rollout.py             plays the Deployment controller
  access.py              who may do what; faults.py; control.py; api.py; server.py
"""
