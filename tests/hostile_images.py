"""Headers of a few bytes that ask for gigabytes of pixels."""

import struct

BMP_32K_RLE = b"BM" + struct.pack("<IHHI", 62, 0, 0, 62) + struct.pack(
    "<IiiHHIIiiII", 40, 32768, 32768, 1, 8, 1, 8, 0, 0, 2, 0
)  # fmt: skip
GIF_64K = b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0xF7, 0, 0) + bytes(768)
PNG_64K = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 65536, 65536)
WEBP_16K = b"RIFF\0\0\0\0WEBPVP8X" + struct.pack("<II", 10, 0) + b"\xfe\x3f\0\xfe\x3f\0"
TIFF_1M = b"II*\0" + struct.pack(
    "<IH HHII HHII I", 8, 2, 256, 4, 1, 1 << 20, 257, 4, 1, 1 << 20, 0
)  # fmt: skip
TIFF_TILES = b"MM\0*" + struct.pack(
    ">IH HHIHH HHIHH HHII HHII I",
    8, 4, 256, 3, 1, 9, 0, 257, 3, 1, 8, 0, 322, 4, 1, 1 << 23, 323, 4, 1, 64, 0,
)  # fmt: skip
JPEG_64K = b"\xff\xd8\xff\xe0\0\x10" + bytes(14) + b"\xff\xc2\0\x11\x08\xff\xff\xff\xff\x03"
