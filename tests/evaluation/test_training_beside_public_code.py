"""Our training loop beside the public one, whose losses on inputs by formula are known.

The public loop scales every batch by its own mean and deviation, and makes a new optimiser when the learning rate
drops: ``standardise: batch`` and ``schedule: restart``, with which ours has the public losses. Otherwise ours keeps its
momentum: on clips that were scaled so before, it has the public losses up to the drop, and after it those that the
public loop would have if it kept the momentum.
"""

from typing import Any

import pytest
import torch
from torch.nn.functional import cross_entropy

from tests.formulas import flattened, minic3d, sequence, wave
from tests.sets import Tensors
from vdbench.evaluation.scoring import top_k
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
THROUGH_MINIC3D = [
    1.09931393872, 1.05464510261, 1.00047240093, 0.922803375181, 0.797729807145, 0.611118512776, 0.391349241582,
    0.209410363521, 0.0984581084363, 0.0894455788575, 0.0825864052561, 0.0826350822439, 0.0847194091127,
]  # fmt: skip
JUDGED_BY_FREPO = [
    0.385741045083, 0.384809156885, 0.354605591958, 0.303334013963, 0.245247324981, 0.203892387014, 0.174644240401,
    0.155877944587, 0.146319459869, 0.144111809663, 0.146940042892, 0.152411570421, 0.158436841261, 0.163522178277,
    0.166905526367, 0.168468196532, 0.168490906965, 0.167411314208, 0.165664397529, 0.163605436996, 0.161489118349,
    0.159478915396, 0.157668157087, 0.156101697024, 0.154793179959, 0.153736917223, 0.152915312508, 0.152303213678,
    0.151870309154, 0.15158231396, 0.151401436941,
]  # fmt: skip
AS_PUBLISHED: dict[str, Any] = {"epochs": 13, "schedule": "restart", "standardise": "batch"}


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
PLACES = ((0, 0, 0, 0, 0), (0, 2, 1, 4, 5), (1, 0, 2, 2, 3), (2, 1, 0, 3, 1), (3, 2, 2, 0, 0), (3, 2, 2, 4, 5))
"""Clip, frame, channel, row and column."""


def grey_levels() -> torch.Tensor:
    """Four clips of three frames of 5x6, ``(N, 3, T, H, W)``, whole numbers from 0 to 255."""
    n, c, t, y, x = torch.meshgrid(*map(sequence, (4, 3, 3, 5, 6)), indexing="ij")
    found = torch.floor(128 + 100 * torch.sin(0.1 + 0.9 * n + 0.5 * t + 1.3 * c + 0.21 * y + 0.33 * x))
    assert (float(found.sum()), float(found[0, 0, 0, 0, 0]), float(found[3, 2, 2, 4, 5])) == (115223, 137, 178)
    return found


def scaled_by_constants(clips: torch.Tensor) -> torch.Tensor:
    """As public data sets deliver them."""
    mean, std = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    shape = (3, 1, 1, 1)
    return (clips / 255 - torch.tensor(mean).double().view(shape)) / torch.tensor(std).double().view(shape)


@pytest.mark.parametrize(
    ("scaled", "split", "expected"),
    [
        (False, (4,), [0.4465372276176461, -1.1444485752757843, -1.1002545251954112,
                       -0.010134623212875575, 0.4759999276712281, 1.050522578716078]),
        (False, (3, 1), [0.47558068786545615, -1.1365322494953414, -1.0917513345686525,
                         0.012844566956338354, 0.39295396800611204, 0.946877031340029]),
        (True, (4,), [0.31071686996108355, -1.183523181584633, -0.9441816968998616,
                      -0.14096513650304532, 0.6425658592851639, 1.2209130993899864]),
        (True, (3, 1), [0.353659564084034, -1.2200694305510373, -0.9679957201202427,
                        -0.12205052626740075, 0.499063450324044, 1.007820470337036]),
    ],
)  # fmt: skip
def test_batches_are_standardised_as_by_the_public_code(
    scaled: bool, split: tuple[int, ...], expected: list[float]
) -> None:
    clips = scaled_by_constants(grey_levels()) if scaled else grey_levels()
    shown = torch.cat([Recipe(standardise="batch").shown(batch) for batch in clips.split(split)])
    assert [float(shown[n, c, t, y, x]) for n, t, c, y, x in PLACES] == pytest.approx(expected, abs=1e-6)
    if split == (4,):
        assert float(shown.sum()) == pytest.approx(0, abs=1e-9)
        assert float(shown.square().sum()) == pytest.approx(1079, abs=1e-9)  # one less than there are numbers


@pytest.mark.parametrize(
    ("batch", "losses", "norm", "entries", "bias", "test_loss"),
    [
        (6, PUBLIC_ONE_BATCH, 1.8787000459636478, [0.2594884259044969, 0.01016528172426427],
         [0.09096463593606546, -0.06454446134398616, -0.006450220875935935], 5.263504971757006),
        (4, PUBLIC_BATCHES, 3.629813595746498, [-0.39592628242562766, 1.1650990619072046],
         [0.002577187271954219, -0.506764785837608, 0.5240968910973487], 4.3521156551048685),
    ],
)  # fmt: skip
def test_as_published_losses_weights_and_tests_are_the_public_ones(  # noqa: PLR0913 - what it answered
    batch: int, losses: list[float], norm: float, entries: list[float], bias: list[float], test_loss: float,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(torch, "randperm", lambda count, generator=None: torch.arange(count))
    recipe, student = Recipe(lr=0.1, batch=batch, **AS_PUBLISHED), Linear()
    found = train_student(student, UNSCALED, recipe, 0, CPU)
    assert found == pytest.approx(losses, rel=1e-6)  # logits are float32
    weights = student.weights.detach()
    assert float(weights.norm()) == pytest.approx(norm, rel=1e-6)
    assert [float(weights[0, 0]), float(weights[2, 23])] == pytest.approx(entries, rel=1e-5)
    assert student.bias.tolist() == pytest.approx(bias, abs=1e-6)
    shown, labels = wave(6, 2, 2, 0.9)[:5], torch.tensor([0, 1, 2, 0, 1])
    logits = student(recipe.shown(shown)).detach()
    assert float(cross_entropy(logits, labels)) == pytest.approx(test_loss, rel=1e-5)
    assert [top_k(logits, labels, k) for k in (1, 3, 5)] == [0.4, 1.0, 1.0], "the public code reports their mean"


def test_frepos_evaluation_has_the_public_rates_and_losses(monkeypatch: pytest.MonkeyPatch) -> None:
    """AdamW, the rate of every epoch by a rise and a cosine, and the error of logits to labels less their mean."""
    monkeypatch.setattr(torch, "randperm", lambda count, generator=None: torch.arange(count))
    settings: dict[str, Any] = {"schedule": "warm-up", "loss": "squared", "optimiser": "adamw"}
    recipe = Recipe(lr=0.01, epochs=31, batch=6, **settings)
    rates = [recipe.learning_rate(step, 6) for step in range(31)]
    assert rates[:6] == pytest.approx(
        [0.0001, 0.0033915343836, 0.00663269588027, 0.00977385100383, 0.00959968733878, 0.00937884224971], rel=1e-9
    )
    assert train_student(Linear(), UNSCALED, recipe, 0, CPU) == pytest.approx(JUDGED_BY_FREPO, rel=1e-5)
    classes = torch.nn.functional.one_hot(LABELS, 3).float()
    soft = train_student(Linear(), Tensors(wave(6, 2, 2), classes), recipe, 0, CPU)
    assert soft == pytest.approx(JUDGED_BY_FREPO, rel=1e-5), "hard labels are distributions, too"


def test_frepos_rates_are_the_public_ones_of_its_scripts() -> None:
    recipe = Recipe(lr=1e-4, epochs=1001, batch=500, schedule="warm-up")
    public = {
        0: 1e-6, 1: 1.98999756215e-6, 50: 5.02009425101e-5, 99: 9.66846496495e-5, 100: 9.76036593005e-5,
        101: 9.75554562496e-5, 250: 8.55481101651e-5, 500: 5.05887456563e-5, 750: 1.5583955202e-5,
        1000: 1.00024383912e-6,
    }  # fmt: skip
    for clips, per_epoch in ((250, 1), (600, 2)):
        found = [recipe.learning_rate(epoch * per_epoch + per_epoch - 1, clips) for epoch in public]
        assert found == pytest.approx(list(public.values()), rel=1e-9)
    short = Recipe(lr=1.0, epochs=4, schedule="warm-up")
    assert short.learning_rate(1, 1) > 0.5, "a tenth of few epochs is none, and the rate rises all the same"


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


def test_minic3d_has_the_public_answers() -> None:
    network = minic3d()
    with torch.no_grad():
        embedded, logits = network.embed(wave(6, 8, 64)), network.eval()(wave(6, 8, 64))
    assert embedded.shape == (6, 256)
    assert int((embedded > 0).sum()) == 1357
    assert float(embedded.norm()) == pytest.approx(2.93474322869, rel=1e-9)
    assert logits[0].tolist() == pytest.approx([-0.0123942015502, 0.058954264628, 0.0430568368376], rel=1e-8)
    assert logits[5].tolist() == pytest.approx([-0.012144016342, 0.0498725070296, 0.0442727075114], rel=1e-8)


def test_minic3d_has_the_public_losses_of_all_epochs() -> None:
    """In single precision, which is faster: the public losses of both are within 3e-6 of each other."""
    network, recipe = minic3d().float(), Recipe(batch=6, **AS_PUBLISHED)
    network.dropout.p = 0
    found = train_student(network, Tensors(wave(6, 8, 64).float(), LABELS), recipe, 0, CPU)
    assert found == pytest.approx(THROUGH_MINIC3D, rel=1e-4)
    with torch.no_grad():
        logits, labels = network(recipe.shown(wave(3, 8, 64, 0.9).float())), torch.tensor([0, 1, 2])
    assert float(cross_entropy(logits, labels)) == pytest.approx(2.50056517347, rel=1e-4)
    assert top_k(logits, labels, 1) == pytest.approx(1 / 3)
    norm = torch.sqrt(sum((weights.detach().square().sum() for weights in network.parameters()), torch.zeros(())))
    assert float(norm) == pytest.approx(10.4035326142, rel=1e-6)
    assert network.classifier.bias is not None
    expected = [0.00035839920043, 0.0117419983967, -0.00341576347405]
    assert network.classifier.bias.tolist() == pytest.approx(expected, rel=1e-4)
