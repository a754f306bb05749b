"""Files of tensors that other people's code wrote, as arrays by their place in the file.

Loading executes nothing: ``torch.load`` takes plain tensors and numbers only, and NumPy no objects.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vdbench.distilled.outside.claims import check_claims
from vdbench.distilled.outside.pickled import Array, load_torch, refused
from vdbench.errors import DataError

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    Arrays = Mapping[str, NDArray[Any]]

SUFFIXES = (".pt", ".pth", ".ckpt", ".npy", ".npz", ".safetensors")
SNAPSHOT = re.compile("(images|images_zca|labels|dynamic|hal|y_syn)_([0-9]+)")
"""How the field's code calls what it writes at some iteration."""
MOST = 10**5
"""Values, lists and dictionaries in a file."""
LONGEST = 1000
"""Characters of a place in a file, and of a word that could be a class."""
SHARED = 64 * 2**20
"""Bytes of a tensor that may lie on the same memory over and over."""


def tensor_files(folder: Path) -> list[Path]:
    """The files of tensors in a folder; of those of iterations none beside ``*_best``, else those of the last one."""
    found = sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and p.is_file() and p.name[0] != ".")
    iterations = _iterations(found)
    best = any(path.stem.endswith("_best") for path in found)
    last = None if best else max(iterations.values(), default=None)
    return [path for path in found if iterations.get(path, last) == last]


def _iterations(files: Sequence[Path]) -> dict[Path, int]:
    """The iterations at which files were written that are called so."""
    return {path: int(snapshot[2]) for path in files if (snapshot := SNAPSHOT.fullmatch(path.stem))}


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Every array in a file or in a folder of files, by its place, such as ``clips`` or ``state.0``.

    Single numbers are arrays without axes. Lists of arrays of one shape and up to four axes are one array.

    Of a folder, those of one iteration: see :func:`tensor_files`. There is a warning where that is the last one.

    Args:
        path: a file that ends in one of :data:`SUFFIXES`, or a folder of such files, whose names without ``_best`` go
            before the places in them.

    Raises:
        DataError: it cannot be read without executing something, is damaged, or is of another kind.
    """
    if path.is_dir():
        files = tensor_files(path)
        last, every = (set(_iterations(some).values()) for some in (files, [*path.iterdir()]))
        if last < every and last:
            warnings.warn(
                f"{path} holds files of {len(every)} iterations; those of the last one, {max(last)}, are judged",
                stacklevel=4,
            )
        return {
            f"{file.stem.removesuffix('_best')}.{name}".rstrip("."): array
            for file in files
            for name, array in read_arrays(file).items()
        }
    suffix = path.suffix.lower()
    read = {".npy": _numpy, ".npz": _numpy, ".safetensors": _safetensors}.get(suffix, load_torch)
    if suffix not in SUFFIXES:
        raise DataError(f"{path} is no file of tensors: its name ends in none of {', '.join(SUFFIXES)}")
    try:
        check_claims(path)
        return dict(_arrays(read(path)))
    except MemoryError:
        raise
    except Exception as error:  # the libraries raise whatever they meet in a file that is not theirs
        if isinstance(error, OSError) and error.filename is not None:
            raise  # it cannot be opened; torch raises one without a name where a file is cut off
        name = refused(error)
        wrong = f"holds {name} beside tensors" if name else "is damaged, or holds more than tensors"
        raise DataError(
            f"{path} {wrong}, and nothing in it is executed ({type(error).__name__}); "
            f"save clips and labels alone, as in {_saved(suffix)}"
        ) from error


def around(name: str, arrays: Arrays) -> Iterator[dict[str, NDArray[Any]]]:
    """What lies in the same list or dictionary as an array, then what lies around that, and so on outwards.

    Args:
        name: of the array, which is left out.
        arrays: as :func:`read_arrays` gives them.
    """
    parts = name.split(".")
    for depth in reversed(range(len(parts))):
        container = "".join(f"{part}." for part in parts[:depth])
        yield {other: array for other, array in arrays.items() if other != name and other.startswith(container)}


def listing(arrays: Arrays) -> str:
    """What a file holds, for errors: ``it holds clips uint8 (6, 8, 32, 32, 3), labels int64 (6,)``."""
    listed = [f"{name or 'a tensor'} {array.dtype} {array.shape}" for name, array in arrays.items() if array.ndim]
    more = f" and {len(listed) - 8} more" if len(listed) > 8 else ""
    return f"it holds {', '.join(listed[:8]) or 'no tensor'}{more}"


def _saved(suffix: str) -> str:
    """How files of this kind are written."""
    return {
        ".npy": "numpy.save('clips.npy', clips)",
        ".npz": "numpy.savez('set.npz', clips=clips, labels=labels)",
        ".safetensors": "safetensors.torch.save_file({'clips': clips, 'labels': labels}, 'set.safetensors')",
    }.get(suffix, "torch.save({'clips': clips, 'labels': labels}, 'set.pt')")


def _numpy(path: Path) -> object:
    loaded = np.load(path, allow_pickle=False)
    if not isinstance(loaded, np.lib.npyio.NpzFile):
        return loaded
    with loaded:
        return dict(loaded)


def _safetensors(path: Path) -> object:
    """Tensors, and those numbers that stand as text in the file's metadata."""
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        words = {key: word for key, word in (file.metadata() or {}).items() if re.fullmatch(r"[-+.\deE]+|nan", word)}
        return {key: float(word) for key, word in words.items()} | {key: file.get_tensor(key) for key in file.keys()}


def _arrays(value: object) -> Iterator[tuple[str, NDArray[Any]]]:
    """The arrays within dictionaries, lists and tuples, which may hold themselves."""
    waiting: list[tuple[str, object]] = [("", value)]
    for _ in range(MOST):
        if not waiting:
            return
        name, value = waiting.pop()
        if len(name) > LONGEST:
            raise ValueError("its dictionaries and lists lie too deep within each other")
        if (array := _as_array(value)) is not None:
            yield name, array
        elif isinstance(value, list | tuple) and (whole := _stacked([_as_array(part) for part in value])) is not None:
            yield name, whole
        else:
            waiting += [(f"{name}.{key}".lstrip("."), part) for key, part in reversed(_inside(value))]
    raise ValueError(f"it holds more than {MOST} values")


def _inside(value: object) -> list[tuple[object, object]]:
    if isinstance(value, Mapping):
        return list(value.items())
    return list(enumerate(value)) if isinstance(value, list | tuple) else []


def _as_array(value: object) -> NDArray[Any] | None:
    """A tensor, array, number or word as an array; None for anything else."""
    import torch

    if isinstance(value, torch.Tensor):
        return _as_numpy(value)
    if isinstance(value, Array):
        value = value.array
    if isinstance(value, str) and len(value) > LONGEST:
        return None
    if isinstance(value, bool | int | float | str | np.generic):
        value = np.asarray(value)
    return value if isinstance(value, np.ndarray) and value.dtype.kind in "biufU" else None


def _stacked(parts: Sequence[NDArray[Any] | None]) -> NDArray[Any] | None:
    """Arrays of one shape as one, but for those that have five axes and so are clips already; else None."""
    there = [part for part in parts if part is not None]
    if not there or len(there) < len(parts) or there[0].ndim > 4:
        return None
    if len({part.shape for part in there}) > 1 or len({part.dtype.kind == "U" for part in there}) > 1:
        return None
    return np.stack(there)


def _as_numpy(tensor: torch.Tensor) -> NDArray[Any] | None:
    """A dense tensor of real numbers as an array; None for any other."""
    import torch

    if tensor.layout is torch.strided and tensor.nbytes > max(tensor.untyped_storage().nbytes(), SHARED):
        raise ValueError("a tensor shows its bytes many times over")  # a copy of it could take any amount of memory

    if tensor.layout is not torch.strided or tensor.is_quantized or tensor.is_complex() or tensor.is_nested:
        return None
    if tensor.is_floating_point() and tensor.dtype not in (torch.float16, torch.float32, torch.float64):
        tensor = tensor.float()  # NumPy has no bfloat16
    array: NDArray[Any] = tensor.detach().numpy()
    return array
