"""The leaderboard at an address: asked by a real client on a free port, while results come, break and go."""

import http.client
import os
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from unittest.mock import patch

import pytest

from vdbench.errors import UsageError
from vdbench_leaderboard import live
from vdbench_leaderboard.build import render
from vdbench_leaderboard.serving import serving

LONG = 120
"""Seconds after which a test gives up: renderings take a few on an idle machine."""


def ask(port, path="/", method="GET", host=None):
    """Status, headers and body of an answer."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=LONG)
    try:
        client.request(method, path, headers={"Host": host} if host else {})
        answer = client.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read().decode()
    finally:
        client.close()


def until(found, wanted=bool):
    """What a function returns, once it is as wanted."""
    end = time.monotonic() + LONG
    while time.monotonic() < end:
        if wanted(value := found()):
            return value
        time.sleep(0.05)
    raise AssertionError("it never came to that")


def version(port):
    return ask(port, "/version")[2]


@contextmanager
def running(results):
    """The port of a server."""
    with patch.object(live, "SHARE", 1.0), serving(results, None, 0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def results(tmp_path, make, save):
    return save(tmp_path / "results", [make("random", seed=seed) for seed in range(2)])


def test_every_file_is_served_as_it_would_be_built(results):
    expected = render(results)
    with running(results) as port:
        until(lambda: version(port), lambda now: now != "none")
        for name in ("README.md", "leaderboard.csv", "leaderboard.json", "leaderboard.tex"):
            status, _, body = ask(port, f"/{name}")
            assert (status, body) == (200, expected[name].decode())
        status, headers, page = ask(port, "/?from=elsewhere")
        assert (status, headers["Content-Type"], headers["Cache-Control"]) == (
            200, "text/html; charset=utf-8", "no-store",
        )  # fmt: skip
        without = re.sub(r"<script>\n\(\(\) => \{\n  const shown = .*?</script>\n", "", page, flags=re.S)
        assert without == expected["index.html"].decode()
        assert f'const shown = "{version(port)}"' in page
        status, headers, body = ask(port, "/index.html", "HEAD")
        assert (status, headers["Content-Length"], body) == (200, str(len(page.encode())), "")


def test_only_what_was_rendered_is_served_and_only_to_this_machine(results):
    (results.parent / "secret.json").write_text("{}")
    elsewhere = [
        "/secret.json",
        "/../secret.json",
        "/%2e%2e/secret.json",
        f"/{results}/x.json",
        "//etc/passwd",
        "/plots",
    ]
    with running(results) as port:
        until(lambda: version(port), lambda now: now != "none")
        assert [ask(port, path)[0] for path in elsewhere] == [404] * 6
        assert ask(port, method="POST")[0] == 501
        hosts = {"127.0.0.1": 200, "localhost:80": 200, "evil.example": 403, "evil.example:80": 403}
        assert {host: ask(port, host=host)[0] for host in hosts} == hosts
    with serving(results, None, 0) as server:
        assert server.server_address[0] == "127.0.0.1"


def test_it_waits_for_the_first_result_and_shows_each_that_comes(tmp_path, make, save):
    place = tmp_path / "not yet there"
    with running(place) as port:
        status, _, page = ask(port)
        assert (status, "No result yet" in page, 'shown = "none"' in page) == (200, True, True)
        assert ask(port, "/leaderboard.csv")[0] == 404
        save(place, [make("random")])
        first = until(lambda: version(port), lambda now: now != "none")
        assert "method-new" not in ask(port)[2]
        save(place, [make("method-new")])
        until(lambda: version(port), lambda now: now != first)
        assert "method-new" in ask(port)[2]
        for path in place.glob("*.json"):
            path.unlink()
        until(lambda: version(port), lambda now: now == "none")
        assert "No result yet" in ask(port)[2]


def test_a_broken_result_is_named_and_ends_nothing(results, make, save):
    with running(results) as port:
        first = until(lambda: version(port), lambda now: now != "none")
        (results / "broken.json").write_text("{")
        second = until(lambda: version(port), lambda now: now != first)
        assert "broken.json" in ask(port)[2]
        (results / "broken.json").unlink()
        assert until(lambda: version(port), lambda now: now != second) == first


def test_what_cannot_be_rendered_leaves_the_last_rendering(results, make, save, monkeypatch, caplog):
    with running(results) as port:
        first = until(lambda: version(port), lambda now: now != "none")

        def fails(*_):
            raise ZeroDivisionError("planted")

        monkeypatch.setattr(live, "render", fails)
        save(results, [make("herding")])
        until(lambda: caplog.messages)
        assert caplog.messages == ["the leaderboard could not be made (ZeroDivisionError: planted); the last one stays"]
        assert version(port) == first
        monkeypatch.setattr(live, "render", render)
        save(results, [make("dm")])
        until(lambda: version(port), lambda now: now != first)
        assert "herding" in ask(port)[2]


def test_renderings_are_made_one_after_the_other_and_not_for_each_change(results, make, save, monkeypatch):
    at_once, made, most = 0, [], 0

    def slow(folder, _):
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        time.sleep(0.4)
        made.append(len(list(folder.glob("*.json"))))
        at_once -= 1
        return {"index.html": f"<body>{made[-1]}</body>".encode()}

    monkeypatch.setattr(live, "render", slow)
    monkeypatch.setattr(live, "QUIET", 0.3)
    with running(results) as port:
        for seed in range(20):
            save(results, [make("herding", seed=seed)])
            time.sleep(0.05)
        until(lambda: ask(port)[2], lambda page: page.startswith("<body>22"))
    assert most == 1
    assert made[-1] == 22
    assert len(made) < 10


def test_a_port_that_is_taken_is_a_sentence(results):
    with serving(results, None, 0) as server, pytest.raises(UsageError, match=r"port \d+ cannot be used .*--port"):
        with serving(results, None, server.server_port):
            pass


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_says_where_and_ends_cleanly(results, number):
    command = [sys.executable, "-m", "vdbench.cli", "leaderboard", "serve", "--port", "0", "--results", str(results)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    try:
        said = process.stdout.readline()
        port = int(re.match(r"http://127\.0\.0\.1:(\d+) shows ", said)[1])
        assert ask(port)[0] == 200
        process.send_signal(number)
        _, errors = process.communicate(timeout=LONG)
    finally:
        process.kill()
    assert (process.returncode, errors) == (0, "")


@pytest.mark.slow
def test_a_page_reloads_and_keeps_its_address_and_place(browser, results, make, save):
    with running(results) as port:
        until(lambda: version(port), lambda now: now != "none")
        context = browser.new_context(viewport={"width": 1280, "height": 700})
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{port}/#suite=quick&columns=cost")
        page.evaluate("scrollTo(0, 700)")
        page.wait_for_timeout(200)
        assert page.locator("tr[data-method=herding]").count() == 0
        save(results, [make("herding")])
        page.locator("tr[data-method=herding]").first.wait_for(state="attached", timeout=1000 * LONG)
        page.wait_for_timeout(300)
        assert page.url.endswith("#suite=quick&columns=cost")
        assert page.locator("[data-columns=cost]").get_attribute("aria-pressed") == "true"
        assert abs(page.evaluate("scrollY") - 700) < 5
        context.close()
