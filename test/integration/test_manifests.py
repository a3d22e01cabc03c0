"""The manifests of deploy/kubernetes: rendered by kubectl, held against the strict schema of the
Kubernetes double, against the programs' flags, and against each other."""

import functools
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import paths
from k8s_double import schema, yaml_subset
from k8s_double.client import K8sDouble
from k8s_double.errors import Refused
from k8s_double.kinds import BY_NAME
from k8s_double.rules import decode

FOLDER = os.path.join(paths.DEPLOY, "kubernetes")
BASE = os.path.join(FOLDER, "base")
OVERLAYS = sorted(os.listdir(os.path.join(FOLDER, "overlays")))
OLDEST_KUBECTL = 27  # components and replacements need its kustomize; Debian 12 has 1.20
NAMESPACE = "maintner"
# What an operator creates by hand: name -> its keys.
SECRETS = {"github": {"token"}, "internal": {"secret"}, "webhook": {"secret"},
           "gcp-reader": {"key.json"}, "gcp-writer": {"key.json"}}
ROUTER_DRAIN_S = 4  # DRAIN_MS of router/router.c
OURS = ("maintner-sprvsr", "maintner-rtr", "maintner-swpr", "maintnerd-sync", "maintnerd-fcgi")
EVERYTHING = "example with every component"
_rendered = {}


@functools.lru_cache(maxsize=None)
def why_not_rendered():
    """Why kubectl cannot render overlays here; None when it can."""
    if shutil.which("kubectl") is None:
        return "kubectl is not here"
    done = subprocess.run(["kubectl", "version", "--client", "-o", "json"], capture_output=True, text=True,
                          timeout=60, check=False)
    minor = int(re.search(r'"minor": *"(\d+)', done.stdout)[1])
    return None if minor >= OLDEST_KUBECTL else f"kubectl 1.{minor} is older than 1.{OLDEST_KUBECTL}"


def files_of_base():
    """The base without kustomize: its files, and what overlays and generators add to them."""
    objects = []
    for name in sorted(os.listdir(BASE)):
        if name.endswith(".yaml") and name != "kustomization.yaml":
            with open(os.path.join(BASE, name), encoding="utf-8") as file:
                objects += yaml_subset.load_all(file.read())
    maps = {"maintner-list": {"MAINTNER_REPOS": "gs://b/l"}, "maintner-sprvsr": {"MAINTNER_LOG": "gs://b/logs"},
            "maintner-swpr": {"MAINTNER_STATE": "gs://b/state"}, "maintner-nginx": {}}
    for name in sorted(os.listdir(os.path.join(BASE, "nginx"))):
        with open(os.path.join(BASE, "nginx", name), encoding="utf-8") as file:
            maps["maintner-nginx"][name] = file.read()
    objects += [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}
                for name, data in maps.items()]
    objects.sort(key=lambda obj: obj["kind"] != "Namespace")
    for obj in objects:
        if BY_NAME[obj["apiVersion"], obj["kind"]].namespaced:
            obj["metadata"]["namespace"] = NAMESPACE
    return objects


def kustomize(folder):
    done = subprocess.run(["kubectl", "kustomize", folder], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return done.stdout


def with_every_component(folder):
    """The example with all components, as an operator would add them: a copy of the tree in `folder`."""
    shutil.copytree(FOLDER, folder, dirs_exist_ok=True)
    overlay = os.path.join(folder, "overlays", "example")
    path = os.path.join(overlay, "kustomization.yaml")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    names = sorted(os.listdir(os.path.join(FOLDER, "components")), key=lambda name: (name == "ipv6", name))
    lines = "".join(f"  - ../../components/{name}\n" for name in names)
    text, count = re.subn(r"^components:\n( .*\n)+", "components:\n" + lines, text, flags=re.M)
    assert count == 1, text
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return overlay


def rendered(overlay):
    """(objects of an overlay, the text); skips the test where kubectl cannot render it."""
    if why_not_rendered():
        raise unittest.SkipTest(why_not_rendered())
    if overlay not in _rendered:
        with tempfile.TemporaryDirectory() as folder:
            text = kustomize(with_every_component(folder) if overlay == EVERYTHING
                             else os.path.join(FOLDER, "overlays", overlay))
        _rendered[overlay] = (yaml_subset.load_all(text), text)
    return _rendered[overlay]


def path_of(obj):
    kind = BY_NAME[obj["apiVersion"], obj["kind"]]
    root = f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}"
    space = f"/namespaces/{obj['metadata']['namespace']}" if kind.namespaced else ""
    return f"{root}{space}/{kind.plural}/{obj['metadata']['name']}"


def template_of(obj):
    """The pod template of a workload; None for other objects."""
    if obj["kind"] == "Deployment":
        return obj["spec"]["template"]
    return obj["spec"]["jobTemplate"]["spec"]["template"] if obj["kind"] == "CronJob" else None


def places_of(value, kind, path=""):
    """(path, object) of everything whose members the schema names; what it leaves open is an error."""
    kind = schema.resolve(kind)
    if isinstance(kind, schema.Raw):
        raise AssertionError(f"{path}: the schema says nothing of this")
    if isinstance(kind, schema.List):
        for index, item in enumerate(value):
            yield from places_of(item, kind.item, f"{path}[{index}]")
    elif isinstance(kind, schema.Map):
        for name, item in value.items():
            yield from places_of(item, kind.item, f"{path}[{name}]")
    elif isinstance(kind, schema.Struct):
        yield path or ".", value
        for name, item in list(value.items()):
            yield from places_of(item, kind.fields[name], f"{path}.{name}")


def selected(selector, labels):
    for need in selector.get("matchExpressions", []):
        held = need["key"] in labels and labels[need["key"]] in need.get("values", [])
        if need["operator"] != "In" or not held:
            return False
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())


def passes(policies, direction, at, other, port):
    """Do the policies of the pod with labels `at` let it have (Ingress) or open (Egress) a connection
    with `other`?  Labels of None are a place outside of the cluster."""
    rules, peers = {"Ingress": ("ingress", "from"), "Egress": ("egress", "to")}[direction]
    ours = [p["spec"] for p in policies if direction in p["spec"]["policyTypes"] and selected(p["spec"]["podSelector"], at)]
    if not ours:
        return True
    return any(port in [p["port"] for p in rule.get("ports", [])]
               and (peers not in rule or other is not None and any(
                   selected(peer.get("podSelector", {"matchLabels": {"": ""}}), other) for peer in rule[peers]))
               for policy in ours for rule in policy.get(rules, []))


def allowed(policies, source, target, port):
    """May a pod with labels `source` reach this port of one with labels `target`?"""
    return passes(policies, "Ingress", target, source, port) and passes(policies, "Egress", source, target, port)


class Manifests(unittest.TestCase):
    maxDiff = 4000

    def each(self):
        """The base as its files are, and every overlay where kubectl can render it."""
        print("base", flush=True)
        yield files_of_base()
        if why_not_rendered():
            print(f"no overlays: {why_not_rendered()}", flush=True)
            return
        for overlay in (*OVERLAYS, EVERYTHING):
            print(f"overlay: {overlay}", flush=True)
            yield rendered(overlay)[0]

    def by_kind(self, objects, kind):
        return {obj["metadata"]["name"]: obj for obj in objects if obj["kind"] == kind}

    def templates(self, objects):
        """(name of the workload, template)."""
        return [(obj["metadata"]["name"], template_of(obj)) for obj in objects if template_of(obj)]

    def containers(self, objects):
        return [(name, template["spec"], container) for name, template in self.templates(objects)
                for container in template["spec"]["containers"]]

    def test_every_object_is_valid_and_applying_it_twice_changes_nothing(self):
        for objects in self.each():
            with K8sDouble() as double:
                for status in (201, 200):
                    for obj in objects:
                        got = double.apply(path_of(obj), obj)
                        self.assertEqual(status, got[0], f"{path_of(obj)}: {got[1].get('message')}")
                    version = double.store.version if status == 201 else version
                self.assertEqual(version, double.store.version)

    def test_a_field_that_does_not_exist_would_be_found(self):
        """So that the test above means something: at every place of every object."""
        places = {}
        for objects in self.each():
            for obj in objects:
                kind = BY_NAME[obj["apiVersion"], obj["kind"]]
                for place, struct in places_of(obj, kind.type):
                    struct["nonsense"] = {}
                    with self.assertRaises(Refused, msg=f"{path_of(obj)}: {place}") as refusal:
                        decode(obj, kind)
                    self.assertIn("nonsense", refusal.exception.message, place)
                    del struct["nonsense"]
                    places[obj["kind"]] = places.get(obj["kind"], 0) + 1
                decode(obj, kind)
        print(f"places: {places}", flush=True)
        self.assertGreater(places["Deployment"], 50)
        self.assertTrue(all(count > 1 for count in places.values()), places)

    def test_the_api_server_would_say_so(self):
        router = self.by_kind(rendered("example")[0], "Deployment")["maintner-rtr"]
        for break_it in (lambda s: s["template"]["spec"]["containers"][0].update(readynessProbe={}),
                         lambda s: s["template"]["spec"].update(serviceAcountName="x"),
                         lambda s: s["selector"]["matchLabels"].update(app="other")):
            broken = yaml_subset.load_all(rendered("example")[1])
            broken = self.by_kind(broken, "Deployment")["maintner-rtr"]
            break_it(broken["spec"])
            with K8sDouble(namespaces=[NAMESPACE]) as double:
                self.assertIn(double.apply(path_of(broken), broken)[0], (400, 422))
                self.assertEqual(201, double.apply(path_of(router), router)[0])

    def test_kubectl_applies_the_example(self):
        rendered("example")
        with K8sDouble() as double, tempfile.TemporaryDirectory() as home:
            done = subprocess.run(
                ["kubectl", "--server", double.origin, "apply", "--validate=false", "-k",
                 os.path.join(FOLDER, "overlays", "example")], capture_output=True, text=True, timeout=120,
                check=False, env={"PATH": os.environ["PATH"], "HOME": home})
            self.assertEqual(0, done.returncode, done)
            self.assertEqual({"maintner-rtr", "maintner-sprvsr"}, set(double.objects("deployments")))

    def test_our_reader_of_yaml_reads_as_others_do(self):
        try:
            import yaml
        except ImportError:
            self.skipTest("python3-yaml is not here")
        for overlay in (*OVERLAYS, EVERYTHING):
            objects, text = rendered(overlay)
            self.assertEqual(list(yaml.safe_load_all(text)), objects)

    def test_overlays_need_no_kinds_that_have_to_be_installed_first(self):
        for overlay in OVERLAYS:
            groups = {obj["apiVersion"].partition("/")[0] for obj in rendered(overlay)[0]}
            self.assertLessEqual({g for g in groups if "." in g and not g.endswith(".k8s.io")}, set(), overlay)
        self.assertTrue(self.by_kind(rendered(EVERYTHING)[0], "ServiceMonitor"))

    # what the README says

    def readme(self):
        with open(os.path.join(FOLDER, "README.md"), encoding="utf-8") as file:
            return file.read()

    def first_steps(self):
        """The commands, each with its lines."""
        block = self.readme().split("```\n")[3]
        return re.findall(r"^(?:for .*do\n(?: .*\n)+done|.+)$", block, re.M)

    def test_the_readme_needs_ten_commands(self):
        self.assertEqual(10, len(self.first_steps()))

    def test_the_copy_of_the_example_that_the_readme_makes_has_nothing_of_the_example_left(self):
        if why_not_rendered():
            self.skipTest(why_not_rendered())
        commands = [c for c in self.first_steps() if "mkdir mine" in c]
        self.assertEqual(1, len(commands))
        own = {"BUCKET": "own-bucket", "REGISTRY": "registry.own:5000/a", "HOST": "mirror.own.org"}
        with tempfile.TemporaryDirectory() as root:
            shutil.copytree(FOLDER, os.path.join(root, "deploy", "kubernetes"))
            for command in commands:
                subprocess.run(["sh", "-c", command], cwd=root, env={**os.environ, **own}, timeout=30, check=True)
            text = kustomize(os.path.join(root, "deploy", "kubernetes", "overlays", "mine"))
        self.assertNotIn("example", text)
        for value in own.values():
            self.assertIn(value, text)

    def test_the_readme_s_commands_are_for_every_shell_and_sed(self):
        """zsh takes $name:r for a file name without its ending; sed's -i differs between systems."""
        for command in self.first_steps():
            self.assertIsNone(re.search(r"\$\w+:|sed -i", command), command)

    def test_the_readme_makes_every_secret_that_the_example_mounts(self):
        text = self.readme()
        for account in re.search(r"^for a in ([A-Za-z: ]+); do\n(?: .*\n)* .*gcp-\$", text, re.M)[1].split():
            text += f"create secret generic gcp-{account.partition(':')[0]} --from-file=key.json="
        for name in re.search(r"^for s in ([a-z ]+); do .*generic \$s --from-file=secret=", text, re.M)[1].split():
            text += f"create secret generic {name} --from-file=secret="
        made = {name: {key} for name, key in re.findall(r"create secret generic ([a-z-]+) --from-[a-z]+=([a-z.]+)=", text)}
        self.assertEqual(SECRETS, made)
        (ingress,) = self.by_kind(rendered("example")[0], "Ingress").values()
        self.assertEqual(re.findall(r"create secret tls ([a-z-]+)", text),
                         [tls["secretName"] for tls in ingress["spec"]["tls"]])

    def test_the_readme_binds_every_identity_of_the_gke_overlay(self):
        bound = re.search(r"^for a in ([a-z/ -]+); do\n.*add-iam-policy-binding", self.readme(), re.M)[1].split()
        accounts = self.by_kind(rendered("gke")[0], "ServiceAccount")
        self.assertEqual({name: account["metadata"]["annotations"]["iam.gke.io/gcp-service-account"].partition("@")[0]
                          for name, account in accounts.items()},
                         {a.partition("/")[2]: "maintner-" + a.partition("/")[0] for a in bound})

    def test_the_sweeper_takes_the_key_that_the_readme_and_the_supervisor_s_default_name(self):
        default = re.search(r"repositories are shared out \[(\w+)\]", self.help_of("maintner-sprvsr"))[1]
        self.assertIn(f"One of them must be called `{default}`", " ".join(self.readme().split()))
        for objects in self.each():
            maps = self.by_kind(objects, "ConfigMap")
            keys = next(m["data"] for n, m in maps.items() if n.startswith("maintner-sprvsr") and "MAINTNER_LOG" in m["data"])
            pod = template_of(self.by_kind(objects, "CronJob")["maintner-swpr"])["spec"]
            (item,) = next(v for v in pod["volumes"] if v["name"] == "github")["secret"]["items"]
            self.assertEqual(default, item["key"])
            self.assertIn(default, keys.get("MAINTNER_GITHUB_KEYS", default).split(","))

    # programs

    def test_programs_take_the_arguments_and_the_environment(self):
        helps = {name: self.help_of(name) for name in OURS if os.path.exists(os.path.join(paths.BIN, name))}
        self.assertIn("maintner-rtr", helps)
        for objects in self.each():
            maps = self.by_kind(objects, "ConfigMap")
            for _, _, container in self.containers(objects):
                name = container["command"][0]
                if name not in helps:
                    continue
                self.check_arguments(name, container, maps, helps[name])

    def help_of(self, name):
        return subprocess.run([paths.program(name), "--help"], capture_output=True, text=True, timeout=30,
                              check=True).stdout

    def test_the_front_of_a_pod_is_what_the_supervisor_mounts(self):
        objects = rendered("local")[0]
        sprvsr = self.by_kind(objects, "Deployment")["maintner-sprvsr"]["spec"]["template"]["spec"]["containers"][0]
        self.assertIn("MAINTNER_POD_FRONT", {e["name"] for e in sprvsr["env"]})
        name = re.search(r"ConfigMap with its nginx.conf \[([a-z-]+)\]", self.help_of("maintner-sprvsr"))[1]
        self.assertEqual({"nginx.conf", "fastcgi.conf"}, set(self.by_kind(objects, "ConfigMap")[name]["data"]))

    def check_arguments(self, name, container, maps, text):
        done = subprocess.run([paths.program(name), *container.get("args", []), "--help"],
                              capture_output=True, text=True, timeout=30, check=False)
        self.assertEqual((0, "Usage: "), (done.returncode, done.stdout[:7]), done)
        given = set()
        for source in container.get("envFrom", []):
            given |= set(maps[source["configMapRef"]["name"]]["data"])
        given |= {e["name"] for e in container.get("env", []) if e["name"] != "GOOGLE_APPLICATION_CREDENTIALS"}
        for variable in given:
            flag = variable.removeprefix("MAINTNER_").lower().replace("_", "-")
            self.assertIn(f"  --{flag} ", text, f"{name}: {variable}")
        given |= {"MAINTNER_" + arg.partition("=")[0][2:].upper().replace("-", "_")
                  for arg in container.get("args", [])}
        for flag in re.findall(r"^  --([a-z-]+) .*\(required\)", text, re.M):
            self.assertIn("MAINTNER_" + flag.upper().replace("-", "_"), given, name)

    def test_web_server_configurations_are_good(self):
        front = os.path.join(FOLDER, "components", "pod-front")
        for copy in (os.path.join(BASE, "nginx"), front):
            with open(os.path.join(copy, "fastcgi.conf")) as file, open(os.path.join(paths.DEPLOY, "nginx", "fastcgi.conf")) as original:
                self.assertEqual(original.read(), file.read())
        nginx = shutil.which("nginx") or "/usr/sbin/nginx"
        if not os.path.exists(nginx):
            self.skipTest("nginx is not here")
        for source in (os.path.join(BASE, "nginx"), os.path.join(FOLDER, "components", "monitoring"), front):
            files = {}
            for file_name in filter(lambda name: name.endswith(".conf"), os.listdir(source)):
                with open(os.path.join(source, file_name)) as file:
                    files[file_name] = file.read()
            self.check_nginx(nginx, source, files)

    def check_nginx(self, nginx, source, files):
        with self.subTest(source), tempfile.TemporaryDirectory() as folder:
            for file_name, text in files.items():
                text = text.replace("/tmp/", folder + "/tmp-")
                text = re.sub("/etc/maintner/(nginx|front)/", folder + "/", text)
                with open(os.path.join(folder, file_name), "w") as file:
                    file.write(text)
            done = subprocess.run([nginx, "-T", "-c", os.path.join(folder, "nginx.conf")],
                                  capture_output=True, text=True, timeout=30, check=False)
            self.assertEqual(0, done.returncode, done)
            return done.stdout

    def test_with_ipv6_everything_listens_on_both_families(self):
        objects = rendered(EVERYTHING)[0]
        hosts = [arg for _, _, c in self.containers(objects) for arg in c.get("args", []) if arg.startswith("--listen=")]
        self.assertEqual(["--listen=[::]:9000"] * 2, hosts)
        maps = self.by_kind(objects, "ConfigMap")
        self.assertIn("::", [m["data"].get("MAINTNER_POD_HOST") for m in maps.values()])
        nginx = shutil.which("nginx") or "/usr/sbin/nginx"
        if not os.path.exists(nginx) or not os.path.exists("/proc/net/if_inet6"):
            self.skipTest("nginx or IPv6 is not here")
        checked = 0
        for name, data in ((name, m["data"]) for name, m in maps.items() if "nginx.conf" in m["data"]):
            listens = re.findall(r"^\s*listen ([^;]+);", self.check_nginx(nginx, name, data), re.M)
            ports = re.findall(r"^\s*listen (\d+);", data["nginx.conf"], re.M)
            self.assertEqual(sorted(ports + [f"[::]:{port}" for port in ports]), sorted(listens), name)
            checked += 1
        self.assertEqual(3, checked)

    def test_a_router_that_goes_outlives_the_web_server_beside_it(self):
        """What nginx still relays after it was told to end is not cut by a router that is gone."""
        with open(os.path.join(BASE, "nginx", "nginx.conf"), encoding="utf-8") as file:
            quits = int(re.search(r"^worker_shutdown_timeout (\d+)s;", file.read(), re.M)[1])
        with open(os.path.join(BASE, "nginx", "fastcgi.conf"), encoding="utf-8") as file:
            self.assertLessEqual(int(re.search(r"fastcgi_read_timeout (\d+)s;", file.read())[1]), quits)
        for objects in self.each():
            pod = self.by_kind(objects, "Deployment")["maintner-rtr"]["spec"]["template"]["spec"]
            command = {c["name"]: " ".join(c["lifecycle"]["preStop"]["exec"]["command"]) for c in pod["containers"]}
            before, after = map(int, re.fullmatch(r"sh -c sleep (\d+); kill -QUIT 1; sleep (\d+)", command["nginx"]).groups())
            self.assertGreater(after, quits)
            router = int(re.fullmatch(r"sleep (\d+)", command["rtr"])[1])
            self.assertGreater(router, before + after)
            self.assertLess(router + ROUTER_DRAIN_S, pod["terminationGracePeriodSeconds"])

    def test_a_node_can_be_drained_however_few_replicas_there_are(self):
        for objects in self.each():
            for name, budget in self.by_kind(objects, "PodDisruptionBudget").items():
                self.assertEqual((1, None), tuple(map(budget["spec"].get, ("maxUnavailable", "minAvailable"))), name)

    def test_a_program_that_hangs_is_restarted_and_one_without_a_list_is_not(self):
        """The kernel accepts connections for a process that hangs; health is 503 until a list was read."""
        for objects in self.each():
            for name, _, container in self.containers(objects):
                if container["command"][0] in ("maintner-rtr", "maintner-sprvsr"):
                    live, ready = (container[probe]["exec"]["command"] for probe in ("livenessProbe", "readinessProbe"))
                    self.assertIn("--path=/metrics", live, name)
                    self.assertEqual(ready, [argument for argument in live if argument != "--path=/metrics"])

    def test_the_list_is_read_as_often_by_routers_as_by_the_supervisor(self):
        """An update that is asked for reaches one of each."""
        every = re.search(r"between readings of the list \[(\d+)\]", self.help_of("maintner-sprvsr"))[1]
        for objects in self.each():
            router = self.by_kind(objects, "Deployment")["maintner-rtr"]["spec"]["template"]["spec"]["containers"][0]
            self.assertIn(f"--interval={every}", router["args"])

    def test_a_delivery_of_github_s_passes_every_web_server_on_its_way(self):
        objects = rendered("example")[0]
        conf = self.by_kind(objects, "ConfigMap")
        conf = next(m["data"]["nginx.conf"] for name, m in conf.items() if name.startswith("maintner-nginx"))
        most = re.search(r"/webhook \{\s+client_max_body_size (\w+);", conf)[1]
        (ingress,) = self.by_kind(objects, "Ingress").values()
        self.assertEqual(most, ingress["metadata"]["annotations"]["nginx.ingress.kubernetes.io/proxy-body-size"])

    # references

    def test_everything_that_is_named_is_there(self):
        for objects in self.each():
            maps = {name: set(obj["data"]) for name, obj in self.by_kind(objects, "ConfigMap").items()}
            accounts = self.by_kind(objects, "ServiceAccount")
            for name, pod, container in self.containers(objects):
                self.assertIn(pod["serviceAccountName"], accounts, name)
                for source in container.get("envFrom", []):
                    self.assertIn(source["configMapRef"]["name"], maps, name)
                volumes = {volume["name"] for volume in pod["volumes"]}
                mounted = {mount["name"] for mount in container["volumeMounts"]}
                self.assertLessEqual(mounted, volumes, name)
            for name, template in self.templates(objects):
                self.check_volumes(name, template["spec"], maps)
            self.check_services(objects)

    def check_volumes(self, name, pod, maps):
        used = {m["name"] for c in pod["containers"] for m in c["volumeMounts"]}
        self.assertEqual({v["name"] for v in pod["volumes"]}, used, f"{name}: a volume that nobody mounts")
        for volume in pod["volumes"]:
            if "secret" in volume:
                keys = {item["key"] for item in volume["secret"]["items"]}
                self.assertLessEqual(keys, SECRETS[volume["secret"]["secretName"]], name)
            if "configMap" in volume:
                self.assertIn(volume["configMap"]["name"], maps, name)

    def check_services(self, objects):
        pods = [t for _, t in self.templates(objects)]
        services = self.by_kind(objects, "Service")
        for name, service in services.items():
            found = [t for t in pods if service["spec"]["selector"].items() <= t["metadata"]["labels"].items()]
            self.assertEqual(1, len(found), name)
            named = {p["name"] for c in found[0]["spec"]["containers"] for p in c.get("ports", [])}
            for port in service["spec"]["ports"]:
                self.assertIn(port["targetPort"], named, name)
        text = str([container.get("args") for _, _, container in self.containers(objects)])
        for name in re.findall(r"=(maintner-[a-z]+):9000", text):
            self.assertIn("fastcgi", {p["name"] for p in services[name]["spec"]["ports"]})
        for ingress in self.by_kind(objects, "Ingress").values():
            for name in re.findall(r"'service': \{'name': '([^']+)'", str(ingress)):
                self.assertIn("http", {p["name"] for p in services[name]["spec"]["ports"]})
        for scaler in self.by_kind(objects, "HorizontalPodAutoscaler").values():
            target = self.by_kind(objects, "Deployment")[scaler["spec"]["scaleTargetRef"]["name"]]
            self.assertNotIn("replicas", target["spec"], "the autoscaler's business")

    def test_the_supervisor_starts_the_image_that_it_runs(self):
        for overlay in OVERLAYS:
            objects = rendered(overlay)[0]
            containers = self.by_kind(objects, "Deployment")["maintner-sprvsr"]["spec"]["template"]["spec"]["containers"]
            image = next(e["value"] for e in containers[0]["env"] if e["name"] == "MAINTNER_IMAGE")
            self.assertEqual(containers[0]["image"], image)
            self.assertNotEqual("drghs-worker", image)

    def test_a_private_registry_is_asked_with_the_same_secret_by_all_pods(self):
        objects = rendered(EVERYTHING)[0]
        secrets = {str(template["spec"].get("imagePullSecrets")) for _, template in self.templates(objects)}
        settings = {key: value for obj in self.by_kind(objects, "ConfigMap").values() for key, value in obj["data"].items()}
        self.assertEqual({str([{"name": settings["MAINTNER_IMAGE_PULL_SECRET"]}])}, secrets)
        self.assertIn(f"create secret docker-registry {settings['MAINTNER_IMAGE_PULL_SECRET']} ", self.readme())

    # rights

    def test_pods_are_as_restricted_as_the_namespace_demands(self):
        for objects in self.each():
            for name, pod, container in self.containers(objects):
                context = container["securityContext"]
                self.assertTrue(pod["securityContext"]["runAsNonRoot"], name)
                self.assertEqual("RuntimeDefault", pod["securityContext"]["seccompProfile"]["type"], name)
                self.assertEqual((False, True, ["ALL"]), (
                    context["allowPrivilegeEscalation"], context["readOnlyRootFilesystem"],
                    context["capabilities"]["drop"]), name)
                self.assertGreaterEqual(context["runAsUser"], 10000)
                self.assertIn("memory", container["resources"]["limits"], name)
                self.assertFalse(pod["enableServiceLinks"], name)
                self.assertEqual(name == "maintner-sprvsr", pod["automountServiceAccountToken"], name)

    def test_only_the_supervisor_has_rights_and_they_are_few(self):
        for objects in self.each():
            self.assertFalse(self.by_kind(objects, "ClusterRole") | self.by_kind(objects, "ClusterRoleBinding"))
            (role,) = self.by_kind(objects, "Role").values()
            (binding,) = self.by_kind(objects, "RoleBinding").values()
            self.assertEqual([{"kind": "ServiceAccount", "name": "maintner-sprvsr", "namespace": NAMESPACE}],
                             binding["subjects"])
            granted = {(resource, verb) for rule in role["rules"] for resource in rule["resources"]
                       for verb in rule["verbs"]}
            want = {(r, v) for r in ("deployments", "services")
                    for v in ("get", "list", "watch", "create", "patch", "delete")}
            want |= {("leases", v) for v in ("get", "create", "update")} | {("events", "create")}
            self.assertEqual(want, granted)

    def test_ports_are_reached_only_by_those_who_need_them(self):
        repository = {"maintner-sprvsr-autogen": "true", "app": "mtr-d-0"}
        pods = {"repository": repository, "stranger": {"app": "other"},
                **{name: {"app": f"maintner-{name}"} for name in ("rtr", "sprvsr", "swpr")}}
        may = {("repository", 9000): {"rtr"}, ("repository", 9001): {"rtr", "sprvsr", "swpr"},
               ("sprvsr", 9000): {"rtr"}, ("rtr", 9000): {"swpr"}, ("rtr", 8080): set(pods),
               ("rtr", 8081): set(), ("swpr", 9000): set(), ("stranger", 80): set()}
        for objects in self.each():
            policies = list(self.by_kind(objects, "NetworkPolicy").values())
            front = "mtr-pod-front" in self.by_kind(objects, "ConfigMap")
            may["repository", 8080] = set(pods) if front else set()
            for (target, port), want in may.items():
                self.assertEqual(want, {name for name, labels in pods.items()
                                        if passes(policies, "Ingress", pods[target], labels, port)}, (target, port))

    def test_with_egress_pods_reach_what_they_need_and_nothing_else(self):
        policies = list(self.by_kind(rendered(EVERYTHING)[0], "NetworkPolicy").values())
        pods = {"repository": {"maintner-sprvsr-autogen": "true", "app": "mtr-d-0"}, "stranger": {"app": "other"},
                **{name: {"app": f"maintner-{name}"} for name in ("rtr", "sprvsr", "swpr")}}
        ports = (80, 8080, 8081, 9000, 9001)
        self.assertEqual(
            {("rtr", "repository", 9000), ("rtr", "repository", 9001), ("rtr", "sprvsr", 9000), ("swpr", "rtr", 9000),
             ("swpr", "repository", 9001)},
            {(source, target, port) for source in pods for target in pods for port in ports
             if allowed(policies, pods[source], pods[target], port)})
        outside = {name: {port for port in (22, 53, 80, 443, 6443, 9000) if passes(policies, "Egress", labels, None, port)}
                   for name, labels in pods.items()}
        self.assertEqual({name: {53, 443} | ({6443} if name == "sprvsr" else set()) for name in pods}, outside)
        (metadata,) = [rule for policy in policies for rule in policy["spec"].get("egress", [])
                       if "ipBlock" in str(rule)]
        self.assertTrue(all(peer["ipBlock"]["cidr"].startswith("169.254.169.") for peer in metadata["to"]))

if __name__ == "__main__":
    unittest.main()
