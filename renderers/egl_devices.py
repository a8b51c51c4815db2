"""The devices that EGL offers, and which of them a run should draw on.

EGL numbers devices by its own order; CUDA numbers GPUs by another. Where both are known
(EGL_NV_device_cuda) the first GPU of CUDA_VISIBLE_DEVICES picks the EGL device of that GPU, as
MuJoCo and dm_control do, so that drawing and training share the GPU that was given to the job.
"""

import ctypes
import re
from dataclasses import dataclass
from pathlib import Path

from renderers import egl_library as egl
from renderers.egl_library import EglLibrary
from schemas.errors import MachineError

MAX_DEVICES = 64
_PCI_ADDRESS = re.compile(r"[0-9a-fA-F]{4,8}:[0-9a-fA-F]{2}:[0-9a-fA-F]{2}\.[0-7]")


@dataclass(frozen=True, slots=True)
class EglDevice:
    """One device as EGL lists it.

    name: renderer name, else device file, else its vendor. cuda_index: number that CUDA gives the
    GPU, or None. uuid: the GPU's as nvidia-smi writes it (`GPU-...`), or None. handle: EGL's own,
    valid in this process only. pci: address on the PCI bus, as 0000:41:00.0, or None.
    """

    index: int
    name: str
    vendor: str
    is_software: bool
    cuda_index: int | None
    uuid: str | None
    handle: int
    pci: str | None = None


def list_devices(library: EglLibrary | None = None) -> tuple[EglDevice, ...]:
    """List what EGL offers, without opening any of it; may be empty.

    Raises DependencyError without libEGL, MachineError when it cannot enumerate devices.
    """
    library = library or EglLibrary.load()
    handles, count = (ctypes.c_void_p * MAX_DEVICES)(), ctypes.c_int()
    if not library.call("eglQueryDevicesEXT", MAX_DEVICES, handles, ctypes.byref(count)):
        raise MachineError(
            "EGL",
            found=f"it cannot list its devices ({library.last_error()})",
            expected="EGL_EXT_device_enumeration to work",
            hint="Reinstall the GPU driver, or libegl-mesa0 for software drawing.",
        )
    listed = enumerate(handles[: count.value])
    return tuple(_describe(library, index, handle) for index, handle in listed if handle)


def candidates(
    devices: tuple[EglDevice, ...], asked: int | None, cuda_visible: str | None
) -> tuple[EglDevice, ...]:
    """Return the devices to try, in order.

    asked: an index into devices, or None. cuda_visible: CUDA_VISIBLE_DEVICES, None where unset.
    Raises MachineError naming what was asked and offered when nothing can match.
    """
    if asked is not None:
        chosen = tuple(device for device in devices if device.index == asked)
        return chosen or _nothing(devices, f"EGL device {asked}", "Choose one of these indices.")
    if not devices:
        return _nothing(devices, "EGL", "Install libegl-mesa0 and libgl1-mesa-dri, or a driver.")
    hardware = tuple(device for device in devices if not device.is_software)
    software = tuple(device for device in devices if device.is_software)
    if cuda_visible is None or not any(device.cuda_index is not None for device in devices):
        return hardware + software
    first = cuda_visible.split(",")[0].strip()
    if first in ("", "-1", "NoDevFiles"):  # CUDA's ways of hiding every GPU
        return software + hardware
    matching = tuple(device for device in hardware if _is_cuda_device(device, first))
    return matching or _nothing(
        devices,
        f"CUDA_VISIBLE_DEVICES={cuda_visible}",
        "Give the EGL device by its index, or unset CUDA_VISIBLE_DEVICES.",
    )


def visible_gpus(devices: tuple[EglDevice, ...], cuda_visible: str | None) -> tuple[EglDevice, ...]:
    """Return the GPUs among which workers are shared out, in the order of CUDA_VISIBLE_DEVICES.

    cuda_visible: as in candidates. Devices without a number of CUDA are left out.
    """
    gpus = tuple(one for one in devices if not one.is_software and one.cuda_index is not None)
    if cuda_visible is None:
        return tuple(sorted(gpus, key=lambda one: one.cuda_index or 0))
    named = [word.strip() for word in cuda_visible.split(",")]
    return tuple(one for word in named if word for one in gpus if _is_cuda_device(one, word))


def describe_devices(devices: tuple[EglDevice, ...]) -> str:
    """Say in one line what EGL offers."""
    return ", ".join(map(_line, devices)) or "no device at all"


def _line(device: EglDevice) -> str:
    kind = "software" if device.is_software else "hardware"
    cuda = "" if device.cuda_index is None else f", CUDA {device.cuda_index}"
    return f"{device.index}: {device.name} ({kind}{cuda})"


def _is_cuda_device(device: EglDevice, expected: str) -> bool:
    """Return whether CUDA means this device by a number or by the beginning of a UUID."""
    if expected.isdecimal():
        return device.cuda_index == int(expected)
    return device.uuid is not None and device.uuid.lower().startswith(expected.lower())


def _nothing(devices: tuple[EglDevice, ...], asked: str, hint: str) -> tuple[EglDevice, ...]:
    raise MachineError(
        asked,
        found=f"EGL offers {describe_devices(devices)}",
        expected="a device of that description",
        hint=hint,
    )


def _describe(library: EglLibrary, index: int, handle: int) -> EglDevice:
    extensions = _string(library, handle, egl.EXTENSIONS).split()
    named = "EGL_EXT_device_query_name" in extensions
    vendor = _string(library, handle, egl.VENDOR) if named else ""
    name = _string(library, handle, egl.DEVICE_RENDERER) if named else ""
    if not name and "EGL_EXT_device_drm" in extensions:
        name = _string(library, handle, egl.DRM_DEVICE_FILE)
    is_software = "EGL_MESA_device_software" in extensions
    has_file = "EGL_EXT_device_drm" in extensions
    return EglDevice(
        index=index,
        name=name or ("Mesa software" if is_software else vendor or "unnamed"),
        vendor=vendor,
        is_software=is_software,
        cuda_index=_cuda_index(library, handle) if "EGL_NV_device_cuda" in extensions else None,
        uuid=_uuid(library, handle) if "EGL_EXT_device_persistent_id" in extensions else None,
        handle=handle,
        pci=_pci(_string(library, handle, egl.DRM_DEVICE_FILE)) if has_file else None,
    )


def _string(library: EglLibrary, handle: int, name: int) -> str:
    text: bytes | None = library.call("eglQueryDeviceStringEXT", handle, name)
    return (text or b"").decode(errors="replace")


def _cuda_index(library: EglLibrary, handle: int) -> int | None:
    value = ctypes.c_ssize_t()
    known = library.call("eglQueryDeviceAttribEXT", handle, egl.CUDA_DEVICE, ctypes.byref(value))
    return value.value if known else None


def _uuid(library: EglLibrary, handle: int) -> str | None:
    raw, size = (ctypes.c_ubyte * egl.UUID_BYTES)(), ctypes.c_int()
    known = library.call(
        "eglQueryDeviceBinaryEXT",
        handle,
        egl.DEVICE_UUID,
        egl.UUID_BYTES,
        ctypes.cast(raw, ctypes.c_void_p),
        ctypes.byref(size),
    )
    if not known or size.value != egl.UUID_BYTES:
        return None
    return uuid_text(bytes(raw))


def _pci(device_file: str, drivers: Path = Path("/sys/class/drm")) -> str | None:
    """Return the PCI address behind a device file as /dev/dri/card0; None: it is on no PCI bus."""
    address = (drivers / Path(device_file).name / "device").resolve().name
    return address.lower() if _PCI_ADDRESS.fullmatch(address) else None


def uuid_text(raw: bytes) -> str:
    """Write a GPU's UUID as nvidia-smi does."""
    text = raw.hex()
    return "GPU-" + "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
