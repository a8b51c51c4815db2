"""The table of `--profile`: where the time of a run's workers went, to the last second."""

from flows.cli.answers import print_table
from flows.progress import say
from schemas.profiling import DRIVER, ProfileTable, Spent

UNNAMED, WAITING = "between the steps", "no shard at work: start-up, orchestration, idle"


def show_profile(profile: ProfileTable, *, elapsed: float) -> None:
    """Print each step with its wall and processor seconds, the costliest first.

    elapsed: wall seconds of the run times its workers; what no shard took of them is a row too.
    """
    counted = sum((spent for spent in profile.spent.values()), Spent())
    rows = sorted(profile.spent.items(), key=lambda one: -max(one[1].cpu, one[1].wall))
    table = [
        (name, str(one.count), _seconds(one.wall - one.behind) if name != DRIVER else "",
         _seconds(one.behind) if one.behind else "", _seconds(one.cpu),
         f"{one.cpu / profile.cpu:.0%}" if profile.cpu else "")
        for name, one in rows
    ]  # fmt: skip
    table += [
        (UNNAMED, "", _seconds(max(0.0, profile.wall - (counted.wall - counted.behind))), "",
         _seconds(max(0.0, profile.cpu - counted.cpu)), ""),
        (WAITING, "", _seconds(max(0.0, elapsed - profile.wall)), "", "", ""),
        ("all", "", _seconds(elapsed), "", _seconds(profile.cpu), "100%"),
    ]  # fmt: skip
    say("Where the time of the workers went; encoding runs in threads beside the drawing:")
    print_table(("step", "times", "wall s", "beside it", "processor s", "share"), table)
    say("")


def _seconds(value: float) -> str:
    return f"{value:.3f}"
