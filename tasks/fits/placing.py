"""Place a scan with all that its fit says: which way the person faces, and how big a unit is."""

from renderers.placement import Placement, place_scan
from schemas.scan import Scan
from schemas.settings import RenderSettings
from tasks.fits.fronting import yaw_of_fit


def place_fitted(scan: Scan, settings: RenderSettings) -> Placement:
    """Place a scan; without a fit it is placed unturned, by the size that its data set has.

    Raises InputError when the mesh has no extent.
    """
    if scan.fit is None:
        return place_scan(scan.mesh, scan.ref, assumed_height_m=settings.assumed_height_m)
    return place_scan(
        scan.mesh,
        scan.ref,
        assumed_height_m=settings.assumed_height_m,
        fronting_yaw_deg=yaw_of_fit(scan.fit, settings.fronting) or 0.0,
        fitted_metres_per_file_unit=scan.fit.metres_per_file_unit,
    )
