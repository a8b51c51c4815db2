"""Options that commands have besides those of a request: how the answer is given."""

from typing import Annotated

import typer

Uri = Annotated[
    str, typer.Argument(help="Folder of a data set.", metavar="URI", show_default=False)
]
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON on standard output.")]
Profile = Annotated[bool, typer.Option("--profile", help="Show seconds by stage.")]
Verbose = Annotated[bool, typer.Option("--verbose", help="Show Prefect's log too.")]
