"""`scanmill export`."""

import typer

from flows.cli.answers import print_json, print_table, say, style_of
from flows.cli.flow_runs import run_flow
from flows.cli.options import Json, Verbose
from flows.cli.request_options import request_command
from schemas.requests import ExportRequest
from tasks.formats.hdnet.hdnet_export import ExportReport
from tasks.formats.twok2k.twok2k_export import ExportSummary

EXAMPLES = (
    "scanmill export 2k2k sets/rp --to published",
    "scanmill export 2k2k sets/rp sets/thuman --to published",
    "scanmill export hdnet sets/dances sets/rp --to published",
    "scanmill export 2k2k sets/small --to published --allow-other-resolution",
)
SHOWN = 50


@request_command(ExportRequest)
def export(request: ExportRequest, *, json: Json = False, verbose: Verbose = False) -> None:
    """Write data sets in the published folder layout, file for file.

    The lists come last. Ends with 1 when samples could not be written.
    """
    style = style_of(json=json)
    if request.layout == "hdnet":
        report = run_flow("export", request, answer=ExportReport, style=style, verbose=verbose)
        _show_hdnet(report, json=json)
        return
    summary = run_flow("export", request, answer=ExportSummary, style=style, verbose=verbose)
    if json:
        print_json(summary)
    else:
        _show(summary)
    raise typer.Exit(0 if summary.passed else 1)


def _show_hdnet(report: ExportReport, *, json: bool) -> None:
    if json:
        print_json(report)
        return
    for warning in report.warnings[:SHOWN]:
        say(f"warning  {warning}")
    say(
        f"export: {report.videos} videos, {report.frames} frames, {report.pairs} pairs, "
        f"{report.samples} labelled samples in {report.to}."
    )


def _show(summary: ExportSummary) -> None:
    if summary.failures:
        rows = [(one.sample_id, one.message) for one in summary.failures[:SHOWN]]
        say(f"{len(summary.failures)} samples could not be exported:")
        print_table(("sample", "why"), rows)
        say("")
    if summary.missing:
        say(f"{len(summary.missing)} planned shards are not there; run scanmill rerun first:")
        print_table(("shard",), [(name,) for name in summary.missing[:SHOWN]])
        say("")
    skipped = f", {summary.skipped} of other cameras left out" if summary.skipped else ""
    say(f"export: {summary.views} views in {summary.to}{skipped}.")
