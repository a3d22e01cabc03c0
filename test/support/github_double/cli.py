"""Command line of the double; `github-double --help` lists the options."""

import argparse
import os
import signal
import sys
import tempfile

from .double import Double
from .graph.language import AGES

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(
        prog="github-double", description="A strict stand-in for GitHub's REST and GraphQL APIs.")
    parser.add_argument("--recording", action="append", default=[], metavar="DIR",
                        help="a recorded repository to serve; may be repeated")
    parser.add_argument("--port", type=int, default=0, help="0, the default: any free port")
    parser.add_argument("--port-file", metavar="FILE", help="write the port here, atomically")
    parser.add_argument("--token", action="append", default=[],
                        help="accept this token and refuse others; may be repeated")
    parser.add_argument("--tokens", default="", metavar="A,B,...",
                        help="several such tokens at once")
    parser.add_argument("--app-id", metavar="ID", help="the GitHub App whose JWTs are good")
    parser.add_argument("--app-key", type=argparse.FileType("r"), metavar="FILE",
                        help="PEM file with that App's RSA key, the public part is enough")
    parser.add_argument("--rest-points", type=int, default=0, metavar="N",
                        help="secondary limit: points a minute for each REST endpoint")
    parser.add_argument("--graphql-points", type=int, default=0, metavar="N",
                        help="secondary limit: GraphQL queries a minute")
    parser.add_argument("--rate-limit", type=int, default=5000, metavar="N",
                        help="requests an hour for each token")
    parser.add_argument("--graphql-limit", type=int, default=5000, metavar="N",
                        help="GraphQL points an hour for each token")
    parser.add_argument("--page-cap-events", type=int, default=0, metavar="PAGES",
                        help="end the repository's events after so many pages")
    parser.add_argument("--page-cap-comments", type=int, default=0, metavar="PAGES",
                        help="end the repository's comments after so many pages")
    parser.add_argument("--graphql", action=argparse.BooleanOptionalAction, default=True,
                        help="serve POST /graphql; without it 404, as an old server")
    parser.add_argument("--graphql-schema", choices=AGES, default="new",
                        help="old: without the event types that Enterprise servers lack")
    parser.add_argument("--base-path", default="", metavar="PATH",
                        help="path of the REST root, as /api/v3 of an Enterprise server")
    parser.add_argument("--issue-cursors", action=argparse.BooleanOptionalAction, default=True,
                        help="cursors in the links of the issues listing")
    parser.add_argument("--quiet", action="store_true", help="do not log requests to stderr")
    return parser.parse_args(arguments)


def write_atomically(path, text):
    folder = os.path.dirname(os.path.abspath(path))
    handle, temporary = tempfile.mkstemp(dir=folder)
    with os.fdopen(handle, "w") as file:
        file.write(text)
    os.chmod(temporary, 0o644)
    os.replace(temporary, path)


def make_double(options):
    return Double(
        options.recording, port=options.port,
        tokens=[*options.token, *filter(None, options.tokens.split(","))],
        app_id=options.app_id, app_key=options.app_key.read() if options.app_key else None,
        rest_points=options.rest_points, graphql_points=options.graphql_points,
        rate_limit=options.rate_limit, graphql_limit=options.graphql_limit,
        page_cap_events=options.page_cap_events,
        page_cap_comments=options.page_cap_comments, issue_cursors=options.issue_cursors,
        base_path=options.base_path, graphql=options.graphql,
        graphql_schema=options.graphql_schema, quiet=options.quiet)


def main(arguments=None):
    options = parse_arguments(arguments)
    # Blocked in every thread and waited for: a handler can be missed just before pause().
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        double = make_double(options)
        double.start()
    except (OSError, ValueError) as error:
        sys.exit(f"github-double: {error}")
    print(f"listening on {double.url}", flush=True)
    if options.port_file:
        write_atomically(options.port_file, f"{double.port}\n")
    signal.sigwait(STOP_SIGNALS)
    # At once, and without a lock: connection threads may be in the middle of anything.
    os._exit(0)
