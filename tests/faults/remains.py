"""What a home must not hold once a run has ended well."""

import fcntl
from pathlib import Path

from vdbench.storage import digests

ASIDE = ".corrupt"


def kept(home: Path) -> set[str]:
    """Every file and folder below a home but MLflow's own and those of a set-aside, by its path within."""
    paths = (path.relative_to(home) for path in home.rglob("*"))
    return {
        path.as_posix()
        for path in paths
        if path.parts[0] != "mlflow" and not any(part.endswith(ASIDE) for part in path.parts)
    }


def set_asides(home: Path) -> set[str]:
    """Names of what was set aside."""
    return {path.name for path in home.rglob(f"*{ASIDE}")}


def held_locks(home: Path) -> list[Path]:
    """Lock files that some process still holds."""
    held = []
    for path in home.rglob(".*.lock"):
        with path.open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                held.append(path)
    return held


def faulty(home: Path) -> dict[Path, str]:
    """Finished folders that do not hold what their digests say."""
    folders = {home / path for path in kept(home) if (home / path / digests.DIGESTS).exists()}
    found = {folder: digests.fault_in(folder) for folder in folders}
    return {folder: fault for folder, fault in found.items() if fault is not None}
