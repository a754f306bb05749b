"""Miniature data sets, rendered in the containers and layouts of the originals, and ways to damage them.

Every class is a colour, so that a small student can learn a world; every frame is brighter than the one before it, so
that frames out of order are seen.
"""

import csv
import json
import os
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from PIL import Image

from vdbench.datasets.geometry import Geometry
from vdbench.datasets.prepare import prepare
from vdbench.datasets.spec import DatasetSpec, load_dataset

SMALL = Geometry(frames=8, sampling="even", resize=(44, 33), size=32)
COLOURS = ((220, 40, 40), (40, 200, 40), (40, 60, 230), (220, 200, 40), (200, 60, 220))


@dataclass(frozen=True)
class World:
    """A miniature data set: the data root it lies in, its folder of videos, and a declaration that it fulfils."""

    root: Path
    videos: Path
    spec: DatasetSpec

    def files(self) -> list[Path]:
        return sorted(path for path in self.videos.rglob("*") if path.suffix in (".avi", ".mp4", ".webm"))


def clip(label: int, number: int, frames: int = 20, width: int = 44, height: int = 33) -> np.ndarray:
    """A square of the class's colour that wanders over a grey ground which brightens with every frame."""
    rng = np.random.default_rng([label, number])
    x, y = rng.integers(0, width - 14), rng.integers(0, height - 14)
    pixels = np.empty((frames, height, width, 3), dtype=np.uint8)
    for t in range(frames):
        pixels[t] = 20 + t * 200 // frames
        pixels[t, y : y + 14, (x + t) % (width - 14) : (x + t) % (width - 14) + 14] = COLOURS[label]
    return pixels


def write_video(path: Path, pixels: np.ndarray, codec: str = "libx264", fps: int = 25, sound: bool = False) -> None:
    """Encode uint8 ``(T, H, W, 3)``, beside a second of AAC sound if wanted; the suffix decides the container."""
    path.parent.mkdir(parents=True, exist_ok=True)
    options = {
        "libx264": {"crf": "12", "threads": "1", "preset": "veryfast", "g": "12"},
        "mpeg4": {"qscale": "2"},
        "libvpx": {"crf": "4", "b": "4M", "cpu-used": "8", "deadline": "realtime", "threads": "1"},
        "libvpx-vp9": {"crf": "12", "b": "0", "cpu-used": "8", "deadline": "realtime", "threads": "1"},
    }
    height, width = pixels.shape[1:3]
    if not codec.startswith("libvpx"):  # WebM files of 427x240 pixels are common; these codecs want even sides
        height, width = height - height % 2, width - width % 2
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=fps, options=options[codec])
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        if codec == "mpeg4":
            stream.codec_context.qmin, stream.codec_context.qmax = 2, 2
        audio = container.add_stream("aac", rate=44100, layout="stereo") if sound else None
        for frame in pixels[:, :height, :width]:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")))
        container.mux(stream.encode(None))
        if audio is not None:
            _mux_tone(container, audio)


def touch(path: Path, *_: object, **__: object) -> None:
    """In place of a video, which no index opens."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"video")


def _mux_tone(container: av.container.OutputContainer, stream: av.AudioStream) -> None:
    """A second of a tone on both channels."""
    wave = np.sin(np.arange(44100, dtype=np.float32) / 20)
    tone = av.AudioFrame.from_ndarray(np.stack([wave, wave]), format="fltp", layout="stereo")
    tone.sample_rate, tone.pts = 44100, 0
    container.mux(stream.encode(tone))
    container.mux(stream.encode(None))


def damage(path: Path) -> None:
    """Leave bytes that are no video."""
    path.write_bytes(b"this is no video " * 50)


def flip(path: Path, position: int | None = None) -> None:
    """One other bit in the middle of a file, or at a position."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2 if position is None else position] ^= 1
    path.write_bytes(content)


def truncate(path: Path, share: float = 0.6) -> None:
    """Cut the file off."""
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])


def hang(path: Path) -> None:
    """Put something there that never ends to be read: a pipe that nobody writes into."""
    path.unlink()
    os.mkfifo(path)


def ucf_world(root: Path, classes: int = 3, groups: int = 4, clips: int = 2) -> World:
    """XviD-like AVIs as UCF-101 unpacks; group 1 is the test part of split 1, group 2 of split 2, and so on."""
    names = ["Archery", "Biking", "Diving", "Fencing", "Surfing"][:classes]
    folder, lists = root / "ucf101" / "UCF-101", root / "ucf101" / "ucfTrainTestlist"
    lists.mkdir(parents=True)
    ids = []
    for label, name in enumerate(names):
        for group in range(1, groups + 1):
            for number in range(1, clips + 1):
                ids.append((label, group, f"{name}/v_{name}_g{group:02}_c{number:02}.avi"))
                write_video(folder / ids[-1][2], clip(label, 10 * group + number), "mpeg4")
    _crlf(lists / "classInd.txt", [f"{label + 1} {name}" for label, name in enumerate(names)])
    for split in (1, 2, 3):
        _crlf(lists / f"trainlist{split:02}.txt", [f"{i} {label + 1}" for label, group, i in ids if group != split])
        _crlf(lists / f"testlist{split:02}.txt", [i for _, group, i in ids if group == split])
    return World(root, folder, miniature("ucf101", classes))


def prepared_ucf(world: World, home: Path) -> Path:
    """A home in which a miniature UCF101 is prepared, as far as it is there."""
    spec = load_dataset("ucf101")
    prepare(spec, world.root, home, partial=True, workers=1, geometry=spec.geometry.at(8, 32))
    return home


def hmdb_world(root: Path, classes: int = 3, sources: int = 4, clips: int = 2) -> World:
    """H.264 AVIs with odd names as HMDB51 unpacks. Source 1 is test; each class has an unused and an unlisted clip."""
    names = ["brush_hair", "clap", "sword", "sword_exercise", "wave"][:classes]
    folder, lists = root / "hmdb51" / "hmdb51_org", root / "hmdb51" / "testTrainMulti_7030_splits"
    lists.mkdir(parents=True)
    for label, name in enumerate(names):
        lines: dict[int, list[str]] = {1: [], 2: [], 3: []}
        for source in range(1, sources + 1):
            for number in range(clips):
                file = f"#{source}_Ünïcode!_(film)_-_{name}_it__{name}_u_cm_np1_fr_med_{number}.avi"
                write_video(folder / name / file, clip(label, 10 * source + number))
                for split, text in lines.items():
                    text.append(f"{file} {2 if source == split else 1} ")
        for file, listed in (
            (f"shared_{name}_f_nm_np1_ba_goo_0.avi", True),
            (f"new_{name}_f_nm_np1_ba_goo_0.avi", False),
        ):
            write_video(folder / name / file, clip(label, 99))
            for text in lines.values() if listed else ():
                text.append(f"{file} 0 ")
        for split, text in lines.items():
            (lists / f"{name}_test_split{split}.txt").write_text("\n".join(text) + "\n", encoding="utf-8")
    return World(root, folder, miniature("hmdb51", classes))


def kinetics_world(root: Path, classes: int = 3, train: int = 5, test: int = 2, flat: bool = False) -> World:
    """H.264 MP4s with sound and CVDF's csv files, in folders by class (with and without underscores) or flat.

    The second train clip of the first class is of 640x360 pixels, its second test clip of 1280x720; the rest are small.
    """
    names = ["abseiling", "air drumming", "playing cello", "riding mule", "yoga"][:classes]
    base = root / "kinetics400"
    folder = base / "videos"
    base.mkdir(parents=True)
    for name, count, first in (("train", train, 0), ("val", test, 100)):
        with (base / f"{name}.csv").open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["label", "youtube_id", "time_start", "time_end", "split", "is_cc"])
            for label, class_name in enumerate(names):
                for number in range(first, first + count):
                    video, start = f"-_{label}bX{number:03}", 7 * label + number
                    rows.writerow([class_name, video, start, start + 10, name, number % 2])
                    place = folder if flat else folder / (class_name.replace(" ", "_") if label % 2 else class_name)
                    width, height = {(0, 1): (640, 360), (0, 101): (1280, 720)}.get((label, number), (44, 33))
                    pixels = clip(label, number, width=width, height=height)
                    write_video(place / f"{video}_{start:06}_{start + 10:06}.mp4", pixels, sound=True)
    return World(root, folder, miniature("kinetics400", classes))


def ssv2_world(root: Path, classes: int = 3, train: int = 5, test: int = 2, official: bool = True) -> World:
    """VP8 and VP9 WebMs with the json files of Something-Something V2, under their official names or short ones.

    The second and third train clip of the first class, one of each codec, are of 427x240 pixels, as most originals
    are; the rest are small. No WebM holds a count of its frames.
    """
    templates = [
        "Holding [something] next to [something]",
        "Pushing [something] so that it slightly moves",
        "Approaching [something] with your camera",
        "Closing [something]",
        "Tearing [something] into two pieces",
    ][:classes]
    base = root / "ssv2"
    folder, labels = base / "20bn-something-something-v2", base / "labels"
    labels.mkdir(parents=True)
    prefix = "something-something-v2-" if official else ""
    numbers = {template.replace("[", "").replace("]", ""): str(i) for i, template in enumerate(templates)}
    (labels / f"{prefix}labels.json").write_text(json.dumps(numbers))
    for name, count, first in (("train", train, 0), ("validation", test, 50)):
        items = []
        for label, template in enumerate(templates):
            for number in range(first, first + count):
                clip_id = 1000 * (label + 1) + number
                filled = template.replace("[something]", "a cup").lower()
                items.append({"id": str(clip_id), "label": filled, "template": template, "placeholders": ["a cup"]})
                width, height = (427, 240) if label == 0 and number in (1, 2) else (44, 33)
                pixels = clip(label, number, width=width, height=height)
                codec = "libvpx" if number % 2 else "libvpx-vp9"
                write_video(folder / f"{clip_id}.webm", pixels, codec, fps=12)
        (labels / f"{prefix}{name}.json").write_text(json.dumps(items))
    return World(root, folder, miniature("ssv2", classes))


def jester_world(root: Path, classes: int = 3, train: int = 4, test: int = 2) -> World:
    """A folder of JPEG files per clip, numbered from 1, and Jester's csv files; the first clip is an MP4 instead."""
    names = ["Swiping Left", "Swiping Right", "No gesture", "Zooming In With Two Fingers", "Stop Sign"][:classes]
    base = root / "jester"
    folder = base / "20bn-jester-v1"
    base.mkdir(parents=True)
    (base / "jester-v1-labels.csv").write_text("\n".join(names) + "\n")
    for part, count, first in (("train", train, 0), ("validation", test, 50)):
        lines = []
        for label, name in enumerate(names):
            for number in range(first, first + count):
                lines.append(f"{1000 * (label + 1) + number};{name}")
                place, pixels = folder / lines[-1].split(";")[0], clip(label, number)
                if (label, number) == (0, 0):
                    write_video(place.with_suffix(".mp4"), pixels, fps=12)
                    continue
                place.mkdir(parents=True)
                for t, frame in enumerate(pixels, 1):
                    Image.fromarray(frame).save(place / f"{t:05}.jpg", quality=95)
        (base / f"jester-v1-{part}.csv").write_text("\n".join(lines) + "\n")
    (base / "jester-v1-test.csv").write_text("9001\n")
    return World(root, folder, miniature("jester", classes))


def diving48_world(root: Path, classes: int = 3, train: int = 4, test: int = 2) -> World:
    """H.264 MP4s in ``rgb/`` and the json files of Diving48's second version, beside one of its first."""
    vocabulary = [["Back", "15som", "05Twis", "FREE"], ["Forward", "25som", "PIKE"], ["Inward", "Dive", "NoTwis"]]
    base = root / "diving48"
    base.mkdir(parents=True)
    (base / "Diving48_vocab.json").write_text(json.dumps(vocabulary[:classes]))
    (base / "Diving48_train.json").write_text("[]")
    for part, count, first in (("train", train, 0), ("test", test, 50)):
        items = []
        for label in range(classes):
            for number in range(first, first + count):
                name = f"c-{number // 2}_x{label}_{number:05}"
                items.append({"vid_name": name, "label": label, "start_frame": 0, "end_frame": 20})
                write_video(base / "rgb" / f"{name}.mp4", clip(label, number))
        (base / f"Diving48_V2_{part}.json").write_text(json.dumps(items))
    return World(root, base / "rgb", miniature("diving48", classes))


def lab_folder(root: Path, classes: int = 3, groups: int = 4, clips: int = 2) -> Path:
    """Somebody's own videos in a folder per class, in several containers: ``wave/s01_1.mp4``."""
    names = ["wave", "point", "nod", "clap", "bow"][:classes]
    for label, name in enumerate(names):
        for group in range(1, groups + 1):
            for number in range(1, clips + 1):
                ending, codec = (("mp4", "libx264"), ("avi", "mpeg4"))[(label + number) % 2]
                write_video(root / name / f"s{group:02}_{number}.{ending}", clip(label, 10 * group + number), codec)
    return root


def lab_table(folder: Path, file: Path) -> Path:
    """The same videos as a CSV file lists them, by paths that count from it."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    rows = [f"{os.path.relpath(path, file.parent)},{path.parent.name}" for path in reversed(paths)]
    file.write_text("\n".join(["path,label", *rows]) + "\n")
    return file


def _crlf(path: Path, lines: list[str]) -> None:
    path.write_bytes("".join(f"{line}\r\n" for line in lines).encode())


def miniature(name: str, classes: int) -> DatasetSpec:
    return load_dataset(name).model_copy(update={"classes": classes, "expected": {}, "geometry": SMALL})
