"""Runs that are hurt at random moments end, when their command is typed again, as if nobody had hurt them.

``VDBENCH_FAULTS`` says how often, ``VDBENCH_FAULTS_SEED`` from which seed; number and seed of a case are in its name.
"""

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.commands import Command
from tests.faults.conftest import Bench, outcomes, tensors
from tests.faults.injuries import DAMAGES, INJURIES, kill_child
from tests.faults.remains import faulty, held_locks, kept, set_asides

SEED = int(os.environ.get("VDBENCH_FAULTS_SEED", "0"))
TIMES = int(os.environ.get("VDBENCH_FAULTS", "25"))
ATTEMPTS = 3
"""How often the command is typed again at most."""


@pytest.mark.slow
@pytest.mark.parametrize("number", range(TIMES), ids=lambda number: f"seed-{SEED}-number-{number}")
def test_a_hurt_run_ends_as_one_that_was_not_hurt(
    bench: Bench, number: int, record_property: Callable[[str, object], None]
) -> None:
    rng = random.Random(f"{SEED} {number}")
    injure = INJURIES[number % len(INJURIES)]
    way = "isolated" if injure is kill_child or rng.random() < 0.1 else "here"
    whole = bench.undisturbed(way)
    folder, home = bench.case(f"{SEED}-{number}")
    moment = whole.spent * (rng.uniform(0.3, 1.2) if injure in DAMAGES else rng.uniform(0, 1))
    run = bench.run(way, folder)
    run.until(lambda: run.spent() >= moment)
    in_time = run.running
    injury = injure(run, home, rng)
    record_property("injury", injury.words if in_time else f"{injury.words}, after the end")
    print(f"seed {SEED}, number {number}: {way}, after {moment:.2f} of {whole.spent:.2f} s: {injury.words}")
    run.code()
    check_words(run)
    assert run.orphans() == []
    told = run.printed() + again(bench, way, folder)
    assert outcomes(home) == whole.outcomes
    assert kept(home) <= whole.kept
    damaged = faulty(home).keys()  # a finished set that nobody looked at again
    assert {path for path in damaged if injury.damaged is None or path not in injury.damaged.parents} == set()
    sound = {path: content for path, content in tensors(home).items() if (home / path).parent not in damaged}
    assert sound.items() <= whole.tensors.items()
    assert held_locks(home) == []
    assert [path.name for path in run.temporary.iterdir()] == []
    assert {name for name in set_asides(home) if name not in told} == set()
    shutil.rmtree(folder)


def test_a_closed_folder_is_closed_to_a_command_and_to_what_it_starts(tmp_path: Path) -> None:
    write = f"import pathlib; pathlib.Path({str(tmp_path / 'closed' / 'file')!r}).touch()"
    (tmp_path / "closed").mkdir(mode=0o500)
    command = f"""
import subprocess, sys
from tests.faults.commands import obey_modes
obey_modes()
sys.exit(subprocess.run([sys.executable, "-c", {write!r}], stderr=subprocess.PIPE).stderr.decode())
"""
    ran = subprocess.run([sys.executable, "-c", command], check=False, capture_output=True, text=True)
    assert "PermissionError" in ran.stderr


def again(bench: Bench, way: str, folder: Path) -> str:
    """Type the command until it ends well; what it printed."""
    told = ""
    for _ in range(ATTEMPTS):
        run = bench.run(way, folder)
        code = run.code()
        check_words(run)
        assert run.orphans() == []
        told += run.printed()
        if code == 0:
            return told
        if any(words in run.printed() for words in ("prepare it again", "is not prepared")):
            cure = bench.prepare_again(folder)
            assert cure.code() == 0, cure.printed()
            told += cure.printed()
    raise AssertionError(f"typed {ATTEMPTS} times again, and still exit code {code}:\n{told}")


def check_words(run: Command) -> None:
    """Whatever happened, it is told in sentences."""
    assert "Traceback" not in run.printed(), run.printed()
    assert "bug in vdbench" not in run.printed(), run.printed()
