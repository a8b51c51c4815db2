"""The published formats: one row each. A new format is a package of the same shape and a row here.

<format>_layout   names of files and folders
<format>_export   plan_export: data sets to pieces that are written, and closed with lists
<format>_import   open_folder: what a folder holds; read_sample: one of its samples
<format>_check    check_folder: anybody's folder held to the rules of the published reader
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from schemas.camera import LayoutName
from schemas.dataset_folder import DatasetFolder
from schemas.scan import ScanRef
from schemas.settings import RenderSettings
from schemas.views import View
from schemas.work import MapUnits
from tasks.formats.exporting import ExportPlan, ExportTarget
from tasks.formats.hdnet.hdnet_check import check_folder as check_hdnet
from tasks.formats.hdnet.hdnet_export import plan_export as plan_hdnet
from tasks.formats.hdnet.hdnet_import import open_folder as open_hdnet
from tasks.formats.hdnet.labelled_import import read_sample as read_hdnet
from tasks.formats.importing import ImportSource, SampleWithFiles
from tasks.formats.outcomes import FolderCheck
from tasks.formats.twok2k.twok2k_check import check_folder as check_2k2k
from tasks.formats.twok2k.twok2k_export import plan_export as plan_2k2k
from tasks.formats.twok2k.twok2k_import import open_folder as open_2k2k
from tasks.formats.twok2k.twok2k_import import read_sample as read_2k2k


@dataclass(frozen=True, slots=True)
class Format:
    """One published format."""

    plan_export: Callable[[Sequence[DatasetFolder], ExportTarget], ExportPlan]
    open_folder: Callable[[Path], ImportSource]
    read_sample: Callable[[Path, ScanRef, View, RenderSettings], SampleWithFiles]
    check_folder: Callable[[Path, MapUnits], FolderCheck]


FORMATS: dict[LayoutName, Format] = {
    "2k2k": Format(plan_2k2k, open_2k2k, read_2k2k, check_2k2k),
    "hdnet": Format(plan_hdnet, open_hdnet, read_hdnet, check_hdnet),
}
