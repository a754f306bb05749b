"""Numbers of bytes and of seconds as people read them."""

from __future__ import annotations

UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}


def human_bytes(count: float) -> str:
    """Bytes in powers of 1024: ``12 B``, ``1.5 MiB``."""
    unit = next((unit for unit in reversed(UNITS) if count >= UNITS[unit]), "B")
    return f"{count / UNITS[unit]:.{0 if unit == 'B' else 1}f} {unit}"


def human_seconds(seconds: float) -> str:
    """A stretch of time: ``4.5 s``, ``45 s``, ``3 min 20 s``, ``2 h 5 min``."""
    if seconds < 60:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
