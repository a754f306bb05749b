"""What ``vdbench evaluate`` judges on: a prepared data set in a suite's shape, and a device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vdbench.errors import UsageError

if TYPE_CHECKING:
    from vdbench.datasets.store import ClipStore
    from vdbench.datasets.view import View
    from vdbench.distilled import DistilledSet
    from vdbench.evaluation.judging import Verdict
    from vdbench.experiment.home import Home
    from vdbench.experiment.suite import Protocol
    from vdbench.work.assets import Assets


@dataclass(frozen=True)
class Bench:
    """A data set made ready for judging.

    Attributes:
        store: its decoded clips.
        view: these in the protocol's shape.
        assets: where a teacher is kept, and the device.
    """

    store: ClipStore
    view: View
    assets: Assets

    @classmethod
    def open(cls, dataset: str, protocol: Protocol, place: Home, device: str) -> Bench:
        """Open a data set under a protocol.

        Args:
            dataset: its name.
            protocol: decides the shape of the clips.
            place: the home.
            device: ``auto``, ``cpu`` or ``cuda``.

        Raises:
            UsageError: there is no such device.
            DataError: the data set is not prepared.
        """
        import torch

        from vdbench.cli.datasets import store_for
        from vdbench.datasets.view import open_view
        from vdbench.work.assets import Assets

        there = torch.cuda.is_available()
        if device == "cuda" and not there:
            raise UsageError("--device cuda: torch finds no CUDA GPU here; leave --device out to use the CPU")
        store = store_for(dataset, place, protocol.frames, protocol.size)
        view = open_view(store, place.root, **protocol.data())
        chosen = ("cuda" if there else "cpu") if device == "auto" else device
        return cls(store, view, Assets(place.assets, view.train, torch.device(chosen)))

    def judge(self, protocol: Protocol, distilled: DistilledSet, ipc: int | None, seed: int) -> Verdict:
        """Judge a distilled set exactly as a run does, as far as the machine allows.

        Args:
            protocol: as it is on this data set.
            distilled: what to judge.
            ipc: clips per class of the random controls; None for none.
            seed: that the students' seeds follow from.
        """
        from vdbench.experiment.judges import judge_of
        from vdbench.experiment.trial import student_seeds
        from vdbench.experiment.worker import reproducibly

        judge = judge_of(protocol, self.view, student_seeds(seed, protocol.evaluation_seeds), self.assets, distilled)
        with reproducibly():
            return judge(distilled, ipc, seed)
