"""What the first run decides for a whole data set, and every other run must agree with.

    dataset.json       settings
    backgrounds.json   the usable backgrounds, frozen; an empty list means black

Both are created once; backgrounds.json is replaced only where a run asks for a new version.
"""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from schemas.dataset_folder import DatasetFolder
from schemas.dataset_reader import BACKGROUNDS_NAME, DESCRIPTION_NAME
from schemas.dataset_store import ConflictError
from schemas.errors import InputError, RequestError
from schemas.manifest import BackgroundList, DatasetDescription
from schemas.pairing import PairSettings
from schemas.settings import RenderSettings, digest_of, refuse_difference
from tasks.dataset.code_digest import scanmill_version
from tasks.dataset.lease import hold_lease

OWN_NAMES = frozenset(
    {"README.md", "dataset.json", "plan", "backgrounds.json", "samples", "frames", "pairs",
     "manifests", "failed", "claims", "runs"}
)  # fmt: skip
"""What the folder of a data set holds. Source: docs/dataset-folder.md."""


def prepare_dataset(folder: DatasetFolder, settings: RenderSettings) -> DatasetDescription:
    """Create dataset.json, or check that the one there has the same settings.

    Removes what killed writers left. Raises RequestError naming what differs, or when a folder
    of other things is in the way.
    """

    def begin_rendering(stored: DatasetDescription) -> dict[str, object]:
        """Give a data set that was begun with videos its settings of rendering."""
        return {} if stored.renders else _render_fields(settings) | {"renders": True}

    stored = _begin(folder, _render_fields(settings))
    if not stored.renders:
        stored = _change(folder, begin_rendering)
    refuse_difference(folder.uri, stored=stored.settings, asked=settings)
    sweep_leftovers(folder)  # not before: only now is it known to be a data set
    return stored


def prepare_pairing(folder: DatasetFolder, settings: PairSettings) -> DatasetDescription:
    """Decide the pair settings of a data set, or check that it has the same.

    Until a pair is committed the settings may still change: a refused video names the setting
    that would admit it. Raises RequestError naming what differs, or what is in the way.
    """
    fields = {"pairing": settings, "pairing_digest": digest_of(settings)}

    def begin_pairing(stored: DatasetDescription) -> dict[str, object]:
        is_open = stored.pairing is None or not _has_pairs(folder)
        return dict(fields) if is_open and stored.pairing != settings else {}

    _begin(folder, _render_fields(RenderSettings()) | fields | {"renders": False})
    stored = _change(folder, begin_pairing)
    refuse_difference(folder.uri, stored=stored.pairing or settings, asked=settings)
    return stored


def sweep_leftovers(folder: DatasetFolder) -> tuple[str, ...]:
    """Remove the temporary files of killed writers; what is being written now stays."""
    return folder.store.sweep(folder.places)


def resolve_backgrounds(
    folder: DatasetFolder,
    root: Path | None,
    *,
    listed: Path | None = None,
    refresh: bool = False,
) -> BackgroundList:
    """Freeze the backgrounds below root, or read what the first run froze.

    listed: a text list of the images to use. refresh: look at root again; what differs from the
    frozen list becomes a new version, and makes shards of older versions stale.
    Raises RequestError when the data set was begun with backgrounds and none are given, or the
    other way round.
    """
    if not folder.has_backgrounds:
        chosen = _list_backgrounds(root, listed)
        with suppress(ConflictError):  # another run was first
            folder.store.write(BACKGROUNDS_NAME, chosen.model_dump_json(indent=1), seen=None)
    elif refresh:
        _renew_backgrounds(folder, _list_backgrounds(root, listed))
    frozen = folder.read_backgrounds()
    if bool(frozen.images) != (root is not None):
        raise RequestError(
            "--backgrounds",
            found=f"{root or 'no folder'}",
            expected=f"{len(frozen.images)} frozen images, as the data set was begun with",
            hint="Give the folder of the first run, start a new version with "
            "--refresh-backgrounds, or render into a new data set.",
        )
    return frozen


def _begin(folder: DatasetFolder, fields: dict[str, object]) -> DatasetDescription:
    """Create dataset.json where there is none, and read it; raises RequestError."""
    if not folder.has_description:
        folder.store.require_writable()
        _refuse_foreign(folder)
        first = DatasetDescription.model_validate({"scanmill": scanmill_version(), **fields})
        with suppress(ConflictError):  # another run was first; its settings are compared
            folder.store.write(DESCRIPTION_NAME, first.model_dump_json(indent=1), seen=None)
    return folder.read_description()


def _change(
    folder: DatasetFolder, change: Callable[[DatasetDescription], dict[str, object]]
) -> DatasetDescription:
    """Replace fields of dataset.json while no other run does; an empty change writes nothing."""
    with hold_lease(folder.store):
        while True:
            seen, stored = folder.store.stamp(DESCRIPTION_NAME), folder.read_description()
            update = change(stored)
            if not update:
                return stored
            changed = stored.model_copy(update=update)
            with suppress(ConflictError):  # another run renewed the totals
                folder.store.write(DESCRIPTION_NAME, changed.model_dump_json(indent=1), seen=seen)
                return changed


def _render_fields(settings: RenderSettings) -> dict[str, object]:
    return {"settings": settings, "settings_digest": digest_of(settings)}


def _has_pairs(folder: DatasetFolder) -> bool:
    """Return whether any committed shard holds a pair; what can't be read may hold one."""
    for shard_id in folder.committed_shards("pairs"):
        try:
            if folder.read_manifest(shard_id, "pairs").rows:
                return True
        except (InputError, OSError):
            return True
    return False


def _list_backgrounds(root: Path | None, listed: Path | None) -> BackgroundList:
    if root is None:
        return BackgroundList(images=())
    # OpenCV and OpenEXR, for which a command that has nothing to do would wait.
    from tasks.backgrounds import freeze_backgrounds  # noqa: PLC0415

    return freeze_backgrounds(root, listed=listed)


def _renew_backgrounds(folder: DatasetFolder, found: BackgroundList) -> None:
    """Write the next version of the list, when it is another one."""
    with hold_lease(folder.store) as lease:
        seen, frozen = folder.store.stamp(BACKGROUNDS_NAME), folder.read_backgrounds()
        if found.images != frozen.images:
            renewed = found.model_copy(update={"version": frozen.version + 1})
            lease.check()
            folder.store.write(BACKGROUNDS_NAME, renewed.model_dump_json(indent=1), seen=seen)


def _refuse_foreign(folder: DatasetFolder) -> None:
    """Refuse a place that holds other things than a data set does."""
    names = folder.store.list_names("")
    foreign = [name for name in names if name not in OWN_NAMES and not name.startswith(".")]
    if foreign:
        raise RequestError(
            folder.uri,
            found=f"no dataset.json, but {min(foreign)!r}",
            expected="an empty or new folder, or a scanmill data set",
            hint="Give another --out.",
        )
