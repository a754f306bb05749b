"""Small stored values that several floors share: scores, and where clips came from. Imports nothing heavy."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

DATASET_NAME = r"^[a-z0-9][a-z0-9-]*$"
"""What a data set may be called; never a path, so that no record of somebody else's leads to a file."""
MOST = 2**53
"""No count is larger, so that every reader of JSON reads the same number, and arrays can hold it."""

Count = Annotated[int, Field(ge=0, le=MOST)]
"""How many there are of something."""
Positive = Annotated[int, Field(ge=1, le=MOST)]
"""How many there are of something that there is at least one of."""
ClassNames = tuple[Annotated[str, Field(max_length=255)], ...]
"""Names of classes, which are drawn, printed, and parts of the names of files."""
Seconds = Annotated[float, Field(ge=0)]
"""A stretch of time."""
Seed = Annotated[int, Field(ge=-MOST, le=MOST)]
"""A number that chance follows from."""


class Record(BaseModel):
    """Base of the stored values: frozen, strict about unknown fields, and without numbers that JSON cannot hold."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class PoolRecord(Record):
    """What made the clips of a generated pool.

    Attributes:
        generator: its name, for people.
        weights: SHA-256 over all its weights.
        saw: what it was trained on: ``train``, or the name of outside data.
        per_class: clips sampled per class.
        scheduler: that took the steps.
        steps: denoising steps per clip.
        guidance: scale of classifier-free guidance; 1 is none.
        seed: that each clip's noise follows from, together with its class and number.
        seconds: spent on sampling, added over workers.
        bytes: of the pool's pixels.
        device: that sampled.
    """

    generator: str
    weights: str
    saw: str
    per_class: int = Field(ge=1)
    scheduler: str
    steps: int
    guidance: float
    seed: Seed
    seconds: Seconds = 0.0
    bytes: Count = 0
    device: str = "cpu"


class Provenance(Record):
    """Where the clips of a distilled set came from, and what the networks behind them have seen.

    Attributes:
        pool: ``real`` for clips of the train split, ``generated`` for sampled ones, ``learned`` for optimised pixels.
        clip_ids: for each stored clip, the clip of the data set, or of the generated pool, that it is, if it is one.
        encoder: the encoder that chose, or None.
        encoder_saw: what that encoder was trained on: ``nothing``, ``train``, or the name of outside data.
        generator: the generator of the pool, or None.
        generator_saw: what that generator was trained on, as ``encoder_saw``.
        sampled: how the generated pool was made, or None.
        reconstruction: whether the method is a reconstruction of an unpublished one.
    """

    pool: Literal["real", "generated", "learned"] = "real"
    clip_ids: tuple[str, ...] | None = None
    encoder: str | None = None
    encoder_saw: str = "nothing"
    generator: str | None = None
    generator_saw: str = "nothing"
    sampled: PoolRecord | None = None
    reconstruction: bool = False


class Outcomes(Record):
    """What one network made of every test clip, in the order of the test set, as :mod:`vdbench.outcomes` packs it.

    Attributes:
        ahead: how many classes got a higher logit than the true one.
        level: how many other classes got the same; empty where no clip has any.
    """

    ahead: str
    level: str = ""


class Score(Record):
    """One freshly trained student, tested once after its last step.

    Attributes:
        seed: of its initial weights and its batches.
        top1: share of test clips whose most likely class is right, 0..1.
        top5: share of test clips with the right class among the five most likely, 0..1.
        macro: mean over classes of each class's own top-1, 0..1.
        shuffled: top-1 on the same clips with their frames out of order; None where it was not tested.
        still: top-1 on the same clips with their middle frame shown all the time; None where it was not tested.
        train_loss: mean training loss of the last epoch.
        outcomes: of every test clip; None in results of versions that did not keep them.
    """

    seed: Seed
    top1: float = Field(ge=0, le=1)
    top5: float = Field(ge=0, le=1)
    macro: float = Field(ge=0, le=1)
    shuffled: float | None = Field(default=None, ge=0, le=1)
    still: float | None = Field(default=None, ge=0, le=1)
    train_loss: float
    outcomes: Outcomes | None = None


class StudentScores(Record):
    """All evaluation seeds of one student on one distilled set.

    Attributes:
        student: its name.
        width: channels of its first layer.
        depth: its blocks, for a student that is sized by them.
        parameters: how many numbers it learns.
        scores: one per evaluation seed.
        confusion: ``(class, most likely class, test clips)`` for each pair that came up, over all networks; empty
            where it was not counted.
        train_seconds: for training them all.
        test_seconds: for testing them all.
        peak_memory: bytes, on the device that computed; 0 where it could not be measured.
    """

    student: str
    width: Count
    depth: Count | None = None
    parameters: Count
    scores: tuple[Score, ...] = Field(min_length=1)
    confusion: tuple[tuple[Count, Count, Count], ...] = ()
    train_seconds: Seconds
    test_seconds: Seconds
    peak_memory: Count


class EvaluationSetting(Record):
    """How the clips of a distilled set are evaluated.

    Attributes:
        labels: ``hard``, the most likely class of each clip, or ``soft``, distributions over classes, either by the
            protocol's own recipe; ``own``, by the labels and the step size of the method.
        augmented: whether training clips were cropped, mirrored and shifted in time at random.
        random: whether random train clips stood in for the method's, as the control of ``own``.
    """

    labels: Literal["own", "hard", "soft"]
    augmented: bool = False
    random: bool = False

    @property
    def name(self) -> str:
        """For curves and tables: ``hard``, ``own-augmented-random``."""
        return "-".join([self.labels] + ["augmented"] * self.augmented + ["random"] * self.random)


class Condition(EvaluationSetting):
    """The scores of students in another evaluation setting than the one that the method intends.

    Attributes:
        students: their scores.
    """

    students: tuple[StudentScores, ...] = Field(min_length=1)


class DatasetRecord(Record):
    """The data that a trial used.

    Attributes:
        name: of the data set.
        fingerprint: of its train and test clips under the protocol.
        split: which official split.
        classes: classes that were present.
        class_names: their names, in the order of labels.
        classes_total: classes of the whole data set.
        clips: clips that could be read, train and test.
        clips_total: clips that the official split names.
        train_clips: clips that methods were given.
        test_clips: clips that students were tested on.
    """

    name: str = Field(pattern=DATASET_NAME)
    fingerprint: str
    split: Count
    classes: Count
    class_names: ClassNames
    classes_total: Count
    clips: Count
    clips_total: Count
    train_clips: Count
    test_clips: Count

    @property
    def partial(self) -> bool:
        """Whether classes or clips of the official split were missing."""
        return self.classes < self.classes_total or self.clips < self.clips_total

    @property
    def title(self) -> str:
        """The name, marked where the data set was partial: ``ucf101, 9 of 101 classes``."""
        if self.classes < self.classes_total:
            return f"{self.name}, {self.classes} of {self.classes_total} classes"
        if self.partial:
            return f"{self.name}, {self.clips} of {self.clips_total} clips"
        return self.name
