"""Replicas: the parts of a step's samples, and how any number of ranks shares them.

Each replica's samples go through the nets by themselves, so batch norm's statistics are its own;
the step's gradient is the mean over replicas, as if each had a rank. Sums over replicas are made in
float64, so it changes nothing which rank works for which of them. Running averages are those of
replica 0, as DistributedDataParallel has it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn

from training.loop.distributed import Ranks


def replicas_of_rank(replicas: int, ranks: Ranks) -> tuple[int, ...]:
    """Return the replicas that a rank works for, the first rank for replica 0; may be none."""
    return tuple(range(ranks.rank, replicas, ranks.world))


@dataclass(frozen=True, slots=True)
class ReplicaReport:
    """What one replica's share of a step came to.

    terms: loss terms, the mean over its passes. culprit: what in it is not finite; empty: nothing.
    """

    terms: Mapping[str, float]
    culprit: str


def gather_reports(mine: Mapping[int, ReplicaReport], ranks: Ranks) -> list[ReplicaReport]:
    """Return the reports of all replicas in their order, the same on every rank."""
    told = ranks.gather(json.dumps([[replica, asdict(one)] for replica, one in mine.items()]))
    everything = sorted((place, one) for text in told for place, one in json.loads(text))
    return [ReplicaReport(**one) for _, one in everything]


def mean_terms(reports: Sequence[ReplicaReport]) -> tuple[float, dict[str, float]]:
    """Return the mean loss over replicas, and the mean of each of its terms."""
    names = list(reports[0].terms)
    values = torch.tensor([[one.terms[name] for name in names] for one in reports]).double()
    mean = values.sum(dim=0) / len(reports)
    return float(mean.sum()), dict(zip(names, mean.tolist(), strict=True))


class GradientMean:
    """The mean gradient over replicas. Owns: their sum in float64, where there are several."""

    def __init__(self, parameters: Sequence[nn.Parameter], replicas: int, ranks: Ranks) -> None:
        """Take the parameters that train; a single replica needs no sum."""
        self._parameters, self._replicas, self._ranks = list(parameters), replicas, ranks
        sizes = [parameter.numel() for parameter in self._parameters]
        length = sum(sizes) if replicas > 1 else 0
        self._sum = torch.zeros(length, dtype=torch.float64, device=ranks.device)
        self._shares = torch.split(self._sum, sizes) if length else ()

    def add(self) -> None:
        """Add the gradients of one replica and clear them."""
        for parameter, share in zip(self._parameters, self._shares, strict=bool(self._shares)):
            if parameter.grad is not None:
                share.add_(parameter.grad.reshape(-1))
                parameter.grad = None

    def share(self) -> None:
        """Give every rank the mean over all replicas as its gradients."""
        if not self._shares:
            return
        torch.distributed.all_reduce(self._sum)
        self._sum /= self._replicas
        for parameter, share in zip(self._parameters, self._shares, strict=True):
            parameter.grad = share.view_as(parameter).to(parameter.dtype)
        self._sum.zero_()


@contextmanager
def buffers_held(buffers: Sequence[Tensor]) -> Iterator[None]:
    """Give buffers back the values that they have now when the block ends."""
    before = [buffer.clone() for buffer in buffers]
    try:
        yield
    finally:
        for buffer, value in zip(buffers, before, strict=True):
            buffer.copy_(value)
