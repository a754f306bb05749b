"""A built leaderboard of more than a hundred cells, opened in a real browser."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest

from vdbench.records import Condition
from vdbench_leaderboard.build import build

WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
ON_PHONE = {"viewport": PHONE, "has_touch": True, "is_mobile": True}


def decoded(data):
    """The cells of the page's list of all results as dictionaries, with their texts in place."""

    def unpacked(value):
        if isinstance(value, str):
            return data["texts"][int(value, 36)]
        return [unpacked(part) for part in value] if isinstance(value, list) else value

    shared = {name: unpacked(value) for name, value in data["shared"].items()}
    found = [shared | dict(zip(data["fields"], unpacked(cell), strict=True)) for cell in data["cells"]]
    return [cell | {"shown": dict(zip(data["columns"], cell["shown"], strict=True))} for cell in found]


def payload(page):
    return decoded(json.loads(page.locator("#data").text_content()))


def column(page, name):
    """The texts of a column of the table of every number."""
    headers = [text.strip() for text in page.locator("#explorer thead th").all_inner_texts()]
    place = next(i for i, header in enumerate(headers) if header.split("\n")[0].strip(" ↕↑↓") == name)
    return page.locator(f"#explorer tbody tr > :nth-child({place + 1})").all_inner_texts()


def evaluated(result, noise):
    """The result with a confusion matrix, other kinds of labels, test clips without motion, and a distilled set."""

    def scored(score, shift):
        return score.model_copy(
            update={"top1": min(1, score.top1 + shift), "shuffled": score.top1 / 2, "still": score.top1 / 4}
        )

    def students(shift):
        classes = range(result.dataset.classes)
        counts = tuple((a, b, 7 if a == b else 1 + noise.randrange(2)) for a in classes for b in classes)
        return tuple(
            student.model_copy(
                update={"scores": tuple(scored(one, shift) for one in student.scores), "confusion": counts}
            )
            for student in result.students
        )

    kinds = (("hard", False, -0.01), ("soft", False, 0.02), ("own", True, 0.01))
    return result.model_copy(
        update={
            "students": students(0), "curves": {"loss": ((0, 2.0), (5, 1.0), (9, 0.4))},
            "conditions": tuple(Condition(labels=k, augmented=a, students=students(shift)) for k, a, shift in kinds),
            "labels": "soft" if result.method == "k-means" else "hard", "distilled": f"set-{result.method}",
            "artefact": "ab" * 32,
        }
    )  # fmt: skip


@pytest.fixture(scope="session")
def place(tmp_path_factory, realistic, make, save):
    """A built leaderboard of more than a hundred cells."""
    from vdbench.clips.pictures import preview_video

    home = tmp_path_factory.mktemp("page")
    noise = random.Random(0)
    results = [
        evaluated(r, noise) if r.status == "done" and r.dataset.name == "motion-digits" else r for r in realistic
    ]
    for number in range(24):
        for ipc in (1, 5):
            top1 = [round(0.3 + number / 100 + noise.random() / 50, 4)]
            suite = "small" if number % 2 else "quick"
            results.append(make(f"more-{number:02}", top1, ipc=ipc, suite=suite, students=("minic3d", "cnn-gru")))
    for pool, seed in (("generated", seed) for seed in range(3)):
        results.append(
            make("herding", (0.4,), seed=seed, pool=pool, students=("minic3d", "cnn-gru"), reconstruction=True)
        )
    (home / "previews" / "set-herding").mkdir(parents=True)
    clips = np.broadcast_to(np.arange(8, dtype=np.uint8)[None, :, None, None, None] * 30, (4, 8, 32, 32, 3))
    preview_video(clips, list("abcd"), home / "previews" / "set-herding" / "preview.mp4")
    build(save(home / "results", results), home / "out", home / "previews")
    return home / "out" / "index.html"


@pytest.fixture(scope="session")
def asked(tmp_path_factory, with_outcomes, save):
    """A built leaderboard whose results keep outcomes per clip, but for those on one data set."""
    home = tmp_path_factory.mktemp("asked")
    build(save(home / "results", *with_outcomes), home / "out")
    return home / "out" / "index.html"


@pytest.fixture
def open_page(browser, place):
    """``open_page("#hash", **options)``: a fresh window; errors and requests to anywhere fail the test."""
    yield from windows(browser, place)


@pytest.fixture
def open_asked(browser, asked):
    """The same of a page that answers both questions."""
    yield from windows(browser, asked)


def windows(browser, place):
    """What opens a window on a page, and then what must hold of all windows."""
    contexts, logged, requested = [], [], []

    def call(address="", **options):
        context = browser.new_context(**{"viewport": WIDE, "accept_downloads": True} | options)
        contexts.append(context)
        page = context.new_page()
        page.on(
            "console", lambda message: logged.append(message.text) if message.type in ("error", "warning") else None
        )
        page.on("pageerror", lambda error: logged.append(str(error)))
        page.on("request", lambda request: requested.append(request.url))
        page.goto(place.as_uri() + address)
        return page

    yield call
    for context in contexts:
        context.close()
    assert logged == []
    assert {url.split(":")[0] for url in requested} <= {"file", "data", "blob"}
    assert {url.split("#")[0] for url in requested if url.startswith("file")} == (
        {place.as_uri()} if contexts else set()
    )


@pytest.fixture
def axe_finds():
    """``axe_finds(page)``: what axe has to say against a page, with everything on it unfolded."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="AXE WAS NOT RUN: it is not installed")

    def call(page):
        page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
        page.wait_for_timeout(200)
        found = axe.Axe().run(page).response["violations"]
        return [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in found]

    return call
