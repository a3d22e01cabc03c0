"""The image of deploy/container, built and run without a container engine.

Only with MAINTNER_FULL=1, since it takes some minutes, root, 1.5 GB of disk, debootstrap, and the
mirror of Debian that this machine's apt uses; where one of these is missing it is skipped and
says which.  Both stages of the Dockerfile are followed in trees of their own (image_rig.py).  Then
programs run in the image's tree as its users, on a root that cannot be written to; the pod of a
repository is the one that the supervisor renders.
"""

import json
import os
import re
import shlex
import tempfile
import unittest

import image_rig
import recordings
from gcs_double.client import GcsDouble
from harness import FULL, TOKEN, Api, Case, accepts, lines_of, wait_until
from k8s_double import yaml_subset
from k8s_double.client import K8sDouble

REPO = "acme/widgets"
NAMESPACE = "mirror"
BUCKET = "logs"
GROUP = 10000
SUPERVISOR = f"10004:{GROUP}"
# What Debian's slim image leaves out, and what its apt does not keep.
NOT_IN_SLIM = tuple(f"/usr/share/{name}" for name in ("doc", "man", "info", "locale", "lintian")) + ("/var/cache",)


@unittest.skipUnless(FULL, "MAINTNER_FULL=1 builds the image, which takes minutes")
class Image(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = cls.enterClassContext(tempfile.TemporaryDirectory(prefix="maintner-image-"))
        os.chmod(folder, 0o755)  # the image's users pass through it
        try:
            cls.root = image_rig.Builder(folder).build()
        except image_rig.Unavailable as why:
            raise unittest.SkipTest(str(why)) from None
        cls.stage_of_image = image_rig.stages()[-1]

    def container(self):
        return image_rig.Container(self.root)

    def run_in(self, container, user, *arguments, status=0, env=None):
        program = self.stage.start(container.command(user, *arguments), arguments[0], env)
        self.assertEqual(status, program.wait(60), program.tail())
        return program

    def folder(self, name, uid, gid, mode):
        path = self.stage.path(name)
        os.mkdir(path)
        os.chown(path, uid, gid)
        os.chmod(path, mode)
        os.chmod(self.stage.folder, 0o755)
        return path

    def programs(self):
        return sorted(os.listdir(self.root + "/usr/local/bin"))

    # the tree

    def test_every_program_starts_as_the_image_s_user(self):
        user = self.stage_of_image.last("USER")
        self.assertIn("maintnerd-sync", self.programs())
        for name in self.programs():
            program = self.run_in(self.container(), user, name, "--version")
            self.assertRegex(program.stdout, rf"^{name} \d+\.\d+\.\d+\n$")
            self.assertEqual("", program.stderr)

    def test_what_it_starts_by_default_works(self):
        command = json.loads(self.stage_of_image.last("CMD"))
        self.assertIn("Usage: ", self.run_in(self.container(), self.stage_of_image.last("USER"), *command).stdout)

    def test_no_library_is_missing(self):
        files = [f"/usr/local/bin/{name}" for name in self.programs()] + ["/usr/local/lib/maintner/store-gcs.so"]
        text = self.run_in(self.container(), "root", "ldd", *files).stdout
        self.assertEqual([], [line for line in lines_of(text) if "not found" in line])
        self.assertIn("libcurl", text)

    def test_authorities_are_there_and_no_compiler_is(self):
        self.assertGreater(os.path.getsize(self.root + "/etc/ssl/certs/ca-certificates.crt"), 100_000)
        for name in ("gcc", "cc", "make", "cmake", "python3"):
            self.run_in(self.container(), "root", "sh", "-c", f"! command -v {name}")

    def test_it_is_as_small_as_the_readme_says(self):
        size = image_rig.bytes_of(self.root, *NOT_IN_SLIM)
        own = image_rig.bytes_of(self.root + "/usr/local")
        print(f"the image: {size / 1e6:.0f} MB, of these our own {own / 1e6:.1f} MB", flush=True)
        with open(os.path.join(image_rig.FOLDER, "README.md"), encoding="utf-8") as file:
            said = re.search(r"(\d+) MB unpacked, of which (\d+) MB are", file.read())
        self.assertLess(size, 1.1e6 * int(said[1]))
        self.assertGreater(size, 0.8e6 * int(said[1]))
        self.assertLess(own, 1.1e6 * int(said[2]))

    # programs in it

    def test_a_volume_of_an_engine_s_own_belongs_to_the_image_s_users(self):
        """A new named volume gets what the image has at its place: the README's example mirrors into one."""
        with open(os.path.join(image_rig.FOLDER, "README.md"), encoding="utf-8") as file:
            example = re.search(r"^docker run (.* maintnerd-sync .*--once)$", file.read().replace("\\\n ", ""), re.M)[1]
        place = re.search(r"-v \w+:(\S+)", example)[1]
        user = re.search(r"--user (\S+)", example)[1]
        arguments = shlex.split(example)
        arguments = arguments[arguments.index("maintnerd-sync"):]
        arguments[arguments.index("--owner") + 1], arguments[arguments.index("--repo") + 1] = REPO.split("/")
        like = os.stat(self.root + place)
        container = self.container()
        container.mount(self.folder("volume", like.st_uid, like.st_gid, like.st_mode & 0o7777), place)
        double = self.stage.double(recordings.made())
        self.run_in(container, f"{user}:{GROUP}", *arguments, "--github-url", double.url, env={"GITHUB_TOKEN": TOKEN})
        self.assertEqual(["log", "snapshot"], sorted(os.listdir(self.stage.path("volume"))))
        found = self.run_in(container, self.stage_of_image.last("USER"), "maint-dump", "--snapshot",
                            arguments[arguments.index("--snapshot") + 1], "--type", "issue")
        self.assertEqual(100, len(lines_of(found.stdout)))

    def test_a_repository_s_pod_mirrors_and_answers_with_nothing_to_write_to_but_its_volume(self):
        github = self.stage.double(recordings.made())
        with GcsDouble(buckets=[BUCKET]) as gcs:
            pod = self.rendered_pod(github.url)
            volumes = self.volumes_of(pod)
            running = {}
            for container in pod["containers"]:
                running[container["name"]] = self.start_container(container, volumes, {"STORAGE_EMULATOR_HOST": gcs.origin})
            for container in pod["containers"]:
                self.wait_until_ready(container, *running[container["name"]])
            self.check_answers(f"unix:{volumes['snapshot']}/9000.sock", running)
            for program, _ in running.values():
                self.assertEqual(0, program.stop(), program.tail())
            self.assertTrue([name for name in gcs.names(BUCKET) if name.endswith(".mutlog")])

    def rendered_pod(self, github_url):
        """What a supervisor, in the image, would have the cluster run; its ports are sockets in the volume."""
        files = self.folder("sprvsr", 10004, GROUP, 0o750)
        with K8sDouble([NAMESPACE]) as cluster:
            config = {"current-context": "c", "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u", "namespace": NAMESPACE}}],
                      "clusters": [{"name": "k", "cluster": {"server": cluster.origin}}], "users": [{"name": "u", "user": {}}]}
            for name, value in (("kubeconfig", config), ("repos.json", {"repos": [{"repo": REPO, "is_tracking_issues": True}]})):
                with open(os.path.join(files, name), "w", encoding="utf-8") as file:
                    json.dump(value, file)
            container = self.container()
            container.mount(files, "/etc/maintner/supervisor", read_only=True)
            program = self.run_in(
                container, SUPERVISOR, "maintner-sprvsr", "--dry-run", "--kubeconfig", "/etc/maintner/supervisor/kubeconfig",
                "--repos", "file:///etc/maintner/supervisor/repos.json", "--log", f"gs://{BUCKET}/root", "--image", "image",
                "--github-secret", "github", "--reader-secret", "reader", "--github-url", github_url)
        text = re.sub(r"[0-9.]+:(9000|9001)\b", r"unix:/var/lib/maintner/\1.sock", program.stdout)
        (deployment,) = [obj for obj in yaml_subset.load_all(text) if obj["kind"] == "Deployment"]
        return deployment["spec"]["template"]["spec"]

    def volumes_of(self, pod):
        """{name: folder}, with the owner, group and mode that a kubelet gives them for fsGroup."""
        secrets = {"token": TOKEN, "key.json": "{}"}
        found = {}
        for volume in pod["volumes"]:
            name, group = volume["name"], pod["securityContext"]["fsGroup"]
            found[name] = self.folder(name, 0, group, 0o2777 if "emptyDir" in volume else 0o2755)
            for item in volume.get("secret", {}).get("items", []):
                path = os.path.join(found[name], item["path"])
                with open(path, "w", encoding="utf-8") as file:
                    file.write(secrets[item["path"]])
                os.chown(path, 0, group)
                os.chmod(path, volume["secret"]["defaultMode"])
        return found

    def start_container(self, wanted, volumes, env):
        container = self.container()
        for mount in wanted["volumeMounts"]:
            container.mount(volumes[mount["name"]], mount["mountPath"], mount.get("readOnly", False))
        context = wanted["securityContext"]
        self.assertTrue(context["readOnlyRootFilesystem"])
        user = f"{context['runAsUser']}:{context['runAsGroup']}"
        env = {**env, **{entry["name"]: entry["value"] for entry in wanted.get("env", [])}}
        program = self.stage.start(container.command(user, *wanted["command"], *wanted["args"]), wanted["name"], env)
        return program, (container, user)

    def wait_until_ready(self, wanted, program, where):
        """By the pod's own probe, run as the kubelet would."""
        container, user = where

        def ready():
            self.assertIsNone(program.process.poll(), program.tail())
            probe = self.stage.start(container.command(user, *wanted["readinessProbe"]["exec"]["command"]), "probe")
            return probe.wait(10) == 0

        wait_until(ready, program.tail, 60, pause_s=0.2)

    def check_answers(self, address, running):
        wait_until(lambda: accepts(address), running["fcgi"][0].tail)
        api = Api(address, REPO)
        self.addCleanup(api.close)
        wait_until(lambda: api.get(f"/api/v1/{REPO}")["repository"]["complete"], running["sync"][0].tail, 60)
        self.assert_mirrors(recordings.made(), api.all())
        (segment,) = wait_until(lambda: api.get(f"/api/v1/{REPO}/logs"), running["sync"][0].tail)
        body = api.ask(f"/api/v1/{REPO}/logs/0").body  # by the module for buckets, from the bucket
        self.assertEqual(segment["size"], len(body))


if __name__ == "__main__":
    unittest.main(verbosity=2)
