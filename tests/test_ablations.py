"""The tables of docs/tac-dt-and-vst-unet.md."""

import runpy
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "ablations.py"
PAGE = Path(__file__).parents[1] / "docs" / "tac-dt-and-vst-unet.md"


def test_tables_hold_means_intervals_and_paired_differences() -> None:
    script = runpy.run_path(str(SCRIPT))
    time, none = script["TIME"], script["NO_TIME"]
    cells = {
        (time, "real", 1): {0: {0: 50.0}, 1: {1000: 60.0}, 2: {2000: 70.0}},
        (none, "real", 1): {0: {0: 40.0}, 1: {1000: 50.5}, 2: {2000: 59.5}},
        (time, "generated", 5): {0: {0: 80.0}},
    }
    lines = script["tables"](cells).splitlines()
    assert "| reading | IPC 1, real | IPC 1, generated | IPC 5, real | IPC 5, generated |" in lines
    assert "| tac-dt | 60.0 ± 24.8 | – | – | 80.0 |" in lines
    assert "| time or no time | **10.0 ± 1.2** | – | – | – |" in lines


def test_only_the_tables_of_one_data_set_are_replaced() -> None:
    script = runpy.run_path(str(SCRIPT))
    page = PAGE.read_text(encoding="utf-8")
    new = script["replaced"](page, "ucf101", "| x |")
    assert script["replaced"](new, "ucf101", "| x |") == new
    assert new.count("<!-- end -->") == page.count("<!-- end -->") == 2
    assert new.partition("<!-- ablations: ucf101 -->")[0] == page.partition("<!-- ablations: ucf101 -->")[0]
    with pytest.raises(SystemExit, match="no place for hmdb51"):
        script["replaced"](page, "hmdb51", "")
