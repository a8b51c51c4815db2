"""The one GL context that the tests of a process share."""

import pytest

from renderers.egl import GLContext
from renderers.session import open_session


@pytest.fixture(scope="module")
def context() -> GLContext:
    """Return this process's context, opened again where another room's tests closed it."""
    return open_session().context
