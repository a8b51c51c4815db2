"""A real S3 server as a process on loopback, and a gateway before it that counts what passes."""

import re
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from urllib.parse import urlsplit

import pytest
from fsspec import filesystem

BUCKET = "people"


@contextmanager
def s3_server() -> Iterator[str]:
    """Run a server on a free port for the length of a block; yields its address."""
    command = [sys.executable, "-u", "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            address = next(filter(None, map(_address_in, process.stderr)))
            # It says a line a request: a pipe that nobody reads would stop it.
            Thread(target=deque, args=(process.stderr, 0), daemon=True).start()
            yield address
        finally:
            process.terminate()


def _address_in(line: str) -> str | None:
    found = re.search(r"Running on (http://\S+)", line)
    return found[1] if found else None


def use_store(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """Let s3:// addresses lead to this server, and forget clients of others."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    type(filesystem("s3")).clear_instance_cache()


def upload(folder: Path, prefix: str) -> str:
    """Copy a folder into the bucket; returns its s3:// address."""
    store = filesystem("s3")
    store.makedirs(BUCKET, exist_ok=True)
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            store.put_file(str(path), f"{BUCKET}/{prefix}/{path.relative_to(folder).as_posix()}")
    return f"s3://{BUCKET}/{prefix}"


@dataclass(slots=True)
class Traffic:
    """What went through a gateway: (method, path, bytes of the answer's body), in order.

    cut: from now on it hangs up without an answer.
    """

    address: str = ""
    cut: bool = False
    answers: list[tuple[str, str, int]] = field(default_factory=list)

    def of(self, ending: str) -> list[int]:
        """Return the sizes of the answers about files with this ending."""
        return [size for method, path, size in self.answers if method == "GET" and ending in path]


@contextmanager
def counting_gateway(server: str) -> Iterator[Traffic]:
    """Pass requests on to a server for the length of a block, and count."""
    traffic, lock = Traffic(), Lock()
    host = urlsplit(server).netloc

    class Gateway(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if traffic.cut:
                self.close_connection = True
                return
            behind = HTTPConnection(host)
            behind.request(self.command, self.path, headers=dict(self.headers.items()))
            answer = behind.getresponse()
            body = answer.read()
            with lock:
                traffic.answers.append((self.command, self.path, len(body)))
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in {"transfer-encoding", "connection", "server", "date"}:
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
            behind.close()

        do_HEAD = do_GET  # noqa: N815 - the standard library's own way of naming

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Gateway) as gateway:
        gateway.daemon_threads = True
        traffic.address = f"http://127.0.0.1:{gateway.server_address[1]}"
        thread = Thread(target=gateway.serve_forever, daemon=True)
        thread.start()
        try:
            yield traffic
        finally:
            gateway.shutdown()
            thread.join()
