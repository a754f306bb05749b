"""What ``vdsd`` learns: images, motions and a hallucinator, which make clips."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import model_validator

from vdbench.errors import UsageError
from vdbench.method import identity, runtime
from vdbench_methods.learned import SCALE, LearnedSettings, Scale, budget, initial_clips
from vdbench_methods.regression import RegressionSettings
from vdbench_methods.trajectories import TrajectorySettings

if TYPE_CHECKING:
    import torch

    from vdbench.method import Task

Form = Literal["static-dynamic", "static-dynamic-slots", "static-dynamic-fixed"]

HALLUCINATOR = (3, 4, 3, 3, 3)
"""Shape of its weights: from an image's three channels and a motion to three channels, windows of 3x3x3."""

FORMS: Mapping[str, Form] = {
    "any": "static-dynamic",
    "slots": "static-dynamic-slots",
    "fixed": "static-dynamic-fixed",
}
"""Of distilled sets, by the pairing of images and motions."""


class VDSDSettings(LearnedSettings):
    """Settings of static-dynamic distillation; what is published for MiniUCF stands in the suite ``vdsd``."""

    base: Literal["dm", "mtt", "frepo"] = identity(
        "dm", "how motions are learned: distribution or trajectory matching, or kernel regression with learned labels"
    )
    static: int | None = identity(
        None, "images per class; as many pairs of image and motion as the bytes of IPC clips hold when left out", gt=0
    )
    dynamic: int | None = identity(None, "motions per class; as many as images when left out", gt=0)
    pairing: Literal["any", "slots", "fixed"] = identity(
        "any",
        "which images and motions of a class make a clip: any; slots, its own ones alone, as in the public code; "
        "fixed, one image and one motion, as there on frepo, and on it here",
        later=True,
    )
    static_loss: Literal["dm", "dc"] = identity(
        "dm",
        "how images are learned from frames: dm, by their distributions; dc, by gradients, as in the public code",
        later=True,
    )
    static_iterations: int = identity(1000, "updates of the images; of dc, the networks that they are for", ge=0)
    static_lr: float = identity(1.0, "learning rate of the images; 0.1 on dc unless set", gt=0)
    static_real: int | None = identity(
        None, "real frames per class and update of the images; real if left out", later=True, gt=0
    )
    static_width: int = identity(128, "channels of the random networks that images are learned through", gt=0)
    lr_dynamic: float = identity(
        1e-4, "learning rate of the motions; 1e4 on mtt, and 0.01 by Adam on frepo, unless set", gt=0
    )
    lr_hallucinator: float = identity(
        1e-5, "learning rate of the hallucinator; 1e-3 on mtt, and by Adam on frepo, unless set", gt=0
    )
    scale: Scale = identity("plain", f"dm, mtt: {SCALE}; of motions, and of the hallucinator", later=True)
    momentum: float = identity(0.95, "dm, mtt: of the gradient of motions and hallucinator", ge=0, lt=1)
    real: int = identity(64, "dm: real clips per class and iteration, or all of a smaller class", gt=0)
    trajectory: TrajectorySettings = identity(TrajectorySettings(), "mtt: how experts are trained and matched")
    regression: RegressionSettings = identity(
        RegressionSettings(), "frepo: how labels are learned and networks train", later=True
    )
    clips_per_pass: int = runtime(256, "dm: real clips in one forward pass; fewer take less memory", gt=0)
    bf16: bool = identity(
        True, "dm, frepo: on a GPU, embed in bfloat16; losses and what is learned stay in float32", later=True
    )

    def pairs(self, classes: int, ipc: int, frames: int, size: int) -> tuple[int, int]:
        """Images and motions per class."""
        own = ipc if self.pairing == "fixed" else fitting_pairs(classes, ipc, frames, size)
        images = self.static or own
        return images, self.dynamic or images

    def pairs_for(self, task: Task) -> tuple[int, int]:
        """Images and motions per class that make the clips of a task.

        Raises:
            UsageError: they are not as many as their pairing takes for so many clips.
        """
        train, ipc = task.train, budget(task)
        images, motions = self.pairs(len(train.classes), ipc, train.frames, train.size)
        if self.pairing == "slots" and (images % ipc or motions % ipc):
            raise UsageError(
                f"{images} images and {motions} motions per class cannot be shared out among {ipc} clips; "
                f"add --set vdsd.static={2 * ipc} --set vdsd.dynamic={2 * ipc}"
            )
        if self.pairing == "fixed" and not images == motions == ipc:
            raise UsageError(
                f"{images} images and {motions} motions per class are not one of each for {ipc} clips, "
                "which pairing=fixed takes; leave vdsd.static and vdsd.dynamic out"
            )
        return images, motions

    def in_bf16(self) -> bool:
        """All but the matching of trajectories."""
        return self.bf16 and self.base != "mtt"

    @property
    def real_frames(self) -> int:
        """Real frames per class and update of the images, at most."""
        return self.static_real or self.real

    @model_validator(mode="before")
    @classmethod
    def _published_rates(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        on_base: dict[str, dict[str, Any]] = {
            "mtt": {"lr_dynamic": 1e4, "lr_hallucinator": 1e-3},
            "frepo": {"lr_dynamic": 0.01, "lr_hallucinator": 1e-3, "pairing": "fixed"},
        }
        on_dc = {"static_lr": 0.1} if values.get("static_loss") == "dc" else {}
        return on_base.get(str(values.get("base")), {}) | on_dc | values

    @model_validator(mode="after")
    def _labels_stay_with_their_clips(self) -> Self:
        if self.base == "frepo" and self.pairing != "fixed":
            raise ValueError("the base frepo learns a label for every clip, which takes pairing=fixed")
        return self


def fitting_pairs(classes: int, ipc: int, frames: int, size: int) -> int:
    """Pairs of an image and a motion per class that, with the hallucinator, take no more bytes than IPC float32 clips.

    At 16 frames and IPC 1 these are the published two; at least one.
    """
    allowed = 3 * frames * size**2 * ipc * classes - math.prod(HALLUCINATOR) - HALLUCINATOR[0]
    return max(1, allowed // (classes * (3 + frames) * size**2))


class Memory:
    """What is stored: images, motions and hallucinator, and the clips that they make.

    It starts from frames of real clips, their changes of brightness over time, and a hallucinator that adds the two.
    """

    def __init__(self, settings: VDSDSettings, task: Task) -> None:
        import torch

        from vdbench.distilled.pairs import draw_pairs, draw_within_slots, same_numbers

        train = task.train
        self.classes, self.ipc = len(train.classes), budget(task)
        self.images, self.motions = settings.pairs_for(task)
        self._pairs = {"any": draw_pairs, "slots": draw_within_slots, "fixed": same_numbers}[settings.pairing]
        self.targets = torch.arange(self.classes).repeat_interleave(self.ipc)
        clips, _ = initial_clips(task, settings.init, max(self.images, self.motions))
        by_class = clips.view(self.classes, -1, *clips.shape[1:])
        middle = train.frames // 2
        static = by_class[:, : self.images, :, middle].flatten(0, 1)
        brightness = by_class[:, : self.motions].mean(dim=2)
        dynamic = (brightness - brightness[:, :, middle : middle + 1]).flatten(0, 1)
        weight = torch.zeros(HALLUCINATOR)
        weight[range(3), range(3), 1, 1, 1] = weight[range(3), 3, 1, 1, 1] = 1.0
        parts = {"static": static, "dynamic": dynamic, "weight": weight, "bias": torch.zeros(3)}
        self.tensors = {name: part.clone().to(task.device) for name, part in parts.items()}

    def clips(self, draw: int = 0, rows: torch.Tensor | None = None) -> torch.Tensor:
        """The clips of one draw, class by class, or some of them: float32 ``(classes * ipc, 3, T, H, W)``."""
        from vdbench.clips.clipset import sent
        from vdbench.distilled.parameterisations import hallucinate

        kept = self.tensors
        pairs = sent(self._pairs(self.images, self.motions, self.ipc, self.classes, draw), kept["static"].device)
        static, dynamic = pairs if rows is None else pairs[:, rows]
        return hallucinate(kept["static"][static], kept["dynamic"][dynamic], kept["weight"], kept["bias"])
