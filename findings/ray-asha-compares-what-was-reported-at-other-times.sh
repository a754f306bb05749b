#!/usr/bin/env bash
# Ray Tune 2.60.0: ASHA by seconds stops the best network early, against what others had after eight times as long.
#
# With time_attr, ASHA compares students after equal GPU seconds, or steps, instead of epochs. A slow network reports
# seldom, and its first report may come after the second rung: it is recorded in that rung only, and its next report,
# from later still, in the rung below, which it had passed long before. So the rung of 10 seconds holds accuracies of
# 100, and a fast network that reports at 12 is measured by them and stopped. There is no warning. Networks that all
# report at the same seconds are compared rightly. Seen on Linux x86_64 with Python 3.11, on four slow networks and then
# one that is three times as accurate at every second, one after the other.
# Expected: the fast one runs to the end, as its accuracy at 12 seconds is above theirs at their first reports.
# Prints the last second of each network, and which is best, for slow ones that report every 50 and every 12 seconds;
# fails unless the fast one ends at 12 with the former, and runs to the end and is best with the latter.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet "ray[tune]==2.60.0"
cat > "$work/look.py" <<'P'
import math
import os
import sys

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
import ray
from ray import tune
from ray.tune import RunConfig, TuneConfig, Tuner
from ray.tune.schedulers import ASHAScheduler

END = 240  # GPU seconds
NETWORKS = {"slow-1": 0.27, "slow-2": 0.28, "slow-3": 0.29, "slow-4": 0.3, "fast": 0.9}


def accuracy(name, seconds):
    return NETWORKS[name] * (1 - math.exp(-seconds / 100))


def train(config):
    every = 12 if config["name"] == "fast" else config["every"]
    for seconds in range(every, END + 1, every):
        tune.report({"accuracy": accuracy(config["name"], seconds), "seconds": seconds})


assert accuracy("fast", 12) > accuracy("slow-4", 12)
ray.init(num_cpus=1, include_dashboard=False, logging_level="ERROR", object_store_memory=10**8)
for every in (50, 12):
    scheduler = ASHAScheduler(time_attr="seconds", max_t=END, grace_period=10, reduction_factor=4)
    results = Tuner(
        train,
        param_space={"name": tune.grid_search(list(NETWORKS)), "every": every},
        tune_config=TuneConfig(metric="accuracy", mode="max", max_concurrent_trials=1, scheduler=scheduler),
        run_config=RunConfig(storage_path=sys.argv[1], verbose=0),
    ).fit()
    ended = {result.config["name"]: result.metrics["seconds"] for result in results}
    best = results.get_best_result(scope="all").config["name"]
    print(f"slow ones report every {every} seconds: ended at {ended}, best is {best}")
    print(scheduler.debug_string())
    assert (ended["fast"], best) == ((12, "slow-4") if every == 50 else (240, "fast")), (ended, best)
P
"$work/venv/bin/python" "$work/look.py" "$work/runs" 2> "$work/log" || { cat "$work/log"; exit 1; }
