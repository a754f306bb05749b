"""The documents: same results, same bytes; self-contained; broken files; nobody's own file replaced."""

import html
import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from html.parser import HTMLParser
from io import StringIO
from urllib.parse import parse_qs

import pandas as pd
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tests.leaderboard.conftest import terminal
from tests.worlds import flip
from vdbench.errors import DataError, UsageError
from vdbench_leaderboard.build import build, check, show

FILES = {"README.md", "index.html", "leaderboard.csv", "leaderboard.json", "leaderboard.tex", "plots/card.png"}


@pytest.fixture(scope="module")
def built(tmp_path_factory, realistic, save):
    home = tmp_path_factory.mktemp("leaderboard")
    results = save(home / "results", realistic)
    written = build(results, home / "out")
    return results, home / "out", written


@pytest.fixture
def small(tmp_path, make, save):
    return save(tmp_path / "results", [make("random", seed=seed) for seed in range(2)])


def test_every_format_is_written(built):
    _, out, written = built
    names = {path.relative_to(out).as_posix() for path in written}
    assert names >= FILES
    plots = Counter(name.removesuffix(".svg").rsplit("-", 1)[1] for name in names - FILES)
    assert plots == {"ipc": 4, "students": 2, "difference": 1, "means": 1, "places": 1}
    assert all(path.stat().st_size > 500 for path in written)
    assert check(*built[:2]) == []


def test_same_bytes_elsewhere(built, tmp_path, realistic, save):
    _, out, written = built
    shuffled = random.Random(1).sample(realistic, len(realistic))
    results = save(tmp_path / "other place", shuffled)
    environment = {
        **os.environ,
        "TZ": "Asia/Kathmandu",
        "LC_ALL": "de_DE.UTF-8",
        "PYTHONHASHSEED": "77",
        "MPLBACKEND": "svg",
        "OMP_NUM_THREADS": "1",
    }
    program = (
        "import sys, pathlib; from vdbench_leaderboard.build import build; build(*map(pathlib.Path, sys.argv[1:]))"
    )
    command = [sys.executable, "-c", program, str(results), str(tmp_path / "out")]
    subprocess.run(command, check=True, env=environment, cwd=tmp_path)
    for path in written:
        name = path.relative_to(out)
        assert (tmp_path / "out" / name).read_bytes() == path.read_bytes(), name


class Loads(HTMLParser):
    """Collects everything a browser would fetch, every id, and every reference to one."""

    def __init__(self):
        super().__init__()
        self.loads, self.ids, self.references = [], [], []

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name == "src" or (tag == "link" and name == "href"):
                self.loads.append(value)
            if name == "id":
                self.ids.append(value)
            self.references += re.findall(r"url\(#([^)]+)\)", value or "")
            if name == "href" and (value or "").startswith("#"):
                self.references.append(value[1:])


def test_page_is_self_contained_and_sound(built):
    text = (built[1] / "index.html").read_text()
    page = Loads()
    page.feed(text)
    assert page.loads == ["data:,"]
    assert "http:" not in text and "https:" not in text and "@import" not in text
    assert len(page.ids) == len(set(page.ids))
    data = embedded(text)
    ids = (cell[data["fields"].index("id")] for cell in data["cells"])
    cells = {f"cell={data['texts'][int(place, 36)]}" for place in ids}
    compared = {one for one in page.references if one.startswith("suite=")}
    assert {part for one in compared for part in parse_qs(one)} == {"suite", "dataset", "a", "b"}
    assert set(page.references) <= {*page.ids, *cells, *compared}
    assert text.count(' role="img"') == 9
    assert "NaN" not in text and "None" not in text and ">nan" not in text


def embedded(page):
    """The numbers that the page holds for its table of all of them."""
    return json.loads(page.split('<script type="application/json" id="data">')[1].split("</script>")[0])


def test_page_says_what_matters(built):
    text = (built[1] / "index.html").read_text()
    for words in ("ucf101, 7 of 101 classes", "partial data set", "2 of 3 seeds, oom", "upper bound", "Python 3.11.9"):
        assert words in text
    readme = (built[1] / "README.md").read_text()
    for path in re.findall(r"!\[.*?\]\((.*?)\)", readme):
        assert (built[1] / path).is_file()


def test_no_date_and_no_path(built):
    for path in built[2]:
        text = path.read_text(errors="replace")
        assert str(built[0].parent) not in text
        assert "2026-01-02" not in text


def test_csv_holds_every_number(built):
    frame = pd.read_csv(built[1] / "leaderboard.csv")
    assert len(frame) == 36
    row = frame.query("dataset == 'ucf101' and method == 'k-center' and ipc == 5 and student == 'minic3d'").iloc[0]
    assert (row.seeds, row.seeds_expected, row.failures, row.networks) == (2, 3, "oom", 4)
    assert frame.query("method == 'full'")["ipc"].isna().all()
    assert frame.query("method == 'full'")["rank"].isna().all()


def test_json_holds_what_the_csv_holds(built):
    frame = pd.read_csv(built[1] / "leaderboard.csv")
    stored = json.loads((built[1] / "leaderboard.json").read_text())
    assert stored["about"] == "made by vdbench leaderboard build"
    again = pd.DataFrame(stored["rows"])[list(frame)].to_csv(index=False)
    pd.testing.assert_frame_equal(pd.read_csv(StringIO(again)), frame)


def test_check_names_one_changed_byte_a_missing_and_a_left_over_file(built, tmp_path):
    results, out, _ = built
    copy = shutil.copytree(out, tmp_path / "copy")
    flip(copy / "README.md", -20)
    (copy / "leaderboard.tex").unlink()
    plot = next((copy / "plots").glob("*.svg"))
    shutil.copy(plot, plot.with_name("old.svg"))
    (copy / "plots" / "mine.svg").write_text("<svg/>")
    (copy / "notes.txt").write_text("mine")
    assert check(results, copy) == ["README.md", "leaderboard.tex", "plots/old.svg"]
    build(results, copy)
    assert check(results, copy) == []
    assert not (copy / "plots" / "old.svg").exists()
    assert (copy / "plots" / "mine.svg").exists()


def test_check_compares_pictures_by_their_pixels(small, tmp_path):
    build(small, tmp_path / "out")
    path = tmp_path / "out" / "plots" / "card.png"
    with Image.open(path) as picture:
        pixels, about = picture.convert("RGB"), PngInfo()
    about.add_text("Comment", "made by vdbench leaderboard build")
    before = path.read_bytes()
    pixels.save(path, compress_level=1, pnginfo=about)
    assert path.read_bytes() != before
    assert check(small, tmp_path / "out") == []
    pixels.putpixel((7, 7), (0, 0, 0))
    pixels.save(path, pnginfo=about)
    assert check(small, tmp_path / "out") == ["plots/card.png"]


def test_a_link_to_the_page_shows_its_answer_and_a_picture(built, small, tmp_path):
    def tags(page):
        return dict(re.findall(r'<meta (?:property|name)="([^"]+)" content="([^"]*)">', page))

    found = tags((built[1] / "index.html").read_text())
    answer = html.unescape(found["description"]).removeprefix("Video dataset distillation, which method to use? ")
    assert answer.startswith("Use k-means")
    assert f"<b>{answer.split('.')[0]}.</b>" in (built[1] / "index.html").read_text()
    assert found["og:description"] == found["twitter:description"] == found["description"]
    assert found["og:image"] == found["twitter:image"] == "plots/card.png"
    assert found["twitter:card"] == "summary_large_image"
    with Image.open(built[1] / found["og:image"]) as picture:
        assert picture.size == (int(found["og:image:width"]), int(found["og:image:height"])) == (1200, 630)
    build(small, tmp_path / "out", url="https://example.org/board")
    there = tags((tmp_path / "out" / "index.html").read_text())
    assert there["og:image"] == there["twitter:image"] == "https://example.org/board/plots/card.png"
    assert there["og:url"] == "https://example.org/board/"
    assert check(small, tmp_path / "out", url="https://example.org/board/") == []
    assert check(small, tmp_path / "out") == ["index.html"]


def test_check_sees_a_new_result(small, tmp_path, make, save):
    build(small, tmp_path / "out")
    save(small, [make("herding")])
    assert {"README.md", "leaderboard.csv"} <= set(check(small, tmp_path / "out"))


def test_a_file_of_somebody_else_is_left_alone(small, tmp_path):
    (tmp_path / "README.md").write_text("# my project\n")
    with pytest.raises(UsageError, match="README.md was not made by"):
        build(small, tmp_path)
    assert (tmp_path / "README.md").read_text() == "# my project\n"
    assert not (tmp_path / "index.html").exists()


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b'{"id": "broken"}', b"[1]", None])
def test_a_broken_file_is_named_and_skipped(small, tmp_path, caplog, content):
    broken = small / "broken.json"
    broken.mkdir() if content is None else broken.write_bytes(content)
    (small / ".half.json.ab12.json").write_text("{")
    build(small, tmp_path / "out")
    assert len(caplog.messages) == 1
    assert "broken.json" in caplog.messages[0]
    assert "broken.json" in (tmp_path / "out" / "index.html").read_text()
    assert "broken.json" in (tmp_path / "out" / "README.md").read_text()


def test_no_results_is_one_sentence(tmp_path):
    for results in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(DataError, match="no results in .*; check the path, or first type: vdbench run$"):
            build(results, tmp_path / "out")
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(DataError, match="no results in .* that can be read"):
        show(tmp_path)
    assert not (tmp_path / "out").exists()


def test_names_of_submitted_results_are_only_text(make, documents):
    hostile = "<script>alert(1)</script>|$x_{$&\"'\n`"
    odd = [make("herding", seed=seed, settings={"a": value}) for seed, value in enumerate((hostile, "plain"))]
    machine = odd[0].environment.model_copy(update={"device": hostile})
    odd[0] = odd[0].model_copy(update={"environment": machine})
    found = documents(odd)
    assert "<script>alert" not in found["index.html"]
    rows = [line for line in found["README.md"].splitlines() if line.startswith("| herding")]
    assert len({len(re.findall(r"(?<!\\)\|", row)) for row in rows[:2]}) == 1
    assert r"\_\{\$\&" in found["leaderboard.tex"]


@pytest.mark.parametrize(
    "results",
    [
        [("full", {"ipc": None})],
        [("random", {"failure": "oom"})],
        [("random", {"ipc": 1, "top1": (0.0,)}), ("full", {"ipc": None, "top1": (0.0,)})],
        [("random", {"ipc": ipc, "classes": 2}) for ipc in (1, 2, 5, 10, 50)],
        [(f"method-{n}", {"ipc": 1}) for n in range(14)],
    ],
    ids=["only full", "only failed", "all wrong", "many budgets", "many methods"],
)
def test_unusual_sets_of_results_build(make, documents, results):
    documents([make(name, **values) for name, values in results])


def test_terminal_shows_one_table_per_suite_and_data_set(built):
    text = terminal(built[0], 140)
    assert text.count("┏") == 2
    assert "suite quick · ucf101, 7 of 101 classes · test" in text
    assert "2 of 3 seeds, oom" in text


def test_import_is_light():
    heavy = "{'torch', 'ray', 'pandas', 'matplotlib', 'scipy', 'seaborn', 'jinja2'}"
    program = f"import sys, vdbench_leaderboard.build; print(sorted({heavy} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"


def test_a_result_that_a_later_one_replaces_is_named(make, documents):
    old = make("herding", (0.6,))
    new = make("herding", (0.2,), started=old.started + timedelta(days=1)).model_copy(update={"id": "a" * 16})
    found = documents([make("random"), old, new])
    for name, said in (("README.md", "do not count"), ("index.html", "Not counted")):
        assert old.id in found[name].split(said)[1]
    assert "20.0" in found["README.md"]


def test_a_data_set_with_one_seed_is_not_said_to_keep_no_outcomes(with_outcomes, documents):
    results, tests = with_outcomes
    kept = [result for result in results if result.dataset.name == "ucf101" or not result.seed and result.test_set]
    answer = documents(kept, tests)["index.html"].split('id="answer"')[1].split("</section>")[0]
    assert "A single seed tells nothing of other clips, so all of this speaks of these test clips alone." in answer
    assert "keep no outcomes" not in answer
