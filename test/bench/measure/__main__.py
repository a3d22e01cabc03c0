"""Command line of the benchmarks; `test/bench/run --help` lists the options."""

import argparse
import os
import shutil
import sys
import tempfile

import machine
from bench import Bench
from front import ROOT
from part_bucket import measure_bucket
from part_filter import measure_filter
from part_http import measure_http
from part_migrate import measure_migrate
from part_router import measure_router
from part_storage import measure_flush, measure_rebuild, measure_start
from part_supervisor import measure_supervisor
from part_sync import measure_sync
from table import HEAD, plain, write_results

PARTS = {"rebuild": measure_rebuild, "start": measure_start, "http": measure_http,
         "filter": measure_filter, "sync": measure_sync, "flush": measure_flush,
         "bucket": measure_bucket, "router": measure_router, "migrate": measure_migrate,
         "supervisor": measure_supervisor}
RESULTS = os.path.join(ROOT, "test", "bench", "RESULTS.md")


def parse_arguments():
    parser = argparse.ArgumentParser(prog="test/bench/run", description=__doc__.split(";")[0])
    parser.add_argument("--build", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--write", action="store_true", help="write test/bench/RESULTS.md")
    parser.add_argument("--only", action="append", choices=PARTS, metavar="PART",
                        help=f"one of {', '.join(PARTS)}; may be repeated")
    parser.add_argument("--issues", type=int, default=100_000, metavar="N")
    parser.add_argument("--large", type=int, default=1_000_000, metavar="N",
                        help="size of the largest repository, 0 for none")
    parser.add_argument("--rounds", type=int, default=3, help="of rebuilds and flushes")
    parser.add_argument("--http-rounds", type=int, default=5, help="of each HTTP comparison")
    parser.add_argument("--seconds", type=int, default=1, help="of load in a round")
    parser.add_argument("--state", metavar="DIR", help="keep the made logs here for other runs")
    options = parser.parse_args()
    if options.write and options.only:
        parser.error("--write wants every part")
    return options


def measure(bench, options):
    for name, part in PARTS.items():
        if not options.only or name in options.only:
            print(f"{name} ...", file=sys.stderr, flush=True)
            part(bench)


def show(bench):
    print(plain(HEAD, [row.cells() for row in bench.rows]))
    for title, head, rows in bench.further:
        print(f"\n{title}\n{plain(head, rows)}")
    missed = [row.what for row in bench.rows if row.met is False]
    print(f"\n{sum(row.met is not None for row in bench.rows)} budgets, {len(missed)} missed")


def repeat():
    """The command that was given, without what is this machine's."""
    skipped = {"--build", "--state"}
    words = [word for before, word in zip(["", *sys.argv[1:]], sys.argv[1:])
             if word not in skipped and before not in skipped]
    return f"```\n{' '.join(['test/bench/run', *words])}\n```"


def main():
    options = parse_arguments()
    work = os.path.abspath(options.state) if options.state else tempfile.mkdtemp(prefix="bench-")
    os.makedirs(work, exist_ok=True)
    bench = Bench(options, work)
    try:
        measure(bench, options)
    finally:
        bench.clear()
        if not options.state:
            shutil.rmtree(work, ignore_errors=True)
    show(bench)
    if options.write:
        write_results(RESULTS, bench.rows, bench.further, machine.describe(), repeat())


main()
