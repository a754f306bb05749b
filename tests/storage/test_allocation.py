"""What becomes of freed memory, as the system counts its page faults."""

import json
import platform
import subprocess
import sys

import pytest

CODE = """
import json, resource, sys, torch
from vdbench.storage.allocation import keep_freed_memory, return_freed_memory
from vdbench.work.measure import measured

def resident():
    return 4096 * int(open("/proc/self/statm").read().split()[1])

def step():  # of training: many tensors at once, 128 MiB in all, and none of them after it
    return [torch.ones(2**22) for _ in range(8)]

def faults():
    step()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        step()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

keep_freed_memory()
kept = faults()
held = resident()
return_freed_memory()
returned = held - resident()
step()
with measured(torch.device("cpu")) as cost:
    pass
print(json.dumps({"kept": kept, "returned": returned, "idle": cost.peak_memory - resident()}))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is told what to keep")
def test_freed_tensors_are_used_again_and_given_back_before_a_measurement() -> None:
    """Left alone, glibc 2.36 gives what a step frees back at once: each page of the next step is a fault."""
    command = [sys.executable, "-c", CODE]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    pages = 2**27 // 4096
    assert found["kept"] < 2 * pages  # of ten times as many
    assert found["returned"] > 0.9 * 2**27
    assert found["idle"] < 2**24  # of the 128 MiB that were freed before, nothing counts as the block's
