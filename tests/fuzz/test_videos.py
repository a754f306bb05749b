"""Videos like valid ones, through both readers: each comes to an end, and a sound one beside them is read."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import strategies as st

from tests.fuzz.mutations import bytes_like, fuzz
from tests.worlds import SMALL, clip, write_video
from vdbench.clips.rows import allocate_rows
from vdbench.datasets.workers import Job, Target, decode_all

NAMES = {"a.avi": "mpeg4", "b.mp4": "libx264", "c.mkv": "libx264", "d.webm": "libvpx-vp9"}
BESIDE = 3
"""Files that are decoded with the sound one, by one worker, whose start takes longer than all of them."""
PATIENCE = 10.0


@pytest.mark.parametrize("reader", ["decord", "pyav"])
def test_videos(tmp_path: Path, reader: str) -> None:
    valid = {}
    for name, codec in NAMES.items():
        write_video(tmp_path / name, clip(0, 0, width=32, height=24), codec)
        valid[name] = (tmp_path / name).read_bytes()
    target = Target(tmp_path / "clips.npy", BESIDE + 1, SMALL, reader)
    sound = Job("sound", tmp_path / "b.mp4", BESIDE)

    def feed(named: list[tuple[str, bytes]]) -> None:
        allocate_rows(target.path, target.shape)
        jobs = []
        for row, (name, content) in enumerate(named):
            path = tmp_path / f"{row}-{name}"
            path.write_bytes(content)
            jobs.append(Job(path.name, path, row))
        found = {job.row: decode for job, decode in decode_all([*jobs, sound], target, 1, PATIENCE)}
        assert sorted(found) == [*range(len(named)), BESIDE]
        assert found[BESIDE].status == "ok"
        rows = np.load(target.path)
        for row, decode in found.items():
            if decode.pixels is None:
                assert decode.status in ("broken", "timeout") and decode.message
            else:
                assert decode.frames > 0
                assert decode.pixels == hashlib.sha256(rows[row].tobytes()).hexdigest()

    feed(list(valid.items())[:BESIDE])
    kinds = st.sampled_from(list(NAMES)).flatmap(lambda name: st.tuples(st.just(name), bytes_like(valid[name])))
    fuzz(st.lists(kinds, min_size=BESIDE, max_size=BESIDE), feed)
