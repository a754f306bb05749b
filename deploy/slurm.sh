#!/usr/bin/env bash
# vdbench on the nodes of a Slurm job, with everything after the script's name typed after `vdbench`:
#   sbatch --nodes 3 deploy/slurm.sh run --home /shared/vdbench --datasets ucf101
# A job that reaches its time limit keeps its state; submit it again, and it goes on.
#SBATCH --job-name=vdbench
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16
#SBATCH --time=24:00:00
#SBATCH --signal=B:TERM@60
set -euo pipefail

head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | sed -n 1p)
address=$head:6379
cores=${SLURM_CPUS_PER_TASK:-1}
RAY_AUTH_MODE=token
RAY_AUTH_TOKEN=$(python3 -c 'import secrets; print(secrets.token_hex(32))') # srun hands it to the nodes
export RAY_AUTH_MODE RAY_AUTH_TOKEN

srun --nodes=1 --ntasks=1 --nodelist="$head" \
  ray start --head --node-ip-address="$head" --port="${address##*:}" --num-cpus="$cores" --block &
until ray health-check --address "$address" >/dev/null 2>&1; do sleep 1; done
others=$((SLURM_JOB_NUM_NODES - 1))
if ((others > 0)); then
  srun --nodes="$others" --ntasks="$others" --exclude="$head" \
    ray start --address "$address" --num-cpus="$cores" --block &
fi

vdbench "$@" --ray-address "$address" &
run=$!
trap 'kill -TERM "$run"' TERM # Slurm's, a minute before the time limit
code=0
wait "$run" || code=$?
while kill -0 "$run" 2>/dev/null; do # the trap ended the first wait
  code=0
  wait "$run" || code=$?
done
exit "$code"
