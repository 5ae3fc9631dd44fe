"""What Noorderlicht Energie has besides telephones, for trying: a file with customers, and a desk that takes tickets.

    python dialplans/examples/energy/company.py            make the customers anew, and be the desk until Ctrl-C
    python dialplans/examples/energy/company.py --only-customers

The desk shows what arrives: tickets, which get a number, and messages (SMS, meter readings).
"""

from __future__ import annotations

import argparse
import json
import sqlite3
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path

HERE = Path(__file__).parent
CUSTOMERS = HERE.parents[2] / "var" / "energy" / "crm.db"
PORT = 8199
"""As `connectors` in config.yaml has both."""
LARGEST = 100_000  # bytes


def make_customers(path: Path) -> None:
    """Make the file that connector `crm` reads; one that is there is replaced."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".new")
    unfinished.unlink(missing_ok=True)
    with closing(sqlite3.connect(unfinished)) as crm:
        crm.executescript((HERE / "crm.sql").read_text(encoding="utf-8"))
    unfinished.replace(path)


class Desk(BaseHTTPRequestHandler):
    """Answers `GET /status`, `POST /tickets` and `POST /messages`."""

    timeout = 10.0
    numbers = count(1001)

    def do_GET(self) -> None:
        self._answer({"status": "well"})

    def do_POST(self) -> None:
        told = json.loads(self.rfile.read(min(int(self.headers["Content-Length"]), LARGEST)))
        answer = {"number": f"T{next(self.numbers)}"} if self.path == "/tickets" else {}
        print(self.path, json.dumps(told | answer, ensure_ascii=False), flush=True)  # noqa: T201 - this is its screen
        self._answer(answer)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: what arrived was shown."""

    def _answer(self, content: dict[str, str]) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description="The customers and the desk of an energy company, for trying.")
    parser.add_argument("--only-customers", action="store_true", help="make the customers anew, and no more")
    parser.add_argument("--customers", type=Path, default=CUSTOMERS, help="the file with customers")
    parser.add_argument("--port", type=int, default=PORT, help="where the desk listens")
    arguments = parser.parse_args()
    make_customers(arguments.customers)
    if arguments.only_customers:
        return
    with ThreadingHTTPServer(("127.0.0.1", arguments.port), Desk) as desk:
        print(f"the desk of Noorderlicht Energie listens on port {desk.server_port}; Ctrl-C stops it", flush=True)  # noqa: T201
        try:
            desk.serve_forever()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
