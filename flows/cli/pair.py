"""`scanmill pair`."""

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.options import AcceptRejects, Json, Verbose, Workers, fill
from flows.cli.run_answers import run_and_answer
from flows.pair_steps import find_nothing_to_pair
from flows.video_requests import PairRequest, check_pair
from schemas.pairing import PairSettings
from tasks.video.sequences import find_sequences

EXAMPLES = (
    "scanmill pair --data DIR --out sets/dances",
    "scanmill pair --data DIR --out sets/dances --min-neighbours 2",
    "scanmill pair --data DIR --out sets/dances --policy widest --reach 24 --left-right-px 2",
    "DIR/tiktok/VIDEO/color/0000001.png, densepose/0000001.png, mask/0000001.png; or DIR=VIDEO",
)


def pair(
    *,
    data: Annotated[
        str, typer.Option(metavar="DIR", help="Videos, or a video's folder.", show_default=False)
    ],
    out: Annotated[
        str,
        typer.Option(
            metavar="URI", help="Folder of the data set to make or add to.", show_default=False
        ),
    ],
    reach: Annotated[
        int | None, typer.Option(min=1, help="Farthest neighbour, frames.  [default: 12]")
    ] = None,
    step: Annotated[
        int | None, typer.Option(min=1, help="Neighbours stand at its multiples.  [default: 3]")
    ] = None,
    policy: Annotated[
        str | None,
        typer.Option(help="Who comes first: nearest, overlap or widest.  [default: nearest]"),
    ] = None,
    neighbours: Annotated[
        int | None, typer.Option(min=1, help="At most so many for a frame.  [default: 4]")
    ] = None,
    min_neighbours: Annotated[
        int | None, typer.Option(min=1, help="Frames with fewer are left out.  [default: 4]")
    ] = None,
    min_parts: Annotated[
        int | None, typer.Option(min=1, help="Parts that neighbours share.  [default: 5]")
    ] = None,
    min_shared: Annotated[
        int | None, typer.Option(min=0, help="A shared part has more matches.  [default: 50]")
    ] = None,
    min_part_matches: Annotated[
        int | None, typer.Option(min=1, help="Parts with fewer are dropped.  [default: 10]")
    ] = None,
    max_distance: Annotated[
        float | None, typer.Option(help="Matches are nearer in UV of 0..255.  [default: 7]")
    ] = None,
    mutual: Annotated[
        bool | None, typer.Option("--mutual", help="Keep matches that are nearest both ways.")
    ] = None,
    left_right_px: Annotated[
        float | None, typer.Option(min=0, help="Keep matches whose way back ends so near.")
    ] = None,
    crop: Annotated[
        str | None,
        typer.Option(
            help="Window of frames that are not 256 x 256: sequence or frame.  [default: sequence]"
        ),
    ] = None,
    split_seed: Annotated[
        int | None, typer.Option(min=0, help="Seed of train, val, test.  [default: 0]")
    ] = None,
    workers: Workers = None,
    accept_rejects: AcceptRejects = "0",
    profile: Annotated[bool, typer.Option("--profile", help="Show seconds by stage.")] = False,
    json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Find correspondences between the frames of videos; only what is not done yet.

    Ends with 1 when frames or videos were rejected; they are listed with their reasons.
    """
    given: dict[str, object] = {
        "reach": reach, "step": step, "policy": policy, "neighbours": neighbours,
        "min_neighbours": min_neighbours, "min_parts": min_parts, "min_shared": min_shared,
        "min_part_matches": min_part_matches, "max_distance": max_distance, "mutual": mutual,
        "left_right_px": left_right_px, "crop": crop, "split_seed": split_seed,
    }  # fmt: skip
    settings = {key: value for key, value in given.items() if value is not None}
    request = PairRequest(
        data=data, out=out, settings=fill(PairSettings, settings, source=""),
        workers=workers, accept_rejects=accept_rejects,
    )  # fmt: skip
    check_pair(request)
    find_sequences(Path(data))
    run_and_answer(
        "pair", request, resolved=lambda: find_nothing_to_pair(request),
        json=json, profile=profile, verbose=verbose,
    )  # fmt: skip
