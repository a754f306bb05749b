"""The drawing of all imports that are written in the sources, those inside functions and for type checking included."""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCES = (ROOT, ROOT / "methods", ROOT / "benchmarks", ROOT / "leaderboard")


def modules(root: Path) -> dict[str, Path]:
    """The modules of the packages in a folder, by their names."""
    files = [path for package in root.glob("vdbench*/__init__.py") for path in package.parent.rglob("*.py")]
    return {".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): path for path in files}


def imported(path: Path, known: dict[str, Path]) -> Iterator[str]:
    """The known modules that a file imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module in known:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in known else node.module for name in names)


def test_no_modules_import_each_other_in_a_circle():
    known = {name: path for root in SOURCES for name, path in modules(root).items()}
    graph = {name: set(imported(path, known)) for name, path in known.items()}
    assert "vdbench.generator.training" in graph["vdbench.generator.choice"]  # inside a function
    assert "vdbench.clips.clipset" in graph["vdbench.generator.choice"]  # for type checking
    TopologicalSorter(graph).prepare()


def test_no_test_imports_a_private_name():
    private = [
        f"{path.relative_to(ROOT)}: {alias.name}"
        for path in (ROOT / "tests").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("vdbench")
        for alias in node.names
        if alias.name.startswith("_") and alias.name != "__version__"
    ]
    assert private == []
