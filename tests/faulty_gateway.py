"""A gateway before an S3 server that fails on purpose: it refuses, cuts, loses and is slow."""

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import ClassVar, Literal
from urllib.parse import urlsplit

Fault = Literal["refuse", "hang up", "lose the answer", "cut the answer"]

BUSY = (
    b'<?xml version="1.0" encoding="UTF-8"?>'
    b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
)
FULL = (
    b'<?xml version="1.0" encoding="UTF-8"?>'
    b"<Error><Code>QuotaExceeded</Code><Message>Bucket quota exceeded</Message></Error>"
)
DENIED = b'<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>no</Message></Error>'
_NOT_PASSED_ON = {"transfer-encoding", "connection", "server", "date", "content-length"}


@dataclass(slots=True)
class Faults:
    """What goes wrong. shares: of the requests, by fault; delay_s: before each answer.

    answer_writes: what writes are answered instead of being passed on: status and body.
    """

    shares: dict[Fault, float] = field(default_factory=dict)
    delay_s: float = 0.0
    seed: int = 0
    answer_writes: tuple[int, bytes] | None = None
    address: str = ""
    counts: Counter[str] = field(default_factory=Counter)
    _lock: Lock = field(default_factory=Lock)
    _chance: random.Random | None = None

    def choose(self) -> Fault | None:
        """Decide what happens to the next request; the same seed decides the same."""
        with self._lock:
            self._chance = self._chance or random.Random(self.seed)  # noqa: S311 - no secret
            drawn, chosen = self._chance.random(), None
            for fault, share in self.shares.items():
                drawn -= share
                if drawn < 0:
                    chosen = fault
                    break
            self.counts[chosen or "passed on"] += 1
            return chosen


@contextmanager
def faulty_gateway(server: str, faults: Faults) -> Iterator[Faults]:
    """Pass requests on to a server for the length of a block, or fail; sets the address."""
    name = {"host": urlsplit(server).netloc, "faults": faults}
    with ThreadingHTTPServer(("127.0.0.1", 0), type("Gateway", (_Gateway,), name)) as gateway:
        gateway.daemon_threads = True
        faults.address = f"http://127.0.0.1:{gateway.server_address[1]}"
        thread = Thread(target=gateway.serve_forever, daemon=True)
        thread.start()
        try:
            yield faults
        finally:
            gateway.shutdown()
            thread.join()


class _Gateway(BaseHTTPRequestHandler):
    """One connection. host: of the server behind."""

    host: ClassVar[str]
    faults: ClassVar[Faults]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        fault = self.faults.choose()
        Event().wait(self.faults.delay_s)
        if self.faults.answer_writes and self.command in {"PUT", "POST"}:
            self._send(*self.faults.answer_writes, {})
        elif fault == "refuse":
            self._send(503, BUSY, {"content-type": "application/xml"})
        elif fault == "hang up":
            self.close_connection = True
        else:
            self._pass_on(body, fault)

    do_HEAD = do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815 - the library's own naming

    def _pass_on(self, body: bytes, fault: Fault | None) -> None:
        behind = HTTPConnection(self.host)
        behind.request(self.command, self.path, body, dict(self.headers.items()))
        answer = behind.getresponse()
        content = answer.read()
        behind.close()
        if fault == "lose the answer":
            self.close_connection = True
        else:
            self._send(answer.status, content, _headers_of(answer), cut=fault is not None)

    def _send(
        self, status: int, content: bytes, headers: dict[str, str], *, cut: bool = False
    ) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "content-length" not in map(str.lower, headers):
            self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if cut else content)
        self.close_connection |= cut

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _headers_of(answer: HTTPResponse) -> dict[str, str]:
    headers = {k: v for k, v in answer.getheaders() if k.lower() not in _NOT_PASSED_ON}
    length = answer.getheader("content-length")
    return headers | ({"content-length": length} if length else {})
