"""Serves until it is told to end. Prints `listening on HOST:PORT` once it answers."""

import argparse
import signal
import sys
import threading

from sls_double.double import Double
from sls_double.errors import SlsError
from sls_double.http_front import HttpFront
from sls_double.settings import Settings

_EXAMPLE = """
Try it:
  tools/sls_double.sh --data-dir /tmp/sls --listen 127.0.0.1:8480 &
  curl 127.0.0.1:8480/_double
Point an SDK at endpoint 127.0.0.1:8480, project 'larder', with the key below. tests/sls_double/README.md
has the operations, the faults and what differs from the service.
"""


def _parse_arguments():
    parser = argparse.ArgumentParser(
        prog="sls_double", description="A local stand-in for Alibaba Cloud SLS (Log Service).",
        epilog=_EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", required=True, help="where everything is kept; created when absent")
    parser.add_argument("--listen", default="127.0.0.1:0", metavar="HOST:PORT",
                        help="port 0 takes a free one (default: %(default)s)")
    parser.add_argument("--project", action="append", metavar="NAME", help=(
        "a project that is there from the start; may be given again; the first also answers requests "
        "whose Host names none (default: larder)"))
    parser.add_argument("--access-key", action="append", metavar="ID:SECRET[:STS_TOKEN]", help=(
        "who may call; may be given again (default: test-id:test-secret)"))
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help=(
        "a setting, as /_double/settings has it; there are: " + ", ".join(Settings.__dataclass_fields__)))
    return parser, parser.parse_args()


def _settings(pairs):
    settings = Settings()
    for pair in pairs:
        name, _, text = pair.partition("=")
        kind = type(getattr(settings, name, None))
        value = text if kind is str else text == "true" if text in ("true", "false") else float(text)
        settings.change({name: value})
    return settings


def _double(arguments):
    projects = arguments.project or ["larder"]
    double = Double(arguments.data_dir, _settings(arguments.set), projects[0])
    for key in arguments.access_key or ["test-id:test-secret"]:
        key_id, secret, *token = key.split(":", 2)
        double.accounts.add(key_id, secret, *token)
    known = {project["name"] for project in double.catalog.projects()}
    for project in projects:
        if project not in known:
            double.catalog.create_project(project)
    return double


def main():
    parser, arguments = _parse_arguments()
    host, _, port = arguments.listen.rpartition(":")
    try:
        double = _double(arguments)
        server = HttpFront((host, int(port)), double)
    except (ValueError, OSError, SlsError) as error:
        parser.exit(2, f"sls_double: {error}\n")
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("listening on {}:{}".format(*server.server_address[:2]), flush=True)
    stop.wait()
    server.shutdown()
    double.close()


if __name__ == "__main__":
    sys.exit(main())
