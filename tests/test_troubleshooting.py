"""The page of troubleshooting quotes sentences that the program says."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")


def words(text: str) -> str:
    return " ".join(text.split())


def spoken() -> str:
    """All code of the program, with strings that go on in the next line put together and values left out."""
    sources = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "vdbench").rglob("*.py"))]
    joined = re.sub(r'"\s*\n\s*f?"', "", "\n".join(sources))
    return words(re.sub(r"\{[^{}]*\}", "...", joined))


def test_every_sentence_of_the_page_is_one_that_the_program_says() -> None:
    said = spoken()
    quoted = re.findall(r"^\| (?:the warning )?\*(.+?)\*", PAGE, re.MULTILINE)
    assert len(quoted) > 15
    for sentence in quoted:
        for part in filter(None, (part.strip(" :;,") for part in sentence.split("..."))):
            assert part in said, f"nothing in vdbench says: {part}"
