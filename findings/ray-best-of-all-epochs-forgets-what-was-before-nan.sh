#!/usr/bin/env bash
# Ray Tune 2.60.0: with scope="all", get_best_result forgets the best epochs of a trial once its metric is NaN.
#
# scope="all" compares trials by their best epoch, not by their last. Validation that is NaN for one epoch (an overflow,
# a class without a clip) replaces the maximum by NaN, as Python's max() keeps the first of two that do not compare, and
# the next epoch replaces that: the maximum begins anew. Of two students with accuracies of 0.2, 0.9, NaN, 0.3 and of
# 0.5, 0.6, 0.6, 0.6 the second is called the best, by 0.6; without NaN, or with NaN in the first epoch, it is the
# first. The minimum of a loss is lost likewise. There is no warning, and metrics_dataframe has all epochs. Seen on
# Linux x86_64, Python 3.11.
# Expected: that NaN is left out, as it is from get_best_result where a trial ends with it.
# Prints, for each place of the NaN, which student is the best by accuracy and by loss, beside pandas' maximum of what
# was reported; fails unless the second is called the best with NaN in the middle, and the first otherwise.
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
from ray.tune import RunConfig, Tuner

NAN = math.nan
FIRST = {"without": [0.2, 0.9, 0.3, 0.3], "first epoch": [NAN, 0.9, 0.3, 0.3], "third epoch": [0.2, 0.9, NAN, 0.3]}
SECOND = [0.5, 0.6, 0.6, 0.6]


def train(config):
    for accuracy in config["accuracies"]:
        tune.report({"accuracy": accuracy, "loss": 1 - accuracy})


ray.init(num_cpus=1, include_dashboard=False, logging_level="ERROR", object_store_memory=10**8)
for place, accuracies in FIRST.items():
    results = Tuner(
        train,
        param_space={"accuracies": tune.grid_search([accuracies, SECOND])},
        run_config=RunConfig(storage_path=sys.argv[1], name=place.split()[0], verbose=0),
    ).fit()
    best = {}
    for metric, mode in {"accuracy": "max", "loss": "min"}.items():
        found = results.get_best_result(metric, mode, scope="all").config["accuracies"]
        best[metric] = "second" if found == SECOND else "first"
    reported = [float(result.metrics_dataframe["accuracy"].max()) for result in results]
    print(f"NaN {place}: best by accuracy {best['accuracy']}, by loss {best['loss']}; best epochs {reported}")
    assert reported == [0.9, 0.6]
    assert set(best.values()) == {"second" if place == "third epoch" else "first"}
P
"$work/venv/bin/python" "$work/look.py" "$work/runs" 2> "$work/log" || { cat "$work/log"; exit 1; }
