"""Motion Digits: handwritten digits moving over a texture, where the class is the motion and nothing else tells it.

Every clip shows one digit of scikit-learn on a torus (what leaves on one side enters on the other) over a still
texture, with a start position, angle and size of its own. All three are drawn from the same stationary distribution
for every class and stay in it while the digit moves: positions are uniform on the torus, angles uniform on the circle,
and sizes uniform on a logarithmic scale, around which growing and shrinking run in a circle too. So a single frame,
whichever it is, has the same distribution in every class, and only the order of frames tells the motion. Each digit
image appears once in every class, and no digit image appears in both train and test. Frames are coded by themselves,
without prediction from other frames, so that the codec leaves no trace of motion in a frame either.

The constants below set the difficulty. They were tuned so that on 8 frames of 32x32, with a narrow MiniC3D, a random
choice of 1 and of 5 clips per class and the full train split lie well apart, above chance and below the ceiling.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from vdbench.storage import files

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

VERSION = 1
"""Raised when the same code would render other videos; the folder's name holds it."""
SIZE = 64
"""Side of a frame in pixels."""
FRAMES = 16
FPS = 8
MOTIONS = ("up", "down", "left", "right", "clockwise", "counter-clockwise", "growing", "shrinking")
TRAIN_CLIPS = 48
"""Train clips per class; as many digit images are used for training."""
TEST_CLIPS = 32
"""Test clips per class."""
DIGIT_SIDE = (24.0, 60.0)
"""Range of the side of the square around a digit, in pixels."""
SHIFT = (4.0, 5.0)
"""Range of the speed of the four directions, in pixels per frame."""
TURN = (20.0, 24.0)
"""Range of the speed of the two rotations, in degrees per frame."""
ZOOM = (0.05, 0.06)
"""Range of the speed of growing and shrinking, in shares of the (logarithmic) size range per frame."""
GROUND = (0.16, 0.24, 0.36)
"""Mean colour of the background, where 1 is the range of a pixel."""
INK = (1.0, 0.86, 0.55)
"""Colour of a digit."""
TEXTURE = 0.12
"""Contrast of the background: standard deviation of its brightness, in shares of its mean."""
NOISE = 0.01
"""Standard deviation of the noise that is drawn anew for every pixel of every frame."""


def videos(home: Path) -> Path:
    """The folder of the rendered videos, rendered first if nobody has: ``train/<motion>/digit-<image>.mp4``."""
    folder = home / "videos" / f"motion-digits-v{VERSION}"
    files.build_once(folder, _render_all)
    return folder


def digit_images() -> dict[str, list[int]]:
    """Which of scikit-learn's digit images each role uses: as many as it has clips per class, and none in both."""
    from sklearn.datasets import load_digits

    order = np.random.default_rng(VERSION).permutation(len(load_digits().images)).tolist()
    return {"train": order[:TRAIN_CLIPS], "test": order[TRAIN_CLIPS : TRAIN_CLIPS + TEST_CLIPS]}


def render_clip(image: NDArray[np.float64], motion: str, rng: np.random.Generator) -> NDArray[np.uint8]:
    """One clip of a moving digit.

    Args:
        image: ``(8, 8)``, the digit's ink between 0 and 1.
        motion: one of ``MOTIONS``.
        rng: draws the start, the speed, the texture and the noise.

    Returns:
        uint8 ``(FRAMES, SIZE, SIZE, 3)``.
    """
    background = _texture(rng)
    ink = ink_of(image, course_of(motion, rng))[..., None]
    noise = rng.normal(0, NOISE, size=(FRAMES, SIZE, SIZE, 1))
    pixels = background + (np.array(INK) - background) * ink + noise
    clip: NDArray[np.uint8] = np.clip(pixels * 255 + 0.5, 0, 255).astype(np.uint8)
    return clip


def course_of(motion: str, rng: np.random.Generator) -> NDArray[np.float64]:
    """Where a digit is in every frame, ``(FRAMES, 4)``.

    The columns are the x and y of its centre in pixels, its angle in radians, clockwise on the screen, and the side
    of the square around it in pixels.
    """
    x, y, turn, zoom = rng.uniform(size=4)
    shift, spin, growth = rng.uniform(*SHIFT), np.deg2rad(rng.uniform(*TURN)), rng.uniform(*ZOOM)
    step_x = {"left": -shift, "right": shift}.get(motion, 0.0)
    step_y = {"up": -shift, "down": shift}.get(motion, 0.0)
    step_angle = {"counter-clockwise": -spin, "clockwise": spin}.get(motion, 0.0)
    step_zoom = {"shrinking": -growth, "growing": growth}.get(motion, 0.0)
    t, (low, high) = np.arange(FRAMES), DIGIT_SIDE
    side = low * (high / low) ** ((zoom + t * step_zoom) % 1)
    return np.stack([x * SIZE + t * step_x, y * SIZE + t * step_y, 2 * np.pi * turn + t * step_angle, side], axis=1)


def ink_of(image: NDArray[np.float64], course: NDArray[np.float64]) -> NDArray[np.float64]:
    """The ink of a digit on the torus along a course ``(T, 4)``: ``(T, SIZE, SIZE)``, between 0 and 1."""
    from scipy.ndimage import map_coordinates

    x, y, angle, side = (column[:, None, None] for column in course.T)
    right = (np.arange(SIZE)[None, None, :] - x + SIZE / 2) % SIZE - SIZE / 2
    below = (np.arange(SIZE)[None, :, None] - y + SIZE / 2) % SIZE - SIZE / 2
    scale = len(image) / side
    column = (np.cos(angle) * right + np.sin(angle) * below) * scale
    row = (np.cos(angle) * below - np.sin(angle) * right) * scale
    framed = np.pad(image, 1)  # a border without ink, so that strokes at the edge fade out
    middle = (len(framed) - 1) / 2
    ink: NDArray[np.float64] = map_coordinates(framed, [row + middle, column + middle], order=1, mode="constant")
    return ink


def _texture(rng: np.random.Generator) -> NDArray[np.float64]:
    """A still background of soft blots, ``(SIZE, SIZE, 3)``."""
    from scipy.ndimage import gaussian_filter

    blots = sum(_standardised(gaussian_filter(rng.normal(size=(SIZE, SIZE)), sigma, mode="wrap")) for sigma in (2, 6))
    return np.array(GROUND) * (1 + TEXTURE * _standardised(np.asarray(blots))[..., None])


def _standardised(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray((values - values.mean()) / values.std())


def _render_all(folder: Path) -> None:
    from sklearn.datasets import load_digits

    images = load_digits().images / 16.0
    for role, numbers in digit_images().items():
        for motion in MOTIONS:
            (folder / role / motion).mkdir(parents=True)
            for number in numbers:
                key = hashlib.sha256(f"{VERSION}/{motion}/{number}".encode()).digest()
                clip = render_clip(images[number], motion, np.random.default_rng(list(key)))
                _encode(clip, folder / role / motion / f"digit-{number:04}.mp4")


def _encode(clip: NDArray[np.uint8], path: Path) -> None:
    import av

    options = {"qp": "12", "g": "1", "bf": "0", "threads": "1", "preset": "medium"}
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=FPS, options=options)
        stream.width, stream.height, stream.pix_fmt = SIZE, SIZE, "yuv420p"
        for pixels in clip:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
