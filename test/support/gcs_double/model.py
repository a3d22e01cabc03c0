"""Buckets, objects, generations, resumable sessions: the state, and its rules."""

import datetime
import hashlib
import base64
import itertools
import threading
import time

from .checksum import crc_text

RESUMABLE_UNIT = 256 * 1024
COMPOSE_MAX = 32


class Refused(Exception):
    """An answer other than 2xx: HTTP status, reason, message."""

    def __init__(self, status, message, reason="invalid"):
        super().__init__(message)
        self.status = status
        self.message = message
        self.reason = reason


class Object:
    def __init__(self, name, data, generation, content_type, composed=0):
        self.name = name
        self.data = data
        self.generation = generation
        self.content_type = content_type
        self.components = composed
        self.created = datetime.datetime.now(datetime.timezone.utc)
        self._crc = None

    @property
    def crc(self):
        if self._crc is None:
            self._crc = crc_text(self.data)
        return self._crc

    def describe(self, bucket):
        out = {"kind": "storage#object", "name": self.name, "bucket": bucket,
               "generation": str(self.generation), "metageneration": "1",
               "contentType": self.content_type, "size": str(len(self.data)),
               "crc32c": self.crc, "storageClass": "STANDARD",
               "timeCreated": self.created.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"}
        if self.components:
            out["componentCount"] = self.components
        else:
            out["md5Hash"] = base64.b64encode(hashlib.md5(self.data).digest()).decode()
        return out


class Session:
    """A resumable upload that is under way."""

    def __init__(self, bucket, metadata, condition):
        self.bucket = bucket
        self.metadata = metadata
        self.condition = condition
        self.data = b""


class Model:
    def __init__(self, buckets, write_interval, page_size):
        self.lock = threading.RLock()
        self.buckets = {name: {} for name in buckets}
        self.sessions = {}
        self.rewrites = {}
        self.write_interval = write_interval
        self.page_size = page_size
        self.compose_allowed = True
        self.rewrite_calls = 1
        self._written = {}
        self._serial = itertools.count(1)
        self._last_generation = 0

    def bucket(self, name):
        if name not in self.buckets:
            raise Refused(404, "The specified bucket does not exist.", "notFound")
        return self.buckets[name]

    def object(self, bucket, name, generation=None):
        found = self.bucket(bucket).get(name)
        if found is None or (generation is not None and found.generation != generation):
            raise Refused(404, f"No such object: {bucket}/{name}", "notFound")
        return found

    def check(self, bucket, name, condition):
        """ifGenerationMatch; None means that none was given."""
        if condition is None:
            return
        found = self.bucket(bucket).get(name)
        have = 0 if found is None else found.generation
        if have != condition:
            raise Refused(412, "At least one of the pre-conditions you specified did not hold.",
                          "conditionNotMet")

    def pace(self, bucket, name):
        """At most one write a second to one name."""
        now = time.monotonic()
        last = self._written.get((bucket, name))
        if last is not None and now - last < self.write_interval:
            raise Refused(429, f"The object {bucket}/{name} exceeded the rate limit for object "
                               "mutation operations (create, update, and delete).",
                          "rateLimitExceeded")
        self._written[bucket, name] = now

    def store(self, bucket, name, data, content_type, composed=0):
        generation = max(int(time.time() * 1_000_000), self._last_generation + 1)
        self._last_generation = generation
        created = Object(name, data, generation, content_type, composed)
        self.bucket(bucket)[name] = created
        return created

    def insert(self, bucket, metadata, data, condition):
        name = metadata["name"]
        check_name(name)
        self.bucket(bucket)
        self.check(bucket, name, condition)
        if "crc32c" in metadata and metadata["crc32c"] != crc_text(data):
            raise Refused(400, f"Provided CRC32C \"{metadata['crc32c']}\" doesn't match calculated "
                               f"CRC32C \"{crc_text(data)}\".")
        self.pace(bucket, name)
        return self.store(bucket, name, data,
                          metadata.get("contentType", "application/octet-stream"))

    def delete(self, bucket, name, condition):
        self.object(bucket, name)
        self.check(bucket, name, condition)
        del self.bucket(bucket)[name]

    def compose(self, bucket, name, request, condition):
        sources = request.get("sourceObjects")
        if not self.compose_allowed:
            raise Refused(501, "Not Implemented", "notImplemented")
        if not sources or len(sources) > COMPOSE_MAX:
            raise Refused(400, "The number of source components provided is out of range.")
        parts = [self.object(bucket, s["name"], _number(s.get("generation"))) for s in sources]
        self.check(bucket, name, condition)
        self.pace(bucket, name)
        data = b"".join(p.data for p in parts)
        kind = request.get("destination", {}).get("contentType", "application/octet-stream")
        return self.store(bucket, name, data, kind, sum(p.components or 1 for p in parts))

    def rewrite(self, source, target, condition, token):
        """Takes `rewrite_calls` calls; the last one writes."""
        found = self.object(*source)
        if token is None:
            self.check(*target, condition)
            token = f"rw+/{next(self._serial)}="
            self.rewrites[token] = [source, target, found.generation, self.rewrite_calls]
        state = self.rewrites.get(token)
        if state is None or state[:2] != [source, target]:
            raise Refused(400, "Invalid rewrite token")
        state[3] -= 1
        if state[3] > 0:
            return token, None
        self.check(*target, condition)
        self.bucket(target[0])
        self.pace(*target)
        del self.rewrites[token]
        return None, self.store(*target, found.data, found.content_type, found.components)

    def page(self, bucket, prefix, token, limit):
        names = sorted(n for n in self.bucket(bucket) if n.startswith(prefix))
        start = 0
        if token is not None:
            after = decode_token(token)
            start = sum(1 for n in names if n <= after)
        size = min(limit or self.page_size, self.page_size)
        chosen = names[start:start + size]
        more = start + size < len(names)
        return ([self.bucket(bucket)[n] for n in chosen],
                encode_token(chosen[-1]) if more and chosen else None)


def encode_token(name):
    """Tokens hold +, / and =, as real ones may."""
    return "+/" + base64.b64encode(name.encode()).decode() + "="


def decode_token(token):
    try:
        if not (token.startswith("+/") and token.endswith("=")):
            raise ValueError
        return base64.b64decode(token[2:-1], validate=True).decode()
    except ValueError:
        raise Refused(400, f"Invalid pageToken {token!r}") from None


def check_name(name):
    if not name or len(name.encode()) > 1024 or "\n" in name or "\r" in name:
        raise Refused(400, "Invalid object name")


def _number(text):
    return None if text is None else int(text)
