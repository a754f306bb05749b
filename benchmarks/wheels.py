"""On which machines vdbench installs from wheels alone: a table of platforms and versions of Python.

Nothing is installed: uv resolves the dependencies of ``pyproject.toml`` for each platform, with its markers, and takes
no source archive. Where that fails, the line says which package has no wheel. From a checkout, with the network:

    python -m pip install uv && python benchmarks/wheels.py
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PLATFORMS = {
    "Linux x86_64": "x86_64-manylinux_2_28",
    "Linux aarch64": "aarch64-manylinux_2_28",
    "macOS 14 arm64": "aarch64-apple-darwin",
    "Windows x86_64": "x86_64-pc-windows-msvc",
}
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
SHOWN = ("torch", "ray", "av", "decord", "decord2")
"""Packages whose versions the table names."""


def resolve(platform: str, python: str, pinned: bool) -> str:
    """The versions that an installation would take, or what stands in its way.

    Args:
        platform: as uv calls it.
        python: its version.
        pinned: whether ``constraints.txt`` holds, as in the README.
    """
    command = ["uv", "pip", "compile", str(ROOT / "pyproject.toml"), "--quiet", "--no-header", "--no-annotate"]
    command += ["--python-platform", platform, "--python-version", python, "--only-binary", ":all:"]
    command += ["--constraint", str(ROOT / "constraints.txt")] if pinned else []
    env = os.environ | {"MACOSX_DEPLOYMENT_TARGET": "14.0"}  # PyAV has no wheel for an older one
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=env)
    if done.returncode:
        return "**no**: " + " ".join(re.sub(r"[^\x20-\x7e]", " ", done.stderr).split())
    versions = dict(re.findall(r"^(\S+)==(\S+)", done.stdout, re.MULTILINE))
    return ", ".join(f"{name} {versions[name]}" for name in SHOWN if name in versions)


def table(platforms: list[str], pythons: list[str], pinned: bool) -> Iterator[str]:
    """The lines of a Markdown table."""
    yield f"| platform | Python | {'with constraints.txt' if pinned else 'newest versions'} |"
    yield "|---|---|---|"
    for platform in platforms:
        for python in pythons:
            yield f"| {platform} | {python} | {resolve(PLATFORMS[platform], python, pinned)} |"


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", nargs="+", default=list(PYTHONS), help="versions of Python")
    parser.add_argument("--platform", nargs="+", default=list(PLATFORMS), choices=list(PLATFORMS))
    chosen = parser.parse_args()
    for pinned in (False, True):
        for line in table(chosen.platform, chosen.python, pinned):
            print(line, flush=True)
        print(flush=True)


if __name__ == "__main__":
    sys.exit(main())
