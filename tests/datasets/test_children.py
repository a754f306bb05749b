import queue
import subprocess
import sys
import textwrap

import pytest

import worlds
from vdbench.datasets.children import Child, Gone


def shouting(word):
    print("this is no answer")
    return lambda question: f"{question}{word}"


def test_a_child_says_that_it_is_ready_and_answers_in_order_until_it_ends():
    heard = queue.Queue()
    child = Child(shouting, ("!",), heard)
    try:
        for word in ("a", "b"):
            child.ask(word)
        assert [heard.get(timeout=60) for _ in range(3)] == [(child, None), (child, "a!"), (child, "b!")]
    finally:
        child.kill()
    assert isinstance(heard.get(timeout=60)[1], Gone)


def test_a_child_that_cannot_get_ready_is_gone(capfd):
    heard = queue.Queue()
    child = Child(int, ("no number",), heard)
    assert isinstance(heard.get(timeout=60)[1], Gone)
    child.kill()
    assert "ValueError" in capfd.readouterr().err


BARE = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
import worlds
from vdbench.datasets.prepare import prepare
def work():
    world = worlds.World(Path({root!r}), Path(), worlds.miniature("ucf101", 2))
    store = prepare(world.spec, world.root, Path({home!r}), workers=2)
    print("prepared", len(store.manifest.clips), len(store.manifest.faults()))
"""
STARTS = {"plain": "work()", "thread": "import threading; t = threading.Thread(target=work); t.start(); t.join()"}


@pytest.mark.parametrize(("how", "start"), [("file", "plain"), ("-c", "thread"), ("stdin", "plain")])
def test_a_program_without_a_guard_prepares_however_it_was_started(tmp_path, how, start):
    world = worlds.ucf_world(tmp_path / "data", classes=2, groups=3, clips=1)
    tests = str(worlds.__file__).rsplit("/", 1)[0]
    code = textwrap.dedent(BARE).format(tests=tests, root=str(world.root), home=str(tmp_path / "home")) + STARTS[start]
    (tmp_path / "script.py").write_text(code)
    command = {"file": [str(tmp_path / "script.py")], "-c": ["-c", code], "stdin": ["-"]}[how]
    done = subprocess.run(
        [sys.executable, *command], input=code, capture_output=True, text=True, timeout=120, check=False, cwd=tmp_path
    )
    assert (done.returncode, done.stdout) == (0, "prepared 6 0\n"), done.stderr
