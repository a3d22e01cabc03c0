#!/usr/bin/env python3
"""Runs cases of the expression language through cel-eval.

  cel_cases.py PROGRAM own      test/data/cel_cases.json
  cel_cases.py PROGRAM shared   every file of $MAINTNER_TEST_DATA/cel (../shared/data/cel)

A case that expects an error says what the text must contain with "text"; without it any error
will do. Exits 77 when there are no cases to run.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def files(kind):
    if kind == "own":
        return [ROOT / "test" / "data" / "cel_cases.json"]
    data = Path(os.environ.get("MAINTNER_TEST_DATA", ROOT.parent / "shared" / "data"))
    return sorted((data / "cel").glob("*.json"))


def same(got, want):
    if got.get("type") != want.get("type"):
        return False
    if got["type"] == "double":
        return got["value"] == want["value"] or float(got["value"]) == float(want["value"]) != 0
    if got["type"] in ("list", "map"):
        return json.dumps(got["value"]) == json.dumps(want["value"])
    return got["value"] == want["value"]


def passes(case, got):
    expect = case["expect"]
    if "value" in expect:
        return "value" in got and same(got["value"], expect["value"])
    return "error" in got and expect.get("text", "") in got["error"]


def run(program, path):
    cases = json.loads(path.read_text())
    lines = "".join(json.dumps(case) + "\n" for case in cases)
    result = subprocess.run([program], input=lines, capture_output=True, text=True, check=False)
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    if result.returncode != 0 or len(answers) != len(cases):
        print(f"{path.name}: cel-eval ended with {result.returncode} after {len(answers)} of "
              f"{len(cases)} cases\n{result.stderr}")
        return 1
    failed = [(c, a) for c, a in zip(cases, answers) if not passes(c, a)]
    for case, answer in failed:
        print(f"{path.name}: {case['name']}: {case.get('expr', case.get('filter'))!r}\n"
              f"  wants {case['expect']}\n  gets  {answer}")
    print(f"{path.name}: {len(cases)} cases, {len(failed)} failed")
    return len(failed)


def main():
    paths = files(sys.argv[2])
    if not paths:
        print("no shared cases here")
        return 77
    return 1 if sum(run(sys.argv[1], path) for path in paths) else 0


if __name__ == "__main__":
    sys.exit(main())
