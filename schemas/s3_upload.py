"""Uploads of the S3 protocol: small files by one request, big ones in parts, several at once."""

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from schemas.errors import MachineError
from schemas.work import map_in_threads

ONE_REQUEST_BYTES = 32 << 20
"""Files up to this size go by one request, which holds them in memory."""

PART_BYTES = 16 << 20
MAX_PARTS = 10_000
"""Of an upload. Source: docs.aws.amazon.com, "Amazon S3 multipart upload limits"."""

THREADS = 4


@runtime_checkable
class Call(Protocol):
    """Makes a request about an object, as schemas.s3_store.S3Store.call."""

    def __call__(self, name: str, method: str, **arguments: object) -> Mapping[str, Any]:
        """Return the answer."""


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A local file, and what a store will say that it holds.

    part_bytes: size of its parts but the last; 0: it goes as a whole. etag: the MD5 of the content,
    or of the MD5s of its parts with their number. Source: docs.aws.amazon.com, "Checking object
    integrity".
    """

    path: Path
    size: int
    sha256: str
    etag: str
    part_bytes: int


def digest_parts(path: Path) -> UploadedFile:
    """Read a file once, for its digests."""
    size = path.stat().st_size
    part_bytes = max(PART_BYTES, -(-size // MAX_PARTS)) if size > ONE_REQUEST_BYTES else 0
    whole, parts = hashlib.sha256(), list[bytes]()
    with path.open("rb") as file:
        while data := file.read(part_bytes or ONE_REQUEST_BYTES):
            whole.update(data)
            parts.append(hashlib.md5(data, usedforsecurity=False).digest())
    md5s = hashlib.md5(b"".join(parts), usedforsecurity=False).hexdigest()
    one = parts[0].hex() if parts else hashlib.md5(b"", usedforsecurity=False).hexdigest()
    etag = f"{md5s}-{len(parts)}" if part_bytes else one
    return UploadedFile(path, size, whole.hexdigest(), etag, part_bytes)


def upload_file(
    call: Call,
    name: str,
    content: UploadedFile,
    *,
    metadata: Mapping[str, str],
    conditions: Mapping[str, str],
) -> None:
    """Upload a file under a condition; nothing is seen of it before it is whole.

    Raises ConflictError when the condition does not hold, MachineError when the store fails.
    """
    if not content.part_bytes:
        call(name, "put_object", Body=content.path.read_bytes(), Metadata=metadata, **conditions)
        return
    upload = call(name, "create_multipart_upload", Metadata=metadata)["UploadId"]
    try:
        starts = range(0, content.size, content.part_bytes)
        send = partial(_upload_part, call, name, upload, content)
        parts = list(map_in_threads(send, enumerate(starts, start=1), threads=THREADS))
        call(
            name, "complete_multipart_upload", UploadId=upload,
            MultipartUpload={"Parts": parts}, **conditions,
        )  # fmt: skip
    except BaseException:
        with suppress(OSError, MachineError):
            call(name, "abort_multipart_upload", UploadId=upload)
        raise


def _upload_part(
    call: Call, name: str, upload: str, content: UploadedFile, part: tuple[int, int]
) -> dict[str, object]:
    number, start = part
    with content.path.open("rb") as file:
        file.seek(start)
        body = file.read(content.part_bytes)
    answer = call(name, "upload_part", UploadId=upload, PartNumber=number, Body=body)
    return {"PartNumber": number, "ETag": answer["ETag"]}
