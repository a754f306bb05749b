#!/usr/bin/env bash
# torch 2.13.0, CPU with AVX-512: training a small 3D network in bf16 and channels-last ends otherwise each time, in NaN.
#
# Channels-last is the layout in which 3D convolutions are said to be fast, and autocast the way to bf16. Under both, the
# same twelve clips from the same weights give another loss in every run of one thread, and most runs of 60 steps meet a
# loss of NaN: the output of a Conv3d of 8 channels is NaN while its input and weights are finite. oneDNN computes it.
# With clips in the order of their axes, or with oneDNN switched off, all runs are equal. So they are with
# ONEDNN_MAX_CPU_ISA=AVX2_VNNI_2. Seen on Linux x86_64, Python 3.11, an EPYC with AVX512-BF16 (oneDNN 3.12).
# Expected: equal losses, near those in float32.
# Prints how eight runs of each kind end, a loss or the step at which it is NaN; fails unless those of channels-last with
# oneDNN differ, and the others are equal. It needs a processor with AVX512-BF16.
set -euo pipefail
grep -q avx512_bf16 /proc/cpuinfo || { echo "this processor has no AVX512-BF16, on which this was seen"; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet torch==2.13.0 numpy==2.4.6
cat > "$work/look.py" <<'P'
import torch
from torch import nn

torch.set_num_threads(1)


def trained(layout, onednn, precision):
    """How a run ends."""
    torch.manual_seed(0)
    student = nn.Sequential(
        nn.Conv3d(3, 8, 5, padding=2), nn.ReLU(), nn.MaxPool3d((1, 4, 4)), nn.Conv3d(8, 16, 3, padding=1), nn.ReLU(),
        nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(16, 3),
    )
    clips, labels = torch.randn(12, 3, 4, 16, 16).contiguous(memory_format=layout), torch.arange(12) % 3
    optimizer = torch.optim.SGD(student.parameters(), lr=0.02, momentum=0.9)
    torch.backends.mkldnn.set_flags(_enabled=onednn)
    for step in range(60):
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
            loss = nn.functional.cross_entropy(student(clips).float(), labels)
        if not loss.isfinite():
            return f"NaN at {step}"
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return f"{loss.item():.4f}"


axes, last = torch.contiguous_format, torch.channels_last_3d
for kind, differ in (
    ((axes, True, "float32"), False), ((last, True, "float32"), False), ((axes, True, "bf16"), False),
    ((last, False, "bf16"), False), ((last, True, "bf16"), True),
):
    ends = [trained(*kind) for _ in range(8)]
    layout, onednn = "channels-last" if kind[0] is last else "axes", "with" if kind[1] else "without"
    print(f"{kind[2]}, {layout}, {onednn} oneDNN:", *ends if differ else ends[:1])
    assert (len(set(ends)) > 1) == differ, ends
P
"$work/venv/bin/python" "$work/look.py" 2> "$work/log" || { cat "$work/log"; exit 1; }
