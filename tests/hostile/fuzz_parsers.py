"""Fuzz every parser of ours with mutated well-formed files.

    python -m tests.hostile.fuzz_parsers --seconds 600 --seed 1

Each input must end with an answer or with an error of ours (an InputError or a RequestError that
names the file), within SECONDS_AN_INPUT. Anything else is a finding: its parser, its seed and its
exception are printed, and the exit code is 1. Inputs that gave a new kind of end (a message of
another form, or another number of seconds to a power of ten) are kept and mutated further, so that
the search goes deeper than one mutation.
"""

import argparse
import pickle
import random
import re
import signal
import sys
import tarfile
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import cv2
import numpy as np

from schemas.codecs import decode_exr, encode_depth
from schemas.config_file import read_config
from schemas.errors import ScanmillError
from schemas.manifest import DatasetDescription, Manifest, parse_record
from schemas.scan import CHART_ROW
from schemas.size_limits import read_image_header
from schemas.train_request import read_request
from schemas.views import parse_angles
from tasks.backgrounds import read_background_list
from tasks.dataset.shards import read_rows
from tasks.dataset.splits import read_splits
from tasks.fits.fit_parameters import read_fit
from tasks.reconstruction.openpose import read_openpose
from tasks.reconstruction.photos import read_photo
from tasks.scans.charts import read_charts
from tasks.scans.joints import read_joint3d, read_openpose3d
from tasks.scans.mtl import read_mtl
from tasks.scans.obj import read_obj
from tasks.scans.ply import read_ply
from tasks.scans.textures import read_texture
from tasks.video.images import read_iuv, read_mask
from tasks.video.number_grids import read_grid, read_integers
from tests.hostile.mesh_cases import BOX, HEADER, ply
from tests.hostile.mutations import mutate
from tests.tasks.fits.fit_pickles import fit_arrays, write_release_b
from tests.tasks.reconstruction.photo_files import exif_segment, joints_of, write_openpose
from tests.tasks.scan_folders import write_box, write_joints
from tests.tasks.video.sequence_files import paint_iuv, write_iuv
from training.loop.checkpoint_index import read_index
from training.weights import read_weights

SECONDS_AN_INPUT = 5.0
MAX_KEPT = 400
REPORTED = 20


@dataclass(slots=True)
class Target:
    """One parser: its name, what reads a file, well-formed files, and how inputs ended."""

    name: str
    read: Callable[[Path], object]
    kept: list[bytes]
    suffix: str = ""
    ends: Counter[str] = field(default_factory=Counter)
    inputs: int = 0


class SlowError(BaseException):
    """An input took longer than its limit; no Exception, so that no parser handles it."""


def fuzz(targets: list[Target], seconds: float, seed: int) -> list[str]:
    """Mutate files and read them in turn until the time is over; returns the findings."""
    findings: list[str] = []
    signal.signal(signal.SIGALRM, _ring)
    bound = time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as folder:
        number = 0
        while time.monotonic() < bound:
            for target in targets:
                number += 1
                finding = _try_one(target, Path(folder), seed * 1_000_003 + number)
                if finding:
                    findings.append(f"{target.name}, seed {seed}, input {number}: {finding}")
    return findings


def _try_one(target: Target, folder: Path, number: int) -> str | None:
    chance = random.Random(number)  # noqa: S311 - a reproducible search, no secret
    content = chance.choice(target.kept)
    for _ in range(chance.choice((1, 1, 2, 4))):
        content = mutate(content or b"0", chance.randrange(1 << 40))
    path = folder / f"input{target.suffix}"
    path.write_bytes(content)
    end, finding = _read(target, path)
    target.inputs += 1
    target.ends[end] += 1
    if target.ends[end] == 1 and len(target.kept) < MAX_KEPT:
        target.kept.append(content)
    return finding


def _read(target: Target, path: Path) -> tuple[str, str | None]:
    began = time.monotonic()
    signal.setitimer(signal.ITIMER_REAL, SECONDS_AN_INPUT)
    try:
        answer = target.read(path)
        if isinstance(answer, Iterator):
            for _ in answer:
                pass
        end = "read"
    except ScanmillError as error:
        end = f"{type(error).__name__}: {re.sub(r'[0-9]+|0x[0-9a-f]+', '#', error.found)[:60]}"
    except SlowError:
        return "slow", f"took longer than {SECONDS_AN_INPUT} s"
    except Exception as error:  # noqa: BLE001 - anything else is what is looked for
        end = type(error).__name__
        return end, f"{end}: {str(error)[:200]}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return f"{end} 10^{len(str(int(1000 * (time.monotonic() - began))))}", None


def _with_exif(jpeg: bytes) -> bytes:
    return jpeg[:2] + exif_segment(6) + jpeg[2:]


def make_targets(folder: Path) -> list[Target]:
    """Write one well-formed file or more for each parser."""
    write_box(folder / "box.obj")
    write_joints(folder / "joints.json")
    write_release_b(folder / "b.pkl")
    write_iuv(folder / "iuv.png", paint_iuv())
    image = np.random.default_rng(0).integers(0, 255, (48, 48, 3)).astype(np.uint8)
    images = [bytes(cv2.imencode(ending, image)[1]) for ending in (".png", ".jpg", ".bmp", ".tiff")]
    binary = HEADER.format(form="binary_little_endian", vertices=4, faces=1).encode()
    vertices = np.zeros(4, "3<f4, 3u1")
    vertices["f0"] = [[0, 0, 0], [40, 0, 0], [0, 170, 0], [0, 0, 40]]
    binary += vertices.tobytes() + b"\x03" + np.arange(3, dtype="<i4").tobytes()
    surface = np.linspace(0.5, 1.5, 256, dtype=np.float32).reshape(16, 16)
    depth = encode_depth(surface, surface + 1, np.ones((16, 16), bool))
    np.save(folder / "charts.npy", np.ones((4, 7), CHART_ROW))
    openpose = b"[" + b",".join(b"[0.1, 1.5, 0.2, 0.9]" for _ in range(118)) + b"]"
    grid = ("0.5,0.25,0.125,1\n" * 4).encode()
    mtl = b"newmtl skin\nKd 1 1 1\nmap_Kd -s 1 1 1 tex/a.jpg\n"
    yaml = b"resolution: 128\nyaws: [0, 10]\nlights: &a harmonics\nout: x\n"
    splits = b"item,subject,split\na,b,train\n,c,val\n"
    return [
        Target("OBJ", read_obj, [(folder / "box.obj").read_bytes(), (BOX + "f 1 2 3\n").encode()]),
        Target("PLY", read_ply, [ply().encode(), binary]),
        Target("MTL", read_mtl, [mtl]),
        Target("Joint3D", read_joint3d, [(folder / "joints.json").read_bytes()], ".json"),
        Target("kp3ds", read_openpose3d, [openpose], ".json"),
        Target("fit", read_fit, [pickle.dumps(fit_arrays(), protocol=2),
                                 (folder / "b.pkl").read_bytes()], ".pkl"),
        Target("charts", lambda path: read_charts(path, face_count=4),
               [(folder / "charts.npy").read_bytes()], ".npy"),
        Target("texture", read_texture, images[:2], ".png"),
        Target("image header", lambda p: read_image_header(p.read_bytes(), p.name), images),
        Target("IUV", read_iuv, [(folder / "iuv.png").read_bytes()], ".png"),
        Target("mask", read_mask, [images[0]], ".png"),
        Target("photograph", read_photo, [*images, _with_exif(images[1])], ".jpg"),
        Target("OpenPose", lambda path: read_openpose(path, "largest", (300, 180)),
               [write_openpose(folder / "o.json", joints_of(300, 180)).read_bytes()], ".json"),
        Target("EXR", lambda p: decode_exr(p.read_bytes(), ("front.Z", "back.Z")), [depth]),
        Target("grid", lambda path: read_grid(path, ",", side=4), [grid], ".txt"),
        Target("integers", lambda path: read_integers(path, columns=5),
               [b"1,100,90,101,92\n" * 6], ".txt"),
        Target("splits", read_splits, [splits], ".csv"),
        Target("backgrounds", read_background_list, [b"hall/a.jpg\nhall/b.png\n"], ".txt"),
        Target("YAML", lambda p: read_config(p, ("resolution", "yaws", "lights", "out")), [yaml]),
        Target("angles", lambda p: parse_angles(p.read_bytes().decode("latin-1"), setting="--yaws"),
               [b"-30:30:10", b"0,15,20.5"]),
        Target("manifest", lambda p: parse_record(Manifest, p.read_bytes(), source=p.name),
               [_older(r"manifests/samples/.*\.json")]),
        Target("dataset.json",
               lambda p: parse_record(DatasetDescription, p.read_bytes(), source=p.name),
               [_older(r"dataset\.json")]),
        Target("Parquet", read_rows, [_older(r"samples/.*\.parquet")], ".parquet"),
        Target("request", lambda p: read_request(p.read_bytes().decode("latin-1")),
               [b'{"stage": "2k2k-normal", "data": ["x"], "out": "y", "steps": 4}']),
        Target("safetensors", read_weights, [_weights(folder)], ".safetensors"),
        Target("checkpoint index", lambda path: _index(read_index, path), [_older(r"\.metadata")]),
    ]  # fmt: skip


def _index(read: Callable[[Path], object], path: Path) -> object:
    folder = path.parent / "step-00000001"
    folder.mkdir(exist_ok=True)
    path.replace(folder / ".metadata")
    return read(folder)


def _weights(folder: Path) -> bytes:
    from safetensors.numpy import save_file  # noqa: PLC0415 - one small file

    save_file({"a.weight": np.ones((2, 3), np.float32)}, folder / "a.safetensors")
    return (folder / "a.safetensors").read_bytes()


def _older(ending: str) -> bytes:
    """Return a file of the committed data set and training of an older version, by its path."""
    with tarfile.open(Path(__file__).parents[1] / "data/before/before.tar.xz") as archive:
        member = next(one for one in archive.getmembers() if re.search(ending + "$", one.name))
        content = archive.extractfile(member)
        assert content is not None
        return content.read()


def _ring(_signal: int, _frame: FrameType | None) -> None:
    raise SlowError


def main() -> int:
    """Fuzz, print the table, return the exit code."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--only", default="", help="parsers whose name holds this")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        targets = [one for one in make_targets(Path(folder)) if given.only in one.name]
    findings = fuzz(targets, given.seconds, given.seed)
    for one in targets:
        refused = one.inputs - sum(n for end, n in one.ends.items() if end.startswith("read "))
        print(f"{one.name:18} {one.inputs:8} inputs {refused:8} refused {len(one.ends):5} ends")  # noqa: T201
    kinds = Counter(re.sub(r"seed \d+, input \d+", "", one) for one in findings)
    print(f"{sum(one.inputs for one in targets)} inputs, {len(findings)} findings")  # noqa: T201
    for kind, count in kinds.most_common(REPORTED):
        print(f"{count:6} x {kind}")  # noqa: T201
    return int(bool(findings))


if __name__ == "__main__":
    sys.exit(main())
