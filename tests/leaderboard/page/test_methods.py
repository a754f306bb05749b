"""What the page says of each method, and which previews may be on it."""

import base64

import pytest

from vdbench.experiment.result import Source
from vdbench_leaderboard.build import build, check
from vdbench_leaderboard.page import previews
from vdbench_leaderboard.page.methods import HEIGHT, WIDTH, summaries
from vdbench_leaderboard.page.previews import Previews
from vdbench_leaderboard.tables.boards import boards
from vdbench_leaderboard.tables.cells import gather

SOURCE = Source(title="Herding", paper="Herding dynamical weights, ICML 2009", bibtex="@inproceedings{w,\n a = {<b>}}")


@pytest.fixture
def folder(tmp_path):
    """``put("set", "preview.png", content)``: a file beside a distilled set."""

    def put(name, file, content):
        path = tmp_path / "previews" / name / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return tmp_path / "previews"

    return put


def summarised(results, folder=None):
    return {method.name: method for method in summaries(boards(gather(results)), Previews(folder))}


def test_each_method_is_there_once_whatever_its_pools_and_settings(make):
    results = [
        make("herding", source=SOURCE),
        make("herding", pool="generated"),
        make("herding", settings={"a": 1}, suite="clean"),
        make("dm", pool=None),
        make("dm", failure="oom", seed=1, pool=None),
        make("mtt", failure="oom", pool=None),
    ]
    found = summarised(results)
    assert list(found) == ["dm", "herding", "mtt"]
    assert found["herding"].source == SOURCE
    assert found["herding"].pools == ("generated", "real")
    assert found["dm"].pools == ("learned",)
    assert found["mtt"].source is None


def test_settings_are_shown_where_they_differ(make):
    given = [make("dm", ipc=ipc, settings={"lr": ipc, "width": {"a": 8}}) for ipc in (1, 5)]
    found = summarised(given)["dm"]
    assert found.common == {"width.a": "8"}
    assert {own["lr"]: places[0].rsplit(", ", 1)[1] for own, places in found.variants} == {
        "1": "IPC 1",
        "5": "IPC 5",
    }
    assert all(set(own) == {"lr"} for own, _ in found.variants)
    alone = summarised(given[:1])["dm"]
    assert (alone.common, alone.variants) == ({"lr": "1", "width.a": "8"}, ())


def test_curves_are_of_one_trial_and_fill_their_frame(make):
    curve = ((0, 4.0), (10, 1.0), (20, 2.0))
    results = [
        make("dm", ipc=5, curves={"loss": curve}),
        make("dm", ipc=1, seed=1, curves={"loss": ((0, 1.0),), "b": ()}),
    ]
    (found,) = summarised(results)["dm"].glimpses
    assert found.curves_of == "dm on motion-digits, IPC 1, seed 1"
    (drawn,) = summarised(results[:1])["dm"].glimpses[0].curves
    assert drawn.points == f"0.0,0.0 {WIDTH / 2:.1f},{HEIGHT:.1f} {WIDTH:.1f},{HEIGHT * 2 / 3:.1f}"
    assert (drawn.name, drawn.steps, drawn.first, drawn.last) == ("loss", (0, 20), 4.0, 2.0)
    assert [curve.name for curve in found.curves] == ["loss"]


def test_only_what_lies_in_the_folder_is_shown(make, folder):
    place = folder("set-a", "preview.png", b"picture")
    results = [make("dm", distilled="set-a"), make("mtt", distilled="set-b"), make("frepo", distilled="../set-a")]
    found = summarised(results, place)
    (((distilled, caption, preview),),) = (glimpse.previews for glimpse in found["dm"].glimpses)
    assert distilled == "set-a"
    assert base64.b64decode(preview.uri.removeprefix("data:image/png;base64,")) == b"picture"
    assert not preview.plays
    assert caption == "dm on motion-digits, IPC 1, seed 0"
    assert found["mtt"].glimpses == found["frepo"].glimpses == ()
    assert summarised(results)["dm"].glimpses == ()


def test_the_smallest_set_of_each_pool_and_data_set_is_shown_and_what_plays_first(make, folder):
    for name in ("one", "five", "other", "made"):
        place = folder(name, "preview.png", b"picture")
    folder("one", "preview.mp4", b"film")
    results = [
        make("tac-dt", ipc=5, distilled="five"),
        make("tac-dt", ipc=1, distilled="one"),
        make("tac-dt", ipc=1, distilled="other", dataset="hmdb51"),
        make("tac-dt", ipc=1, distilled="made", pool="generated"),
    ]
    glimpses = summarised(results, place)["tac-dt"].glimpses
    assert [len(glimpse.previews) for glimpse in glimpses] == [1, 2]
    assert {shown.caption: shown.preview.plays for glimpse in glimpses for shown in glimpse.previews} == {
        "tac-dt on hmdb51, IPC 1, seed 0": False,
        "tac-dt on motion-digits, IPC 1, seed 0": True,
        "tac-dt@generated on motion-digits, IPC 1, seed 0": False,
    }


def test_curves_are_of_the_data_set_that_the_preview_is_of(make, folder):
    loss = {"loss": ((0, 2.0), (9, 1.0))}
    results = [
        make("dm", distilled="a", dataset="hmdb51", curves=loss),
        make("dm", distilled="b", dataset="motion-digits", curves=loss),
        make("dm", distilled="c", dataset="motion-digits", curves=loss, seed=1),
        make("dm", distilled="d", dataset="ucf101", ipc=5, curves=loss),
        make("dm", distilled="e", dataset="ucf101", ipc=10),
    ]
    (alone,) = summarised(results)["dm"].glimpses
    assert (alone.curves_of, alone.previews) == ("dm on hmdb51, IPC 1, seed 0", ())
    (found,) = summarised(results, folder("c", "preview.png", b"picture"))["dm"].glimpses
    assert found.curves_of == found.previews[0].caption == "dm on motion-digits, IPC 1, seed 1"
    found = summarised(results, folder("e", "preview.png", b"picture"))["dm"].glimpses
    assert [(glimpse.curves_of, glimpse.previews[0].caption) for glimpse in found] == [
        ("dm on motion-digits, IPC 1, seed 1",) * 2,
        ("dm on ucf101, IPC 5, seed 0", "dm on ucf101, IPC 10, seed 0"),
    ]


def test_previews_keep_within_their_bytes(make, folder, monkeypatch):
    place = folder("large", "preview.mp4", b"x" * (previews.PREVIEW_BYTES + 1))
    assert summarised([make("dm", distilled="large")], place)["dm"].glimpses == ()
    folder("large", "preview.png", b"x" * 10)
    (found,) = summarised([make("dm", distilled="large")], place)["dm"].glimpses
    assert [shown.preview.size for shown in found.previews] == [10]
    monkeypatch.setattr(previews, "ALL", 25)
    for name in "abc":
        folder(name, "preview.png", b"y" * 10)
    found = summarised([make(f"method-{name}", distilled=name) for name in "abc"], place)
    assert [len(found[f"method-{name}"].glimpses) for name in "abc"] == [1, 1, 0]


def test_the_page_shows_them_and_check_sees_them_change(make, save, folder, tmp_path):
    place = folder("set-a", "preview.png", b"picture")
    results = save(tmp_path / "results", [make("herding", distilled="set-a", source=SOURCE, reconstruction=True)])
    build(results, tmp_path / "out", place)
    page = (tmp_path / "out" / "index.html").read_text()
    assert f"data:image/png;base64,{base64.b64encode(b'picture').decode()}" in page
    assert "a = {&lt;b&gt;}}" in page
    assert "rebuilt from a description" in page
    assert check(results, tmp_path / "out", place) == []
    folder("set-a", "preview.png", b"another")
    assert check(results, tmp_path / "out", place) == ["index.html"]
    assert check(results, tmp_path / "out") == ["index.html"]


@pytest.mark.parametrize("name", ["../elsewhere", "..", "x" * 400, "ü" * 200])
def test_a_distilled_set_whose_name_is_no_folders_has_no_preview(tmp_path, name):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "preview.png").write_bytes(b"a picture")
    (tmp_path / "sets").mkdir()
    assert Previews(tmp_path / "sets").first([name]) is None
