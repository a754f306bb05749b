"""The loop that trains both networks of a generator: it can be killed, and then ends in the same weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch

from vdbench.errors import DivergedError

if TYPE_CHECKING:
    from vdbench.work.checkpoints import Checkpoint
    from vdbench.work.reports import Report

LOOK_EVERY = 20
"""Steps after which a GPU is waited for, to read its losses."""
FLOOR = 0.05
"""Share of the peak learning rate that is left at the end."""


def with_steps(losses: Sequence[float]) -> list[tuple[int, float]]:
    """Losses as earlier versions kept them, without their steps, with the steps of the looks that they are from."""
    return [((look + 1) * LOOK_EVERY, loss) for look, loss in enumerate(losses)]


@dataclass(frozen=True)
class Schedule:
    """How long and how fast.

    Attributes:
        steps: optimiser steps.
        lr: peak learning rate.
        warmup: steps of linear rise before a cosine falls to :data:`FLOOR` of the peak.
        ema: decay of the moving average of the weights; 0 keeps none.
        clip: largest norm of the gradient.
    """

    steps: int
    lr: float
    warmup: int = 100
    ema: float = 0.0
    clip: float = 1.0

    def rate(self, step: int) -> float:
        """The learning rate of a step, counted from 0."""
        rise = min(1.0, (step + 1) / max(1, self.warmup))
        return self.lr * rise * (FLOOR + (1 - FLOOR) * 0.5 * (1 + math.cos(math.pi * step / self.steps)))

    def decay(self, step: int) -> float:
        """The decay of the average at a step: short at first, so that initial weights are soon forgotten."""
        return min(self.ema, (1 + step) / (10 + step))


@dataclass
class Fit:
    """A network in training.

    Attributes:
        network: what is trained, in place.
        schedule: how long and how fast.
        name: of the network, for errors and progress.
        losses: for each look, its step and the mean loss since the look before it.
    """

    network: torch.nn.Module
    schedule: Schedule
    name: str
    losses: list[tuple[int, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._weights: Sequence[torch.nn.Parameter] = list(self.network.parameters())
        self._average = [weight.detach().clone() for weight in self._weights]
        self._optimiser = torch.optim.AdamW(self._weights, lr=self.schedule.lr, betas=(0.9, 0.99), weight_decay=0.01)
        self._step = 0

    def run(
        self, loss: Callable[[int], torch.Tensor], checkpoint: Checkpoint, due: Callable[[], bool], report: Report
    ) -> None:
        """Train to the end, from where the checkpoint left off; the average, where one is kept, becomes the weights.

        Args:
            loss: of a step, counted from 0, all of whose chance follows from that number.
            checkpoint: where the state is kept.
            due: whether it should be kept now.
            report: hears of the loss.

        Raises:
            DivergedError: the loss is not finite.
        """
        self._resume(checkpoint)
        recent: list[torch.Tensor] = []
        while self._step < self.schedule.steps:
            recent.append(self.advance(loss(self._step)))
            if len(recent) == LOOK_EVERY or self._step == self.schedule.steps:
                mean = float(torch.stack(recent).mean())
                if not math.isfinite(mean):
                    raise DivergedError(self.name, self._step)
                self.losses.append((self._step, mean))
                recent.clear()
                if due():
                    checkpoint.keep(self._state())
                report(self._step, of=self.schedule.steps, **{f"{self.name} loss": mean})
        if self.schedule.ema:
            with torch.no_grad():
                torch._foreach_copy_(list(self._weights), self._average)

    def advance(self, value: torch.Tensor) -> torch.Tensor:
        """One step of AdamW on a loss."""
        for group in self._optimiser.param_groups:
            group["lr"] = self.schedule.rate(self._step)
        self._optimiser.zero_grad()
        torch.autograd.backward(value)
        torch.nn.utils.clip_grad_norm_(self._weights, self.schedule.clip)
        self._optimiser.step()
        if self.schedule.ema:
            with torch.no_grad():
                torch._foreach_lerp_(self._average, list(self._weights), 1 - self.schedule.decay(self._step))
        self._step += 1
        return value.detach()

    def _state(self) -> dict[str, torch.Tensor]:
        losses = torch.tensor(self.losses, dtype=torch.float64).reshape(len(self.losses), 2)
        state = {"step": torch.tensor(self._step), "curve": losses}
        for i, (weight, average) in enumerate(zip(self._weights, self._average, strict=True)):
            moments = self._optimiser.state[weight]
            state |= {f"{i}.weight": weight.detach().cpu(), f"{i}.average": average.cpu()}
            state |= {f"{i}.{name}": moments[name].cpu() for name in ("exp_avg", "exp_avg_sq", "step")}
        return {name: tensor.contiguous() for name, tensor in state.items()}

    def rehearsal(self, loss: Callable[[int], torch.Tensor]) -> Callable[[int], object]:
        """What takes a step on a loss of so many items, to time it; nothing is kept."""
        return lambda items: self.advance(loss(items))

    @torch.no_grad()
    def _resume(self, checkpoint: Checkpoint) -> None:
        state = checkpoint.last()
        if state is None:
            return
        curve = state["curve"].tolist() if "curve" in state else with_steps(state["losses"].tolist())
        self._step, self.losses = int(state["step"]), [(int(step), float(loss)) for step, loss in curve]
        for i, (weight, average) in enumerate(zip(self._weights, self._average, strict=True)):
            weight.copy_(state.like(f"{i}.weight", weight))
            average.copy_(state.like(f"{i}.average", average))
            place = weight.device
            moments = {name: state.like(f"{i}.{name}", weight).to(place) for name in ("exp_avg", "exp_avg_sq")}
            self._optimiser.state[weight] = {**moments, "step": state[f"{i}.step"]}
