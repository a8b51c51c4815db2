"""EGL's device against CUDA's: by recorded answers, as there is no GPU here."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from renderers.cuda_devices import CudaGpu, check_same_gpu, first_gpu
from renderers.egl_devices import EglDevice, _pci, visible_gpus
from schemas.errors import MachineError

if TYPE_CHECKING:
    import ctypes

RAW = bytes.fromhex("6b3c4f1e90a24d5e8b7f2a1c3d4e5f60")
UUID = "GPU-6b3c4f1e-90a2-4d5e-8b7f-2a1c3d4e5f60"
OTHER = "GPU-00000000-90a2-4d5e-8b7f-2a1c3d4e5f60"
PCI = "0000:41:00.0"
GPU = CudaGpu(UUID, PCI)


@dataclass
class RecordedDriver:
    """Answers as libcuda does on a machine with one GPU; fails: functions that end with 100."""

    fails: tuple[str, ...] = ()

    def cuInit(self, _flags: int) -> int:  # noqa: N802 - CUDA's name
        """Begin."""
        return 100 * ("cuInit" in self.fails)

    def cuDeviceGet(self, device: object, number: int) -> int:  # noqa: N802
        """Name a device by its number."""
        assert number == 0
        del device
        return 100 * ("cuDeviceGet" in self.fails)

    def cuDeviceGetUuid(self, raw: "ctypes.Array[ctypes.c_ubyte]", _device: object) -> int:  # noqa: N802
        """Write 16 bytes."""
        raw[:] = list(RAW)
        return 100 * ("cuDeviceGetUuid" in self.fails)

    def cuDeviceGetPCIBusId(  # noqa: N802
        self, text: "ctypes.Array[ctypes.c_char]", _size: int, _device: object
    ) -> int:
        """Write an address, in capitals where it has letters."""
        text.value = b"0000:41:00.0"
        return 100 * ("cuDeviceGetPCIBusId" in self.fails)


def drawn_on(*, uuid: str | None = None, pci: str | None = None, cuda: int | None = None) -> None:
    """Check an EGL device against the recorded GPU."""
    check_same_gpu(EglDevice(1, "NVIDIA", "NVIDIA", False, cuda, uuid, 7, pci), GPU)


@pytest.mark.parametrize(
    ("fails", "expected"),
    [
        ((), GPU),
        (("cuDeviceGetUuid",), CudaGpu(None, PCI)),
        (("cuDeviceGetPCIBusId",), CudaGpu(UUID, None)),
        (("cuInit",), None),
        (("cuDeviceGet",), None),
    ],
)
def test_first_gpu_is_named_as_far_as_the_driver_tells(
    fails: tuple[str, ...], expected: CudaGpu | None
) -> None:
    assert first_gpu(RecordedDriver(fails)) == expected


def test_same_hardware_is_accepted_whatever_the_numbers() -> None:
    drawn_on(uuid=UUID, cuda=3)
    drawn_on(pci=PCI, cuda=3)
    drawn_on(cuda=0)
    drawn_on()


@pytest.mark.parametrize(
    ("uuid", "pci", "named"),
    [(OTHER, None, OTHER), (None, "0000:42:00.0", "0000:42:00.0"), (OTHER, PCI, OTHER)],
)
def test_other_hardware_is_refused_with_both_names(
    uuid: str | None, pci: str | None, named: str
) -> None:
    with pytest.raises(MachineError, match=rf"it is {named}, and CUDA would use"):
        drawn_on(uuid=uuid, pci=pci)


def test_other_number_is_refused_where_nothing_better_is_known() -> None:
    with pytest.raises(MachineError, match=r"CUDA device 1, and CUDA would use CUDA device 0"):
        drawn_on(cuda=1)


def test_software_needs_no_gpu() -> None:
    check_same_gpu(EglDevice(0, "Mesa", "Mesa", True, None, None, 1), GPU)
    check_same_gpu(EglDevice(1, "NVIDIA", "NVIDIA", False, 1, OTHER, 7), None)


def test_pci_address_is_what_the_device_file_stands_for(tmp_path: Path) -> None:
    hardware = tmp_path / "devices/pci0000:40/0000:41:00.0"
    hardware.mkdir(parents=True)
    (tmp_path / "card0").mkdir()
    (tmp_path / "card0/device").symlink_to(hardware)
    assert _pci("/dev/dri/card0", tmp_path) == PCI
    assert _pci("/dev/dri/card1", tmp_path) is None


def gpu(index: int, cuda: int, uuid: str = UUID) -> EglDevice:
    """Make a GPU of EGL's."""
    return EglDevice(index, "NVIDIA", "NVIDIA", False, cuda, uuid, index)


@pytest.mark.parametrize(
    ("visible", "expected"),
    [(None, [5, 4]), ("1", [4]), ("1,0", [4, 5]), ("", []), (OTHER[:8], [5])],
)
def test_gpus_are_shared_out_in_the_order_that_was_given(
    visible: str | None, expected: list[int]
) -> None:
    offered = (EglDevice(0, "Mesa", "Mesa", True, None, None, 1), gpu(4, 1), gpu(5, 0, OTHER))
    assert [one.index for one in visible_gpus(offered, visible)] == expected
