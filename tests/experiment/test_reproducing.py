"""Every math library of a process is on one thread while numbers are computed that are to be repeated."""

import os
import subprocess
import sys

from threadpoolctl import threadpool_info

from vdbench.experiment.reproducing import math_libraries, reproducibly

LATER = """
from threadpoolctl import threadpool_info
from vdbench.experiment.reproducing import reproducibly
with reproducibly():
    before = threadpool_info()
import scipy.linalg
with reproducibly():
    after = threadpool_info()
print(len(after) > len(before), {library["num_threads"] for library in before + after})
"""


def test_libraries_that_were_loaded_between_two_trials_are_held_as_well() -> None:
    env = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    told = subprocess.run([sys.executable, "-c", LATER], env=env, capture_output=True, text=True, check=False)
    assert told.stdout.split("\n")[0] == "True {1}", told.stdout + told.stderr


def test_libraries_are_looked_for_once_while_nothing_is_imported() -> None:
    with reproducibly():
        threadpool_info()
    before = math_libraries.cache_info()
    with reproducibly():
        assert {library["num_threads"] for library in threadpool_info()} == {1}
    after = math_libraries.cache_info()
    assert (after.misses, after.hits) == (before.misses, before.hits + 1)
