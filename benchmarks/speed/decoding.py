"""What preparing a data set takes beside bare decoding, video by video and in turns, in one process.

Run it with ``python benchmarks/speed/decoding.py --data-root FOLDER``. For clips spread over a data set it does what a
worker of ``vdbench datasets prepare`` does, with each of our readers, and the parts of that; beside it decord and PyAV
decode the same file from its first frame to the last and do nothing else. The least processor time of some rounds
counts for each clip. Numbers of frames are asserted, times are not.
"""

from __future__ import annotations

import argparse
import hashlib
import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import decord
import numpy as np
from av.video.reformatter import VideoReformatter

from vdbench.clips.rows import allocate_rows, open_rows, write_row
from vdbench.datasets.alike import looks_of
from vdbench.datasets.layouts import read_index
from vdbench.datasets.readers import read_frames
from vdbench.datasets.readers.probe import probe
from vdbench.datasets.spec import load_dataset
from vdbench.datasets.workers import Job, Target, decode_file, video_sha256

BARE = {"decord": "decord alone", "pyav": "PyAV alone"}


def by_decord(path: Path) -> int:
    """Frames of a file; decord gives them as red, green and blue."""
    reader = decord.VideoReader(str(path), ctx=decord.cpu(0), num_threads=1)
    for _ in range(len(reader)):
        reader.next()
    return len(reader)


def by_pyav(path: Path, *, rgb: bool = False) -> int:
    """Frames of a file, in the colours that it has, or turned into red, green and blue."""
    count, colours = 0, VideoReformatter()
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        video.codec_context.thread_type, video.codec_context.thread_count = "NONE", 1
        for frame in container.decode(video):
            count += 1
            if rgb:
                colours.reformat(frame, format="rgb24", threads=1)
    return count


def work_on(paths: list[Path], target: Target) -> dict[str, Callable[[Path], object]]:
    """What is measured, by name; those that decode give the number of frames."""
    rows = {path: row for row, path in enumerate(paths)}

    def prepared(reader: str, path: Path) -> int | None:
        goal = Target(target.path, target.rows, target.geometry, reader)
        return decode_file(Job(path.stem, path, rows[path]), goal).frames

    pixels = open_rows(target.path)
    return {
        BARE["decord"]: by_decord,
        BARE["pyav"]: by_pyav,
        "PyAV alone, every frame turned into RGB": partial(by_pyav, rgb=True),
        "prepare by decord": partial(prepared, "decord"),
        "prepare by pyav": partial(prepared, "pyav"),
        "of these: reading the packets": probe,
        "reading, decoding, cropping, by decord": lambda path: read_frames(path, target.geometry, "decord")[1].frames,
        "the same, by pyav": lambda path: read_frames(path, target.geometry, "pyav")[1].frames,
        "hash of the file": video_sha256,
        "hash of the pixels": lambda path: hashlib.sha256(pixels[rows[path]]).hexdigest(),
        "what it looks like": lambda path: looks_of(pixels[rows[path]]),
        "writing the row": lambda path: write_row(target.path, target.shape, rows[path], pixels[rows[path]]),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-root", type=Path, required=True, help="where the videos lie")
    parser.add_argument("--dataset", default="ucf101")
    parser.add_argument("--clips", type=int, default=60, help="spread over the data set")
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    spec = load_dataset(asked.dataset)
    found = [entry.path for entry in read_index(spec, asked.data_root).entries if entry.path is not None]
    paths = [found[place] for place in np.linspace(0, len(found) - 1, min(asked.clips, len(found))).astype(int)]
    least: dict[tuple[str, Path], float] = defaultdict(lambda: float("inf"))
    with TemporaryDirectory() as folder:
        target = Target(Path(folder) / "clips.npy", len(paths), spec.geometry, "decord")
        allocate_rows(target.path, target.shape)
        work = work_on(paths, target)
        for path in asked.rounds * paths:
            frames = set()
            for name, do in work.items():
                began = time.process_time()
                said = do(path)
                least[name, path] = min(least[name, path], time.process_time() - began)
                frames |= {said} if isinstance(said, int) else set()
            assert len(frames) == 1, f"{path} has {sorted(frames)} frames"
    spent = {name: sum(least[name, path] for path in paths) / len(paths) for name in work}
    print(f"{len(paths)} clips of {len(found)}\n\n| work on a clip | CPU | of decord | of PyAV |\n|---|---|---|---|")
    for name, seconds in spent.items():
        shares = " | ".join(f"{seconds / spent[bare]:.2f}" for bare in BARE.values())
        print(f"| {name} | {1000 * seconds:.2f} ms | {shares} |")


if __name__ == "__main__":
    main()
