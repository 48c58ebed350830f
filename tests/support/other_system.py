"""Another system that takes webhooks: a real HTTP server on loopback, told what to answer."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class OtherSystem:
    """`received` are (path, headers, body); `answers` are given in order, then 200 for ever."""

    def __init__(self) -> None:
        self.received: list[tuple[str, dict[str, str], str]] = []
        self.answers: list[Any] = []
        self.url = ""


@contextmanager
def other_system() -> Iterator[OtherSystem]:
    system = OtherSystem()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            system.received.append((self.path, dict(self.headers), body))
            answer = system.answers.pop(0) if system.answers else 200
            if answer == "hang up":
                self.close_connection = True
                return
            if isinstance(answer, float):
                time.sleep(answer)
                answer = 200
            self.send_response(answer)
            if answer == 302:
                self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.end_headers()
            self.wfile.write(b"said: \x00 thanks")

        def log_message(self, *given: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    system.url = f"http://127.0.0.1:{server.server_port}/hooks?from=amends"
    try:
        yield system
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
