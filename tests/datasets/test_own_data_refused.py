"""What is wrong with videos or a table of one's own is one sentence, and nothing is written."""

import pytest

from tests.datasets.test_own_data import declare, table, touch
from vdbench.errors import DataError

ROWS = ["0.mp4,a", "1.mp4,a", "2.mp4,b", "3.mp4,b"]


@pytest.mark.parametrize(
    ("head", "row", "complaint"),
    [
        ("path,label", "4.mp4,", "line 6, has no label; correct it"),
        ("path,label", ",b", "line 6, has no path"),
        ("path,label", "0.mp4,b", "line 6, names the same clip as .*line 2: 0.mp4; delete one"),
        ("path,label", "4.mp4,b", r"1 of 5 clips is missing \(4.mp4\) below /.*--partial"),
        ("path,label", "\x004.mp4,b", "1 of 5 clips is missing"),
        ("path,label", "3.mp4,b,c", "line 6, has more cells than the first line"),
        ("path,label", "3.mp4,c", "line 6, names the same clip"),
        ("path,label,split", "3.mp4,b,holdout", "has split 'holdout', which is none of train, test and val"),
        ("path,label,start", "3.mp4,b,soon", "has start 'soon', which is no number of seconds"),
        ("path,label,start,end", "3.mp4,b,4,2", "ends at 2 seconds, not after its start at 4"),
        ("path,label,split", "4.mp4,b,test", "line 2, is in no part of the split"),
    ],
)  # fmt: skip
def test_a_bad_row_is_one_sentence_and_nothing_is_written(tmp_path, head, row, complaint):
    touch(tmp_path, *(f"{n}.mp4" for n in range(4)))
    with pytest.raises(DataError, match=complaint) as caught:
        declare(tmp_path, csv=table(tmp_path, *ROWS, row, head=head))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "datasets").exists()


def test_many_bad_rows_are_counted(tmp_path):
    with pytest.raises(DataError, match="line 2, has no label; 2 more lines are wrong"):
        declare(tmp_path, csv=table(tmp_path, "0.mp4,", "1.mp4,", "2.mp4,"))


@pytest.mark.parametrize(
    ("names", "wish", "complaint"),
    [
        (
            ["a/1.mp4", "a/2.mp4", "b/1.mp4"],
            {},
            "class 'b' has one clip, so that it cannot be both learned and tested;",
        ),
        (
            ["a/p1.mp4", "a/q2.mp4", "b/p3.mp4", "b/p4.mp4"],
            {"group": "^."},
            "class 'b' has clips of one group only, 'p', so that",
        ),
        (["a/1.mp4", "a/2.mp4"], {}, "all videos in .* lie in one folder, .*a; put them into a folder per class"),
        (["1.mp4", "b/2.mp4"], {}, "1.mp4 lies in no class folder"),
        (["a/1.mp4", "a/2.mp4", "b/1.mp4", "b/2.mp4"], {"group": "x(.)"}, "'1', in which 'x\\(.\\)' finds no group"),
        (["train/a/1.mp4", "train/b/1.mp4", "test/a/2.mp4"], {}, "class 'b' has one clip"),
        (["readme.txt"], {}, "there is no video in"),
    ],
)
def test_clips_that_cannot_be_split_are_one_sentence(tmp_path, names, wish, complaint):
    root = touch(tmp_path / "v", *names)
    with pytest.raises(DataError, match=complaint):
        declare(tmp_path, videos=root, **wish)
    assert not (tmp_path / "datasets").exists()


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["a/1.mp4", "b/1.mp4", "c/1.mp4"], "has 0 classes"),
        (["a/1.mp4", "a/2.mp4", "b/1.mp4", "c/1.mp4"], "has 1 class"),
        (["train/a/1.mp4", "test/b/1.mp4"], "has 0 classes"),
    ],
)
def test_partial_allows_no_split_that_nothing_can_be_learned_from_and_tested_on(tmp_path, names, found):
    root = touch(tmp_path / "v", *names)
    with pytest.raises(DataError, match=f"{found} with train and test clips, but needs 2: class '.' has one clip"):
        declare(tmp_path, videos=root, partial=True)
    assert not (tmp_path / "datasets").exists()


def test_a_table_of_one_class_is_not_told_to_make_folders(tmp_path):
    touch(tmp_path, "0.mp4", "1.mp4")
    file = table(tmp_path, "0.mp4,a", "1.mp4,a")
    with pytest.raises(DataError) as caught:
        declare(tmp_path, csv=file)
    assert (
        str(caught.value)
        == f"{file} holds clips only of a; at least 2 classes are needed, each with a label of its own"
    )
    with pytest.raises(DataError, match="has no clips; .* its table has a row for each"):
        declare(tmp_path, csv=table(tmp_path))
