import pickle
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import InputError
from tasks.fits.arrays import RefusedPickleError
from tasks.fits.pickles import read_pickled_table, run_pickle
from tests.tasks.fits.fit_pickles import Opener, fit_arrays


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_numbers_and_arrays_are_read_from_every_protocol(tmp_path: Path, protocol: int) -> None:
    arrays = {
        "matrix": np.arange(6, dtype=np.float32).reshape(2, 3),
        "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "big_endian": np.array([1.5, 2.5], ">f8"),
        "zero_d": np.array(0.42),
        "scalar": np.float64(0.25),
        "number": 7,
        "flag": True,
        "list": [1, 2.5],
    }
    path = tmp_path / "a.pkl"
    path.write_bytes(pickle.dumps(arrays, protocol=protocol))
    read = read_pickled_table(path)
    assert read.keys() == arrays.keys()
    for name, value in arrays.items():
        np.testing.assert_array_equal(read[name], np.asarray(value))


def test_a_hostile_pickle_is_refused_by_the_name_it_asked_for_and_does_nothing(
    tmp_path: Path,
) -> None:
    trap, path = tmp_path / "opened", tmp_path / "a.pkl"
    path.write_bytes(pickle.dumps({"betas": Opener(trap)}))
    with pytest.raises(InputError, match=r"asks for '(_io|io)\.open'"):
        read_pickled_table(path)
    assert not trap.exists()


@pytest.mark.parametrize(
    ("pickled", "named"),
    [
        (b"cposix\nsystem\n(S'true'\ntR.", "asks for 'posix.system'"),
        (b"(S'true'\niposix\nsystem\n.", "uses INST for 'posix.system'"),
        (b"cbuiltins\neval\n(S'1'\ntR.", "asks for 'builtins.eval'"),
        (b"\x80\x04\x8c\x05numpy\x8c\x0dload.__init__\x93.", "asks for 'numpy.load.__init__'"),
        (b"\x80\x02cnumpy\nndarray\n)\x81.", "uses NEWOBJ"),
        (b"Psecret\n.", "uses PERSID for 'secret'"),
        (b"\x80\x02\x82\x01.", "uses EXT1"),
        (b"cnumpy\nndarray\n(K\x01tR.", "calls numpy.ndarray"),
        (b"cnumpy\nndarray\n}b.", "sets the state of a Name"),
        (b"cnumpy\ndtype\n(S'O8'\ntR.", "has values of type 'O8', expected plain numbers"),
        (b"c_codecs\nencode\n(Vx\nVrot13\ntR.", "encodes something else than latin1 text"),
        (b"}.", ""),
    ],
)
def test_what_is_not_numbers_is_refused_by_name(pickled: bytes, named: str) -> None:
    if not named:
        assert run_pickle(pickled) == {}
        return
    with pytest.raises(RefusedPickleError, match=named.replace(".", r"\.")):
        run_pickle(pickled)


@pytest.mark.parametrize(
    ("pickled", "reason"),
    [
        (b"N" + b"\x85" * 60_000 + b".", "more than 50000 opcodes"),
        (b"\x80\x04" + b"(" + b"N0" * 30_000 + b".", "more than 50000 opcodes"),
        (b"\x8a\xff" + b"\x01" * 255 + b".", "a number of 2033 bits"),
        (b"}(K\x01\x85K\x01u.", "key of type tuple"),
        (b"N.N", ""),
        (b"K\x01", "has no end|can't be split"),
        (b"\xff\xfe", "can't be split"),
        (b"R.", "takes more values than it has"),
        (b"t.", "never began"),
        (b"h\x07.", "memo 7, which is empty"),
    ],
)
def test_bombs_and_rubbish_are_refused(pickled: bytes, reason: str) -> None:
    if not reason:
        assert run_pickle(pickled) is None
        return
    with pytest.raises(RefusedPickleError, match=reason):
        run_pickle(pickled)


def test_a_memo_number_of_four_bytes_reserves_nothing() -> None:
    assert run_pickle(b"Nr\xff\xff\xff\x7f0j\xff\xff\xff\x7f.") is None


def test_text_that_is_doubled_again_and_again_is_refused() -> None:
    once = b"h\x00h\x01R0"
    text = b"V" + b"x" * 100_000 + b"\n"
    pickled = b"c_codecs\nencode\nq\x000" + text + b"\x85q\x010" + once * 100 + b"N."
    with pytest.raises(RefusedPickleError, match="builds more than 4194304 bytes"):
        run_pickle(pickled)


def test_a_file_of_another_kind_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.pkl"
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n")
    with pytest.raises(InputError, match="a Git LFS pointer, not the file itself"):
        read_pickled_table(path)


def test_a_pickle_that_is_no_dictionary_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.pkl"
    path.write_bytes(pickle.dumps([1, 2]))
    with pytest.raises(InputError, match="a pickle that holds a list; expected a dictionary"):
        read_pickled_table(path)


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_a_damaged_pickle_gives_arrays_or_one_kind_of_error(data: st.DataObject) -> None:
    whole = bytearray(pickle.dumps(fit_arrays(), protocol=data.draw(st.integers(0, 5))))
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with suppress(RefusedPickleError):
        run_pickle(bytes(whole))
