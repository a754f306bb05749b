"""The card of an exported set: what it is, how to load it, what it costs and scores, and what made it."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from statistics import mean, stdev
from typing import TYPE_CHECKING, Any

import yaml

from vdbench.datasets.spec import dataset_names, load_dataset
from vdbench.distilled.sharing.layouts import METADATA, ROOTS
from vdbench.experiment.repeat import repeat_command
from vdbench.records import by_condition
from vdbench.storage.amounts import human_bytes
from vdbench.storage.text import harmless, in_markdown
from vdbench.version import installed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from vdbench.clips.frames import Frames
    from vdbench.datasets.spec import DatasetSpec
    from vdbench.distilled.distilled_set import DistilledSet
    from vdbench.distilled.sharing.layouts import Layout
    from vdbench.experiment.result import Result
    from vdbench.records import StudentScores

SIZES = ((1000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
"""Sizes of a data set as cards of the hub call them."""

MISSING = {"", "na", "n/a", "nan", "null", "none", "<na>", "true", "false"}
"""Names that stand for no value, or for no text, in a CSV."""


@dataclass(frozen=True)
class Card:
    """Everything that the card of an export tells.

    Attributes:
        distilled: the set.
        layout: of the export.
        frames: of its clips.
        results: that were measured on the set, possibly none.
        licence: what its user says of the licence; the terms of the data set where left out.
        command: words of the export's command, after ``vdbench``.
        home: where one's own data sets are declared.
    """

    distilled: DistilledSet
    layout: Layout
    frames: Frames
    results: Sequence[Result]
    licence: str | None
    command: Sequence[str]
    home: Path

    def text(self, size: int) -> str:
        """The card, with the head that the Hugging Face hub reads.

        Args:
            size: bytes of the files of all clips.
        """
        head = yaml.safe_dump(self._head(), sort_keys=False, allow_unicode=True, width=1000)
        parts = [self._what(), self._loading(), self._costs(size), self._scores(), self._origin(), self._terms()]
        return f"---\n{head}---\n\n" + "\n\n".join([*parts, self._classes()]) + "\n"

    @property
    def _spec(self) -> DatasetSpec | None:
        name = self.distilled.record.dataset
        return load_dataset(name, self.home) if name in dataset_names(self.home) else None

    def _head(self) -> dict[str, Any]:
        record, spec = self.distilled.record, self._spec
        head: dict[str, Any] = {"license": self.licence or "other"}
        if self.licence is None:
            head["license_name"] = f"terms-of-{record.dataset}"
            head |= {"license_link": spec.homepage} if spec and spec.homepage else {}
        count = len(self.distilled)
        head["pretty_name"] = f"{record.dataset} distilled by {record.method}"
        head["task_categories"] = ["video-classification"]
        head["size_categories"] = [next((name for most, name in SIZES if count < most), "n>1M")]
        head["tags"] = ["dataset-distillation", "video", "vdbench"]
        files = "*.tar" if self.layout == "webdataset" else f"{ROOTS[self.layout]}**"
        if self.layout != "folder":
            head["configs"] = [{"config_name": "default", "data_files": [{"split": "train", "path": files}]}]
        return head

    def _what(self) -> str:
        record, shape = self.distilled.record, self.distilled.pixels().shape
        budget = "all clips" if record.ipc is None else f"{record.ipc} per class"
        made = f"{len(self.distilled)} clips of {shape[1]} frames of {shape[2]}x{shape[3]} pixels"
        method = in_markdown(record.method)
        text = (
            f"# {record.dataset} distilled by {method}\n\n"
            f"{made} in {len(record.classes)} classes, {budget}: a training set that stands for the train split of "
            f"{record.dataset}, made by {method} (version {record.method_version}, seed {record.seed})."
        )
        if record.step_size is not None:
            text += f" Students are trained on it with the learned step size {record.step_size:.6g}."
        if self.distilled.parameterisation.redrawn:
            text += (
                " The method composes other clips in every epoch from images and motions; these files hold those of "
                "one epoch, so that what is trained on them is not what the scores below were measured with."
            )
        return text

    def _loading(self) -> str:
        soft = self.distilled.record.labels == "soft"
        told = "`probabilities` is a JSON list in the order of the classes below; " if soft else ""
        builder = "videofolder" if self.frames.quality is not None else "imagefolder"
        code = {
            "folder": f'datasets.load_dataset("{builder}", data_dir="FOLDER", split="train")',
            "hf": f'datasets.load_dataset("{builder}", data_dir="FOLDER", split="train")',
            "webdataset": 'webdataset.WebDataset("FOLDER/train-000000.tar", shardshuffle=False).decode("rgb")',
        }[self.layout]
        if self.layout == "webdataset":
            where = "`cls` is the number of the class, and `json` holds its name"
            where += " and `probabilities` in the order of the classes below." if soft else "."
        else:
            row = "a row per clip" if self.frames.quality is not None else "a row per frame"
            where = f"`{ROOTS[self.layout]}{METADATA}` has {row}; its columns `class` and `label` are the name and the "
            where += f"number of the class. {told}Folders are called by number, and by name only where no library "
            where += "would take a part of it for the name of a split."
            if any(_misread(name) for name in self.distilled.classes):
                where += (
                    " A class whose name looks like a number or like a missing value is read as one: trust `label`."
                )
        return f"## Load it\n\n```python\n{code}\n```\n\n{where}\n\n```\nvdbench evaluate FOLDER\n```"

    def _costs(self, size: int) -> str:
        stored = self.distilled.stored_bytes
        kept = "PNG, without loss" if self.frames.quality is None else f"H.264 at quality {self.frames.quality}"
        exact = self.distilled.opened.get("clips") is not None and str(self.distilled.opened["clips"].dtype)
        rounded = "" if exact == "torch.uint8" else " Its values were rounded to 8 bits and cut to what pixels can be."
        return (
            f"## Bytes\n\nAs the method stores it: {stored} ({human_bytes(stored)}). These files, {kept}: {size} "
            f"({human_bytes(size)}).{rounded}"
        )

    def _scores(self) -> str:
        if not self.results:
            return "## Scores\n\nNo result of this set is known here."
        head = "| suite | tested on | student | judged | networks | top-1 |\n|---|---|---|---|---|---|"
        rows = [
            f"| {in_markdown(result.suite)} | {result.dataset.title}, {result.evaluated_on} | "
            f"{in_markdown(scores.student)} | {judged} | "
            f"{len(scores.scores)} | {_mean(scores)} |"
            for result in self.results
            for judged, scores in by_condition(result.students, result.conditions)
        ]
        note = "Measured on the set as its method stores it, not on these files. ± is the standard deviation over "
        return "\n".join(["## Scores", "", head, *rows, "", f"{note}networks that were trained on this one set."])

    def _origin(self) -> str:
        record, command = self.distilled.record, shlex.join(["vdbench", *self.command])
        made = repeat_command([self.results[0]]) if self.results else None
        lines = [made, command] if made else [command]
        encoder, generator = (in_markdown(p) for p in (record.provenance.encoder_saw, record.provenance.generator_saw))
        saw = f"Its encoder has seen {encoder}; its generator {generator}."
        settings = f"Settings: {in_markdown(json.dumps(record.settings, sort_keys=True))}." if record.settings else ""
        block = "\n".join(map(_in_code, lines))
        return f"## What made it\n\n```\n{block}\n```\n\nvdbench {installed()}. {saw} {settings}".rstrip()

    def _terms(self) -> str:
        record, spec = self.distilled.record, self._spec
        if spec is None:
            return f"## Licence\n\nThe clips come from {record.dataset}, whose terms hold."
        home = f" <{spec.homepage}>" if spec.homepage else ""
        cite = f"\n\nCite the data set: {spec.citation}" if spec.citation else ""
        terms = f"whose terms hold{f': {spec.licence}' if spec.licence else '.'}"
        return f"## Licence\n\nThe clips come from {spec.title}{home}, {terms}{cite}"

    def _classes(self) -> str:
        lines = [f"| {label} | {in_markdown(name)} |" for label, name in enumerate(self.distilled.classes)]
        return "\n".join(["## Classes", "", "| label | class |", "|---|---|", *lines])


def _in_code(line: str) -> str:
    """A line between fences, which no line of backticks ends before them."""
    return harmless(line).replace("```", r"\x60\x60\x60")


def _misread(name: str) -> bool:
    """Whether what reads CSV, as pandas and so the library datasets, may take a name for a number or for nothing."""
    return name.strip().casefold() in MISSING or name.strip().lstrip("+-").replace(".", "", 1).isdecimal()


def _mean(scores: StudentScores) -> str:
    values = [100 * score.top1 for score in scores.scores]
    return f"{mean(values):.1f} ± {stdev(values):.1f} %" if len(values) > 1 else f"{values[0]:.1f} %"
