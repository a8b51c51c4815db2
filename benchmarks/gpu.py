"""Everything that needs a GPU, in slices of less than eight minutes, and a table of what they gave.

    python -m benchmarks.gpu OUT [--only NAME] [--list]

OUT takes the people, data sets and trainings that the slices make; a slice whose data is there goes
on with it, so that slices can be run one by one. Each is a program that a user could type; its last
lines are shown, and all of its words are in OUT/NAME.log. On a machine without an NVIDIA device
nothing is run but the making of the data, the table says so, and the program ends with 0.
"""

import argparse
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import torch

from renderers.egl_devices import EglDevice, list_devices
from schemas.errors import ScanmillError

LIMIT_S = 480
SHOWN_LINES = 4
PYTHON, CLI = (sys.executable, "-m"), (sys.executable, "-m", "flows.cli")


@dataclass(frozen=True, slots=True)
class Slice:
    """A program. gpus: how many CUDA devices it needs; 0: none."""

    name: str
    command: tuple[str, ...]
    gpus: int = 1


def list_slices(out: Path, egl: tuple[EglDevice, ...]) -> list[Slice]:
    """List all slices in an order in which each finds its data."""
    people, views, run = str(out / "people"), str(out / "views"), out / "runs"
    item = ("--item", "rp_synth000_posed_001")
    made = [
        Slice(
            "people", (*CLI, "synth", "--out", people, "--subjects", "8", "--texture", "4096"), 0
        ),
        Slice("doctor", (*CLI, "doctor"), 0),
    ]
    drawn = [
        one
        for device in egl
        for one in (
            Slice(f"fidelity-{device.index}",
                  (*PYTHON, "benchmarks.fidelity", people, *item, "--device", str(device.index))),
            Slice(f"views-{device.index}",
                  (*CLI, "render", "--data", people, "--dataset", "RP", "--profile",
                   "--device", str(device.index), "--yaws", "0:330:30", "--workers", "4",
                   "--out", f"{views}-{device.index}")),
        )
    ]  # fmt: skip
    data = f"{views}-{egl[0].index}" if egl else views
    train = (*CLI, "train", "2k2k-normal", "--data", data, "--steps", "40", "--resolution", "1024")
    trained = [
        Slice(f"nccl-{ranks}", (*train, "--out", str(run / f"nccl-{ranks}"), "--device", "cuda",
                                "--nproc", str(ranks)), ranks)
        for ranks in (1, 2)
    ]  # fmt: skip
    bf16 = ("--out", str(run / "bf16"), "--device", "cuda", "--precision", "bf16")
    steps = ("benchmarks.train_step", "--device", "cuda", "--width", "1", "--resolution")
    return [
        *made, *drawn, *trained,
        Slice("bf16", (*train, *bf16)),
        Slice("step-2k2k", (*PYTHON, *steps, "2048", "--stage", "2k2k-normal", "2k2k-depth")),
        Slice("step-hdnet", (*PYTHON, *steps, "2048", "--stage", "hdnet-normal", "hdnet-depth")),
        Slice("loader", (*PYTHON, "benchmarks.loader", data, "--workers", "8"), 1),
        Slice("learning", (*PYTHON, "benchmarks.learning", data, "--out", str(out / "learning"),
                           "--size", "gpu", "--seeds", "1", "--budget", "0.2")),
    ]  # fmt: skip


def run_slice(one: Slice, out: Path) -> tuple[str, str]:
    """Run one; returns how it ended, and the last of its words."""
    log, began = out / f"{one.name}.log", perf_counter()
    with log.open("w") as words:
        try:
            code = subprocess.run(
                one.command, stdout=words, stderr=subprocess.STDOUT, timeout=LIMIT_S, check=False
            ).returncode
            ended = "done" if code == 0 else f"failed with {code}"
        except subprocess.TimeoutExpired:
            ended = f"ended after {LIMIT_S} s"
    last = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return f"{ended}, {perf_counter() - began:.0f} s", "\n    ".join(last[-SHOWN_LINES:])


def nvidia_devices() -> tuple[EglDevice, ...]:
    """List the EGL devices that CUDA knows too; none where EGL can't list any."""
    try:
        return tuple(one for one in list_devices() if one.cuda_index is not None)
    except ScanmillError:
        return ()


def main() -> int:
    """Run the slices that this machine can run; return 1 when one of them failed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("--only", action="append", help="name of a slice; may be repeated")
    parser.add_argument("--list", action="store_true", help="name the slices and end")
    given = parser.parse_args()
    egl, gpus = nvidia_devices(), torch.cuda.device_count()
    chosen = [
        one for one in list_slices(given.out, egl) if not given.only or one.name in given.only
    ]
    print(f"EGL devices of NVIDIA: {len(egl)}; CUDA devices: {gpus}")
    if given.list:
        print("\n".join(one.name for one in chosen))
        return 0
    given.out.mkdir(parents=True, exist_ok=True)
    failed = 0
    for one in chosen:
        if one.gpus > gpus:
            print(f"{one.name:14} not run: needs {one.gpus} CUDA devices")
            continue
        ended, words = run_slice(one, given.out)
        failed += not ended.startswith("done")
        print(f"{one.name:14} {ended}\n    {words}", flush=True)
    if not egl and not gpus:
        print("No GPU: nothing of this was run on one.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
