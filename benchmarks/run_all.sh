#!/usr/bin/env bash
# Runs every measurement in turn; each prints its ratio to a named baseline of the same run.
# DATA: a root in RenderPeople's layout and one of its items; by default a person made on the spot.
set -euo pipefail
cd "$(dirname "$0")/.."

data=${1:-} item=${2:-rp_mhmale_posed_001}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
if [ -z "$data" ]; then
    data=$folder/people item=rp_synth000_posed_001
    .venv/bin/scanmill synth --out "$data" --subjects 1 --texture 4096 --backgrounds 1
fi

export SCANMILL_BENCH_RATIOS=$folder/ratios.jsonl
measure() { printf '\n== %s\n' "$*"; .venv/bin/python -m "benchmarks.$@"; }

measure obj
measure render "$data" --item "$item"
measure render "$data" --item "$item" --cases million mixed --yaws=-30,30 --rounds 1
measure render_floor "$data" --item "$item"
measure growth --sizes 10 100 1000
measure fidelity "$data" --item "$item"
measure memory
.venv/bin/scanmill synth --out "$folder/few" --subjects 8 --texture 512 --backgrounds 4
.venv/bin/scanmill render --data "$folder/few" --dataset RP --out "$folder/many" --resolution 256 --yaws 0:345:15
measure export_memory "$folder/many"
.venv/bin/scanmill render --data "$folder/few" --dataset RP --out "$folder/labelled" --camera hdnet --yaws 0
measure depth_normals "$folder/labelled"
measure pairs
.venv/bin/scanmill render --data "$data" --dataset RP --out "$folder/full" --backgrounds "$folder/few/IndoorCVPR09"
measure loader "$folder/full" --backgrounds "$folder/few/IndoorCVPR09"
measure step_parts "$folder/full" --backgrounds "$folder/few/IndoorCVPR09" --width 0.1
measure train_step

measure guard "$SCANMILL_BENCH_RATIOS"
