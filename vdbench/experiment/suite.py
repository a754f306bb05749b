"""Suites: what is run and under which protocol, declared in YAML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files as package_files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import (
    Field,
    ValidationError,
)

from vdbench.errors import DataError, UsageError, nearest
from vdbench.experiment.protocol import Protocol
from vdbench.extensions.installed import entry_points
from vdbench.records import Positive, Record
from vdbench.storage import plain_yaml
from vdbench.storage.validation import faults_in, setting_error

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable


EMBEDDED = "motion-digits"
"""The data set that vdbench renders itself."""
GROUP = "vdbench.suites"
"""The entry points of packages that bring suites."""
MODIFIED = "-modified"
"""Added to the name of a suite whose protocol was changed."""


class Prescription(Record):
    """Settings that a suite gives a method: the published ones, or those that suit its clips.

    Attributes:
        method: its name.
        datasets: where they hold; everywhere when left out.
        ipc: at which IPCs they hold; at all of them when left out.
        when: other settings of the method that have to be so for them to hold; null where one must not be chosen.
        set: the settings, nested as the method's are.
    """

    method: str
    datasets: tuple[str, ...] | None = None
    ipc: tuple[int, ...] | None = None
    when: dict[str, Any] = {}
    set: dict[str, Any]


class Suite(Record):
    """A named protocol and what is run under it unless the command line says otherwise.

    Attributes:
        name: what users type.
        description: one sentence.
        datasets: names of data sets.
        ipc: instances per class.
        seeds: how many distillation seeds, counted from 0.
        runs: methods, as ``--methods`` takes them.
        controls: methods that always run beside the others.
        protocol: how they are judged.
        methods: settings of methods under this suite; of several that hold, later ones win. In a file,
            ``methods_of: vdsd`` among them stands for all of another suite, and as a field of the file before them.
    """

    name: str
    description: str
    datasets: tuple[str, ...]
    ipc: tuple[Positive, ...] = Field(min_length=1)
    seeds: Positive
    runs: tuple[str, ...] = Field(("all",), min_length=1)
    controls: tuple[str, ...] = ("random", "full")
    protocol: Protocol
    methods: tuple[Prescription, ...] = ()

    def prescribed(self, method: str, dataset: str, ipc: int, chosen: Mapping[str, Any]) -> dict[str, Any]:
        """The settings that a method has on a data set at an IPC unless the user chooses others.

        Args:
            method: its name.
            dataset: the data set's name.
            ipc: instances per class.
            chosen: what the user set, which conditions are held against.
        """
        found: dict[str, Any] = {}
        for rule in self.methods:
            here = (rule.datasets is None or dataset in rule.datasets) and (rule.ipc is None or ipc in rule.ipc)
            known = merged(found, chosen)
            if rule.method == method and here and all(known.get(name) == value for name, value in rule.when.items()):
                found = merged(found, rule.set)
        return found


def suite_names() -> list[str]:
    """All suites that are installed, sorted."""
    return sorted(_files())


def _files() -> dict[str, Traversable]:
    """The file of every suite: ours, and those of packages with entry points of the group ``vdbench.suites``.

    Such an entry point names a suite and the package that holds ``NAME.yaml``. Ours come first.
    """
    folder = package_files("vdbench_benchmarks") / "suites"
    own = {file.name.removesuffix(".yaml"): file for file in folder.iterdir() if file.name.endswith(".yaml")}
    points = entry_points(group=GROUP)
    return {point.name: package_files(point.module) / f"{point.name}.yaml" for point in points} | own


def load_suite(asked: str | Path | Suite, overrides: Mapping[str, Any] | None = None) -> Suite:
    """Read a suite and modify its protocol. A modified one says so in its name, and so in every table.

    Args:
        asked: the name of a suite, the path of a YAML file, or a suite.
        overrides: protocol fields to replace, nested as the protocol is.

    Raises:
        UsageError: there is no such suite, or an override does not fit.
        DataError: the file is malformed.
    """
    suite = asked if isinstance(asked, Suite) else _read(asked)
    if not overrides:
        return suite
    changed = merged(suite.protocol.model_dump(mode="json", exclude_unset=True), overrides)
    try:
        modified = suite.model_copy(update={"protocol": Protocol.model_validate(changed)})
    except ValidationError as error:
        raise setting_error(error, Protocol, "protocol") from None
    name = f"{suite.name.removesuffix(MODIFIED)}{MODIFIED}"
    return modified if modified == suite else modified.model_copy(update={"name": name})


def _read(asked: str | Path, within: tuple[str, ...] = ()) -> Suite:
    """A suite that is declared in a YAML file, ours or another one; ``within`` those that take settings of it."""
    file: Traversable
    if str(asked) in within:
        raise UsageError("methods_of leads back to itself")
    if str(asked).endswith((".yaml", ".yml")):
        file = Path(asked).expanduser()
        if not file.is_file():
            raise UsageError(f"there is no suite file {asked}; check the path")
    elif str(asked) in _files():
        file = _files()[str(asked)]
    else:
        raise UsageError(f"unknown suite '{asked}'; {nearest(str(asked), suite_names())}")
    try:
        fields = plain_yaml.read_file(file, file.name)
        if not isinstance(fields, dict):
            raise ValueError("it holds no fields, such as 'ipc: [1, 5]'")
        declared = {"name": Path(file.name).stem, **fields}
        if source := declared.pop("methods_of", None):
            declared["methods"] = [{"methods_of": source}, *declared.get("methods", ())]
        if isinstance(listed := declared.get("methods"), list):
            declared["methods"] = [rule for item in listed for rule in _prescriptions(item, (*within, str(asked)))]
        return Suite.model_validate(declared)
    except (yaml.YAMLError, ValueError, TypeError, UsageError) as error:
        raise DataError(f"suite file {file.name} is malformed: {faults_in(error)}") from error


def _prescriptions(item: Any, within: tuple[str, ...]) -> Sequence[Any]:
    """What an item of a file's ``methods`` stands for: itself, or all of another suite."""
    return _read(item["methods_of"], within).methods if isinstance(item, dict) and [*item] == ["methods_of"] else [item]


def usual_suite(datasets: Sequence[str] | None) -> str:
    """The suite of data sets for which none is named: ``quick`` on the embedded one, ``clean`` on real data."""
    return "quick" if datasets is None or list(datasets) == [EMBEDDED] else "clean"


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Nested settings with some of them replaced."""
    result = dict(base)
    for key, value in changes.items():
        old = result.get(key)
        result[key] = merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result
