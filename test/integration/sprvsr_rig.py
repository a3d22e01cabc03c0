"""A supervisor on a stage, and a small Kubernetes API in this process for it.

It knows Deployments, Services, Leases and Events of one namespace: lists with pages, watches,
server-side apply of whole objects, deletes with a uid as precondition, compare-and-swap of
Leases.  It validates little; what it is for is to count requests and to break on demand.
"""

import bisect
import copy
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from fcgi_client import FcgiClient
from harness import SECRET, Case, accepts, wait_until
from router_rig import sha_of

NAMESPACE = "mirror"
KINDS = {"deployments": "Deployment", "services": "Service", "leases": "Lease",
         "events": "Event"}
CLUSTER_TOKEN = "cluster-token-that-must-not-leak"


class Cluster:
    """Objects by (plural, name), one version counter, a history for watches."""

    def __init__(self):
        self.lock = threading.Condition()
        self.objects = {}
        self.version = 0
        self.oldest = 0
        self.history = []
        self.requests = []  # (verb, plural, name)
        self.refuse = []  # statuses for the next requests
        self.down = False
        self.ready = True
        self.cut = 0  # watches to cut in the middle of an object
        self.epoch = 0  # watches of an older epoch end

    def writes(self):
        """Requests that write, but to Leases and Events."""
        return [r for r in self.requests
                if r[0] in ("patch", "delete", "create", "update") and
                r[1] in ("deployments", "services")]

    def get(self, plural, name):
        with self.lock:
            return copy.deepcopy(self.objects.get((plural, name)))

    def names(self, plural):
        with self.lock:
            return {name for kind, name in self.objects if kind == plural}

    def _store(self, plural, name, thing, event):
        self.version += 1
        thing["metadata"]["resourceVersion"] = str(self.version)
        if event == "DELETED":
            self.objects.pop((plural, name), None)
        else:
            self.objects[plural, name] = thing
        self.history.append((self.version, plural, event, copy.deepcopy(thing)))
        self.lock.notify_all()

    def put(self, plural, name, thing):
        """As somebody else would: labels, annotations and spec as given."""
        with self.lock:
            event = "MODIFIED" if (plural, name) in self.objects else "ADDED"
            thing["metadata"].setdefault("uid", f"uid-{self.version}")
            thing["metadata"]["name"] = name
            self._store(plural, name, thing, event)

    def edit(self, plural, name, change):
        with self.lock:
            thing = copy.deepcopy(self.objects[plural, name])
            change(thing)
            self._store(plural, name, thing, "MODIFIED")

    def remove(self, plural, name):
        with self.lock:
            self._store(plural, name, copy.deepcopy(self.objects[plural, name]), "DELETED")

    def forget(self):
        """Watches that go on from before now are 410, and those that run end."""
        with self.lock:
            self.oldest = self.version + 1
            self.version += 1
            self.epoch += 1
            self.lock.notify_all()

    def apply(self, plural, name, wanted, manager):
        with self.lock:
            old = self.objects.get((plural, name))
            new = copy.deepcopy(old) if old else {"metadata": {"uid": f"uid-{self.version}",
                                                               "generation": 0}}
            meta = new["metadata"]
            for key in ("apiVersion", "kind", "spec"):
                new[key] = copy.deepcopy(wanted[key])
            if plural == "deployments":
                new["spec"]["replicas"] = old["spec"].get("replicas", 1) if old else 1
            for key in ("name", "labels", "annotations"):
                meta[key] = copy.deepcopy(wanted["metadata"][key])
            meta["managedFields"] = [{"manager": manager, "operation": "Apply"}]
            if old and {**old, "status": 0} == {**new, "status": 0}:
                return old
            if not old or old["spec"] != new["spec"]:
                meta["generation"] += 1
                count = new["spec"].get("replicas", 1) if self.ready else 0
                seen = meta["generation"]
                new["status"] = {"observedGeneration": seen, "updatedReplicas": count,
                                 "readyReplicas": count}
            self._store(plural, name, new, "MODIFIED" if old else "ADDED")
            return new


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def handle(self):
        try:
            super().handle()
        except ConnectionError:
            pass  # a supervisor that was killed

    def reply(self, status, body, more=()):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in more:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def fail(self, status, message="refused", more=()):
        self.reply(status, {"kind": "Status", "code": status, "message": message}, more)

    def handle_one(self, method):
        cluster = self.server.cluster
        url = urlsplit(self.path)
        query = {k: v[0] for k, v in parse_qs(url.query).items()}
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "{}")
        parts = url.path.strip("/").split("/")
        at = parts.index("namespaces")
        plural, name = parts[at + 2], (parts + [""])[at + 3] if len(parts) > at + 3 else ""
        verb = {"GET": "get" if name else "watch" if "watch" in query else "list",
                "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}[method]
        with cluster.lock:
            cluster.requests.append((verb, plural, name))
            refusal = cluster.refuse.pop(0) if cluster.refuse and plural in (
                "deployments", "services") else None
        if cluster.down:
            self.close_connection = True
            return
        if self.headers.get("Authorization") != f"Bearer {CLUSTER_TOKEN}":
            self.fail(401, "no such token")
        elif parts[at + 1] != NAMESPACE:
            self.fail(403, "another namespace")
        elif refusal:
            self.fail(refusal, more=[("Retry-After", "1")] if refusal == 429 else ())
        else:
            getattr(self, f"do_{verb}")(cluster, plural, name, query, body)

    def do_list(self, cluster, plural, _name, query, _body):
        limit, after = int(query.get("limit", 500)), query.get("continue", "")
        with cluster.lock:
            names = sorted(n for k, n in cluster.objects if k == plural and n > after)
            page = [cluster.objects[plural, n] for n in names[:limit]]
            meta = {"resourceVersion": str(cluster.version)}
            if len(names) > limit:
                meta["continue"] = names[limit - 1]
            self.reply(200, {"kind": "List", "metadata": meta, "items": page})

    def do_watch(self, cluster, plural, _name, query, _body):
        since, epoch = int(query["resourceVersion"]), cluster.epoch
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        end = time.monotonic() + 60
        try:
            while time.monotonic() < end and not cluster.down and epoch == cluster.epoch:
                with cluster.lock:
                    if since < cluster.oldest - 1:
                        self.event("ERROR", {"kind": "Status", "code": 410, "message": "old"})
                        break
                    first = bisect.bisect_right(cluster.history, since, key=lambda h: h[0])
                    news = [h for h in cluster.history[first:] if h[1] == plural]
                    if not news:
                        cluster.lock.wait(0.2)
                        continue
                    cut = cluster.cut > 0
                    cluster.cut -= cut
                for version, _, kind, thing in news:
                    if cut:
                        self.chunk(json.dumps({"type": kind, "object": thing})[:100].encode())
                        self.close_connection = True
                        return
                    self.event(kind, thing)
                    since = version
            self.wfile.write(b"0\r\n\r\n")
        except OSError:
            self.close_connection = True

    def chunk(self, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def event(self, kind, thing):
        self.chunk(json.dumps({"type": kind, "object": thing}).encode() + b"\n")

    def do_get(self, cluster, plural, name, _query, _body):
        thing = cluster.get(plural, name)
        self.reply(200, thing) if thing else self.fail(404, "not found")

    def do_create(self, cluster, plural, _name, _query, body):
        name = body["metadata"]["name"]
        if cluster.get(plural, name):
            self.fail(409, "exists")
        else:
            cluster.put(plural, name, body)
            self.reply(201, cluster.get(plural, name))

    def do_update(self, cluster, plural, name, _query, body):
        with cluster.lock:
            old = cluster.objects.get((plural, name))
            if not old or (old["metadata"]["resourceVersion"] !=
                           body["metadata"].get("resourceVersion")):
                self.fail(409, "the object has been modified")
                return
            cluster._store(plural, name, body, "MODIFIED")
            self.reply(200, body)

    def do_patch(self, cluster, plural, name, query, body):
        assert self.headers["Content-Type"] == "application/apply-patch+yaml"
        assert body["metadata"]["name"] == name
        # Only what was seen is taken back from others.
        assert (query.get("force") == "true") == ("uid" in body["metadata"])
        self.reply(200, cluster.apply(plural, name, body, query["fieldManager"]))

    def do_delete(self, cluster, plural, name, _query, body):
        with cluster.lock:
            old = cluster.objects.get((plural, name))
            if not old:
                self.fail(404, "not found")
            elif body["preconditions"]["uid"] != old["metadata"]["uid"]:
                self.fail(409, "another uid")
            else:
                cluster._store(plural, name, copy.deepcopy(old), "DELETED")
                self.reply(200, {"kind": "Status", "status": "Success"})


for _method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
    setattr(Handler, f"do_{_method}", lambda self, m=_method: self.handle_one(m))


class SupervisorCase(Case):
    """Supervisors against a Cluster, a list in a file."""

    def setUp(self):
        super().setUp()
        self.cluster = Cluster()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.cluster = self.cluster
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.list_path = self.stage.path("repos.json")
        self.count = 0

    def write_list(self, *repos, text=None):
        if text is None:
            text = json.dumps({"repos": [{"repo": repo, "default_branch": "main",
                                          "is_tracking_issues": True} for repo in repos]})
        with open(self.list_path, "w", encoding="utf-8") as file:
            file.write(text)

    def kubeconfig(self):
        path = self.stage.path("kubeconfig")
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"current-context": "c", "contexts": [
                {"name": "c", "context": {"cluster": "k", "user": "u", "namespace": NAMESPACE}}],
                "clusters": [{"name": "k", "cluster": {
                    "server": f"http://127.0.0.1:{self.server.server_address[1]}"}}],
                "users": [{"name": "u", "user": {"token": CLUSTER_TOKEN}}]}, file)
        return path

    def arguments(self, *more):
        return ["--repos", f"file://{self.list_path}", "--log", "gs://bucket/logs",
                "--kubeconfig", self.kubeconfig(), "--requests-per-second", "2000",
                "--github-secret", "github", "--internal-secret", "internal",
                *([] if "--image" in more else ["--image", "registry/maintner:1"]), *more]

    def start(self, *more):
        self.count += 1
        secret = self.stage.path("internal-secret")
        with open(secret, "w", encoding="utf-8") as file:
            file.write(SECRET + "\n")
        address = f"unix:{self.stage.path(f'sprvsr{self.count}.sock')}"
        program = self.stage.run("maintner-sprvsr", "--listen", address,
                                 "--internal-secret-file", secret, *self.arguments(*more))
        program.address = address
        wait_until(lambda: accepts(address) or program.process.poll() is not None, program.tail)
        return program

    def ask(self, program, path, **more):
        client = FcgiClient(program.address, timeout_s=30)
        try:
            return client.ask(path, more.pop("query", ""), **more)
        finally:
            client.close()

    def update(self, program):
        self.assertEqual(202, self.ask(program, "/api/v1/update", method="POST").status)

    def metric(self, program, name):
        for line in self.ask(program, "/metrics").body.decode().splitlines():
            if line.startswith(f"maintner_supervisor_{name} "):
                return float(line.rpartition(" ")[2])
        raise AssertionError(f"no {name}")

    def wanted(self, repos):
        return ({f"mtr-d-{sha_of(r)}" for r in repos}, {f"mtr-s-{sha_of(r)}" for r in repos})

    def wait_for(self, program, *repos, timeout_s=30):
        """Until the cluster has exactly these repositories' objects."""
        wait_until(lambda: (self.cluster.names("deployments"), self.cluster.names("services"))
                   == self.wanted(repos), program.tail, timeout_s)

    def settle(self, seconds=0.6):
        """Requests that write, made in that time."""
        before = len(self.cluster.writes())
        time.sleep(seconds)
        return self.cluster.writes()[before:]
