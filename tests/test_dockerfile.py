"""The Dockerfile, which no test builds: what can be seen by reading it."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
LINES = [
    line.strip()
    for line in (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    if line.strip() and not line.startswith("#")
]


def told(word: str) -> list[str]:
    """What follows an instruction, wherever it stands."""
    return [line.removeprefix(word).strip() for line in LINES if line.startswith(f"{word} ")]


def test_the_base_is_an_argument_whose_default_is_pinned() -> None:
    assert LINES[0] == "ARG BASE=ubuntu:24.04"
    assert {re.sub(" AS .*", "", base) for base in told("FROM")} == {"${BASE}"}


def test_it_runs_as_nobody_in_particular() -> None:
    assert told("USER") == ["10001"]
    assert LINES.index("USER 10001") > LINES.index("FROM ${BASE}")


def test_no_secret_and_no_results_get_into_it() -> None:
    names = {re.split("[= ]", value)[0] for word in ("ARG", "ENV") for value in told(word)}
    assert names == {"BASE", "EXTRAS", "TORCH_INDEX", "PATH"}
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert ignored[1] == "*"
    for line in ignored[2:]:
        assert not line.startswith("!") or (ROOT / line[1:]).exists()
    assert "leaderboard/results" in ignored


def test_versions_are_those_that_were_tested() -> None:
    (install,) = [line for line in told("RUN") if "pip install" in line]
    assert "--constraint /source/constraints.txt" in install
    assert '"/source[${EXTRAS}]"' in install
