"""Folders that the tests need; importing this makes test/support importable."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SUPPORT = os.path.join(ROOT, "test", "support")
DEPLOY = os.path.join(ROOT, "deploy")
DATA = os.environ.get("MAINTNER_TEST_DATA", os.path.join(ROOT, "..", "shared", "data"))
BIN = os.environ.get("MAINTNER_BIN", os.path.join(ROOT, "build-asan", "bin"))
MODULE = os.path.join(os.path.dirname(BIN), "lib", "maintner", "store-gcs.so")  # its place is fixed

sys.path.insert(0, SUPPORT)


def program(name):
    path = os.path.join(BIN, name)
    if not os.access(path, os.X_OK):
        raise RuntimeError(f"{path} is not there: build first, or set MAINTNER_BIN")
    return path
