"""The flow `report`: data sets and trainings in, one page out."""

from pathlib import Path

from flows.request_flow import request_flow
from schemas.addresses import is_address
from schemas.output_folder import output_folder
from schemas.requests import ReportAnswer, ReportRequest
from tasks.report.page import build_report


@request_flow(ReportRequest, name="report", run_name="report to {out}")
def report(request: ReportRequest) -> ReportAnswer:
    """Write the page; raises RequestError when a folder is neither data set nor training."""
    if not is_address(request.out):
        return ReportAnswer(path=str(build_report(request.uris, Path(request.out))))
    place, _, name = request.out.rpartition("/")
    with output_folder(place, replaces=True) as folder:
        build_report(request.uris, folder / name)
    return ReportAnswer(path=request.out)
