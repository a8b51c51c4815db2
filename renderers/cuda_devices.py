"""The GPU that CUDA would use first, asked of its driver: to compare with the one EGL draws on.

EGL and CUDA number devices apart, and CUDA_DEVICE_ORDER changes CUDA's order; a UUID or an address
on the PCI bus names one piece of hardware for both.
Source: CUDA driver API, cuDeviceGetUuid and cuDeviceGetPCIBusId.
"""

import ctypes
from dataclasses import dataclass
from typing import Any

from renderers.egl_devices import EglDevice, uuid_text
from renderers.egl_library import UUID_BYTES
from schemas.errors import MachineError

SUCCESS = 0
PCI_CHARS = 32


@dataclass(frozen=True, slots=True)
class CudaGpu:
    """A GPU. uuid: as nvidia-smi writes it (`GPU-...`). pci: as 0000:41:00.0; None: not known."""

    uuid: str | None
    pci: str | None


def first_gpu(driver: Any = None) -> CudaGpu | None:  # noqa: ANN401 - a library of C functions
    """Return the first GPU that CUDA sees, None without a driver or where it sees none.

    driver: libcuda; loaded when it is not given. Makes no CUDA context.
    """
    driver = _load() if driver is None else driver
    device = ctypes.c_int()
    if (
        driver is None
        or driver.cuInit(0) != SUCCESS
        or driver.cuDeviceGet(ctypes.byref(device), 0) != SUCCESS
    ):
        return None
    raw = (ctypes.c_ubyte * UUID_BYTES)()
    text = ctypes.create_string_buffer(PCI_CHARS)
    has_uuid = driver.cuDeviceGetUuid(raw, device) == SUCCESS
    has_pci = driver.cuDeviceGetPCIBusId(text, PCI_CHARS, device) == SUCCESS
    return CudaGpu(
        uuid_text(bytes(raw)) if has_uuid else None,
        text.value.decode().lower() if has_pci else None,
    )


def check_same_gpu(device: EglDevice, gpu: CudaGpu | None) -> None:
    """Raise MachineError when EGL draws on another GPU than CUDA would use.

    By the UUID, else by the PCI address, else by CUDA's own number for EGL's device; where none of
    them is known, nothing is refused.
    """
    if gpu is None or device.is_software:
        return
    for drawn, meant in ((device.uuid, gpu.uuid), (device.pci, gpu.pci)):
        if drawn and meant:
            if drawn != meant:
                raise _other(device, drawn, meant)
            return
    if device.cuda_index not in {None, 0}:
        raise _other(device, f"CUDA device {device.cuda_index}", "CUDA device 0")


def _other(device: EglDevice, drawn: str, meant: str) -> MachineError:
    return MachineError(
        f"EGL device {device.index} ({device.name})",
        found=f"it is {drawn}, and CUDA would use {meant}",
        expected="one GPU for drawing and for CUDA",
        hint="Set CUDA_DEVICE_ORDER=PCI_BUS_ID, or give the EGL device by its index (--device).",
    )


def _load() -> Any:  # noqa: ANN401 - a library of C functions
    try:
        return ctypes.CDLL("libcuda.so.1")
    except OSError:
        return None
