"""`scanmill evaluate`."""

import typer

from flows.cli.answers import Json, Verbose, print_list, print_table, say
from flows.cli.flow_runs import answer_flow
from flows.cli.request_options import request_command
from schemas.evaluate_request import EvaluateRequest
from schemas.evaluation import DataResult, EvaluateAnswer, MeshResult
from tasks.evaluation.data_evaluation import find_finished_evaluation
from tasks.evaluation.measure_names import describe_measure, format_figure

EXAMPLES = {
    "evaluate": (
        "scanmill evaluate out/person.obj --truth data/obj/RP/rp_aaron_posed_013_OBJ",
        "scanmill evaluate person.ply --truth scan.obj --preset icon --cm-per-unit 100",
        "scanmill evaluate person.glb --truth scan.ply --align similarity --points 400000 --json",
        "scanmill evaluate --data sets/rp --checkpoint runs/a --checkpoint runs/b --out figures",
        "scanmill evaluate --data sets/hdnet --checkpoint runs/hdnet-video \\",
        "    --normal-checkpoint runs/hdnet-normal --out figures",
    ),
}


@request_command(EvaluateRequest)
def evaluate(request: EvaluateRequest, *, json: Json = False, verbose: Verbose = False) -> None:
    """Measure a mesh against a scan, or checkpoints on the samples of a data set.

    Lengths are centimetres. The protocol is stored with every figure. Ends with 1 when an item
    has no figures.
    """
    found = answer_flow(
        "evaluate", request, answer=EvaluateAnswer, show=_show, json=json, verbose=verbose,
        find_finished=lambda: find_finished_evaluation(request),
    )  # fmt: skip
    raise typer.Exit(1 if found.failed else 0)


def _show(found: EvaluateAnswer) -> None:
    if found.mesh is not None:
        _show_mesh(found.mesh)
    if found.data is not None:
        _show_data(found.data)
    for path in found.files:
        say(f"  {path}")


def _show_data(result: DataResult) -> None:
    failed = [(one.sample_id, one.checkpoint, one.error) for one in result.results if one.error]
    print_list("samples have no figures", ("sample", "checkpoint", "why"), failed)
    for line in sorted({line for one in result.results for line in one.warnings}):
        say(f"warning  {line}")
    names = dict.fromkeys(name for one in result.checkpoints for name in one.measures)
    rows = [
        (
            describe_measure(name),
            *(format_figure(one.measures.get(name)) for one in result.checkpoints),
        )
        for name in names
    ]
    print_table(("measure", *(one.title for one in result.checkpoints)), rows)
    say("")
    say(
        f"{len(result.items)} samples of split {', '.join(result.split)}; intervals: "
        f"{result.confidence:.0%} of {result.resamples} bootstrap samples of scans"
    )


def _show_mesh(result: MeshResult) -> None:
    for line in result.warnings:
        say(f"warning  {line}")
    checks = {one.measure: f"± {one.standard_error:.2g}" for one in result.convergence}
    rows = [
        (describe_measure(name), f"{value:.4g}", checks.get(name, ""))
        for name, value in result.measures.items()
    ]
    print_table(("measure", "value", "standard error"), rows)
    protocol, moved = result.protocol, result.alignment
    say("")
    say(
        f"protocol {protocol.preset}: {protocol.points} points (seed {protocol.seed}), P2S from "
        f"the {protocol.p2s_from}, alignment {moved.method}, {len(protocol.yaws)} views, "
        f"{result.cm_per_unit:.4g} cm for a unit ({result.unit_source.replace('_', ' ')})"
    )
    if moved.method != "none":
        say(
            f"aligned by scale {moved.scale:.6g}, {moved.rotation_degrees:.3g} degrees, "
            f"{moved.iterations} iterations"
        )
