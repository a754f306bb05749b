"""Numbers of things as sentences have them."""

from vdbench.storage.text import counted


def test_one_is_singular_and_all_others_are_not():
    assert [counted(n, "trial") for n in (0, 1, 2, 1000)] == ["0 trials", "1 trial", "2 trials", "1,000 trials"]
    assert counted(1, "class", "classes") == "1 class" and counted(3, "class", "classes") == "3 classes"
