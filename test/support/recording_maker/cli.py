"""Command line of the generator; `make-recording --help` lists the options."""

import argparse
import gc
import sys

from .generate import Sizes, make
from .writer import write_recording


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(
        prog="make-recording", description="Makes a recorded repository from a seed.")
    parser.add_argument("--out", required=True, metavar="DIR", help="folder to write")
    parser.add_argument("--repo", default="acme/widgets", metavar="OWNER/NAME")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--issues", type=int, default=60)
    parser.add_argument("--pulls", type=int, default=40)
    parser.add_argument("--comments", type=int, help="4 for each item by default")
    parser.add_argument("--events", type=int,
                        help="8 for each item by default; never fewer than the states need")
    parser.add_argument("--reviews", type=int, help="2 for each pull request by default")
    parser.add_argument("--odd", action="store_true", help="mix in texts and users that trip")
    return parser.parse_args(arguments)


def main(arguments=None):
    options = parse_arguments(arguments)
    if options.repo.count("/") != 1:
        sys.exit("make-recording: --repo must be OWNER/NAME")
    sizes = Sizes(options.issues, options.pulls, options.comments, options.events,
                  options.reviews)
    gc.disable()  # no cycles, many objects, a short life
    recording = make(options.repo, options.seed, sizes, options.odd)
    write_recording(options.out, recording, {
        "kind": "made", "seed": options.seed, "odd": options.odd})
