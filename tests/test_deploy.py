"""What ``deploy/`` holds: the Slurm script, carried out with stand-ins, and what reading shows of the rest."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
STAND_INS = {
    "scontrol": "printf 'one\\ntwo\\nthree\\n'",
    "srun": 'echo "srun $* token ${RAY_AUTH_MODE} ${#RAY_AUTH_TOKEN}" >>"$LOG"; exec sleep 60',
    "ray": 'echo "ray $*" >>"$LOG"',
    "vdbench": 'trap \'echo "vdbench heard TERM" >>"$LOG"; exit 130\' TERM; echo "vdbench $*" >>"$LOG"\n'
    'for _ in $(seq 300); do sleep 0.1; [ -e "$LOG.end" ] && exit 3; done',
}


@pytest.fixture
def job(tmp_path: Path):
    """A Slurm job on three nodes, of which each command only notes that it was called."""
    for name, does in STAND_INS.items():
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/usr/bin/env bash\n{does}\n")
        path.chmod(0o755)
    log = tmp_path / "log"
    env = os.environ | {
        "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}", "LOG": str(log), "SLURM_CPUS_PER_TASK": "8",
        "SLURM_JOB_NODELIST": "[one-three]", "SLURM_JOB_NUM_NODES": "3",
    }  # fmt: skip
    process = subprocess.Popen([ROOT / "deploy" / "slurm.sh", "run", "--home", "a b"], env=env, start_new_session=True)
    end = time.monotonic() + 60
    while not (log.exists() and "vdbench" in log.read_text()) and time.monotonic() < end:
        time.sleep(0.05)
    yield process, log
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_the_slurm_job_starts_every_node_with_one_secret_and_the_run_joins_them(job) -> None:
    process, log = job
    log.with_name("log.end").touch()
    assert process.wait(60) == 3
    head, others = (line for line in log.read_text().splitlines() if line.startswith("srun"))
    assert "--nodes=1 " in head and "--nodelist=one " in head and "--head" in head and "--port=6379" in head
    assert "--nodes=2 " in others and "--exclude=one " in others and "--address one:6379" in others
    assert head.endswith("token token 64") and others.endswith("token token 64")
    assert "vdbench run --home a b --ray-address one:6379" in log.read_text().splitlines()


def test_the_slurm_job_hands_on_that_its_time_ends_and_waits_for_the_run(job) -> None:
    process, log = job
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 130
    assert "vdbench heard TERM" in log.read_text()


def test_kuberay_runs_the_version_of_ray_that_was_tested() -> None:
    _, run = yaml.safe_load_all((ROOT / "deploy" / "kuberay.yaml").read_text(encoding="utf-8"))
    version = run["spec"]["rayClusterSpec"]["rayVersion"]
    assert f"ray=={version}" in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()


def test_every_container_shares_the_home() -> None:
    compose = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8"))
    for service in compose["services"].values():
        (volume,) = service["volumes"]
        assert volume == f"home:{service['environment']['VDBENCH_HOME']}"
    _, run = yaml.safe_load_all((ROOT / "deploy" / "kuberay.yaml").read_text(encoding="utf-8"))
    cluster = run["spec"]["rayClusterSpec"]
    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        (container,) = group["template"]["spec"]["containers"]
        (mount,) = container["volumeMounts"]
        assert f"--home {mount['mountPath']}" in run["spec"]["entrypoint"]
