#!/usr/bin/env bash
# torchmetrics 1.9.0: BootStrapper(sampling_strategy="multinomial") gives a standard error of 0, clip by clip.
#
# It wraps a metric to tell how far chance among the test clips moves it. The strategy is documented as true
# bootstrapping, at the batch level. Each batch is resampled by itself, so the difference between batches is not in it:
# of batches of n clips a part of 1/n of the variance is missing. Of single clips, as long videos are tested, all is:
# each of 100 resamples is the set itself, and accuracies and losses are told to be exact. In pairs the error is 0.7 of
# the true one, and only from dozens on about right; the same clips and answers in other batches get other intervals,
# without a warning. sampling_strategy="poisson", the default, is right for each size. Seen with torch 2.13.0 on Linux
# x86_64, Python 3.11, on a made-up test set of 128 clips, three fifths of them right.
# Expected: about the same standard error for each size of batch.
# Prints the standard error by size of batch, as a part of the true one; fails unless multinomial gives 0 for 1, below
# 0.85 for 2, and 0.8 to 1.2 for 128, and poisson the latter throughout.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet torch==2.13.0 torchmetrics==1.9.0 numpy==2.4.6
cat > "$work/look.py" <<'P'
import torch
from torchmetrics.aggregation import MeanMetric
from torchmetrics.wrappers import BootStrapper

torch.set_num_threads(1)
CLIPS = 128
right = (torch.arange(CLIPS) % 5 < 3).float()[torch.randperm(CLIPS, generator=torch.Generator().manual_seed(0))]
true = (right.var(correction=0) / CLIPS).sqrt()
for strategy in ("multinomial", "poisson"):
    for size in (1, 2, 128):
        torch.manual_seed(1)
        bootstrap = BootStrapper(MeanMetric(), num_bootstraps=100, sampling_strategy=strategy)
        for batch in right.split(size):
            bootstrap.update(batch)
        part = (bootstrap.compute()["std"] / true).item()
        print(f"{strategy}, batches of {size}: standard error {part:.2f} of {true:.4f}")
        if strategy == "multinomial" and size < CLIPS:
            assert part == 0 if size == 1 else 0.5 < part < 0.85
        else:
            assert 0.8 < part < 1.2
P
"$work/venv/bin/python" "$work/look.py" 2> "$work/log" || { cat "$work/log"; exit 1; }
