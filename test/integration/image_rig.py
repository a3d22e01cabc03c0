"""An image without a container engine: deploy/container/Dockerfile, followed in chroots.

The base image is Debian's own tree, made by debootstrap from the mirror that this machine's apt
uses; each RUN is run, and each COPY copied, as it stands in the file.  An instruction that this
does not know is an error, so the Dockerfile and its test cannot drift apart.
"""

import fnmatch
import os
import re
import shlex
import shutil
import subprocess
import urllib.error
import urllib.request

import paths

FOLDER = os.path.join(paths.DEPLOY, "container")
DOCKERFILE = os.path.join(FOLDER, "Dockerfile")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
LOOKUP_S = 20
BOOTSTRAP_S = 900
RUN_S = 1800


class Unavailable(Exception):
    """Why no such tree can be made here."""


class Stage:
    """One FROM with its instructions, [(word, rest)]."""

    def __init__(self, base, name):
        self.base = base
        self.name = name
        self.steps = []

    def last(self, word):
        return [rest for step, rest in self.steps if step == word][-1]


def stages():
    """The stages of the Dockerfile, in order."""
    with open(DOCKERFILE, encoding="utf-8") as file:
        lines = [line for line in file.read().split("\n") if not line.lstrip().startswith("#")]
    found = []
    for line in "\n".join(lines).replace("\\\n", " ").split("\n"):
        word, _, rest = line.strip().partition(" ")
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            found.append(Stage(base, name))
        elif word:
            found[-1].steps.append((word, " ".join(rest.split())))
    return found


class Apt:
    """The Debian mirror of this machine, by apt's own settings: nothing is known here of where it is."""

    def __init__(self, suite):
        fields = "$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)"
        listed = subprocess.run(["apt-get", "indextargets", "--format", fields, "Created-By: Packages"],
                                capture_output=True, text=True, check=True).stdout
        rows = sorted({tuple(line.split()) for line in listed.split("\n") if line.count(" ") == 3})
        # Before an update apt does not know whose a source is, and leaves the field as it is.
        self.sources = [(uri, release) for uri, release, component, origin in rows
                        if component == "main" and origin in ("Debian", "$(ORIGIN)")
                        and re.fullmatch(re.escape(suite) + "(-updates|-security)?", release)]
        self.mirror = next((uri for uri, release in self.sources if release == suite), None)
        self.suite = suite
        shell = subprocess.run(["apt-config", "shell", "P", "Acquire::http::Proxy"], capture_output=True,
                               text=True, check=True).stdout
        self.proxy = next(iter(shlex.split(shell.partition("=")[2])), "")

    def environment(self):
        return {"PATH": PATH, "HOME": "/root", **({"http_proxy": self.proxy} if self.proxy else {})}

    def check(self):
        """Raises Unavailable unless the mirror answers."""
        if self.mirror is None or not self.mirror.startswith("http:"):
            raise Unavailable(f"apt has no source of {self.suite} over http")
        proxies = {"http": self.proxy} if self.proxy else {}
        opener = urllib.request.build_opener(urllib.request.ProxyHandler(proxies))
        try:
            opener.open(f"{self.mirror}dists/{self.suite}/Release", timeout=LOOKUP_S).close()
        except (OSError, urllib.error.URLError):
            raise Unavailable("apt's mirror of Debian does not answer") from None

    def source_lines(self):
        return "".join(f"deb {uri} {release} main\n" for uri, release in self.sources)


def check_machine():
    """Raises Unavailable unless chroots and mounts are ours to make."""
    if os.geteuid() != 0:
        raise Unavailable("chroot needs root")
    for tool in ("debootstrap", "apt-get", "unshare"):
        if shutil.which(tool, path=PATH) is None:
            raise Unavailable(f"{tool} is not here")
    if subprocess.run(["unshare", "--mount", "--pid", "--fork", "true"], check=False).returncode != 0:
        raise Unavailable("no mount namespaces here")


def do(arguments, timeout_s, env=None):
    done = subprocess.run(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace", timeout=timeout_s, env=env, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{arguments}: status {done.returncode}\n{done.stdout[-4000:]}")
    return done.stdout


class Builder:
    """Makes the tree of each stage below `folder`."""

    def __init__(self, folder):
        self.folder = folder
        self.roots = {}  # name of a stage -> its tree
        self.bases = {}  # name of a base image -> its tree

    def build(self):
        """The last stage's tree."""
        for number, stage in enumerate(stages()):
            root = os.path.join(self.folder, f"stage-{number}")
            do(["cp", "-a", self.base(stage.base), root], RUN_S)
            self.roots[stage.name] = root
            for word, rest in stage.steps:
                self.step(root, word, rest)
        return root

    def base(self, image):
        if image not in self.bases:
            suite = re.fullmatch(r"debian:([a-z]+)-slim", image)[1]
            check_machine()
            apt = Apt(suite)
            apt.check()
            root = os.path.join(self.folder, suite)
            do(["debootstrap", "--variant=minbase", suite, root, apt.mirror], BOOTSTRAP_S, apt.environment())
            with open(os.path.join(root, "etc/apt/sources.list"), "w", encoding="utf-8") as file:
                file.write(apt.source_lines())
            do(["chroot", root, "apt-get", "clean"], RUN_S, {"PATH": PATH})
            self.bases[image] = root
            self.apt = apt
        return self.bases[image]

    def step(self, root, word, rest):
        if word == "RUN":
            self.run(root, rest)
        elif word == "COPY":
            *flags, source, target = rest.split()
            assert len(flags) <= 1, rest
            if flags:
                self.copy(self.roots[flags[0].removeprefix("--from=")] + source, root + target)
            else:
                self.copy(os.path.join(paths.ROOT, source), root + target, ignored)
        elif word not in ("USER", "CMD"):
            raise AssertionError(f"{word} {rest}: what does that do?")

    def run(self, root, command):
        """As an engine does: with /proc, and this machine's names of hosts; both are gone with the command."""
        mounts = 'mount -t proc proc "$0/proc"'
        for name in ("resolv.conf", "hosts"):
            mounts += f' && touch "$0/etc/{name}" && mount --bind /etc/{name} "$0/etc/{name}"'
        do(["unshare", "--mount", "--pid", "--fork", "--kill-child", "nice", "sh", "-c",
            mounts + ' && exec chroot "$0" /bin/sh -c "$1"', root, command], RUN_S, self.apt.environment())

    def copy(self, source, target, leave_out=None):
        if os.path.isdir(source):
            shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True, ignore=leave_out)
        else:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy2(source, target)


def ignored(folder, names):
    """What .dockerignore keeps out, for shutil.copytree."""
    with open(os.path.join(paths.ROOT, ".dockerignore"), encoding="utf-8") as file:
        patterns = file.read().split()
    below = os.path.relpath(folder, paths.ROOT)
    return {name for name in names for pattern in patterns
            if fnmatch.fnmatch(os.path.normpath(os.path.join(below, name)), pattern)
            or fnmatch.fnmatch(name, pattern.removeprefix("**/")) and pattern.startswith("**/")}


class Container:
    """How a program is started in a tree: its root cannot be written to, only `volumes` can."""

    def __init__(self, root):
        self.root = root
        self.volumes = []

    def mount(self, folder, place, read_only=False):
        """`folder`, of this machine, is at `place` in the tree."""
        os.makedirs(self.root + place, exist_ok=True)  # as an engine does
        self.volumes.append((folder, place, read_only))

    def command(self, user, *arguments):
        """Ends in the program itself, so that a signal to the process is one to the program."""
        script = ['mount --bind "$0" "$0"', 'mount -o remount,bind,ro "$0"', 'mount -t proc proc "$0/proc"']
        for folder, place, read_only in self.volumes:
            script.append(f'mount --bind {shlex.quote(folder)} "$0{place}"')
            if read_only:
                script.append(f'mount -o remount,bind,ro "$0{place}"')
        script.append('exec chroot --groups= --userspec="$USER" "$0" "$@"')
        return ["env", f"USER={user}", "unshare", "--mount", "sh", "-c", " && ".join(script), self.root, *arguments]


def bytes_of(root, *but):
    """Bytes of all files, each counted once, without the folders `but`."""
    total, seen = 0, set()
    skipped = {root + place for place in but}
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if os.path.join(folder, name) not in skipped]
        for name in files:
            status = os.lstat(os.path.join(folder, name))
            if (status.st_dev, status.st_ino) not in seen:
                seen.add((status.st_dev, status.st_ino))
                total += status.st_size
    return total
