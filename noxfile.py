"""What one can ask of this repository: ``nox -s demo``, ``nox -s tests`` and the checks that CI runs."""

from __future__ import annotations

import os
import random
from pathlib import Path

import nox

nox.needs_version = ">=2024.4.15"
nox.options.sessions = ["lint", "types", "tests", "wheel", "leaderboard", "docs"]
nox.options.reuse_existing_virtualenvs = True

CODE = ("vdbench", "methods", "benchmarks", "leaderboard", "tests", "docs", "noxfile.py")
PACKAGES = ("vdbench", "vdbench_methods", "vdbench_benchmarks", "vdbench_leaderboard")
OLDEST = (
    "tests/cli/test_listings.py",
    "tests/cli/test_run.py",
    "tests/datasets/test_prepare.py",
    "tests/datasets/test_prepare_faulty_clips.py",
    "tests/datasets/test_readers.py",
    "tests/datasets/test_store.py",
    "tests/distilled/test_distilled_set.py",
    "tests/leaderboard/test_build.py",
)
"""What is run with the lowest versions that are allowed: reading, running, storing, showing."""
DEMO = "full,random,herding,k-center,k-means,tac-dt,vst-unet,greedy-reward,dm"
"""Methods of the demo: not all, so that it stays below eight minutes on two cores."""
YAML_STYLE = "{extends: default, rules: {line-length: {max: 130}, document-start: disable}}"
PATHS = "methods:benchmarks:leaderboard"


def install(session: nox.Session, *groups: str, editable: bool = False, extras: str = "") -> None:
    """Install vdbench and the dependency groups, at the versions that were tested."""
    needed = nox.project.dependency_groups(nox.project.load_toml("pyproject.toml"), *groups)
    session.install("-c", "constraints.txt", *(["-e"] if editable else []), f".{extras}", *needed)


@nox.session
def demo(session: nox.Session) -> None:
    """Compare nine methods on the embedded data set, on a CPU, and print the leaderboard."""
    install(session)
    session.run("vdbench", "run", *(session.posargs or ["--home", "vdbench-home", "--methods", DEMO]))


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests, slow ones included; arguments after ``--`` go to pytest."""
    install(session, "tests", editable=True, extras="[hf,imagenet]")
    session.run("pytest", *session.posargs, env={"OMP_NUM_THREADS": "1"})


@nox.session(default=False)
def fuzz(session: nox.Session) -> None:
    """Feed every parser inputs that nearly are what they should be, ten minutes each; arguments go to pytest."""
    install(session, "tests", editable=True)
    minutes = os.environ.get("VDBENCH_FUZZ_MINUTES", "10")
    limits = {"OMP_NUM_THREADS": "1", "VDBENCH_FUZZ_MINUTES": minutes}
    session.run("pytest", "--timeout", "0", "tests/fuzz", *session.posargs, env=limits)


@nox.session(default=False)
def faults(session: nox.Session) -> None:
    """Hurt runs 200 times at random moments, which takes half an hour; arguments are how often, and the seed."""
    times, seed = [*session.posargs, *("200", str(random.randrange(10**6)))[len(session.posargs) :]][:2]
    session.log(f"{times} injuries from seed {seed}")
    install(session, "tests", editable=True, extras="[hf,imagenet]")
    env = {"OMP_NUM_THREADS": "1", "VDBENCH_FAULTS": times, "VDBENCH_FAULTS_SEED": seed}
    session.run("pytest", "tests/faults", "--junit-xml=faults.xml", env=env)


@nox.session
def hub(session: nox.Session) -> None:
    """Open exported sets with the libraries that they are written for, which no other session installs."""
    install(session, "tests", "hub", editable=True)
    session.run("pytest", "-k", "datasets or webdataset or hub", "tests/distilled/sharing", "tests/experiment")


@nox.session
def oldest(session: nox.Session) -> None:
    """Run the tests that use every dependency a little, with each at the lower end of what is allowed."""
    project = nox.project.load_toml("pyproject.toml")
    extras = project["project"]["optional-dependencies"].values()
    groups = nox.project.dependency_groups(project, "tests")
    needed = [*project["project"]["dependencies"], *(need for extra in extras for need in extra), *groups]
    lowest = [need.replace(">=", "==") for need in needed if ">=" in need]
    session.install(*lowest)
    session.install("--no-deps", "-e", ".")
    session.run("pytest", "-m", "not slow", *(session.posargs or OLDEST), env={"OMP_NUM_THREADS": "1"})


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, format, import floors, and the Dockerfile and deploy/, which nothing here builds or runs."""
    session.install(
        "-c", "constraints.txt", *nox.project.dependency_groups(nox.project.load_toml("pyproject.toml"), "lint")
    )
    session.run("ruff", "check", *CODE)
    session.run("ruff", "format", "--check", *CODE)
    session.run("hadolint", "Dockerfile")
    session.run("shellcheck", "deploy/slurm.sh")
    session.run("yamllint", "--strict", "--config-data", YAML_STYLE, "deploy")
    session.run("check-jsonschema", "--builtin-schema", "vendor.compose-spec", "deploy/compose.yaml")
    session.run("kubernetes-validate", "--strict", "deploy/kuberay.yaml")  # which has no schema of KubeRay's own kinds
    session.run("lint-imports", env={"PYTHONPATH": f".:{PATHS}"})


@nox.session
def types(session: nox.Session) -> None:
    """Check types, strictly."""
    install(session, "types", editable=True)
    session.run("mypy", *(f"-p{package}" for package in PACKAGES))


@nox.session(default=False)
def gpu(session: nox.Session) -> None:
    """Measure what a GPU makes of clips at the field's size; needs one. Arguments go to the script."""
    install(session, editable=True)
    session.run("python", "benchmarks/speed/gpu.py", *(session.posargs or ["--base", "5eb3ef8"]))


@nox.session(default=False)
def speed(session: nox.Session) -> None:
    """Compare what a CPU takes with an earlier version, in turns; a data root, if any, for preparing its UCF101."""
    install(session, editable=True)
    prepared = [["decoding.py", "--data-root", folder] for folder in session.posargs]
    compared = [[script, "--base", "5eb3ef8"] for script in ("training.py", "runs.py")]
    for words in (*compared, ["scale.py"], ["scale.py", "--clips", "240000", "--trials", "10000"], *prepared):
        session.run("python", f"benchmarks/speed/{words[0]}", *words[1:], env={"OMP_NUM_THREADS": "1"})


@nox.session
def wheel(session: nox.Session) -> None:
    """Build the wheel and the source archive into dist/."""
    session.install("-c", "constraints.txt", "build")
    session.run("python", "-m", "build", "--outdir", "dist")


@nox.session
def bare(session: nox.Session) -> None:
    """Install the wheel with all extras into an environment of its own, and use it away from the checkout."""
    folder, constraints = session.create_tmp(), str(Path("constraints.txt").absolute())
    session.install("-c", constraints, "build")
    session.run("python", "-m", "build", "--wheel", "--outdir", folder, silent=True)
    newest = max(Path(folder).glob("*.whl"), key=lambda wheel: wheel.stat().st_mtime)
    session.install("-c", constraints, f"{newest.absolute()}[all]")
    session.install("--force-reinstall", "--no-deps", str(newest.absolute()))  # an earlier build has the same version
    session.chdir(folder)
    few = ("--set", "protocol.recipe.max_steps=4", "--set", "protocol.recipe.min_steps=1")
    session.run("vdbench", "doctor", "--check", "--home", "home")
    session.run("vdbench", "run", "--methods", "random", "--ipc", "1", "--seeds", "1", "--home", "home", *few)


@nox.session
def leaderboard(session: nox.Session) -> None:
    """Check that the committed leaderboard is what the committed results give; ``-- build`` writes it anew."""
    install(session)
    verb = session.posargs[0] if session.posargs else "check"
    session.run("vdbench", "leaderboard", verb, "--results", "leaderboard/results", "--out", "leaderboard")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the pages into site/; a broken link, a page that no menu has, or a faulty docstring is an error."""
    groups = nox.project.dependency_groups(nox.project.load_toml("pyproject.toml"), "docs")
    session.install("-c", "constraints.txt", *groups)
    session.run("mkdocs", "build", "--strict", env={"NO_MKDOCS_2_WARNING": "1"})


@nox.session
def ablations(session: nox.Session) -> None:
    """Measure the readings of tac-dt and vst-unet and write the tables of their page; arguments go to the script."""
    install(session, editable=True)
    chosen = session.posargs or ["--home", "vdbench-home", "--suite", "quick"]
    session.run("python", "benchmarks/ablations.py", *chosen, env={"OMP_NUM_THREADS": "1"})


@nox.session
def generator(session: nox.Session) -> None:
    """Train the generator that ships for motion-digits anew, under an hour on a CPU; arguments go to the command.

    Interrupted, the same command goes on. With ``-- --to FOLDER`` the generator that ships is left as it is.
    """
    install(session, editable=True)
    command = ["vdbench", "generator", "train", "motion-digits", "--set", "generator.source=trained"]
    places = ["--home", "vdbench-home", "--to", "vdbench/generator/shipped"]
    session.run(*command, *places, *session.posargs, env={"OMP_NUM_THREADS": "1"})
