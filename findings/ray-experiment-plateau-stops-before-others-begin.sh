#!/usr/bin/env bash
# Ray Tune 2.60.0: ExperimentPlateauStopper ends the whole search once one network stays at one value for ten epochs.
#
# It is documented to stop when a metric has plateaued across trials, and to look at the `top` best models, 10 of them.
# It keeps the ten best results in place of ten models, and each epoch of each trial is one: ten epochs of a single
# network at chance, or at a top that a small test set cannot tell apart, fill the list with equal values. The search
# ends then, without a warning or an error, and trials that wait for a worker never run: of three networks, the result
# has the first, which learns nothing, and calls it the best. Is another one first, all three run. Seen on Linux x86_64,
# Python 3.11, one trial at a time.
# Expected: no end before ten trials have results, as a list of ten models could not be full before.
# Prints how many epochs each network ran; fails unless the first alone ran, for ten, if it stays at chance, and all
# to their end if another is first, the same three networks in another order.
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
from ray.tune.stopper import ExperimentPlateauStopper

EPOCHS = 12
GAINS = [0.0, 0.02, 0.05]  # of accuracy in an epoch


def train(config):
    for epoch in range(1, EPOCHS + 1):
        tune.report({"accuracy": 0.1 + config["gain"] * epoch})


ray.init(num_cpus=1, include_dashboard=False, logging_level="ERROR", object_store_memory=10**8)
for gains in (GAINS, GAINS[1:] + GAINS[:1]):
    results = Tuner(
        train,
        param_space={"gain": tune.grid_search(gains)},
        tune_config=TuneConfig(max_concurrent_trials=1),
        run_config=RunConfig(
            storage_path=sys.argv[1], name=str(gains[0]), verbose=0, stop=ExperimentPlateauStopper("accuracy", mode="max")
        ),
    ).fit()
    epochs = {result.config["gain"]: result.metrics["training_iteration"] for result in results}
    best = results.get_best_result("accuracy", "max").config["gain"]
    print(f"gains {gains}: epochs {epochs}, best {best}, errors {results.num_errors}")
    assert results.num_errors == 0
    assert (epochs, best) == (({0.0: 10}, 0.0) if gains == GAINS else (dict.fromkeys(gains, EPOCHS), 0.05))
P
"$work/venv/bin/python" "$work/look.py" "$work/runs" 2> "$work/log" || { cat "$work/log"; exit 1; }
