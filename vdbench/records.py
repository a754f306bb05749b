"""Small stored values that several floors share: scores, and where clips came from. Imports nothing heavy."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Record(BaseModel):
    """Base of the stored values: frozen, and strict about unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Provenance(Record):
    """Where the clips of a distilled set came from, and what the networks behind them have seen.

    Attributes:
        pool: ``real`` for clips of the train split, ``generated`` for sampled ones, ``learned`` for optimised pixels.
        clip_ids: for each stored clip, the clip of the data set it is, where it is one.
        encoder: the encoder that chose, or None.
        encoder_saw: what that encoder was trained on: ``nothing``, ``train``, or the name of outside data.
        generator: the generator of the pool, or None.
        generator_saw: what that generator was trained on, as ``encoder_saw``.
        reconstruction: whether the method is a reconstruction of an unpublished one.
    """

    pool: Literal["real", "generated", "learned"] = "real"
    clip_ids: tuple[str, ...] | None = None
    encoder: str | None = None
    encoder_saw: str = "nothing"
    generator: str | None = None
    generator_saw: str = "nothing"
    reconstruction: bool = False


class Score(Record):
    """One freshly trained student, tested once after its last step.

    Attributes:
        seed: of its initial weights and its batches.
        top1: share of test clips whose most likely class is right, 0..1.
        top5: share of test clips with the right class among the five most likely, 0..1.
        train_loss: mean training loss of the last epoch.
    """

    seed: int
    top1: float = Field(ge=0, le=1)
    top5: float = Field(ge=0, le=1)
    train_loss: float


class StudentScores(Record):
    """All evaluation seeds of one student on one distilled set.

    Attributes:
        student: its name.
        width: channels of its first layer.
        parameters: how many numbers it learns.
        scores: one per evaluation seed.
        train_seconds: for training them all.
        test_seconds: for testing them all.
        peak_memory: bytes, on the device that computed; 0 where it could not be measured.
    """

    student: str
    width: int
    parameters: int
    scores: tuple[Score, ...] = Field(min_length=1)
    train_seconds: float
    test_seconds: float
    peak_memory: int
