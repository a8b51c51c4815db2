"""Ranks: who this process is among those that torchrun started, and how they agree.

Without torchrun a run is one rank. Tensors of the model travel by nccl on GPUs, else by gloo;
control (flags, checkpoints) always by gloo.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, TypeVar, cast

import torch
import torch.distributed as dist
from torch import Tensor
from torch._C._distributed_c10d import HashStore, PrefixStore, Store
from torch.distributed.rendezvous import rendezvous

from schemas.errors import RequestError, ScanmillError

T = TypeVar("T")


class StoppedByFirst(Exception):  # noqa: N818 - no error of its own: the first rank has named it
    """The first rank met an error that ends all of them."""


@dataclass(frozen=True, slots=True)
class Ranks:
    """This process among all. control: the gloo group."""

    rank: int
    world: int
    device: torch.device
    control: dist.ProcessGroup

    @property
    def is_first(self) -> bool:
        """Say whether this is the rank that writes and speaks."""
        return self.rank == 0

    def barrier(self) -> None:
        """Wait for all ranks."""
        dist.barrier(self.control)

    def total(self, value: Tensor) -> Tensor:
        """Sum a tensor over all ranks; float64 on the CPU, so that every rank gets the same."""
        summed = value.detach().double().cpu().clone()
        dist.all_reduce(summed, group=self.control)
        return summed

    def by_first(self, work: Callable[[], T]) -> T:
        """Let the first rank work; returns its answer on every rank.

        An error of the first rank is raised there, and ends the others with StoppedByFirst.
        """
        outcome: list[tuple[T | None, ScanmillError | None]] = [(None, None)]
        if self.is_first:
            try:
                outcome = [(work(), None)]
            except ScanmillError as error:
                outcome = [(None, error)]
        dist.broadcast_object_list(outcome, src=0, group=self.control)
        answer, failure = outcome[0]
        if failure is not None:
            raise failure if self.is_first else StoppedByFirst(f"{failure}")
        return cast("T", answer)

    def gather(self, text: str) -> list[str]:
        """Return every rank's text, by rank."""
        texts: list[str] = [""] * self.world
        dist.all_gather_object(texts, text, group=self.control)
        return texts


def this_rank() -> int:
    """Return the rank that torchrun gave; 0 without it."""
    return int(os.environ.get("RANK", "0"))


def this_world() -> int:
    """Return how many ranks torchrun started; 1 without it."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def choose_device(expected: Literal["auto", "cpu", "cuda"]) -> torch.device:
    """Return the device of this rank; raises RequestError when cuda is asked for and absent."""
    if expected == "cpu" or (expected == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise RequestError(
            "--device cuda", found="no CUDA device that torch can use",
            expected="an NVIDIA GPU and a CUDA build of torch", hint="Train with --device cpu.",
        )  # fmt: skip
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))


@contextmanager
def join_ranks(device: torch.device) -> Iterator[Ranks]:
    """Join the process group; leave it when done, without waiting after an error."""
    rank, world = this_rank(), this_world()
    backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
    if device.type == "cuda":
        torch.cuda.set_device(device)
    dist.init_process_group(backend, store=_meeting_place(), rank=rank, world_size=world)
    try:
        yield Ranks(rank, world, device, dist.new_group(backend="gloo"))
    finally:
        dist.destroy_process_group()


def _meeting_place() -> Store:
    """Return the store through which ranks find each other; a new corner of it at each attempt.

    torchrun keeps one store over its restarts, where a rank of the second attempt may find the
    addresses of the first and fail to connect. On one node the attempt's number is the same for
    all ranks and keeps them apart; across nodes it is not, so there start torchrun with
    TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1, which makes a new store for every attempt.
    """
    if "RANK" not in os.environ:
        return HashStore()
    shared, _, _ = next(rendezvous("env://"))
    if os.environ.get("LOCAL_WORLD_SIZE") != os.environ["WORLD_SIZE"]:
        across_nodes: Store = shared
        return across_nodes
    attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
    return PrefixStore(f"attempt-{attempt}", shared)
