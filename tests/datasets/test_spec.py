import subprocess
import sys

import pytest

from vdbench.datasets.spec import dataset_names, load_dataset
from vdbench.errors import DataError, UsageError

NAMES = [
    "diving48", "hmdb51", "hmdb51-as-published", "jester", "kinetics400", "miniucf", "miniucf-as-published",
    "motion-digits", "ssv2", "ucf101",
]  # fmt: skip


def test_every_declared_data_set_loads_under_its_own_name():
    assert dataset_names() == NAMES
    assert [load_dataset(name).name for name in NAMES] == NAMES


def test_the_published_numbers():
    ucf, hmdb = load_dataset("ucf101"), load_dataset("hmdb51")
    assert (ucf.expected[1].train, ucf.expected[1].test, ucf.classes) == (9537, 3783, 101)
    assert (hmdb.expected[1].train, hmdb.expected[1].test, hmdb.classes) == (3570, 1530, 51)
    mini = load_dataset("miniucf")
    assert (mini.expected[1].train, mini.expected[1].test) == (4662, 1861)
    assert len(set(mini.subset)) == mini.classes == 50
    own = {"name", "title", "geometry", "train_on", "expected", "normalisation"}
    for name, read, train in (("miniucf", mini, 4662), ("hmdb51", hmdb, 5236)):
        published = load_dataset(f"{name}-as-published")
        assert published.model_dump(exclude=own) == read.model_dump(exclude=own)
        assert published.geometry == read.geometry.model_copy(update={"windows": 8, "antialias": False})
        assert (published.expected[1].train, published.expected[1].test) == (train, read.expected[1].test)
        assert published.normalisation == ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    assert "train_on" not in hmdb.model_dump() and "normalisation" not in hmdb.model_dump()
    assert ucf.geometry.picks(64)[-1] - ucf.geometry.picks(64)[0] + 1 == 61


def test_an_unknown_name_gets_the_nearest():
    with pytest.raises(UsageError, match="did you mean 'ucf101'"):
        load_dataset("ufc101")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("classes: 8", "classes: many"), "classes: Input should be a valid integer"),
        (("classes: 8", f"classes: {2**63}"), "classes: Input should be less than or equal to"),
        (("classes: 8", "klasses: 8"), "klasses"),
        (("layout: rendered", "layout: nowhere"), "layout"),
        (("layout: rendered", "layout: folders"), "needs source"),
        (("directed: true", "train_on: rest"), "marks no clips as unused"),
        (("size: 64", "size: 65"), "does not fit"),
        (("classes: 8", "classes: 8\nnormalisation: {mean: [0, 0, 0], std: [1, 1, 0]}"), "std that is not above 0"),
        (("  1: {train", "  2: {train"), "split 2"),
        (("classes: 8", "classes: 8\nsplits: [0]"), "splits.0: Input should be greater than or equal to 1"),
        (("classes: 8", f"classes: 8\nsplits: {list(range(1, 1002))}"), "splits: Tuple should have at most 1000 items"),
        (("classes: 8", "classes: 8\nsource: {split: {seed: -1}}"), "seed: Input should be greater than or equal to 0"),
        (("classes: 8", "classes: ["), "no YAML"),
    ],
)
def test_a_malformed_declaration_is_one_sentence_that_names_file_and_field(tmp_path, change, complaint):
    from importlib import resources

    text = (resources.files("vdbench_benchmarks") / "datasets" / "motion-digits.yaml").read_text()
    assert change[0] in text
    path = tmp_path / "mine.yaml"
    path.write_text(text.replace(*change))
    with pytest.raises(DataError) as caught:
        load_dataset(str(path))
    sentence = str(caught.value)
    assert complaint in sentence
    assert "mine.yaml" in sentence and "\n" not in sentence


def test_a_declaration_of_ones_own_is_read_from_its_path(tmp_path):
    with pytest.raises(DataError, match="check the path"):
        load_dataset(str(tmp_path / "absent.yaml"))
    from importlib import resources

    path = tmp_path / "mine.yaml"
    path.write_bytes((resources.files("vdbench_benchmarks") / "datasets" / "hmdb51.yaml").read_bytes())
    assert load_dataset(str(path)) == load_dataset("hmdb51")


def test_listing_and_preparing_import_neither_torch_nor_ray():
    code = (
        "import sys, vdbench.datasets.prepare, vdbench.datasets.view, vdbench.clips.pictures\n"
        "from vdbench.datasets.spec import *\n"
        "[load_dataset(name) for name in dataset_names()]\n"
        "print(sorted({'torch', 'ray', 'sklearn', 'scipy', 'decord', 'av'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
