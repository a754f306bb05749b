"""``vdbench methods``: what there is, what it can be set to, a new one, and whether one keeps the contract."""

from __future__ import annotations

import keyword
import queue
import signal
import sys
from collections.abc import Callable
from importlib.resources import files as package_files
from pathlib import Path
from string import Template
from typing import Annotated, Any, Literal

import typer

from vdbench.cli.advice import command
from vdbench.cli.options import JsonOption, PluginOption
from vdbench.cli.output import out, print_json, show_rows
from vdbench.errors import DependencyError, UsageError, VdbenchError

Kind = Literal["selector", "optimiser", "generator", "labels"]
"""What a new method can begin as: each is a template."""

app = typer.Typer(no_args_is_help=True, help="List, show, write and check methods.")


@app.command("list")
def list_methods(plugin: PluginOption = None, as_json: JsonOption = False) -> None:
    """List every method that can be found, broken ones with what is wrong; a broken plugin file is an error as well."""
    from vdbench.registry.methods import offered, plugin_problem

    entries = offered(plugin or [])
    rows = [
        {
            "name": entry.name,
            "title": entry.method.card.title if entry.method else f"cannot be used: {entry.problem}",
            "pools": list(entry.method.pools) if entry.method else [],
            "reconstruction": entry.method.card.reconstruction if entry.method else False,
            "usable": entry.method is not None,
            "from": entry.source,
        }
        for entry in entries
    ]
    show_rows("Methods", ["name", "title", "pools", "from"], rows, as_json)
    if problem := plugin_problem(entries):
        raise DependencyError(problem)


@app.command()
def show(name: str, plugin: PluginOption = None, as_json: JsonOption = False) -> None:
    """Show one method: what it is, its paper, and every setting with its default."""
    from vdbench.registry import Registry

    method = Registry(plugin or []).get(name)
    settings = list(_settings_rows(method.Settings, None))
    card = method.card
    if as_json:
        value: dict[str, Any] = {"name": name, "title": card.title, "paper": card.paper, "bibtex": card.bibtex}
        value |= {"reconstruction": card.reconstruction, "version": method.version, "settings": settings}
        print_json(value)
        return
    out.print(f"{name} (version {method.version}): {card.title}", style="bold")
    if card.reconstruction:
        out.print("A reconstruction: no code of the authors is public.")
    if card.paper:
        out.print(f"Paper: {card.paper}")
    if card.bibtex:
        for line in card.bibtex.splitlines():
            out.print(line)
    show_rows("Settings (--set)", ["setting", "default", "role", "what"], settings, False)


def _settings_rows(model: Any, defaults: Any, prefix: str = "") -> Any:
    """One row per setting; those of a nested model may have other defaults than its class says.

    Args:
        model: class of the settings.
        defaults: an instance of it, or None where not all settings have defaults.
        prefix: of their names.
    """
    from vdbench.method import Settings

    for field, info in model.model_fields.items():
        default = info.get_default(call_default_factory=True) if defaults is None else getattr(defaults, field)
        if isinstance(default, Settings):
            yield from _settings_rows(type(default), default, f"{prefix}{field}.")
        else:
            role = info.json_schema_extra["role"]
            yield {"setting": prefix + field, "default": default, "role": role, "what": info.description}


@app.command()
def new(
    name: str,
    kind: Annotated[
        Kind,
        typer.Option(
            help="What to begin with. selector: keeps real clips as they are. optimiser: learns clips, in a loop that "
            "can be killed. generator: a selector of generated clips; what generates them is set, not plugged in. "
            "labels: gives clips soft labels of a teacher."
        ),
    ] = "selector",
    folder: Annotated[Path, typer.Option("--out", "--folder", help="Where to write the two files.")] = Path(),
) -> None:
    """Write a working plugin and its test, to be changed into your own method."""
    from vdbench.registry import Registry
    from vdbench.registry.declared import name_problem
    from vdbench.storage import files

    if problem := name_problem(name):
        raise UsageError(f"{problem}, as in my-method")
    module = name.replace("-", "_")
    if keyword.iskeyword(module) or module in sys.stdlib_module_names:
        raise UsageError(f"{module}.py would not be imported: Python means something else by '{module}'; say my-{name}")
    if name in Registry().names():
        raise UsageError(f"there is a method '{name}' already; choose another name, as in my-{name}")
    names = {"name": name, "module": module, "cls": "".join(part.capitalize() for part in name.split("-"))}
    targets = {f"{kind}.py.txt": folder / f"{module}.py", "test_method.py.txt": folder / f"test_{module}.py"}
    for path in targets.values():
        if path.exists():
            raise UsageError(f"{path} exists already; choose another name or another --out")
    for template, path in targets.items():
        text = (package_files("vdbench.cli") / "templates" / template).read_text(encoding="utf-8")
        files.write_text(path, Template(text).substitute(names))
    plugin, test = targets.values()
    out.print(f"wrote {plugin} and {test}; next:")
    out.print(f"  {command('methods', 'check', str(plugin))}")
    out.print(f"  {command('run', '--plugin', str(plugin), '--methods', f'random,{name}')}")


Asked = tuple[list[Path], str]
"""Plugin files, and the name or the file of what is to be checked."""
Checked = list[tuple[str, list[str]]]
"""Methods, each with what is wrong with it."""


@app.command()
def check(name_or_file: str, plugin: PluginOption = None) -> None:
    """Run the conformance suite on a method, by name or by file."""
    asked = (plugin or [], name_or_file)
    checked = _checked_apart(asked) or _checked(asked)
    for name, findings in checked:
        for finding in findings:
            out.print(f"{name}: {finding}")
        if not findings:
            out.print(f"{name} keeps the contract of a method")
    if any(findings for _, findings in checked):
        raise typer.Exit(1)


def _checked_apart(asked: Asked) -> Checked:
    """Check in a process of its own, which a plugin may end; nothing where the check itself raised.

    Raises:
        VdbenchError: the process ended.
    """
    from vdbench.datasets.children import Child, Gone

    answers: queue.Queue[tuple[Child[Asked, Checked], Checked | Gone | None]] = queue.Queue()
    child = Child(_checker, (), answers)
    try:
        child.ask(asked)
        while (answer := answers.get()[1]) is None:  # it is ready
            pass
    finally:
        child.kill()
    if isinstance(answer, Gone):
        code = child.process.returncode
        how = signal.Signals(-code).name if code < 0 else f"exit status {code}"
        raise VdbenchError(
            f"{asked[1]} ended the process that checked it ({how}); a method returns or raises, and never calls "
            "os._exit"
        )
    return answer


def _checker() -> Callable[[Asked], Checked]:
    """What answers in that process."""

    def answer(asked: Asked) -> Checked:
        try:
            return _checked(asked)
        except Exception:  # the same check raises it where it can be told
            return []

    return answer


def _checked(asked: Asked) -> Checked:
    from vdbench.registry import Registry
    from vdbench.testing import check_method

    plugins, name_or_file = asked
    path = Path(name_or_file)
    is_file = path.suffix == ".py"
    registry = Registry([*plugins, *([path] if is_file else [])])
    source = str(path.expanduser().resolve())
    names = [e.name for e in registry.entries if e.source == source] if is_file else [name_or_file]
    return [(name, check_method(registry.get(name))) for name in names]
