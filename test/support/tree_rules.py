#!/usr/bin/env python3
"""Rules of the tree that compilers do not check.

  tree_rules.py includes   every #include keeps to the rules of the folders below
  tree_rules.py headers    every header compiles alone (with $CC, default cc)
  tree_rules.py format     every C file is as clang-format would write it
  tree_rules.py sizes      no C file over 800 lines

Run at the root of the tree; exits 1 with a line for each breach.
"""

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("base", "mutation-log", "lmdb-schema", "sync", "fcgi", "router", "sprvsr", "tools")
MAX_LINES = 800

# folder -> what it may include, as prefixes of the path between the quotation marks
QUOTED = {
    "base": ("base/",),
    "mutation-log": ("base/", "mutation-log/"),
    "lmdb-schema": ("base/", "lmdb-schema/"),
    "sync": ("base/", "mutation-log/", "lmdb-schema/snap_read.h", "lmdb-schema/snap_write.h", "sync/"),
    "fcgi": ("base/", "lmdb-schema/snap_read.h", "fcgi/"),
    "router": ("base/", "router/"),
    "sprvsr": ("base/", "sprvsr/"),
    "tools": ("base/", "mutation-log/", "lmdb-schema/snap_read.h", "lmdb-schema/snap_write.h",
              "sync/apply.h", "sync/replay.h", "sync/github/", "fcgi/json_issue.h", "fcgi/json_child.h",
              "fcgi/fields.h", "sprvsr/k8s_client.h", "tools/"),
}

# library header -> the only places that may include it
SYSTEM = {
    "curl/": ("base/http_curl.c",),
    "uv.h": ("base/fcgi/",),
    "openssl/": ("base/digest.c", "base/jwt.c", "base/x509.c"),
    "lmdb.h": ("lmdb-schema/snap_format.h",),
    "fcgiapp.h": ("fcgi/request_libfcgi.c",),
    "pcre2.h": ("base/cel/cel_match.c",),
    "yaml.h": ("sprvsr/k8s_kubeconfig.c",),
    "jansson.h": ("base/json.h", "mutation-log/mlog_fence.c"),
    "protobuf-c/": ("tools/mutation_json.h", "mutation-log/"),
}

INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]')


def c_files(*suffixes):
    for folder in FOLDERS + ("test",):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in suffixes and path.is_file():
                yield path.relative_to(ROOT)


def include_breach(path, mark, target):
    folder = path.parts[0]
    if folder == "test":
        return None
    if mark == '"':
        if target.startswith(QUOTED[folder]):
            return None
        return f"{folder}/ may not include it"
    for library, places in SYSTEM.items():
        if target.startswith(library) and not str(path).startswith(places):
            return f"only {' and '.join(places)} may include it"
    return None


def check_includes():
    breaches = []
    for path in c_files(".c", ".h"):
        for number, line in enumerate((ROOT / path).read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            why = include_breach(path, *match.groups()) if match else None
            if why:
                breaches.append(f"{path}:{number}: {match.group(2)}: {why}")
    return breaches


def compile_alone(path):
    generated = os.environ.get("MAINTNER_GENERATED", str(ROOT / "build-asan" / "generated"))
    result = subprocess.run(
        [os.environ.get("CC", "cc"), "-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Wpedantic",
         "-Werror", "-fsyntax-only", "-x", "c", "-I", str(ROOT), "-isystem", generated,
         str(ROOT / path)], capture_output=True, text=True, check=False)
    text = "\n".join(l for l in result.stderr.splitlines() if "#pragma once in main file" not in l)
    return f"{path}: {text}" if "error:" in text.replace("[-Werror]", "") else None


def check_headers():
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return [b for b in pool.map(compile_alone, c_files(".h")) if b]


def check_format():
    files = [str(ROOT / p) for p in c_files(".c", ".h")]
    result = subprocess.run(["clang-format", "--dry-run", "-Werror", *files],
                            capture_output=True, text=True, check=False)
    return [l for l in result.stderr.splitlines() if "error:" in l]


def check_sizes():
    lengths = ((p, len((ROOT / p).read_text().splitlines())) for p in c_files(".c", ".h"))
    return [f"{p}: {n} lines; what is the second noun?" for p, n in lengths if n > MAX_LINES]


CHECKS = {"includes": check_includes, "headers": check_headers, "format": check_format,
          "sizes": check_sizes}


def main():
    if len(sys.argv) != 2 or sys.argv[1] not in CHECKS:
        print(__doc__)
        return 2
    breaches = CHECKS[sys.argv[1]]()
    for line in breaches:
        print(line)
    print(f"{sys.argv[1]}: {len(breaches)} breaches")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
