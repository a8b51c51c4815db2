"""The flow `report`: data sets and trainings in, one page out."""

from pathlib import Path

from prefect import flow

from flows.run_requests import ReportAnswer, ReportRequest
from tasks.report.page import build_report


@flow(name="report", flow_run_name="report to {request.out}")
def report(request: ReportRequest) -> ReportAnswer:
    """Write the page; raises RequestError when a folder is neither data set nor training."""
    return ReportAnswer(path=str(build_report(request.uris, Path(request.out))))
