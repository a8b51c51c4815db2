"""What object stores answer, in our words: whose fault it was, and what to do now.

Texts of drivers hold network addresses; ours never do, because they are kept in records.
"""

import errno
import re
from collections.abc import Callable, Iterator, Mapping
from time import sleep
from typing import Any, NamedTuple, TypeVar

from schemas.errors import MachineError, RequestError, ScanmillError, StorageError

R = TypeVar("R")
PAUSES_S = (0.1, 0.3, 1.0, 2.0)
"""Before a request is made again that the store refused for the moment, or that broke off."""

_ADDRESS = re.compile(r"\"?\bhttps?://[^\s\"']+\"?")
_SHOWN_CHARACTERS = 200
_CONFLICTS = {"PreconditionFailed", "ConditionalRequestConflict", "412"}
_PASSING_NAMES = {
    "ClientPayloadError", "ConnectionClosedError", "ConnectionError", "HTTPClientError",
    "IncompleteRead", "IncompleteReadError", "ResponseParserError", "ResponseStreamingError",
    "ServerDisconnectedError",
}  # fmt: skip
"""Errors of Python, botocore and aiohttp that say that an answer broke off."""

_SERVER_ERRORS, _FULL_STATUS = range(500, 600), 507


class _Answer(NamedTuple):
    """What one kind of error means. kind: whose fault it is."""

    kind: type[ScanmillError]
    found: str
    expected: str
    hint: str


_NO_BUCKET = _Answer(
    RequestError, "no such bucket", "a bucket that exists",
    "Check the address, or make the bucket first.",
)  # fmt: skip
_NO_CREDENTIALS = _Answer(
    MachineError, "no credentials were found", "credentials for the store",
    "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; to read a public bucket "
    "FSSPEC_S3_ANON=true.",
)  # fmt: skip
_REFUSED = _Answer(
    MachineError, "access refused", "the right to list, read, write and remove objects there",
    "Check the credentials, and what they may do with this bucket and prefix.",
)  # fmt: skip
_UNREACHABLE = _Answer(
    MachineError, "the store can't be reached", "an answer from the store",
    "Check the network and AWS_ENDPOINT_URL, then run the command again.",
)  # fmt: skip
_SILENT = _Answer(
    MachineError, "the store does not answer in time", "an answer from the store",
    "Check the network and the store, then run the command again.",
)  # fmt: skip
_FULL = _Answer(
    StorageError, "the store is full, or over its quota", "room to write the object",
    "Free space there or raise the quota, then run the command again.",
)  # fmt: skip
_OTHER = _Answer(
    MachineError, "", "an answer from the store",
    "Check the network, the address and the credentials of the store, then run the command again.",
)  # fmt: skip

_BY_NAME: Mapping[str, _Answer] = {
    "NoSuchBucket": _NO_BUCKET,
    "InvalidBucketName": _NO_BUCKET,
    "NoCredentialsError": _NO_CREDENTIALS,
    "PartialCredentialsError": _NO_CREDENTIALS,
    "ProfileNotFound": _NO_CREDENTIALS,
    "CredentialRetrievalError": _NO_CREDENTIALS,
    "QuotaExceeded": _FULL,
    "InsufficientStorage": _FULL,
    "XMinioStorageFull": _FULL,
    "XMinioAdminBucketQuotaExceeded": _FULL,
    "507": _FULL,
    "EndpointConnectionError": _UNREACHABLE,
    "ConnectTimeoutError": _UNREACHABLE,
    "ClientConnectorError": _UNREACHABLE,
    "ReadTimeoutError": _SILENT,
    "FSTimeoutError": _SILENT,
    "TimeoutError": _SILENT,
    "PermissionError": _REFUSED,
}
"""By a code of S3 or of a server that speaks its protocol, or by the name of a driver's error."""


def explain_store_error(where: str, error: Exception) -> ScanmillError:
    """Turn what a driver raises into one of our errors."""
    for name in _names_of(error):
        answer = _BY_NAME.get(name)
        if answer is not None:
            found = f"{answer.found} ({_first_name(error)})"
            return answer.kind(where, found=found, expected=answer.expected, hint=answer.hint)
    text = " ".join(_ADDRESS.sub("the endpoint", str(error)).split())[:_SHOWN_CHARACTERS]
    found = f"{type(error).__name__}: {text}"
    return MachineError(where, found=found, expected=_OTHER.expected, hint=_OTHER.hint)


def is_conflict(error: Exception) -> bool:
    """Return whether a store refused a change because the object is another than was seen."""
    return bool(_CONFLICTS.intersection(_names_of(error)))


def is_no_bucket(error: Exception) -> bool:
    """Return whether the bucket itself is missing."""
    return "NoSuchBucket" in _names_of(error)


def patiently(call: Callable[[], R]) -> R:
    """Make a request, and again after a while when the store was busy or the answer broke off."""
    for pause_s in PAUSES_S:
        try:
            return call()
        except Exception as error:
            if not _is_passing(error):
                raise
            sleep(pause_s)
    return call()


def _is_passing(error: Exception) -> bool:
    if isinstance(error, ScanmillError):
        return False
    names = set(_names_of(error))
    if names.intersection(_BY_NAME) or _CONFLICTS.intersection(names):
        return False
    is_busy = isinstance(error, OSError) and error.errno in {errno.EBUSY, errno.EREMOTEIO}
    return is_busy or bool(names & (_PASSING_NAMES | {"5xx"}))


def _names_of(error: BaseException | None) -> Iterator[str]:
    """Yield codes and class names of an error and of what caused it."""
    while error is not None:
        response: Any = getattr(error, "response", None)
        if isinstance(response, dict):
            status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            yield from (str(response.get("Error", {}).get("Code", "")), str(status))
            if status in _SERVER_ERRORS and status != _FULL_STATUS:
                yield "5xx"
        yield from (kind.__name__ for kind in type(error).__mro__)
        error = error.__cause__


def _first_name(error: Exception) -> str:
    """Return the code that the store gave, else the name of the driver's error."""
    cause: BaseException | None = error
    while cause is not None:
        response: Any = getattr(cause, "response", None)
        if isinstance(response, dict):
            return str(response.get("Error", {}).get("Code", type(error).__name__))
        cause = cause.__cause__
    return type(error).__name__
