"""The compressions of bodies, by their names in x-log-compresstype."""

import zlib

import lz4.block
import zstandard

from sls_double.errors import SlsError

NAMES = ("lz4", "zstd", "deflate")


def compress(name, raw):
    """`raw` as the wire has it: lz4 is one bare block, zstd one frame, deflate RFC 1950."""
    if name == "lz4":
        return lz4.block.compress(raw, store_size=False)
    if name == "zstd":
        return zstandard.ZstdCompressor(level=1).compress(raw)
    return zlib.compress(raw)


def decompress(name, body, raw_size):
    """Undoes compress(); SlsError unless exactly `raw_size` bytes come out."""
    if name not in NAMES:
        raise SlsError(400, "InvalidCompressType", f"compress type '{name}' is not supported")
    try:
        raw = _decompress(name, body, raw_size)
    except (lz4.block.LZ4BlockError, zstandard.ZstdError, zlib.error, ValueError) as error:
        raise SlsError(400, "PostBodyUncompressError",
                       f"the body is no {name} of {raw_size} bytes: {error}") from error
    if len(raw) != raw_size:
        raise SlsError(400, "PostBodyUncompressError",
                       f"the body holds {len(raw)} bytes, x-log-bodyrawsize says {raw_size}")
    return raw


def _decompress(name, body, raw_size):
    if name == "lz4":
        return lz4.block.decompress(body, uncompressed_size=raw_size)
    if name == "zstd":
        return zstandard.ZstdDecompressor().decompressobj().decompress(body)
    has_zlib_header = len(body) >= 2 and body[0] & 15 == 8 and int.from_bytes(body[:2], "big") % 31 == 0
    inflate = zlib.decompressobj(zlib.MAX_WBITS if has_zlib_header else -zlib.MAX_WBITS)
    return inflate.decompress(body, raw_size + 1)
