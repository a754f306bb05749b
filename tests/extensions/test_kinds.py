"""Students and encoders of others: found by name, part of the id, and refused where they take one of our names."""

import re
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest

import worlds
from vdbench.datasets.prepare import prepare
from vdbench.encoders import EncoderSettings
from vdbench.errors import DependencyError, UsageError
from vdbench.extensions import kinds
from vdbench.extensions.kinds import use
from vdbench.extensions.plugins import Plugin
from vdbench.students import STUDENTS, build_student, student_class, student_names, student_version

STUDENT = """
import torch
from vdbench.students.student import Student

class Mean(Student):
    name = "{name}"
    default_width = 4
    def __init__(self, num_classes, frames, size, width):
        super().__init__(num_classes, frames, size, width)
        self.classifier = torch.nn.Linear(3, num_classes)
    def embed(self, clips):
        return clips.mean(dim=(2, 3, 4))
    def forward(self, clips):
        return self.classifier(self.embed(clips))
"""
ENCODER = """
import numpy as np
from vdbench.encoders import Encoder
from vdbench.encoders.features import FeaturesSpec

class Brightness(FeaturesSpec):
    def encode(self, assets, clips):
        return clips.clips.mean(axis=(1, 2, 3)).astype(np.float32)

class OfBrightness(Encoder):
    name = "brightness"
    saw = "nothing"
    def features(self, settings):
        return Brightness()
"""


@pytest.fixture(autouse=True)
def _no_plugins(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(kinds, "in_use", {})
    yield


def written(folder: Path, text: str) -> Path:
    path = folder / "mine.py"
    path.write_text(text)
    return path


def test_a_student_of_a_file_is_built_by_name_and_its_code_is_its_version(tmp_path: Path) -> None:
    path = written(tmp_path, STUDENT.format(name="mean"))
    use([path])
    assert student_names()[-1] == "mean"
    assert build_student("mean", 5, 4, 16).parameter_count() == 20
    before = student_version("mean")
    assert before[0] == 1 and STUDENTS.file("mean") == path  # type: ignore[index]
    path.write_text(path.read_text() + "\n# edited\n")
    use([path])
    assert student_version("mean") != before
    assert student_version("minic3d") == student_class("minic3d").version


def test_a_student_cannot_take_one_of_our_names(tmp_path: Path) -> None:
    use([written(tmp_path, STUDENT.format(name="minic3d"))])
    with pytest.raises(UsageError, match=r"mine\.py: the name 'minic3d' is taken by another student; choose another"):
        build_student("minic3d", 5, 4, 16)


def test_an_encoder_of_a_file_gives_features_whose_address_holds_its_code(tmp_path: Path) -> None:
    path = written(tmp_path, ENCODER)
    with pytest.raises(ValueError, match="there is no encoder 'brightness'"):
        EncoderSettings.model_validate("brightness")
    use([path])
    chosen = EncoderSettings.model_validate("brightness")
    assert chosen.saw == "nothing"
    before = chosen.features().identity()
    assert before["class"] == "Brightness" and before["code"]
    path.write_text(ENCODER.replace("clips.clips.mean", "1 + clips.clips.mean"))
    use([path])
    assert EncoderSettings.model_validate("brightness").features().identity() != before
    with pytest.raises(UsageError, match="encoder brightness does not see single frames"):
        chosen.frames()


READER = """
import numpy as np
from vdbench.datasets.readers import Reader
from vdbench.datasets.readers.reader import Pass

class Grey(Reader):
    name = "grey"
    def version(self):
        return "7"
    def decode(self, path, wanted, promise):
        height, width = promise.size
        grey = np.full((height, width, 3), 128, np.uint8)
        return Pass(dict.fromkeys(wanted, grey), promise.packets)
"""


def test_a_reader_of_a_file_decodes_in_other_processes_and_its_code_is_written_down(tmp_path: Path) -> None:
    world = worlds.ucf_world(tmp_path / "data", classes=2, groups=4, clips=1)
    with pytest.raises(UsageError, match="there is no reader 'grey'"):
        prepare(world.spec, world.root, tmp_path / "home", workers=1, reader="grey")
    path = written(tmp_path, READER)
    use([path])
    store = prepare(world.spec, world.root, tmp_path / "home", workers=1, reader="grey")
    assert store.manifest.reader == "grey"
    assert store.manifest.reader_version == f"7 {Plugin(path).code}"
    assert {clip.decode.status for clip in store.manifest.clips} == {"ok"}
    assert set(np.unique(store.clips)) == {128}


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("no_such_package:Student", "student 'lab' cannot be imported: No module named 'no_such_package'"),
        ("vdbench.seeding:seeded", "seeded does not extend vdbench.students.student.Student"),
        ("vdbench.encoders:Encoder", "Encoder does not extend vdbench.students.student.Student"),
    ],
)
def test_an_entry_point_that_gives_no_student_is_an_error_for_who_asks_for_it(
    monkeypatch: pytest.MonkeyPatch, value: str, sentence: str
) -> None:
    points = [EntryPoint("lab", value, "vdbench.students")]
    monkeypatch.setattr(kinds, "entry_points", lambda group: points)
    assert student_names()[-1] == "lab"
    assert build_student("minic3d", 3, 4, 16, 4).name == "minic3d"
    with pytest.raises(DependencyError, match=re.escape(sentence)):
        build_student("lab", 3, 4, 16)
