"""The parameterisations of a distilled set: which tensors are stored, and how they become clips."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch.nn.functional import conv3d

from vdbench.clips.clipset import Normalisation, sent, to_network
from vdbench.clips.codecs import parse_codec
from vdbench.clips.streams import decode
from vdbench.distilled.pairs import draw_pairs, draw_within_slots, same_numbers

Tensors = Mapping[str, torch.Tensor]

FLOATS = (torch.float16, torch.float32)


class View(NamedTuple):
    """What is rendered of a set.

    Attributes:
        rows: int64 ``(n,)``, which clips; all of them when None.
        normalisation: of stored pixels.
        classes: how many there are.
        draw: which epoch's clips, for a parameterisation that redraws them; None for those to look at.
        device: where they go, before they are normalised; where the tensors lie when None.
    """

    rows: torch.Tensor | None
    normalisation: Normalisation
    classes: int
    draw: int | None
    device: torch.device | None


class Parameterisation(ABC):
    """One way to store clips. Beside what it names, every distilled set stores ``targets``, one row per clip.

    Attributes:
        parts: names of the tensors that clips are made from.
        redrawn: whether every epoch shows other clips.
        pictures: whether it stores clips frame by frame, so that a codec of pictures can take them.
    """

    parts: tuple[str, ...]
    redrawn: bool = False
    pictures: bool = True

    @abstractmethod
    def check(self, tensors: Tensors, classes: int) -> None:
        """Make sure that the tensors fit together.

        Raises:
            ValueError: they do not.
        """

    def opened(self, tensors: Tensors, codec: str | None, clip_shape: tuple[int, int, int] | None) -> Tensors:
        """What :meth:`render` and :meth:`as_floats` take: the tensors that are stored, unless they have to be decoded.

        Args:
            tensors: that are stored.
            codec: that the record names.
            clip_shape: that the record names, ``(T, H, W)``.

        Raises:
            DataError: they cannot be decoded.
        """
        return tensors

    @abstractmethod
    def as_floats(self, tensors: Tensors, normalisation: Normalisation, dtype: torch.dtype) -> Tensors:
        """The parts of the set that keeps the same clips in another type.

        Args:
            tensors: as :meth:`opened` gives them.
            normalisation: of stored pixels.
            dtype: float16 or float32.
        """

    @abstractmethod
    def render(self, tensors: Tensors, view: View) -> torch.Tensor:
        """Some clips, or all, as networks take them: float32 ``(n, 3, T, H, W)``, normalised.

        Args:
            tensors: as :meth:`opened` gives them.
            view: which of them, and what else is to be known.
        """


class Clips(Parameterisation):
    """``clips``: uint8 ``(N, T, H, W, 3)`` in pixels, or float16 or float32 ``(N, 3, T, H, W)``, normalised."""

    parts = ("clips",)

    def check(self, tensors: Tensors, classes: int) -> None:
        """See :meth:`Parameterisation.check`."""
        clips, targets = tensors["clips"], tensors["targets"]
        if clips.ndim != 5 or clips.dtype not in (torch.uint8, *FLOATS):
            kinds = "uint8, float16 or float32"
            raise ValueError(f"clips must be 5-dimensional {kinds}, not {clips.dtype} {tuple(clips.shape)}")
        if clips.shape[-1 if clips.dtype == torch.uint8 else 1] != 3:
            order = "(N, T, H, W, 3), pixels," if clips.dtype == torch.uint8 else "(N, 3, T, H, W), normalised,"
            raise ValueError(f"clips of {clips.dtype} are {order} and these are {tuple(clips.shape)}")
        if len(clips) != len(targets):
            raise ValueError(f"targets {tuple(targets.shape)} do not fit {len(clips)} clips")

    def as_floats(self, tensors: Tensors, normalisation: Normalisation, dtype: torch.dtype) -> Tensors:
        """See :meth:`Parameterisation.as_floats`; normalised clip by clip, so that no second copy is held."""
        clips = tensors["clips"]
        if clips.dtype != torch.uint8:
            return {"clips": clips.to(dtype)}
        count, frames, height, width, channels = clips.shape
        floats = torch.empty(count, channels, frames, height, width, dtype=dtype)
        for row in range(count):
            floats[row] = to_network(clips[row : row + 1], normalisation)[0]
        return {"clips": floats}

    def render(self, tensors: Tensors, view: View) -> torch.Tensor:
        """See :meth:`Parameterisation.render`."""
        clips = sent(tensors["clips"] if view.rows is None else tensors["clips"][view.rows], view.device)
        return to_network(clips, view.normalisation) if clips.dtype == torch.uint8 else clips.float()


class Video(Clips):
    """``stream``: the bytes of one H.264 or H.265 stream with all clips, uint8 ``(bytes,)``.

    The record's ``codec`` says which of the two, and its ``clip_shape`` how long and how large a clip is.
    """

    parts = ("stream",)

    def check(self, tensors: Tensors, classes: int) -> None:
        """See :meth:`Parameterisation.check`; whether the stream can be decoded is seen when it is."""
        stream = tensors["stream"]
        if stream.ndim != 1 or stream.dtype != torch.uint8:
            raise ValueError(f"a stream must be 1-dimensional uint8, not {stream.dtype} {tuple(stream.shape)}")

    def opened(self, tensors: Tensors, codec: str | None, clip_shape: tuple[int, int, int] | None) -> Tensors:
        """See :meth:`Parameterisation.opened`: the clips as pixels."""
        video = None if codec is None else parse_codec(codec).video
        if video is None or clip_shape is None:
            raise ValueError("a record of the form video names a video codec and a clip_shape")
        shape = (len(tensors["targets"]), *clip_shape)
        clips = decode(tensors["stream"].numpy().tobytes(), video[0], shape)
        return {"clips": torch.from_numpy(clips), "targets": tensors["targets"]}


class StaticDynamic(Parameterisation):
    """Still images and motions that a shared hallucinator turns into clips, in new pairs every epoch.

    ``static``: ``(classes * S, 3, H, W)``, class by class, on the scale that the hallucinator takes: normalised, or
    that of whoever made the set. ``dynamic``: ``(classes * D, T, H, W)``, class by class. ``weight`` and ``bias`` of
    the hallucinator, a 3D convolution from the repeated image and the motion to three normalised channels:
    ``(3, 4, 3, 3, 3)`` and ``(3,)``. All of them float32, or all float16. As many targets as clips are
    shown in an epoch, class by class.

    Source: *Dancing with Still Images: Video Distillation via Static-Dynamic Disentanglement*, CVPR 2024.
    """

    parts = ("static", "dynamic", "weight", "bias")
    redrawn = True
    pictures = False
    pairs = staticmethod(draw_pairs)

    def check(self, tensors: Tensors, classes: int) -> None:
        """See :meth:`Parameterisation.check`."""
        static, dynamic, targets = (tensors[name] for name in ("static", "dynamic", "targets"))
        if len({tensors[name].dtype for name in self.parts}) != 1 or static.dtype not in FLOATS:
            raise ValueError("static, dynamic, weight and bias must be float32, or all float16")
        if static.ndim != 4 or static.shape[1] != 3 or dynamic.ndim != 4 or static.shape[2:] != dynamic.shape[2:]:
            raise ValueError(f"static {tuple(static.shape)} and dynamic {tuple(dynamic.shape)} do not fit together")
        if tensors["weight"].shape[:2] != (3, 4) or tensors["weight"].ndim != 5 or tensors["bias"].shape != (3,):
            raise ValueError("the hallucinator does not turn 4 channels into 3")
        if any(not len(part) or len(part) % classes for part in (static, dynamic, targets)):
            raise ValueError(f"static, dynamic and targets must have as many rows for each of {classes} classes")

    def as_floats(self, tensors: Tensors, normalisation: Normalisation, dtype: torch.dtype) -> Tensors:
        """See :meth:`Parameterisation.as_floats`."""
        return {name: tensors[name].to(dtype) for name in self.parts}

    def render(self, tensors: Tensors, view: View) -> torch.Tensor:
        """See :meth:`Parameterisation.render`."""
        images, motions, ipc = (len(tensors[name]) // view.classes for name in ("static", "dynamic", "targets"))
        pairs = sent(self.pairs(images, motions, ipc, view.classes, view.draw), tensors["static"].device)
        static, dynamic = pairs if view.rows is None else pairs[:, view.rows]
        weight, bias = tensors["weight"].float(), tensors["bias"].float()
        clips = hallucinate(tensors["static"][static].float(), tensors["dynamic"][dynamic].float(), weight, bias)
        return sent(clips, view.device)


class Slots(StaticDynamic):
    """The same, where each clip of a class has images and motions of its own, and is never made of others."""

    pairs = staticmethod(draw_within_slots)

    def check(self, tensors: Tensors, classes: int) -> None:
        """See :meth:`Parameterisation.check`."""
        super().check(tensors, classes)
        if any(len(tensors[name]) % len(tensors["targets"]) for name in ("static", "dynamic")):
            raise ValueError(f"static and dynamic must have as many rows for each of {len(tensors['targets'])} clips")


class FixedPairs(StaticDynamic):
    """The same, where every clip has an image and a motion, and every epoch shows these clips."""

    redrawn = False
    pairs = staticmethod(same_numbers)

    def check(self, tensors: Tensors, classes: int) -> None:
        """See :meth:`Parameterisation.check`."""
        super().check(tensors, classes)
        if not len(tensors["static"]) == len(tensors["dynamic"]) == len(tensors["targets"]):
            raise ValueError(f"static and dynamic must have a row for each of {len(tensors['targets'])} clips")


class KeyFrames(Parameterisation):
    """Some frames of each clip, between which the others are interpolated.

    ``frames``: float32 or float16 ``(K, 3, H, W)``, normalised, clip by clip and in the order of time. ``keys``: bool
    ``(N, T)``, the times that they stand at; at least one for each clip.
    """

    parts = ("frames", "keys")
    pictures = False

    def check(self, tensors: Tensors, classes: int) -> None:
        """See :meth:`Parameterisation.check`."""
        frames, keys, targets = (tensors[name] for name in ("frames", "keys", "targets"))
        if frames.ndim != 4 or frames.shape[1] != 3 or frames.dtype not in FLOATS:
            raise ValueError(
                f"frames must be float16 or float32 (K, 3, H, W), not {frames.dtype} {tuple(frames.shape)}"
            )
        if keys.ndim != 2 or keys.dtype != torch.bool or len(keys) != len(targets):
            raise ValueError(
                f"keys must be bool, a row for each of {len(targets)} clips, not {keys.dtype} {tuple(keys.shape)}"
            )
        if keys.device.type == "cpu" and (int(keys.sum()) != len(frames) or not bool(keys.any(dim=1).all())):
            raise ValueError(f"keys must name each of {len(frames)} frames once, and at least one of every clip")

    def as_floats(self, tensors: Tensors, normalisation: Normalisation, dtype: torch.dtype) -> Tensors:
        """See :meth:`Parameterisation.as_floats`."""
        return {"frames": tensors["frames"].to(dtype), "keys": tensors["keys"]}

    def render(self, tensors: Tensors, view: View) -> torch.Tensor:
        """See :meth:`Parameterisation.render`."""
        return sent(interpolate(tensors["frames"].float(), tensors["keys"], view.rows), view.device)


def interpolate(frames: torch.Tensor, keys: torch.Tensor, rows: torch.Tensor | None = None) -> torch.Tensor:
    """Clips from their key frames, ``(n, 3, T, H, W)``, in the order of their axes.

    A frame between two key frames is their mixture, linear in time; one before the first or after the last is that one.

    Args:
        frames: ``(K, 3, H, W)``, clip by clip and in the order of time.
        keys: bool ``(N, T)``, which frames of the clips they are.
        rows: int64 ``(n,)``, which clips; all of them when None.
    """
    seen, own = keys.cumsum(dim=1), keys.sum(dim=1, keepdim=True)
    first = own.cumsum(dim=0) - own
    before = first + (seen - 1).clamp(min=0)
    after = first + torch.minimum(seen - keys.long(), own - 1)
    if rows is not None:
        before, after = before[rows], after[rows]
    times, here = keys.nonzero()[:, 1], torch.arange(keys.shape[1], device=keys.device)
    apart = times[after] - times[before]
    share = torch.where(apart > 0, (times[after] - here) / apart.clamp(min=1), 1.0)[..., None, None, None]
    clips = share * frames[before] + (1 - share) * frames[after]
    return clips.transpose(1, 2).contiguous()


def hallucinate(static: torch.Tensor, dynamic: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """Clips from images and motions, ``(n, 3, T, H, W)``.

    Args:
        static: ``(n, 3, H, W)``; each is repeated over time.
        dynamic: ``(n, T, H, W)``, the fourth channel.
        weight: of the convolution, ``(3, 4, kt, kh, kw)`` with odd sides.
        bias: of the convolution, ``(3,)``.
    """
    repeated = static.unsqueeze(2).expand(-1, -1, dynamic.shape[1], -1, -1)
    return conv3d(torch.cat([repeated, dynamic.unsqueeze(1)], dim=1), weight, bias, padding="same")


PARAMETERISATIONS: Mapping[str, Parameterisation] = {
    "clips": Clips(),
    "key-frames": KeyFrames(),
    "static-dynamic": StaticDynamic(),
    "static-dynamic-fixed": FixedPairs(),
    "static-dynamic-slots": Slots(),
    "video": Video(),
}
"""Every form, by the name that a record gives it."""
