#!/usr/bin/env bash
# torchmetrics 1.9.0: MeanAbsoluteError, MeanSquaredError and TotalVariation of 8-bit frames are silently wrong.
#
# uint8 is what every video reader returns. All three subtract within it, so that -1 becomes 255: for frames and the
# same frames with weak noise, the mean absolute error is thirty times as large as it is, and hardly grows with the
# noise. The mean squared error wraps a second time, is nearly right while differences are below 16, and far too small
# above. PeakSignalNoiseRatio is right on the same frames, and SSIM refuses them. Seen on Linux x86_64 with torch
# 2.13.0 and Python 3.11.
# Expected: the same as on float frames, or an error.
# Prints each measure on 8-bit frames and, by the same class, on the same frames as float; fails if that changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet torch==2.13.0 torchmetrics==1.9.0 numpy==2.4.6
cat > "$work/look.py" <<'P'
import torch
from torchmetrics import MeanAbsoluteError, MeanSquaredError
from torchmetrics.image import PeakSignalNoiseRatio, StructuralSimilarityIndexMeasure, TotalVariation

draw = torch.Generator().manual_seed(0)
frames = torch.randint(0, 256, (16, 3, 56, 56), generator=draw)  # random, so that edges of any size occur
noise = torch.randn(frames.shape, generator=draw)
measures = {
    "MAE": MeanAbsoluteError(),
    "MSE": MeanSquaredError(),
    "TV": TotalVariation(reduction="mean"),
    "PSNR": PeakSignalNoiseRatio(data_range=255.0),
}


def value(name, *videos):
    measures[name].reset()
    measures[name].update(*(videos[:1] if name == "TV" else videos))
    return measures[name].compute().item()


for strength in (5, 40):
    noisy = (frames + strength * noise).round().clamp(0, 255)
    for name in measures:
        eight = value(name, frames.byte(), noisy.byte())
        right = value(name, frames.float(), noisy.float())
        print(f"noise {strength:2}: {name:4} {eight:.2f} of 8 bits, {right:.2f} of float")
        wrong = name != "PSNR" and (name, strength) != ("MSE", 5)
        assert abs(eight / right - 1) > 0.3 if wrong else abs(eight / right - 1) < 0.05, (name, eight, right)
try:
    StructuralSimilarityIndexMeasure(data_range=255.0).update(frames.byte(), frames.byte())
    raise SystemExit("SSIM took 8-bit frames")
except (RuntimeError, TypeError) as error:
    print("SSIM refuses them:", type(error).__name__)
P
"$work/venv/bin/python" "$work/look.py" 2> "$work/log" || { cat "$work/log"; exit 1; }
