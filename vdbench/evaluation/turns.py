"""Networks that are trained side by side on a GPU, which one network of few clips does not fill."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from vdbench.evaluation.batches import stream_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import torch

    from vdbench.evaluation.train import Recipe, Training


def networks_at_once(recipe: Recipe, clips: int, device: torch.device) -> int:
    """How many networks are trained side by side on so many clips.

    On a GPU as many as are shown a full batch of clips together at a step, which takes no more memory than one network
    that is shown it. Elsewhere one after the other: a CPU's cores have other trials.
    """
    return max(1, recipe.batch // clips) if device.type == "cuda" else 1


def train_in_turns(trainings: Sequence[Training], device: torch.device) -> list[tuple[float, ...]]:
    """Train students epoch by epoch in turns, on a GPU each on a stream of its own, so that steps overlap.

    Each is trained as by itself: none draws from another's chance. The first epochs come on the stream of the caller,
    before all others, since whatever trainings share, as the scale of pixels, is sent by the first that needs it.

    Args:
        trainings: of which no step is taken, all on ``device``.
        device: that the caller computes on next, when all are done.

    Returns:
        The mean loss per clip of every epoch, of each.

    Raises:
        DivergedError: a loss, or a weight after the last step, is not finite.
    """
    import torch

    for training in trainings:
        training.epoch()
    with _streams(len(trainings), device) as streams:
        while not all(training.done for training in trainings):
            for training, stream in zip(trainings, streams, strict=True):
                if not training.done:
                    with torch.cuda.stream(stream):
                        training.epoch()
    return [training.end() for training in trainings]


@contextmanager
def _streams(count: int, device: torch.device) -> Iterator[list[torch.cuda.Stream | None]]:
    """A stream for each of several trainings, beginning after what was asked of the device before; None elsewhere.

    What is asked of it afterwards begins when all are done. So it is where a training diverged, too: the others have
    steps to come that write their weights, whose memory would be given to somebody else meanwhile.
    """
    import torch

    streams = [stream_of(device) if count > 1 else None for _ in range(count)]
    for stream in filter(None, streams):
        stream.wait_stream(torch.cuda.current_stream(device))
    try:
        yield streams
    finally:
        for stream in filter(None, streams):
            torch.cuda.current_stream(device).wait_stream(stream)
