#!/usr/bin/env bash
# Ray Tune 2.60.0: ASHAScheduler never stops a trial whose metric is NaN, however bad that is for it.
#
# A student that diverges has a loss of NaN. ASHA stops a trial that is below a rung's cutoff, and NaN is not below
# anything: the trial passes every rung and runs to max_t, while sound ones stop at the first. The search gives most
# of its time to what is worth nothing. Seen on Linux x86_64 with Python 3.11, on six trials one after the other, with
# a reduction factor of 3.
# Expected: that NaN counts as the worst (get_best_result leaves it out).
# Prints how many of 27 epochs each trial ran; fails unless those of NaN and the best ran 27, and the others 1.
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
from ray.tune import RunConfig, TuneConfig, Tuner
from ray.tune.schedulers import ASHAScheduler

EPOCHS = 27
LEVELS = [float("nan"), 1.0, 2.0, float("nan"), 3.0, 4.0]


def train(config):
    for epoch in range(EPOCHS):
        tune.report({"loss": config["level"] / (1 + epoch)})


ray.init(num_cpus=1, include_dashboard=False, logging_level="ERROR", object_store_memory=10**8)
results = Tuner(
    train,
    param_space={"level": tune.grid_search(LEVELS)},
    tune_config=TuneConfig(
        metric="loss",
        mode="min",
        max_concurrent_trials=1,
        scheduler=ASHAScheduler(max_t=EPOCHS, grace_period=1, reduction_factor=3),
    ),
    run_config=RunConfig(storage_path=sys.argv[1], verbose=0),
).fit()
ran = [(result.config["level"], result.metrics["training_iteration"]) for result in results]
for level, epochs in ran:
    print(f"loss {level} / epoch: {epochs} of {EPOCHS} epochs")
for level, epochs in ran:
    assert epochs == (EPOCHS if level != level or level == 1.0 else 1), ran
assert results.get_best_result().config["level"] == 1.0
P
"$work/venv/bin/python" "$work/look.py" "$work/runs" 2> "$work/log" || { cat "$work/log"; exit 1; }
