"""Our training loop beside the public one, whose losses on inputs by formula are known.

The public loop scales every batch by its own mean and deviation, and makes a new optimiser when the learning rate
drops: ``standardise: batch`` and ``schedule: restart``, with which ours has the public losses. Otherwise ours keeps its
momentum: on clips that were scaled so before, it has the public losses up to the drop, and after it those that the
public loop would have if it kept the momentum.
"""

import pytest
import torch

from tests.formulas import flattened, minic3d, wave
from tests.sets import Tensors
from vdbench.evaluation.train import Recipe, train_student
from vdbench.students.student import Student

CPU = torch.device("cpu")
ONE_BATCH = [
    1.2740112302669686, 0.9682063205774534, 0.7100968205266783, 0.6287143128079681, 0.6133307794021033,
    0.5999053056625906, 0.5845910914024008, 0.5742890853845855, 0.5727468046225964, 0.5727958403439485,
    0.5723760983700729, 0.5715351937906165, 0.5703249334659438,
]  # fmt: skip
BATCHES = [
    1.1628335447441165, 0.7098733371943603, 0.6329099833684079, 0.5501475902398593, 0.3102449777755594,
    0.16638856715882464, 0.10000525427208899, 0.06829845119939237, 0.056265767845422913, 0.05498640768018537,
    0.053811458977079146, 0.05273171279891384, 0.051743463227562764,
]  # fmt: skip
PUBLIC_ONE_BATCH = [
    *ONE_BATCH[:8], 0.5727468046225963, 0.5721635362528931, 0.5710719048560454, 0.5695522263280307, 0.5676858944180082,
]  # fmt: skip
PUBLIC_BATCHES = [
    *BATCHES[:8], 0.056775800693716044, 0.05651447485457963, 0.05611782374943889, 0.05563571689701193,
    0.055110730301057086,
]  # fmt: skip
WITHOUT_DROP = [0.5727468046225964, 0.5789674627250944, 0.5870472937662468, 0.5887762288029371, 0.5797789453773822]
THROUGH_MINIC3D = [1.09931393872, 1.05464510261, 1.00047240093, 0.922803375181]


class Linear(Student):
    """Logits ``W z + b`` of two frames of 2x2 pixels."""

    name = "linear"
    default_width = 1

    def __init__(self) -> None:
        super().__init__(3, 2, 2, 1)
        weights = 0.05 * torch.cos(0.11 * torch.arange(72, dtype=torch.float64)).view(3, 24)
        self.weights = torch.nn.Parameter(weights)
        self.bias = torch.nn.Parameter(torch.tensor([0.01, -0.02, 0.03], dtype=torch.float64))

    def embed(self, clips: torch.Tensor) -> torch.Tensor:
        return flattened(clips)

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        return self.embed(clips) @ self.weights.T + self.bias


LABELS = torch.tensor([0, 0, 1, 1, 2, 2])


def scaled(frames: int, size: int, batch: int) -> Tensors:
    """Six clips of three classes, scaled by one mean and one deviation for each of the public loop's batches."""
    parts = torch.split(wave(6, frames, size), batch)
    return Tensors(torch.cat([(part - part.mean()) / part.std() for part in parts]), LABELS)


UNSCALED = Tensors(wave(6, 2, 2), LABELS)


@pytest.mark.parametrize(("batch", "losses"), [(6, PUBLIC_ONE_BATCH), (4, PUBLIC_BATCHES)])
def test_as_published_losses_are_the_public_ones(
    batch: int, losses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "randperm", lambda count, generator=None: torch.arange(count))
    recipe = Recipe(lr=0.1, epochs=13, batch=batch, schedule="restart", standardise="batch")
    student = Linear()
    found = train_student(student, UNSCALED, recipe, 0, CPU)
    assert found == pytest.approx(losses, rel=1e-6)  # logits are float32
    if batch == 6:
        assert float(student.weights.norm()) == pytest.approx(1.8787000459636478, rel=1e-6)


def test_tests_are_standardised_as_published_too() -> None:
    """Five test clips in one batch, after the training above: the public accuracy is 2 of 5."""
    recipe = Recipe(lr=0.1, epochs=13, batch=6, schedule="restart", standardise="batch")
    student = Linear()
    train_student(student, UNSCALED, recipe, 0, CPU)
    shown = wave(6, 2, 2, 0.9)[:5]
    logits = student(recipe.shown(shown))
    assert (logits.argmax(dim=1) == torch.tensor([0, 1, 2, 0, 1])).sum() == 2
    alone = student(recipe.shown(shown[:2]))
    assert not torch.allclose(alone, logits[:2]), "a clip's logits depend on the clips beside it"


@pytest.mark.parametrize(("batch", "losses"), [(6, ONE_BATCH), (4, BATCHES)])
def test_losses_are_the_public_ones_with_momentum_kept(
    batch: int, losses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "randperm", lambda count, generator=None: torch.arange(count))
    recipe = Recipe(lr=0.1, epochs=16, batch=batch)  # half of them at the full rate, as eight of the public thirteen
    found = train_student(Linear(), scaled(2, 2, batch), recipe, 0, CPU)
    assert found[:13] == pytest.approx(losses, rel=1e-5)


def test_losses_without_a_drop_are_the_public_ones() -> None:
    found = train_student(Linear(), scaled(2, 2, 6), Recipe(lr=0.1, epochs=13, batch=6, decay=1), 0, CPU)
    assert found[:8] == pytest.approx(ONE_BATCH[:8], rel=1e-5)
    assert found[8:] == pytest.approx(WITHOUT_DROP, rel=1e-5)


def test_minic3d_has_the_public_answers_and_losses() -> None:
    network = minic3d()
    embedded, logits = network.embed(wave(6, 8, 64)), network.eval()(wave(6, 8, 64))
    assert embedded.shape == (6, 256)
    assert int((embedded > 0).sum()) == 1357
    assert float(embedded.norm()) == pytest.approx(2.93474322869, rel=1e-9)
    assert logits[0].tolist() == pytest.approx([-0.0123942015502, 0.058954264628, 0.0430568368376], rel=1e-8)
    assert logits[5].tolist() == pytest.approx([-0.012144016342, 0.0498725070296, 0.0442727075114], rel=1e-8)
    network.dropout.p = 0
    found = train_student(network, scaled(8, 64, 6), Recipe(epochs=16, batch=6, max_steps=4, decay=1), 0, CPU)
    assert found == pytest.approx(THROUGH_MINIC3D, rel=1e-5)
