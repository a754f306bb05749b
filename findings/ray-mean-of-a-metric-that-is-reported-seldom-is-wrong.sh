#!/usr/bin/env bash
# Ray Tune 2.60.0: scope="avg" is no mean of a metric that only some epochs report: later values hardly count.
#
# Evaluating a student on its test clips takes longer than an epoch, so accuracy is often reported each fifth epoch and
# the loss in all. The running mean that get_best_result(scope="avg") compares is updated with the number of the epoch
# in place of the number of values so far: with accuracies of 0.2, 0.8, 0.8, 0.8 in epochs 5, 10, 15 and 20 it is 0.32,
# not 0.65, as a new value has a weight of one in ten, fifteen and twenty. A student who stays at 0.5 is called the
# better one. Reported in every epoch, the same values come out right, and so they do for scope="last-5-avg". There is
# no warning. Seen on Linux x86_64, Python 3.11.
# Expected: the mean of the values that were reported.
# Prints the students' true means and which is the best for each scope; fails unless that is the constant one for "avg"
# and seldom reports, and the better one otherwise.
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

BETTER, CONSTANT = [0.2, 0.8, 0.8, 0.8], [0.5, 0.5, 0.5, 0.5]


def train(config):
    accuracies = iter(config["accuracies"])
    for epoch in range(1, 1 + config["every"] * len(BETTER)):
        report = {"loss": 1 / epoch}
        if epoch % config["every"] == 0:
            report["accuracy"] = next(accuracies)
        tune.report(report)


ray.init(num_cpus=1, include_dashboard=False, logging_level="ERROR", object_store_memory=10**8)
for every in (1, 5):
    results = Tuner(
        train,
        param_space={"accuracies": tune.grid_search([BETTER, CONSTANT]), "every": every},
        run_config=RunConfig(storage_path=sys.argv[1], name=f"every{every}", verbose=0),
    ).fit()
    means = [round(float(result.metrics_dataframe["accuracy"].mean()), 3) for result in results]
    best = {}
    for scope in ("avg", "last-5-avg"):
        found = results.get_best_result("accuracy", "max", scope=scope).config["accuracies"]
        best[scope] = "better" if found == BETTER else "constant"
    print(f"reported every {every} epochs: means {means}, best {best}")
    assert means == [0.65, 0.5]
    assert best == {"avg": "better" if every == 1 else "constant", "last-5-avg": "better"}
P
"$work/venv/bin/python" "$work/look.py" "$work/runs" 2> "$work/log" || { cat "$work/log"; exit 1; }
