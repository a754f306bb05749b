"""Every promise of ``docs/reliability.md`` names tests that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def test_every_promise_names_tests_that_exist() -> None:
    rows = [
        line
        for line in (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("| ") and line.count("|") == 4 and "---" not in line and "kept by" not in line
    ]
    promises = [row for row in rows if "tests/" in row]
    assert len(promises) >= 15
    for promise in promises:
        named = NAMED.findall(promise.split("|")[3])
        assert named, f"no test keeps: {promise}"
        for path, test in named:
            assert re.search(rf"^def {test}\(", (ROOT / path).read_text(encoding="utf-8"), re.M), f"{path}::{test}"
