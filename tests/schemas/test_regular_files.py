import os
import socket
from pathlib import Path

import pytest

from schemas.errors import InputError
from schemas.regular_files import open_regular_file, read_text, read_whole


def _pipe(folder: Path) -> Path:
    path = folder / "pipe"
    os.mkfifo(path)
    return path


def _socket(folder: Path) -> Path:
    path = folder / "s"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
    return path


@pytest.mark.parametrize(
    "make", [_pipe, _socket, lambda folder: folder, lambda _: Path("/dev/zero")]
)
def test_what_is_no_regular_file_is_refused_without_waiting(tmp_path: Path, make: object) -> None:
    assert callable(make)
    with pytest.raises(InputError) as caught:
        open_regular_file(make(tmp_path))
    assert caught.value.found == "a folder, pipe or device"


def test_a_pipe_behind_a_link_is_refused_too(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(_pipe(tmp_path))
    with pytest.raises(InputError, match="pipe or device"):
        read_whole(link, 10)


def test_a_pipe_that_takes_the_place_of_a_file_does_not_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe = _pipe(tmp_path)
    monkeypatch.setattr("schemas.regular_files.measure_file", lambda _: 3)
    with pytest.raises(InputError, match="pipe or device"):
        open_regular_file(pipe)


def test_the_size_is_judged_before_a_byte_is_read(tmp_path: Path) -> None:
    path = tmp_path / "sparse"
    path.touch()
    os.truncate(path, 1 << 40)
    with pytest.raises(InputError) as caught:
        read_whole(path, 1 << 20)
    assert (caught.value.found, caught.value.expected) == (f"{1 << 40} bytes", "1 to 1048576 bytes")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_whole(tmp_path / "nothing", 10)
    assert caught.value.found == "no such file"
    assert caught.value.thing == str(tmp_path / "nothing")


def test_text_is_read_without_its_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes(b"\xef\xbb\xbfone\n")
    assert read_text(path) == "one\n"


def test_what_is_no_text_is_refused_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes(b"one\xff")
    with pytest.raises(InputError) as caught:
        read_text(path)
    assert caught.value.found == "byte 3 is no text"
