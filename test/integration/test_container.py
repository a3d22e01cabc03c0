"""What the image copies is complete: every program starts, every library has its package.

The image itself is built by test_container_image.py, in full runs alone, since that takes minutes.
Most of what such a build would tell is held by rules here: packages, libraries, and the users that
are added.
"""

import functools
import os
import re
import subprocess
import tempfile
import unittest

import paths
from harness import Case

DOCKERFILE = os.path.join(paths.DEPLOY, "container", "Dockerfile")
# Of a build with sanitizers; a release build does not have them.
SANITIZERS = re.compile(r"lib(asan|ubsan|tsan|lsan)\.")


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{command}: {done.stdout}{done.stderr}")
    return done.stdout


def runtime_packages():
    """What the second stage installs."""
    with open(DOCKERFILE, encoding="utf-8") as file:
        last = file.read().split("\nFROM ")[-1]
    install = re.search(r"apt-get install -y --no-install-recommends(.*?)&&", last, re.S)
    return install.group(1).replace("\\\n", " ").split()


def depends_of(package):
    fields = run("dpkg-query", "-W", "-f", "${Depends}, ${Pre-Depends}\n", package).split("\n")[0]
    names = re.split(r"[,|]", fields)
    return {re.sub(r"\s*(\(.*\)|:any)\s*", "", name).strip() for name in names} - {""}


def closure(packages):
    """With all that they depend on, as far as this machine has it."""
    found, waiting = set(), list(packages)
    while waiting:
        package = waiting.pop()
        if package in found:
            continue
        known = subprocess.run(["dpkg-query", "-W", package], capture_output=True, check=False)
        if known.returncode == 0:
            found.add(package)
            waiting += depends_of(package)
    return found


def libraries_of(path):
    return [line.split("=>")[1].split()[0] for line in run("ldd", path).splitlines()
            if "=> /" in line and not SANITIZERS.search(line)]


@functools.lru_cache(maxsize=None)
def package_of(library):
    """Debian 12 has /lib as a link to /usr/lib; packages name either."""
    for path in (os.path.realpath(library), library, re.sub("^/usr", "", os.path.realpath(library))):
        owner = subprocess.run(["dpkg-query", "-S", path], capture_output=True, text=True, check=False)
        if owner.returncode == 0:
            return owner.stdout.split(":")[0]
    raise AssertionError(f"{library} is of no package")


class Container(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.prefix = cls.enterClassContext(tempfile.TemporaryDirectory(prefix="maintner-usr-local-"))
        run("cmake", "--install", os.path.dirname(paths.BIN), "--prefix", cls.prefix)

    def installed(self):
        folder = os.path.join(self.prefix, "bin")
        return [os.path.join(folder, name) for name in sorted(os.listdir(folder))]

    def test_every_program_is_installed_and_starts(self):
        names = {os.path.basename(path) for path in self.installed()}
        self.assertLessEqual({"maintnerd-sync", "maintnerd-fcgi", "maintner-rtr", "maint-dump",
                              "maint-probe", "maintmigrate", "maintner-sprvsr", "maintner-swpr",
                              "maint-reset", "maint-bucket-migrate", "maint-bucket-reduce"}, names)
        for path in self.installed():
            self.assertIn(os.path.basename(path), run(path, "--version"))

    def test_the_module_for_buckets_is_beside_them(self):
        self.assertTrue(os.path.exists(os.path.join(self.prefix, "lib/maintner/store-gcs.so")))

    def test_every_library_is_in_the_image(self):
        there = closure(runtime_packages() + ["libc6"])
        module = os.path.join(self.prefix, "lib/maintner/store-gcs.so")
        for path in [*self.installed(), module]:
            for library in libraries_of(path):
                with self.subTest(program=os.path.basename(path), library=library):
                    self.assertIn(package_of(library), there)

    def test_users_that_are_added_are_not_debian_s_own(self):
        """useradd fails for a name that base-passwd has brought, and the image with it."""
        with open(DOCKERFILE, encoding="utf-8") as file:
            text = file.read()
        with open("/usr/share/base-passwd/passwd.master", encoding="utf-8") as file:
            there = {line.split(":")[0] for line in file}
        with open("/usr/share/base-passwd/group.master", encoding="utf-8") as file:
            groups = {line.split(":")[0] for line in file}
        users = re.findall(r"useradd [^&]*?(\S+)(?: &&|\n)", text)
        self.assertEqual(2, len(users))
        self.assertEqual(set(), there & set(users))
        self.assertEqual(set(), groups & {*re.findall(r"groupadd [^&]*?(\S+) &&", text), *users})

    def test_no_package_is_there_for_nothing(self):
        used = {package_of(library) for path in
                [*self.installed(), os.path.join(self.prefix, "lib/maintner/store-gcs.so")]
                for library in libraries_of(path)}
        for package in runtime_packages():
            if package != "ca-certificates":  # that is read, not linked
                self.assertIn(package, used)


if __name__ == "__main__":
    unittest.main(verbosity=2)
