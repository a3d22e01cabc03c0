"""For tests: a double in this process, on a free port.

    with GcsDouble(buckets=["logs"]) as double:
        double.fault(op="insert", kind="reset_after")
        ... run a program with STORAGE_EMULATOR_HOST=double.origin ...
        assert not double.violations
"""

import threading

from .faults import Fault
from .server import Double, serve


class GcsDouble(Double):
    def __init__(self, **settings):
        super().__init__(**settings)
        self._server = serve(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.stop()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def fault(self, **settings):
        with self.model.lock:
            self.faults.active.append(Fault(settings))

    def clear(self):
        with self.model.lock:
            self.faults.active.clear()
            self.log.clear()

    def put(self, bucket, name, data):
        with self.model.lock:
            return self.model.store(bucket, name, data, "application/octet-stream")

    def remove(self, bucket, name):
        with self.model.lock:
            del self.model.buckets[bucket][name]

    def data(self, bucket, name):
        with self.model.lock:
            found = self.model.buckets[bucket].get(name)
            return None if found is None else found.data

    def names(self, bucket):
        with self.model.lock:
            return sorted(self.model.buckets[bucket])

    def attempts(self, op=None):
        """What was asked, in order: {"op", "status", "condition", ...}."""
        with self.model.lock:
            return [dict(e) for e in self.log if op is None or e["op"] == op]
