#!/usr/bin/env bash
# Ray Tune 2.60.0: a grid of twice as many trials takes four times as long to lay out.
#
# grid_search is the way to say which trials there are, such as every method at every IPC and seed, each with its
# settings. For each trial Tune copies the values of all others too: of 250, 500 and 1,000 trials with a dozen settings
# one takes 1.4, 2.8 and 5.4 ms, so that thousands with many settings keep the GPUs waiting. As texts the same settings
# take 0.2 to 0.3 ms, as copying a list does not copy its texts. There is no warning. Seen on Linux x86_64 with Python
# 3.11; seconds are of one processor.
# Expected: a time per trial that does not depend on how many there are.
# Prints the time per trial for each; fails unless that of settings grows by half or more in both steps, and that of
# texts is below a tenth of it at 1,000.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet "ray[tune]==2.60.0" numpy==2.4.6
cat > "$work/look.py" <<'P'
import json
import time

from ray import tune
from ray.tune.search import BasicVariantGenerator


def seconds(trials):
    """Processor seconds per trial until the generator that Tune uses has given all."""
    generator = BasicVariantGenerator()
    space = {"trial": tune.grid_search(trials)}
    generator.add_configurations({"grid": {"run": "student", "config": space, "num_samples": 1}})
    began, given = time.process_time(), 0
    while generator.next_trial() is not None:
        given += 1
    assert given == len(trials)
    return (time.process_time() - began) / given


tune.register_trainable("student", lambda config: None)
taken = []
for count in (250, 500, 1000):
    trials = [{"method": f"m{k}", "settings": {f"s{n}": n / 7 for n in range(12)}, "seed": k} for k in range(count)]
    taken.append((seconds(trials), seconds([json.dumps(trial) for trial in trials])))
    print(f"{count} trials: {1000 * taken[-1][0]:.2f} ms each as settings, {1000 * taken[-1][1]:.2f} as texts")
assert all(later[0] > 1.5 * earlier[0] for earlier, later in zip(taken, taken[1:]))
assert taken[-1][1] < taken[-1][0] / 10
P
"$work/venv/bin/python" "$work/look.py" 2> "$work/log" || { cat "$work/log"; exit 1; }
