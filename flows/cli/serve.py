"""`scanmill serve`."""

from flows.cli.answers import print_table, say
from flows.cli.flow_runs import end_by_interrupt
from flows.cli.request_options import request_command
from flows.local_server import POOL, Serving, serving
from schemas.requests import ServeRequest

EXAMPLES = {
    "serve": ("scanmill serve", "scanmill serve --port 4300 --limit 1 --file nightly/prefect.yaml")
}


@request_command(ServeRequest)
def serve(request: ServeRequest) -> None:
    """Start a Prefect server, a worker and all deployments on this machine; Ctrl-C ends them.

    The page is on loopback alone. What ran and what is due is kept in Prefect's own folder
    (PREFECT_HOME, else ~/.prefect) and is there again the next time.
    """
    end_by_interrupt()
    try:
        with serving(request, say=say) as there:
            _show(there, request)
            there.wait(say)
    except KeyboardInterrupt:
        say("Ended: the worker with its runs, then the server.")


def _show(there: Serving, request: ServeRequest) -> None:
    print_table(("deployment", "due"), [(one.name, one.schedule) for one in there.deployments])
    say("")
    say(f"  page      {there.address}")
    say(f"  worker    pool {POOL}, at most {request.limit} runs at once")
    say(f"  logs      {there.server.log.parent}")
    say(f"Commands in other terminals show there with PREFECT_API_URL={there.address}/api.")
    say("Ctrl-C ends all of it.")
