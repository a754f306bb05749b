"""The reward of vst-unet and greedy-reward against brute force, and both on planted worlds."""

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from vdbench.testing import check_method, tiny_task
from vdbench_methods.greedy_reward import GreedyReward
from vdbench_methods.reward import FLOOR, Reward, describe
from vdbench_methods.unet3d import UNet3d
from vdbench_methods.vst_unet import Policy, VstUnet, VstUnetSettings

CPU = torch.device("cpu")
SMALL = {"encoder": {"name": "cnn-gru", "width": 4, "epochs": 1}}


def by_definition(candidates: NDArray[np.float64], real: NDArray[np.float64], chosen: list[int]) -> float:
    if not chosen:
        return 0.0
    spread = real.std(axis=0)
    scale = np.array([max(s, FLOOR * spread.mean()) for s in spread]) if spread.any() else np.ones_like(spread)
    x, r = (candidates - real.mean(axis=0)) / scale, (real - real.mean(axis=0)) / scale
    apart = []
    for i, j in combinations(chosen, 2):
        lengths = np.linalg.norm(x[i]), np.linalg.norm(x[j])
        apart.append(1 - x[i] @ x[j] / (lengths[0] * lengths[1]) if min(lengths) > 1e-12 else 1.0)
    nearest = [min(((one - x[j]) ** 2).sum() for j in chosen) for one in r]
    return float(np.mean(apart or [0.0]) + np.exp(-np.mean(nearest) / x.shape[1])) / 2


@given(
    arrays(np.float64, (5, 3), elements=st.integers(-3, 3)),
    arrays(np.float64, (4, 3), elements=st.integers(-3, 3)),
    st.lists(st.integers(0, 4), unique=True),
)
def test_the_reward_is_what_it_says(
    candidates: NDArray[np.float64], real: NDArray[np.float64], chosen: list[int]
) -> None:
    reward = Reward(candidates, real)
    expected = by_definition(candidates, real, chosen)
    assert reward(np.array(chosen, dtype=np.int64)) == pytest.approx(expected)
    assert reward(np.isin(np.arange(5), chosen)) == pytest.approx(expected)


@given(arrays(np.float64, (7, 3), elements=st.floats(-2, 2, width=16)), st.integers(1, 7))
def test_greedy_adds_what_raises_the_reward_most(points: NDArray[np.float64], k: int) -> None:
    reward = Reward(points, points)
    chosen = reward.greedy(k).tolist()
    for count in range(1, k + 1):
        rest = [i for i in range(7) if i not in chosen[: count - 1]]
        best = max(reward([*chosen[: count - 1], i]) for i in rest)
        assert reward(chosen[:count]) == pytest.approx(best)
    assert len(set(chosen)) == k


def test_features_of_thousands_of_dimensions_leave_a_reward_to_tell_choices_apart() -> None:
    rng = np.random.default_rng(0)
    real = rng.normal(size=(20, 4000))
    reward = Reward(real, real)
    assert 0.05 < reward([0]) < 0.2  # about exp(-2) / 2: two clips are 2 D apart
    assert reward([0, 1]) > reward([0])


def clusters(seed: int, count: int = 5, clips: int = 24) -> NDArray[np.float32]:
    """Maps of clips that lie in clusters, ``(n, T, C, g, g)``."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(count, 4, 8, 2, 2))
    return np.asarray(centres[np.arange(clips) % count] + 0.3 * rng.normal(size=(clips, 4, 8, 2, 2)), dtype=np.float32)


def trained(maps: NDArray[np.float32], k: int, seed: int, **settings: Any) -> tuple[NDArray[np.int64], list[float]]:
    """What vst-unet chooses, and the mean reward of its episodes after each update."""
    curve: list[float] = []
    found = describe(maps)
    chosen = VstUnet(VstUnetSettings.model_validate(settings)).choose(
        maps,
        Reward(found, found),
        k,
        np.random.default_rng(seed),
        CPU,
        lambda step, of, reward: curve.append(reward),
    )
    return chosen, curve


@pytest.mark.parametrize("k", [1, 5])
def test_the_network_learns_to_choose_about_as_well_as_greed(k: int) -> None:
    shares, chance = [], []
    for seed in range(3):
        maps = clusters(seed)
        reward = Reward(describe(maps), describe(maps))
        chosen, curve = trained(maps, k, seed)
        greedy = reward(reward.greedy(k))
        assert len(curve) == 60
        assert np.mean(curve[-10:]) > np.mean(curve[:10])
        shares.append(reward(chosen) / greedy)
        rng = np.random.default_rng(seed)
        chance.append(np.mean([reward(rng.choice(len(maps), k, replace=False)) for _ in range(50)]) / greedy)
    assert np.mean(shares) > 0.95, shares
    assert np.mean(shares) > np.mean(chance) + 0.1


def test_without_offsets_clips_that_are_alike_are_kept_together() -> None:
    alike = np.repeat(clusters(0, 3, 3), 4, axis=0)
    policy = Policy(VstUnetSettings(lr_offsets=0, episodes=5), alike, 3, 0, CPU)
    reward, rng = Reward(describe(alike), describe(alike)), np.random.default_rng(0)
    for _ in range(3):
        policy.update(reward, rng)
    logits = policy.logits().detach().view(3, 4)
    assert torch.allclose(logits, logits[:, :1].expand(3, 4), atol=1e-5)


def test_an_untrained_policy_keeps_about_k_and_episodes_are_of_size_k() -> None:
    maps = clusters(1)
    policy = Policy(VstUnetSettings(), maps, 4, 0, CPU)
    probabilities = policy.logits().sigmoid().detach().double().numpy()
    assert probabilities.sum() == pytest.approx(4, abs=1.5)
    sizes = policy.episodes(probabilities, np.random.default_rng(0)).sum(axis=1)
    assert (sizes == 4).mean() > 0.9
    freely = Policy(VstUnetSettings(draws=1), maps, 4, 0, CPU)
    assert len(set(freely.episodes(probabilities, np.random.default_rng(0)).sum(axis=1).tolist())) > 2


def test_the_loss_is_reinforce_with_a_share_to_keep() -> None:
    policy = Policy(VstUnetSettings(beta=2.0), clusters(2), 6, 0, CPU)
    rng = np.random.default_rng(0)
    logits = torch.tensor(rng.normal(size=24))
    kept, advantages = rng.random((3, 24)) < 0.3, rng.normal(size=3)
    p = 1 / (1 + np.exp(-logits.numpy()))
    likely = np.where(kept, np.log(p), np.log(1 - p)).sum(axis=1)
    expected = 2.0 * (p.mean() - 0.25) ** 2 - (advantages * likely).mean()
    assert float(policy.loss(logits, kept, advantages)) == pytest.approx(expected)


@pytest.mark.parametrize("shape", [(1, 1, 1), (5, 3, 3), (8, 4, 4), (2, 1, 1)])
def test_the_network_reads_any_number_of_frames_and_cells(shape: tuple[int, int, int]) -> None:
    network = UNet3d(6, shape, 4)
    logits = network(torch.randn(3, 6, *shape))
    assert logits.shape == (3,)
    logits.sum().backward()
    unused = [name for name, p in network.named_parameters() if p.grad is None]
    assert unused == []


def test_all_or_one_or_equal_clips_are_fine() -> None:
    for maps in (clusters(0, 2, 4), np.zeros((4, 2, 3, 1, 1), dtype=np.float32), np.ones((1, 1, 2, 2, 2), np.float32)):
        chosen, _ = trained(maps, len(maps), 0, epochs=2)
        assert sorted(chosen.tolist()) == list(range(len(maps)))


def test_a_seed_decides_the_choice() -> None:
    maps = clusters(3)
    first, second = (trained(maps, 5, 7, epochs=5) for _ in range(2))
    assert first[0].tolist() == second[0].tolist()
    assert first[1] == second[1]
    assert any(trained(maps, 5, seed, epochs=5)[0].tolist() != first[0].tolist() for seed in range(3))


@pytest.mark.parametrize("pool", ["real", "generated"])
@pytest.mark.parametrize("method", [GreedyReward, VstUnet])
def test_they_conform(method: type[Any], pool: str) -> None:
    quick = {} if method is GreedyReward else {"epochs": 3, "episodes": 4}
    settings = method.Settings.model_validate({"pool": pool, **SMALL, **quick})
    assert check_method(method(settings)) == []


def test_generated_clips_are_held_against_real_ones(tmp_path: Path) -> None:
    task = tiny_task(tmp_path)
    method = GreedyReward(GreedyReward.Settings.model_validate(SMALL))
    features = method.features()
    assert features in method.needs(task)
    made = method.distill(task)
    assert made.record.provenance.pool == "generated"
    assert not made.record.provenance.reconstruction
    assert task.pool is not None
    pool = task.assets.get(task.pool)
    encoded = features.encode(task.assets, pool.clips)
    for label, name in enumerate(task.train.classes):
        rows = pool.clips.rows_of(label)
        reward = Reward(describe(encoded[rows]), describe(task.assets.get(features)[task.train.rows_of(label)]))
        assert made.record.provenance.clip_ids[label] == pool.clips.ids[rows[reward.greedy(1)[0]]], name


def test_curves_go_on_from_class_to_class(tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []
    task = tiny_task(tmp_path, report=lambda step, of, reward=None: steps.append((step, of)) if reward else None)
    VstUnet(VstUnetSettings.model_validate({**SMALL, "epochs": 2, "episodes": 2})).distill(task)
    assert steps == [(step, 6) for step in range(1, 7)]
