"""What every test shares: shapes in annotations are checked while tests run."""

import pytest
from jaxtyping import install_import_hook

from tests import typecheck

install_import_hook(
    ["schemas", "renderers", "people", "tasks", "training"],
    typechecker=f"{typecheck.__name__}.check",
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a file on one worker, so that what they share is made once."""
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.path.as_posix()))
