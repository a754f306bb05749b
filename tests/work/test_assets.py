"""Shared assets: addressed by what they are, built once, never half."""

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest
import torch

from vdbench.testing import tiny_clips
from vdbench.work.assets import Assets, AssetSpec


class Number(AssetSpec[int]):
    kind: ClassVar[str] = "number"
    value: int
    log: str = ""

    def build(self, assets: Assets, folder: Path) -> None:
        if self.log:
            with Path(self.log).open("a") as file:
                file.write("built ")
        (folder / "number").write_text(str(self.value))

    def load(self, folder: Path) -> int:
        return int((folder / "number").read_text())


class Doubled(AssetSpec[int]):
    kind: ClassVar[str] = "doubled"
    of: Number

    def build(self, assets: Assets, folder: Path) -> None:
        (folder / "number").write_text(str(2 * assets.get(self.of)))

    def load(self, folder: Path) -> int:
        return int((folder / "number").read_text())


class Newer(Number):
    version: ClassVar[int] = 2


def assets(root: Path) -> Assets:
    return Assets(root, tiny_clips(), torch.device("cpu"))


def test_an_asset_is_built_once_and_found_again(tmp_path: Path) -> None:
    spec = Number(value=7, log=str(tmp_path / "log"))
    assert [assets(tmp_path).get(spec) for _ in range(3)] == [7, 7, 7]
    assert (tmp_path / "log").read_text() == "built "
    assert assets(tmp_path).seconds([spec]) >= 0


def test_assets_can_be_made_of_assets(tmp_path: Path) -> None:
    assert assets(tmp_path).get(Doubled(of=Number(value=4))) == 8
    assert assets(tmp_path).folder(Number(value=4)).is_dir()


def test_the_address_is_spec_version_and_train_split(tmp_path: Path) -> None:
    here = assets(tmp_path)
    other = Assets(tmp_path, replace(tiny_clips(), fingerprint="other"), torch.device("cpu"))
    gpu = Assets(tmp_path, tiny_clips(), torch.device("cuda"))
    folders = [
        here.folder(Number(value=1)),
        here.folder(Number(value=2)),
        here.folder(Newer(value=1)),
        here.folder(Doubled(of=Number(value=1))),
        here.folder(Doubled(of=Number(value=2))),
        other.folder(Number(value=1)),
    ]
    assert len(set(folders)) == len(folders)
    assert gpu.folder(Number(value=1)) == folders[0]


class Inner(AssetSpec[int]):
    kind: ClassVar[str] = "inner"
    number: int = 1

    def build(self, assets: Assets, folder: Path) -> None: ...

    def load(self, folder: Path) -> int:
        return self.number


class Outer(Inner):
    inner: Inner = Inner()


def test_an_asset_is_told_by_its_class_and_by_the_versions_of_what_it_is_made_from(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    twin = type("Twin", (Inner,), {})
    assert twin().identity() != Inner().identity()
    before = Outer().identity()
    monkeypatch.setattr(Inner, "version", 2)
    monkeypatch.setattr(Outer, "version", 1, raising=False)
    assert Outer().identity()["version"] == before["version"] == 1
    assert Outer().identity() != before


CLOCK = [0.0]


class Slow(Number):
    def build(self, assets: Assets, folder: Path) -> None:
        super().build(assets, folder)
        CLOCK[0] += self.value


class SlowSum(AssetSpec[int]):
    kind: ClassVar[str] = "sums"
    first: Slow
    second: Slow

    def parts(self) -> tuple[Slow, Slow]:
        return self.first, self.second

    def build(self, assets: Assets, folder: Path) -> None:
        total = sum(assets.get(part) for part in self.parts())
        CLOCK[0] += 100
        (folder / "number").write_text(str(total))

    def load(self, folder: Path) -> int:
        return int((folder / "number").read_text())


@pytest.mark.parametrize("ahead", [True, False])
def test_the_cost_of_an_asset_is_that_of_all_its_parts_each_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ahead: bool
) -> None:
    monkeypatch.setattr("vdbench.work.assets.time.perf_counter", lambda: CLOCK[0])
    shared, other = Slow(value=7), Slow(value=20)
    one, two = SlowSum(first=shared, second=other), SlowSum(first=shared, second=shared)
    for spec in (shared, other, one, two) if ahead else (one, two):
        assets(tmp_path).get(spec)
    assert assets(tmp_path).seconds([shared]) == 7
    assert assets(tmp_path).seconds([one]) == 127
    assert assets(tmp_path).seconds([two]) == 107
    assert assets(tmp_path).seconds([one, two]) == 227


def test_timings_of_parts_that_other_code_took_are_of_no_one_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    early, late = Slow(value=1), Slow(value=2)
    both = SlowSum(first=early, second=late)
    monkeypatch.setattr("vdbench.work.assets.CODE", 4)
    assets(tmp_path).get(early)
    monkeypatch.setattr("vdbench.work.assets.CODE", 5)
    assets(tmp_path).get(both)
    here = assets(tmp_path)
    assert [here.code([early]), here.code([late]), here.code([both]), here.code([])] == [4, 5, None, 5]


def test_a_damaged_asset_is_planned_for_and_built_again_and_what_is_whole_is_not(tmp_path: Path) -> None:
    part, whole = Number(value=4, log=str(tmp_path / "log")), Doubled(of=Number(value=4, log=str(tmp_path / "log")))
    assert assets(tmp_path).get(whole) == 8
    assert assets(tmp_path).missing([whole, part]) == []
    for name in ("number", "asset.json"):
        (assets(tmp_path).folder(part) / name).write_text("9")
        assert [spec for _, spec in assets(tmp_path).missing([whole, part])] == [part]
        with pytest.warns(UserWarning, match=rf"number/.*{name}.*set aside"):
            assert assets(tmp_path).get(part) == 4
        assert assets(tmp_path).get(whole) == 8
    assert (tmp_path / "log").read_text() == "built " * 3


class OfAPart(Doubled):
    def parts(self) -> tuple[Number]:
        return (self.of,)


@pytest.mark.parametrize("how", [Path.unlink, lambda path: path.write_text("{")])
def test_a_part_whose_record_is_lost_is_built_again_though_what_is_made_of_it_is_whole(tmp_path: Path, how) -> None:
    part, whole = Number(value=4), OfAPart(of=Number(value=4))
    assets(tmp_path).get(whole)
    how(assets(tmp_path).folder(part) / "asset.json")
    with pytest.warns(UserWarning, match=r"number/.*asset\.json.*set aside"):
        assert assets(tmp_path).seconds([whole]) >= 0
    assert assets(tmp_path).missing([whole, part]) == []
    assert (assets(tmp_path).folder(part) / "number").read_text() == "4"


def test_an_asset_without_digests_is_used_and_one_that_cannot_be_read_is_built_again(tmp_path: Path) -> None:
    spec = Number(value=7)
    for damage in ("number", "asset.json"):
        assert assets(tmp_path).get(spec) == 7
        (assets(tmp_path).folder(spec) / "digests.json").unlink()
        assert assets(tmp_path).get(spec) == 7
        (assets(tmp_path).folder(spec) / damage).unlink()
        with pytest.warns(UserWarning, match=r"cannot be read \(FileNotFoundError\)"):
            assert assets(tmp_path).get(spec) == 7
        assert assets(tmp_path).seconds([spec]) >= 0


class Resuming(Number):
    def build(self, assets: Assets, folder: Path) -> None:
        state = assets.checkpoint(self).last() or {"value": torch.tensor(self.value)}
        (folder / "number").write_text(str(int(state["value"])))


def test_a_builder_goes_on_from_its_own_state_and_begins_anew_from_anothers(tmp_path: Path) -> None:
    one, two = Resuming(value=1), Resuming(value=2)
    assets(tmp_path).checkpoint(one).keep({"value": torch.tensor(11)})
    assets(tmp_path).checkpoint(two).keep({"foo": torch.zeros(3)})
    assert assets(tmp_path).get(one) == 11
    with pytest.warns(UserWarning, match="lacks value; it was set aside"):
        assert assets(tmp_path).get(two) == 2
    assert not assets(tmp_path).checkpoint(two).last()
