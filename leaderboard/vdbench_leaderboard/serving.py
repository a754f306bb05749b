"""The leaderboard at an address of this machine, for browsers on this machine; pages reload when it changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from vdbench.errors import UsageError
from vdbench_leaderboard.live import LiveLeaderboard

HOST = "127.0.0.1"
NAMES = (HOST, "localhost")
"""What this machine may be called; a page elsewhere that made its own name point here is refused."""
KINDS = {
    ".html": "text/html; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".md": "text/markdown; charset=utf-8",
    ".tex": "text/plain; charset=utf-8",
}
VERSION = "version"
"""The address that says which version is served."""

WAITING = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>vdbench leaderboard</title></head>
<body><main><h1>No result yet</h1><p>This page shows the leaderboard as soon as the first trial has finished.</p></main>
</body></html>
"""
RELOADS = """<script>
(() => {
  const shown = "%s", kept = "vdbench-scroll";
  addEventListener("load", () => {
    const top = sessionStorage.getItem(kept);
    sessionStorage.removeItem(kept);
    if (top !== null) requestAnimationFrame(() => scrollTo(0, Number(top)));
  });
  const look = async () => {
    try {
      const answer = await fetch("/version", { cache: "no-store" });
      if (answer.ok && (await answer.text()) !== shown) {
        sessionStorage.setItem(kept, scrollY);
        location.reload();
        return;
      }
    } catch {} // the server has ended, or is about to come back
    setTimeout(look, 1000);
  };
  setTimeout(look, 1000);
})();
</script>
"""
"""Goes into a page that is served, and only there: it keeps the address, with all that was chosen, and the place."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int, live: LiveLeaderboard) -> None:
        super().__init__((HOST, port), _Handler)
        self.live = live


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        """Answer with a file of the newest rendering, or its version."""
        self._answer(body=True)

    def do_HEAD(self) -> None:
        """Say the same without the file."""
        self._answer(body=False)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: a page asks every second."""

    def _answer(self, body: bool) -> None:
        if self.headers.get("Host", "").split(":")[0] not in NAMES:
            return self.send_error(HTTPStatus.FORBIDDEN, "Only for browsers on this machine")
        found = self._found(unquote(urlsplit(self.path).path).lstrip("/") or "index.html")
        if found is None:
            return self.send_error(HTTPStatus.NOT_FOUND)
        content, kind = found
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        if body:
            self.wfile.write(content)
        return None

    def _found(self, name: str) -> tuple[bytes, str] | None:
        """Content and kind of what was asked for: names of the rendering, never paths of this machine."""
        served = self.server.live.current
        if name == VERSION:
            return served.version.encode(), "text/plain; charset=utf-8"
        content = served.contents.get(name) or (WAITING.encode() if name == "index.html" else None)
        if content is None:
            return None
        if name == "index.html":
            head, end, tail = content.rpartition(b"</body>")
            content = head + (RELOADS % served.version).encode() + end + tail
        return content, KINDS[Path(name).suffix]


@contextmanager
def serving(results: Path, previews: Path | None, port: int) -> Iterator[_Server]:
    """A server that has its port, for ``serve_forever``; results are looked at from now on.

    Args:
        results: folder of result files; it need not be there yet.
        previews: as :func:`vdbench_leaderboard.build.build` takes them.
        port: on the loopback interface; 0 for any that is free.

    Raises:
        UsageError: the port cannot be used.
    """
    live = LiveLeaderboard(results, previews)
    try:
        server = _Server(port, live)
    except OSError as error:
        raise UsageError(f"port {port} cannot be used ({error.strerror}); choose another one with --port") from None
    with server, live:
        yield server
