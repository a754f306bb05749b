#!/usr/bin/env bash
# Ray Tune 2.60.0: the results of an experiment come in another order once it is restored.
#
# fit() returns one result per point of the grid, in the order of the grid, so a table is easily made by pairing the
# two. Tuner.restore, which is how an experiment that was interrupted goes on, and how the results of a finished one
# are read later, returns them in an order that nobody chose, from get_results() as from fit(); the next experiment
# has another. Each accuracy is then filed under another method's name, without an error. Seen on Linux x86_64 with
# Python 3.11, on three finished grids of twelve students each.
# Expected: the order of the grid, as before.
# Prints both orders for each experiment; fails unless the first is the grid's and the other is not, of all three.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet "ray[tune]==2.60.0"
cat > "$work/look.py" <<'P'
import os
import sys

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
import ray
from ray import tune
from ray.tune import RunConfig, Tuner

STUDENTS = [7, 2, 11, 0, 5, 9, 4, 1, 10, 3, 8, 6]


def train(config):
    tune.report({"accuracy": config["student"] / 100})


def order(results):
    return [result.config["student"] for result in results]


ray.init(num_cpus=1, include_dashboard=False, logging_level="ERROR", object_store_memory=10**8)
for name in "abc":
    tuner = Tuner(
        train,
        param_space={"student": tune.grid_search(STUDENTS)},
        run_config=RunConfig(storage_path=sys.argv[1], name=name, verbose=0),
    )
    first = order(tuner.fit())
    restored = order(Tuner.restore(f"{sys.argv[1]}/{name}", trainable=train).get_results())
    print(f"experiment {name}: fit {first}, restored {restored}")
    assert first == STUDENTS, first
    assert sorted(restored) == sorted(first) and restored != first, restored
P
"$work/venv/bin/python" "$work/look.py" "$work/runs" 2> "$work/log" || { cat "$work/log"; exit 1; }
