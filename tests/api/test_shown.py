"""What shows itself in a notebook is small, and safe whatever names hold."""

import base64
import re
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import vdbench
from tests.api.conftest import SMALL
from tests.sets import distilled_record
from vdbench.clips.clipset import ClipSet, Normalisation
from vdbench.distilled import DistilledSet

NASTY = ("<script>alert(1)</script>", 'a" onload="x', "plain")
GREY = Normalisation((0.5, 0.5, 0.5), (0.25, 0.25, 0.25))


def clips(count: int, frames: int = 16, size: int = 224) -> np.ndarray:
    """Noise, which takes the most bytes."""
    return np.random.default_rng(0).integers(0, 256, (count, frames, size, size, 3), dtype=np.uint8)


def picture(html: str) -> Image.Image:
    (data,) = re.findall('base64,([^"]*)"', html)
    return Image.open(BytesIO(base64.b64decode(data)))


def test_clips_show_one_of_each_class_in_few_bytes_and_escaped() -> None:
    labels = np.array([2, 1, 0, 0, 1, 2])
    names = tuple(map(str, range(6)))
    whole = ClipSet(clips(6), labels, NASTY, names, names, GREY, "f")
    html = whole._repr_html_()
    assert len(html) < 200_000 and "<script" not in html
    assert "6 clips of 3 classes, 16 frames of 224x224 pixels" in html
    one = replace(whole, clips=whole.clips[1:4], labels=labels[1:4], groups=names[1:4], ids=names[1:4])
    assert picture(html).height > picture(one._repr_html_()).height  # a row per class
    empty = replace(whole, clips=whole.clips[:0], labels=labels[:0], groups=(), ids=())
    assert "0 clips" in empty._repr_html_() and "<img" not in empty._repr_html_()


def test_a_distilled_set_shows_its_clips_whatever_form_they_have() -> None:
    record = distilled_record(classes=NASTY, labels="soft", normalisation=GREY, method='<b>"')
    tensors = {"clips": torch.randn(3, 3, 8, 32, 32), "targets": torch.eye(3)}
    html = DistilledSet(tensors, record)._repr_html_()
    assert len(html) < 200_000 and "<b>" not in html and "&lt;b&gt;" in html
    assert picture(html).width > 300


def test_scores_show_as_tables_that_name_every_student_and_setting(home: Path) -> None:
    small = vdbench.distill("random", "ucf101", partial=True, **SMALL)
    judged = vdbench.evaluate(small, "ucf101", **SMALL)
    assert f"{100 * judged.top1:.1f} %" in judged._repr_html_() and "minic3d" in repr(judged)
    done = vdbench.run("random", "ucf101", 1, 2, partial=True, **SMALL)
    html = done._repr_html_()
    means = 100 * done.frame().query("method == 'random'").groupby("seed").top1.mean()
    assert f"<td>{means.mean():.1f} % ± {means.std():.1f}</td>" in html
    assert html.count("<tr>") == 3 and "<td>all</td>" in html and len(html) < 2000
