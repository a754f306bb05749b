"""Runs that do without libraries do not ask for them."""

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import sys
sys.modules |= dict.fromkeys(["diffusers", "mlflow", "ray"])  # importing any of them raises an ImportError
from vdbench.cli import main
if __name__ == "__main__":
    main()
"""


def test_an_inline_run_on_real_clips_needs_neither_ray_nor_mlflow_nor_diffusers(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    options = ["--methods", "random", "--ipc", "1", "--seeds", "1", "--scheduler", "inline", "--home", str(tmp_path)]
    small = ["protocol.recipe.min_steps=2", "protocol.recipe.max_steps=2", "protocol.frames=2", "protocol.size=16"]
    changed = [word for change in small for word in ("--set", change)]
    ended = subprocess.run(
        [sys.executable, str(program), "run", *options, *changed], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert "2 trials done, 0 failed" in ended.stderr
    assert "MLflow" in ended.stderr  # it is said that nothing is logged
