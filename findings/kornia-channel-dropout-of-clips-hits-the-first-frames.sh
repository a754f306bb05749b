#!/usr/bin/env bash
# kornia 0.9.0: RandomChannelDropout in VideoSequential drops channels of the first few frames of the first clip only.
#
# VideoSequential(..., same_on_frame=True), its default, draws once for each clip and applies the draw to all of its
# frames. This augmentation draws places in the batch, too, and those are used as places among all frames of all clips:
# of four clips with p=1, the first four frames of the first lose a channel each, not all the same one, and the other 60
# frames none. So the first clip changes colour from frame to frame, and three of four are not augmented, without a
# warning. Without same_on_frame, each frame loses one, and as a transform of images it is right, as are the others in
# VideoSequential. Seen with torch 2.13.0 on Linux x86_64, Python 3.11.
# Expected: one channel of every clip, the same in all of its frames.
# Prints how many frames of each clip lose a channel; fails unless they are the first four of the first clip with
# same_on_frame, and all without.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet torch==2.13.0 kornia==0.9.0 numpy==2.4.6
cat > "$work/look.py" <<'P'
import torch
from kornia.augmentation import RandomChannelDropout, RandomHorizontalFlip, VideoSequential

CLIPS, FRAMES = 4, 16
clips = torch.full((CLIPS, FRAMES, 3, 16, 16), 0.5)
for same in (True, False):
    torch.manual_seed(0)
    augment = VideoSequential(RandomChannelDropout(p=1.0), data_format="BTCHW", same_on_frame=same)
    lost = (augment(clips) == 0).all(-1).all(-1)  # clips, frames, channels
    hit = lost.any(-1)
    print(f"same_on_frame={same}: {hit.sum(1).tolist()} of {FRAMES} frames; channels of the first clip's first frames:",
          [frame.nonzero().flatten().tolist() for frame in lost[0, :6]])  # fmt: skip
    expected = torch.ones(CLIPS, FRAMES, dtype=torch.bool)
    if same:
        expected[:] = False
        expected[0, :CLIPS] = True
    assert hit.equal(expected)

ramp = torch.arange(16.0).expand(CLIPS, FRAMES, 3, 16, 16).clone()
flip = VideoSequential(RandomHorizontalFlip(p=1.0), data_format="BTCHW", same_on_frame=True)
assert flip(ramp).equal(ramp.flip(-1))
image = RandomChannelDropout(p=1.0)(clips[:, 0])
assert (image == 0).all(-1).all(-1).sum(1).tolist() == [1] * CLIPS
P
"$work/venv/bin/python" "$work/look.py" 2> "$work/log" || { cat "$work/log"; exit 1; }
