"""Where the table of both pools shows, and what is remarked in every document."""

from io import StringIO
from types import SimpleNamespace

import pandas as pd

from tests.leaderboard.conftest import terminal
from tests.leaderboard.tables.conftest import selector, table
from vdbench_leaderboard.tables import frames
from vdbench_leaderboard.tables.cells import gather


def test_one_pool_alone_has_no_table(crossed, documents, tmp_path):
    for pool in ("real", "generated"):
        alone = [r for r in crossed if r.pool in (pool, None)]
        assert table(alone) is None
    found = documents([r for r in crossed if r.pool != "generated"])
    assert all("enerated clips" not in text and "enerated pools" not in text for text in found.values())
    assert '<div class="pools">' not in found["index.html"]
    assert "pool" not in found["leaderboard.csv"].splitlines()[0].split(",")
    assert "Δ" not in terminal(tmp_path / "results", 120)


def test_unequal_bytes_are_remarked_in_every_document(crossed, documents, tmp_path):
    results = [
        r.model_copy(update={"stored_bytes": r.stored_bytes + 1})
        if (r.method, r.pool, r.ipc) == ("herding", "generated", 5)
        else r
        for r in crossed
    ]
    found = table(results)
    assert found.unequal == ["herding at IPC 5"]
    frame = frames.pools(found).astype(str).set_index("selector")
    assert "not at equal bytes" in frame["IPC 5 Δ"]["herding"]
    assert "not at equal bytes" in frame["IPC 5 Δ"]["mean"]
    assert not any("equal bytes" in text for text in frame["IPC 1 Δ"])
    found = documents(results)
    for name in ("README.md", "index.html", "leaderboard.tex"):
        assert "not at equal bytes" in found[name]
        assert "Not at equal bytes, so" in found[name]
        assert "herding at IPC 5" in found[name]
    assert "herding at IPC 5" in terminal(tmp_path / "results", 120)


def test_a_selector_whose_own_pool_is_the_generated_one(make, generate, documents, tmp_path):
    results = [
        one
        for seed in range(3)
        for one in (
            make("tac-dt", (0.4,), seed=seed, reconstruction=True),
            generate("tac-dt", (0.5,), seed=seed, reconstruction=True),
        )
    ]
    assert {cell.method for cell in gather(results)} == {"tac-dt", "tac-dt@generated"}
    assert selector(results, "tac-dt").cell.reconstruction
    found = documents(results)
    assert r"| tac-dt \[reconstruction\] |" in found["README.md"]
    assert "tac-dt [reconstruction] &" in found["leaderboard.tex"]
    assert "tac-dt [reconstruction]" in terminal(tmp_path / "results", 120)
    page = found["index.html"]
    row = page[page.index('<table class="main factorial"') :].split("</tr>")[1]
    assert 'badge reconstruction"' in row


def test_documents_show_the_table(crossed, documents):
    found = documents(crossed)
    page = found["index.html"]
    assert page.count('<table class="main factorial"') == 1
    assert "IPC 5 generated" in page and '<b class="down">−8.0 *</b>' in page and "<b>+5.0</b>" in page
    assert "−10.5 … −5.5" in page and '<th scope="row">mean</th>' in page
    assert ".factorial" in page and "None" not in page and "NaN" not in page and ">nan" not in page
    headers = page[page.index('<table class="main factorial"') :].split("</thead>")[0]
    assert headers.count("<th ") == headers.count("<button") == 7  # each one sorts
    pool = "latte, 40 clips per class, 25 steps, guidance 3, saw train"
    assert f"generator latte saw train; pool: {pool}" in page
    readme = found["README.md"]
    assert r"| −8.0 \*, −10.5 … −5.5 |" in readme
    assert f"- {pool}" in readme
    assert found["leaderboard.tex"].count(r"\begin{table}") == found["leaderboard.tex"].count(r"\label") == 2
    assert r"$-$8.0 *" in found["leaderboard.tex"]


def test_terminal_shows_the_table(crossed, tmp_path, save):
    text = terminal(save(tmp_path / "results", crossed), 120)
    assert text.count("┏") == 2
    assert "minic3d · pools" in text
    for told in ("−8.0 *", "−10.5 … −5.5", "192.0 KiB", "mean", "generated", "paired by seed"):
        assert told in text


def test_csv_has_pool_and_what_the_generator_saw(crossed, documents):
    frame = pd.read_csv(StringIO(documents(crossed)["leaderboard.csv"])).set_index(["method", "ipc"])
    row = SimpleNamespace(**frame.loc[("herding@generated", 1)])
    assert (row.pool, row.generator_saw, row.origin) == ("generated", "train", "generator latte saw train")
    assert frame.loc[("herding", 1)]["pool"] == "real"
    assert pd.isna(frame.loc[("herding", 1)]["generator_saw"])
