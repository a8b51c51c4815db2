"""What every test shares: shapes in annotations are checked while tests run."""

from jaxtyping import install_import_hook

from tests import typecheck

install_import_hook(
    ["schemas", "renderers", "tasks", "training"], typechecker=f"{typecheck.__name__}.check"
)
