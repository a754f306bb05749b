#!/usr/bin/env bash
# Ray Tune 2.60.0: Result.get_best_checkpoint returns the checkpoint of an epoch whose accuracy is NaN.
#
# A student that reaches 0.7 and diverges afterwards leaves checkpoints of 0.5, 0.7 and NaN. If Ray was told what to order
# them by (checkpoint_score_attribute), it rightly takes NaN for the worst and lists it first. get_best_checkpoint takes
# the maximum of that list, and the first value stands, as nothing is greater than NaN: the broken weights are loaded
# as the best, by accuracy as by loss, without an error. With no attribute, the list is in the order of epochs, and 0.7
# is returned. Seen on Linux x86_64 with Python 3.11.
# Expected: 0.7 from both (get_best_result leaves NaN out, too).
# Prints the kept checkpoints and the best for each; fails unless that is NaN with the order and 0.7 without.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet "ray[tune]==2.60.0" numpy==2.4.6
cat > "$work/look.py" <<'P'
import sys
import tempfile
from pathlib import Path

import ray
from ray import tune

EPOCHS = ((0.5, 1.4), (0.7, 0.9), (float("nan"), float("nan")))  # accuracy and loss


def student(_):
    for accuracy, loss in EPOCHS:
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "accuracy").write_text(str(accuracy))
            tune.report({"accuracy": accuracy, "loss": loss}, checkpoint=tune.Checkpoint.from_directory(folder))


def stored(checkpoint):
    return (Path(checkpoint.path) / "accuracy").read_text()


ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False)
for ordered, expected in ((True, "nan"), (False, "0.7")):
    keep = tune.CheckpointConfig(checkpoint_score_attribute="accuracy" if ordered else None)
    config = tune.RunConfig(name=str(ordered), storage_path=sys.argv[1], verbose=0, checkpoint_config=keep)
    (result,) = tune.Tuner(student, run_config=config).fit()
    kept = [stored(checkpoint) for checkpoint, _ in result.best_checkpoints]
    best = [stored(result.get_best_checkpoint(*ask)) for ask in (("accuracy", "max"), ("loss", "min"))]
    print(f"{'ordered' if ordered else 'not ordered'}: kept {kept}, best by accuracy and by loss {best}")
    assert sorted(kept) == ["0.5", "0.7", "nan"] and best == [expected] * 2
P
RAY_TRAIN_V2_ENABLED=0 "$work/venv/bin/python" "$work/look.py" "$work/runs" 2> "$work/log" || { cat "$work/log"; exit 1; }
