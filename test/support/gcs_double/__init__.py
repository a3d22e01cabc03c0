"""A strict stand-in for Google Cloud Storage's JSON API and for the token endpoints.

Written from https://cloud.google.com/storage/docs/json_api/v1 (requests),
https://cloud.google.com/storage/docs/performing-resumable-uploads,
https://cloud.google.com/storage/docs/retry-strategy (faults and preconditions),
and https://google.aip.dev/auth (tokens).  It refuses what the real one refuses, counts
what it is asked, and misbehaves on command (control.py).
"""
