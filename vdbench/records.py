"""Small stored values that several floors share: scores, and where clips came from. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer, model_validator
from pydantic_core import PydanticSerializationError

Regime = Literal["hard", "soft", "teacher"]
"""Labels that a set can be judged with: the most likely class of each clip, a distribution for each clip, or those that
a teacher gives to every batch as a student sees it."""

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

    def model_dump(self, **how: Any) -> dict[str, Any]:
        """As the base does.

        Raises:
            KeyboardInterrupt: Ctrl-C came meanwhile, which pydantic makes an error of what it was about to write.
        """
        try:
            return super().model_dump(**how)
        except PydanticSerializationError as error:
            if ": KeyboardInterrupt" in str(error):  # the cause itself is lost where one value holds another
                raise KeyboardInterrupt from None
            raise


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


HealthMark = Literal["astray", "bound", "saturated", "unchanged", "unfinished"]
"""Signs that clips were not learned well, told by :mod:`vdbench.distilled.health`.

``astray``: the loss ended where standing still is, or above; ``bound``: the learned step size lies on its bound;
``saturated``: a quarter of the pixel values lie beyond black and white; ``unchanged``: the clips are those of the
start; ``unfinished``: the loss was still falling at the end.
"""


class Outcomes(Record):
    """What one network made of every test clip, in the order of the test set, as :mod:`vdbench.outcomes` packs it.

    Attributes:
        ahead: how many classes got a higher logit than the true one.
        level: how many other classes got the same; empty where no clip has any.
    """

    ahead: str
    level: str = ""


class Checkpoint(Record):
    """A student tested on its way; nothing is chosen by it.

    Attributes:
        step: training steps that it had taken.
        clips: training clips that it had been shown, each as often as it was.
        seconds: that its training had taken, tests apart.
        top1: share of test clips whose most likely class is right, 0..1.
    """

    step: int = Field(ge=1)
    clips: int = Field(ge=1)
    seconds: float = Field(ge=0)
    top1: float = Field(ge=0, le=1)


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
        checkpoints: tests on the way, where the protocol asks for some.
    """

    seed: Seed
    top1: float = Field(ge=0, le=1)
    top5: float = Field(ge=0, le=1)
    macro: float = Field(ge=0, le=1)
    shuffled: float | None = Field(default=None, ge=0, le=1)
    still: float | None = Field(default=None, ge=0, le=1)
    train_loss: float
    outcomes: Outcomes | None = None
    checkpoints: tuple[Checkpoint, ...] = ()

    @model_serializer(mode="wrap")
    def _without_no_checkpoints(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Scores of protocols without checkpoints stay as they were."""
        fields: dict[str, Any] = serialise(self)
        if not fields.get("checkpoints"):
            fields.pop("checkpoints", None)
        return fields


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
        labels: ``hard``, ``soft`` or ``teacher``, a :data:`Regime` by the protocol's own recipe; ``own``, by the labels
            and the step size of the method.
        augmented: whether training clips were cropped, mirrored and shifted in time at random.
        random: whether random train clips stood in for the method's, as the control of ``own``.
        configuration: the protocol's configuration that was used instead of its own student and recipe; None for none.
    """

    labels: Literal["own"] | Regime
    augmented: bool = False
    random: bool = False
    configuration: str | None = None

    @model_serializer(mode="wrap")
    def _without_nothing(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Settings of protocols without configurations stay as they were."""
        fields: dict[str, Any] = serialise(self)
        return {name: value for name, value in fields.items() if value is not None}

    @property
    def name(self) -> str:
        """For curves and tables: ``hard``, ``own-augmented-random``, ``own.adamw``, ``own.adamw-random``."""
        labels = self.labels if self.configuration is None else f"{self.labels}.{self.configuration}"
        return "-".join([labels] + ["augmented"] * self.augmented + ["random"] * self.random)


class Condition(EvaluationSetting):
    """The scores of students in another evaluation setting than the one that the method intends.

    Attributes:
        students: their scores; none where a network diverged.
        diverged: what happened under a configuration that some network cannot be trained with; None where all were.
    """

    students: tuple[StudentScores, ...]
    diverged: str | None = None

    @model_validator(mode="after")
    def _scored_unless_diverged(self) -> Self:
        if bool(self.students) == (self.diverged is not None):
            raise ValueError("a condition has scores, or says how a network diverged")
        return self


def by_condition(
    students: Iterable[StudentScores], conditions: Iterable[Condition]
) -> Iterator[tuple[str, StudentScores]]:
    """All scores of a distilled set, each with the name of its condition: ``own``, as its method means it, first."""
    yield from (("own", scores) for scores in students)
    yield from ((condition.name, scores) for condition in conditions for scores in condition.students)


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
