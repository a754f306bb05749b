"""Plots: what is drawn, that names keep apart, colours that can be distinguished, and SVG that fits into a page."""

import re
from io import BytesIO
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from PIL import Image

from vdbench_leaderboard.figures import heat, lines, over_ipc, rankings, style, trade_off
from vdbench_leaderboard.figures.card import card
from vdbench_leaderboard.figures.plots import MOST_BOARDS, draw, plotted
from vdbench_leaderboard.page.html import THEMED, inline
from vdbench_leaderboard.statistics.average_ranks import AverageRanks
from vdbench_leaderboard.statistics.estimates import Estimate
from vdbench_leaderboard.tables import verdict_words
from vdbench_leaderboard.tables.boards import boards
from vdbench_leaderboard.tables.cells import gather
from vdbench_leaderboard.tables.outcomes import Outcomes
from vdbench_leaderboard.tables.overview import overviews
from vdbench_leaderboard.tables.verdicts import verdicts


@pytest.fixture(scope="module")
def found(realistic):
    return boards(gather(realistic))


@pytest.fixture(scope="module")
def drawn(found):
    return draw(found, overviews(found, Outcomes({})))


def board_of(results):
    (board,) = boards(gather(results))
    return board, style.looks(board.cells)


def light(colour):
    values = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values]
    return sum(weight * v for weight, v in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


def texts(svg):
    return [
        "".join(element.itertext()) for element in ElementTree.fromstring(svg).iter() if element.tag.endswith("text")
    ]


def test_colours_stand_out_from_both_papers_and_text_read_on_heat():
    for colour in (*style.SERIES, style.GREY):
        assert contrast(colour, "#ffffff") >= 3
        assert contrast(colour, "#181d27") >= 3
    assert all(contrast(style.INK, shade) >= 4.5 for shade in style.HEAT)
    assert len(set(style.SERIES)) == len(style.SERIES)
    assert len(THEMED) == 5 + len(style.HEAT)


def test_each_row_has_a_look_of_its_own_and_pools_share_their_method_s_colour(make):
    methods = [make(f"method-{n:02}", pool=pool) for n in range(30) for pool in ("real", "generated")]
    variants = [make("herding", settings={"a": value}) for value in range(3)]
    found = style.looks(gather([*methods, *variants, make("random"), make("full", ipc=None)]))
    assert len({(look.colour, look.marker, look.hollow) for look in found.values()}) == len(found) == 65
    assert found["method-07"].colour == found["method-07@generated"].colour
    assert (found["method-07"].hollow, found["method-07@generated"].hollow) == (False, True)
    assert found["random"].colour == style.GREY


def test_names_are_listed_from_the_highest_value_down(found, drawn):
    board = found[0]
    written = texts(drawn[f"{board.slug}-ipc"])
    means = {row.method: row.standings[-1].cell.top1.mean for row in board.rows}
    shown = [text for text in written if text in means]
    assert shown == sorted(means, key=means.get, reverse=True)
    assert {"full", "chance"} <= set(written)


@pytest.mark.parametrize(("ahead", "there"), [(0.3, True), (0.0, False)])
def test_average_ranks_are_drawn_where_they_tell_methods_apart(make, ahead, there):
    levels = {"random": 0.2, "herding": 0.2 + ahead, "dm": 0.2 + ahead / 2}
    results = [
        make(name, (level + (place + step) % 3 / 100,), ipc=ipc, dataset=f"data-{place}")
        for place in range(6)
        for ipc in (1, 5)
        for step, (name, level) in enumerate(levels.items())
    ]
    found = boards(gather(results))
    (overview,) = overviews(found, Outcomes({}))
    assert overview.ranks.tells_apart == there
    assert ("quick-critical-difference" in draw(found, [overview])) == there
    assert "quick-places" in draw(found, [overview])


def test_what_says_nothing_is_not_drawn(make):
    one = [make("random"), make("full", ipc=None)]
    board, looks = board_of(one)
    assert over_ipc.accuracy_over_ipc(board, looks) is None
    assert trade_off.accuracy_over_cost(board, looks, "bytes") is None
    assert heat.across_students([board]) is None
    assert rankings.interquartile_means({}, looks) is None
    several, looks = board_of([make(method) for method in ("random", "herding", "dm")])
    assert over_ipc.accuracy_over_ipc(several, looks) is None  # a single IPC
    assert trade_off.accuracy_over_cost(several, looks, "bytes") is None  # all of them store the same
    assert draw([several], overviews([several], Outcomes({}))) == {}


def test_costs_that_differ_are_drawn_with_their_front(make):
    results = [make("random", (0.4,)), make("dm", (0.5,), stored_bytes=10**6), make("mtt", (0.3,), stored_bytes=10**7)]
    svg = trade_off.accuracy_over_cost(*board_of(results), "bytes")
    assert {"dm, IPC 1", "random, IPC 1"} <= set(texts(svg))
    assert "mtt, IPC 1" not in texts(svg)
    assert {"random", "dm", "mtt"} <= set(texts(svg))


def test_names_on_the_front_have_an_edge_of_paper(make):
    results = [make("random", (0.4,)), make("dm", (0.5,), stored_bytes=10**6)]
    svg = trade_off.accuracy_over_cost(*board_of(results), "bytes")
    edged = re.findall(rf'<g style="paint-order: stroke; stroke: {style.PAPER}[^>]*><text[^>]*>([^<]*)', svg)
    assert sorted(edged) == ["dm, IPC 1", "random, IPC 1"]
    assert "paint-order: stroke; stroke: var(--card)" in inline(svg, "p1", "a plot")


def test_interquartile_means_stand_between_a_blind_guess_and_all_train_clips(drawn):
    svg = next(svg for name, svg in drawn.items() if name.endswith("interquartile-means"))
    assert {"0: chance", "1: full"} <= set(texts(svg))
    assert {"0.0", "1.0"} <= set(texts(svg))


def test_ranks_are_written_clear_of_the_lines_and_the_difference_of_its_bar():
    ranks = {"first": 1.0, **{f"method-{place}": float(place) for place in range(2, 11)}, "last": 11.0}
    svg = rankings.critical_difference(AverageRanks(ranks, 2, 0.5, 9.0, (tuple(ranks),), ()))
    at = {text: float(x) for x, text in re.findall(r'<text[^>]* x="([\d.]+)"[^>]*>([^<]+)', svg)}
    letter = 0.64 * (style.TEXT - 2)  # of DejaVu Sans, in points
    assert at["1.0"] + 3 * letter < at["1"]
    assert at["11.0"] - 4 * letter > at["11"]
    assert at["critical difference"] > at["10"] + 5


def test_every_plot_shows_its_methods(found, drawn):
    methods = {row.method for row in found[0].rows}
    for name, svg in drawn.items():
        if not name.endswith("ipc"):
            assert methods - {"k-center"} <= set(texts(svg)), name


def test_plots_are_drawn_of_first_students_before_others(make):
    groups = MOST_BOARDS - 2
    results = [
        make(method, ipc=ipc, dataset=f"data-{n:02}", students=("minic3d", "cnn-gru", "cnn-lstm"))
        for n in range(groups)
        for method in ("random", "herding")
        for ipc in (1, 5)
    ]
    chosen = plotted(boards(gather(results)))
    assert [board.student.name for board in chosen] == ["minic3d"] * groups + ["cnn-gru", "cnn-lstm"]


def test_documents_hold_no_more_than_is_seen(drawn):
    for svg in drawn.values():
        names = re.findall(r' id="([^"]+)"', svg)
        assert set(names) == set(re.findall(r'(?:href="#|url\(#)([^")]+)', svg))
        assert not re.search(r"<metadata|<style|\n.|\.\d{3}", svg)
        ElementTree.fromstring(svg)


def test_an_inlined_plot_stands_for_itself_and_wears_the_theme(drawn):
    (name, svg), *_ = ((name, svg) for name, svg in drawn.items() if name.endswith("-ipc"))
    element = inline(svg, "p1", 'a "label" <b>')
    assert 'aria-label="a &#34;label&#34; &lt;b&gt;"' in element
    assert not re.search(r"xmlns|http|<style|xlink", element)
    ids = re.findall(r' id="([^"]+)"', element)
    assert len(ids) == len(set(ids)) > 0
    assert all(one.startswith("p1-") for one in ids)
    assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', element)) <= set(ids)
    assert not any(colour in element for colour in THEMED)
    assert "var(--ink)" in element
    ElementTree.fromstring(re.sub(r"\bhref=", "data-href=", element))


def test_dollars_and_angles_in_names_are_text(make):
    odd = [make("herding", ipc=ipc, settings={"a": value}) for ipc in (1, 5) for value in ("$x_{$", "<b>&")]
    svg = over_ipc.accuracy_over_ipc(*board_of(odd))
    assert {"herding (a=$x_{$)", "herding (a=<b>&)"} <= set(texts(svg))


def dominates(one, other):
    return one[0] <= other[0] and one[1] >= other[1] and one != other


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=12))
def test_the_front_is_what_nothing_dominates(found):
    kept = trade_off.front(found)
    assert {*kept} == {
        place for place, point in enumerate(found) if not any(dominates(other, point) for other in found)
    }
    assert [found[place][0] for place in kept] == sorted(found[place][0] for place in kept)
    assert len(kept) == len(set(kept))


def test_equal_points_are_both_on_it():
    assert trade_off.front([(1, 5), (1, 5), (2, 5), (0, 1)]) == [3, 0, 1]
    assert trade_off.front([]) == []


def test_the_card_depends_on_the_answer_and_stays_within_its_frame(found):
    verdict = verdicts(found, Outcomes({}))[0]
    short = verdict_words.Answer("No winner yet.", "Because.")
    long = verdict_words.Answer(f"Use {'herding or k-means on a data set with a long name; ' * 4}.", "No method " * 40)
    pixels = {}
    for name, (answer, shown) in {"plain": (short, None), "table": (short, verdict), "long": (long, verdict)}.items():
        content = card(answer, shown, "a mark")
        assert content == card(answer, shown, "a mark")
        assert b"a mark" in content[:300]
        with Image.open(BytesIO(content)) as picture:
            pixels[name] = np.asarray(picture.convert("L"))
        assert pixels[name].shape == (630, 1200)
        edges = [pixels[name][:20], pixels[name][-20:], pixels[name][:, :30], pixels[name][:, -30:]]
        assert all(edge.min() == edge.max() for edge in edges)
    assert not np.array_equal(pixels["plain"], pixels["table"])
    assert not np.array_equal(pixels["table"], pixels["long"])
    assert (pixels["long"][262:288] > 200).all()  # between the answer and the title of the table


@pytest.mark.parametrize(("methods", "colours"), [(5, 5), (6, 1)])
def test_bands_of_many_methods_do_not_hide_each_other(methods, colours):
    names = ["random", *"abcdefg"][:methods]
    line = {ipc: Estimate(10.0 * ipc, 2.0, None, None, 3, "seeds") for ipc in (1, 5)}
    looks = {name: style.Look(colour, "o", False) for name, colour in zip(names, style.SERIES, strict=False)}
    axes = Figure().add_subplot()
    lines.draw_bands(axes, dict.fromkeys(names, line), looks)
    (drawn,) = axes.collections
    assert len(drawn.get_paths()) == colours
    assert to_hex(drawn.get_facecolor()[0]) == style.SERIES[0].lower()  # of random
