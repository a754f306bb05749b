"""The networks that judge: each is trained from scratch on a distilled set and tested on real clips."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vdbench.errors import UsageError
from vdbench.extensions.kinds import Kind, code_of

if TYPE_CHECKING:
    from vdbench.students.student import Student

STUDENTS: Kind[Student] = Kind(
    "student",
    "vdbench.students",
    "vdbench.students.student:Student",
    {
        "minic3d": "vdbench.students.minic3d:MiniC3D",
        "cnn-gru": "vdbench.students.recurrent:CnnGru",
        "cnn-lstm": "vdbench.students.recurrent:CnnLstm",
        "cnn-lstm-as-published": "vdbench.students.recurrent:CnnLstmAsPublished",
        "r2plus1d": "vdbench.students.r2plus1d:R2Plus1D",
        "video-vit": "vdbench.students.video_vit:VideoVit",
    },
)


def student_names() -> tuple[str, ...]:
    """The names of all students, in the order of tables."""
    return STUDENTS.names()


def student_class(name: str) -> type[Student]:
    """The class behind a name.

    Raises:
        UsageError: there is no student of that name.
    """
    return STUDENTS.get(name)


def student_version(name: str) -> int | list[int | str]:
    """What tells two networks of one name apart: the version of the class and, of a plugin file, its code."""
    cls = STUDENTS.get(name)
    code = code_of(cls)
    return [cls.version, code] if code else cls.version


def other_network(name: str) -> dict[str, Any]:
    """What the identity of a trained student says beside its name, so that no weights of another network are taken.

    Nothing of the first version of a student that comes with vdbench, which needs no mark.
    """
    version = student_version(name)
    return {} if version == 1 else {"network": version}


def build_student(
    name: str,
    num_classes: int,
    frames: int,
    size: int,
    width: int | None = None,
    seed: int | None = None,
    depth: int | None = None,
) -> Student:
    """Make a student with fresh weights, on the CPU.

    Args:
        name: one of :func:`student_names`.
        num_classes: logits to give.
        frames: frames per clip, T.
        size: height and width of a frame in pixels.
        width: channels of the first layer; the published ones when left out.
        seed: of the initial weights, drawn without touching torch's global generator; drawn from that
            generator when left out.
        depth: blocks per stage or layers, of a student that is sized by them; its default when left out.

    Raises:
        UsageError: there is no student of that name, it cannot read clips of that size, or it has no depth to choose.
    """
    student = student_class(name)
    if depth is not None and student.default_depth is None:
        raise UsageError(f"{name} has no depth to choose; leave it out")
    width = student.default_width if width is None else width
    depth = student.default_depth if depth is None else depth
    sizes = (num_classes, frames, size, width, *(() if depth is None else (depth,)))
    if min(sizes) < 1:
        told = f"{num_classes} classes, {frames} frames, size {size} and width {width}"
        raise UsageError(f"{name} cannot have {told}" + ("" if depth is None else f" at depth {depth}"))
    if seed is None:
        return student(*sizes)
    from vdbench.seeding import seeded

    with seeded(seed):
        return student(*sizes)
