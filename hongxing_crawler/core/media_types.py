"""Tell what a file is from its bytes: servers and names are often wrong."""

from __future__ import annotations

import codecs
import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hongxing_crawler.core.containers import ole_names, zip_names
from hongxing_crawler.core.image_sizes import read_size

if TYPE_CHECKING:
    from typing import BinaryIO

HEAD_BYTES = 4096  # enough for every type below but ZIP and OLE2, which need the file


@dataclass(frozen=True, slots=True)
class MediaType:
    """A media type, and the extension (without dot) that files of it get from us."""

    mime: str
    extension: str


UNKNOWN = MediaType("application/octet-stream", "bin")
HTML = MediaType("text/html", "html")
TEXT = MediaType("text/plain", "txt")
SVG = MediaType("image/svg+xml", "svg")
PDF = MediaType("application/pdf", "pdf")
ZIP = MediaType("application/zip", "zip")

_OPEN_XML = "application/vnd.openxmlformats-officedocument."
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument."

# Signature at the very start, in order; every one is long enough to be no text.
_MAGIC = tuple(
    (magic, MediaType(mime, extension))
    for magic, mime, extension in (
        (b"\xff\xd8\xff", "image/jpeg", "jpg"),
        (b"\x89PNG\r\n\x1a\n", "image/png", "png"),
        (b"GIF87a", "image/gif", "gif"),
        (b"GIF89a", "image/gif", "gif"),
        (b"II*\x00", "image/tiff", "tif"),
        (b"MM\x00*", "image/tiff", "tif"),
        (b"Rar!\x1a\x07", "application/vnd.rar", "rar"),
        (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed", "7z"),
        (b"\x1f\x8b\x08", "application/gzip", "gz"),
        (b"FLV\x01", "video/x-flv", "flv"),
        (b"\x1a\x45\xdf\xa3", "video/webm", "webm"),
        (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "video/x-ms-wmv", "wmv"),
        (b"\x00\x00\x01\xba", "video/mpeg", "mpg"),
        (b"ID3\x03", "audio/mpeg", "mp3"),
        (b"ID3\x04", "audio/mpeg", "mp3"),
        (b"OggS\x00", "audio/ogg", "ogg"),
        (b"{\\rtf", "application/rtf", "rtf"),
    )
)
_RIFF = {
    b"WEBP": MediaType("image/webp", "webp"),
    b"AVI ": MediaType("video/x-msvideo", "avi"),
    b"WAVE": MediaType("audio/wav", "wav"),
}
_FTYP = {
    b"qt  ": MediaType("video/quicktime", "mov"),
    b"M4A ": MediaType("audio/mp4", "m4a"),
    b"avif": MediaType("image/avif", "avif"),
    b"heic": MediaType("image/heic", "heic"),
    b"heix": MediaType("image/heic", "heic"),
    b"mif1": MediaType("image/heif", "heif"),
}
_MP4 = MediaType("video/mp4", "mp4")
_TRANSPORT_STREAM = MediaType("video/mp2t", "ts")
_PACKET_BYTES = 188  # ISO/IEC 13818-1: each packet begins with the same byte
_BMP_HEADERS = frozenset({12, 40, 52, 56, 64, 108, 124})

# A member of the ZIP file that settles it, in order.
_ZIP_SIGNS = tuple(
    (sign, MediaType(mime, extension))
    for sign, mime, extension in (
        ("xl/vbaProject.bin", "application/vnd.ms-excel.sheet.macroEnabled.12", "xlsm"),
        ("word/vbaProject.bin", "application/vnd.ms-word.document.macroEnabled.12", "docm"),
        ("xl/workbook.bin", "application/vnd.ms-excel.sheet.binary.macroEnabled.12", "xlsb"),
        ("xl/", _OPEN_XML + "spreadsheetml.sheet", "xlsx"),
        ("word/", _OPEN_XML + "wordprocessingml.document", "docx"),
        ("ppt/", _OPEN_XML + "presentationml.presentation", "pptx"),
    )
)
_OFD = MediaType("application/ofd", "ofd")  # GB/T 33190, the national answer to PDF
_ZIP_STATED = {
    (_OPEN_DOCUMENT + "text").encode(): MediaType(_OPEN_DOCUMENT + "text", "odt"),
    (_OPEN_DOCUMENT + "spreadsheet").encode(): MediaType(_OPEN_DOCUMENT + "spreadsheet", "ods"),
    (_OPEN_DOCUMENT + "presentation").encode(): MediaType(_OPEN_DOCUMENT + "presentation", "odp"),
    b"application/epub+zip": MediaType("application/epub+zip", "epub"),
}

# Name at the top of an OLE2 file; WPS Office writes the same inside, only its names differ.
_OLE_SIGNS = (
    ("WordDocument", MediaType("application/msword", "doc")),
    ("PowerPoint Document", MediaType("application/vnd.ms-powerpoint", "ppt")),
    ("Workbook", MediaType("application/vnd.ms-excel", "xls")),
    ("Book", MediaType("application/vnd.ms-excel", "xls")),
    ("__properties_version1.0", MediaType("application/vnd.ms-outlook", "msg")),
)
_WPS_NAMES = {
    "doc": ("wps", MediaType("application/wps-office.wps", "wps")),
    "xls": ("et", MediaType("application/wps-office.et", "et")),
    "ppt": ("dps", MediaType("application/wps-office.dps", "dps")),
}
_OLE_ENCRYPTED = {
    sign.extension: sign for _, sign in _ZIP_SIGNS if sign.extension in {"xlsx", "docx", "pptx"}
}
_OLE_OTHER = MediaType("application/x-ole-storage", "ole")

_COMMENT_RE = re.compile(rb"<!--.*?(?:-->|\Z)", re.DOTALL)
_FIRST_TAG_RE = re.compile(
    rb"<([a-z][a-z0-9:]{0,20})[\s/>]|<!doctype\s{1,9}([a-z]{1,9})", re.IGNORECASE
)
_HTML_TAGS = frozenset(
    b"html head body script iframe h1 h2 h3 div font table a style title b br p meta link"
    b" span center ul img noframes xmp".split()
)
_LATE_HTML_RE = re.compile(rb"<html[\s>].{0,3000}?<(?:head|body)[\s>]", re.IGNORECASE | re.DOTALL)
_JSON_RE = re.compile(
    rb'\s{0,99}(?:\{\s{0,99}"[^"]{0,200}"\s{0,9}:|\[\s{0,99}(?:\{\s{0,99}"|"[^"]{0,200}"\s{0,9}[,\]]))'
)
_BINARY_RE = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")  # WHATWG MIME Sniffing, 7.2
_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


def _extension_of(name: str) -> str:
    return name.rpartition(".")[2].lower()


def _zip_type(file: BinaryIO) -> MediaType:
    file.seek(0)
    head = file.read(128)
    if head[30:38] == b"mimetype":
        for stated, media_type in _ZIP_STATED.items():
            if head[38:].startswith(stated + b"PK"):
                return media_type
    names = zip_names(file)
    if "OFD.xml" in names:
        return _OFD
    if "[Content_Types].xml" in names:
        for sign, media_type in _ZIP_SIGNS:
            if any(name.startswith(sign) for name in names):
                return media_type
    return ZIP


def _ole_type(file: BinaryIO, name: str) -> MediaType:
    names = ole_names(file)
    extension = _extension_of(name)
    for sign, media_type in _OLE_SIGNS:
        if sign in names:
            wps_extension, wps_type = _WPS_NAMES.get(media_type.extension, ("", media_type))
            return wps_type if extension == wps_extension else media_type
    if "EncryptedPackage" in names:
        return _OLE_ENCRYPTED.get(extension, _OLE_OTHER)
    return _OLE_OTHER if names else UNKNOWN


def _binary_type(head: bytes) -> MediaType | None:
    for magic, media_type in _MAGIC:
        if head.startswith(magic):
            return media_type
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12])
    if head[4:8] == b"ftyp":
        return _FTYP.get(head[8:12], _MP4)
    if (
        head[:4] == b"\x00\x00\x01\x00"
        and len(head) >= 22
        and head[4:6] != b"\x00\x00"
        and head[9] == 0
    ):
        return MediaType("image/x-icon", "ico")
    if head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in _BMP_HEADERS:
        return MediaType("image/bmp", "bmp")
    is_stream = head[: 2 * _PACKET_BYTES + 1 : _PACKET_BYTES] == b"GGG"
    return _TRANSPORT_STREAM if is_stream and _BINARY_RE.search(head) else None


def _markup_type(text: bytes) -> MediaType | None:
    if not text.startswith(b"<"):
        return HTML if _LATE_HTML_RE.search(text) else None
    tag = _FIRST_TAG_RE.search(_COMMENT_RE.sub(b"", text))
    if tag is None:
        return HTML if text.startswith(b"<!--") else None
    name = (tag[1] or tag[2]).lower()
    if name in {b"svg", b"svg:svg"}:
        return SVG
    if name in _HTML_TAGS:
        return HTML
    return MediaType("application/xml", "xml") if text[:5].lower() == b"<?xml" else None


def _decodes(head: bytes, charset: str) -> bool:
    try:
        codecs.getincrementaldecoder(charset)().decode(head)  # a cut character at the end is fine
    except UnicodeDecodeError:
        return False
    return True


def _text_type(head: bytes, name: str) -> MediaType:
    if not head.startswith(_BOMS):
        charsets = ("utf-8", "gb18030", "big5")
        if _BINARY_RE.search(head) or not any(_decodes(head, charset) for charset in charsets):
            return UNKNOWN
    if _extension_of(name) in {"csv", "tsv"}:
        return MediaType("text/csv", "csv")
    return MediaType("application/json", "json") if _JSON_RE.match(head) else TEXT


def sniff(head: bytes, name: str = "", file: BinaryIO | None = None) -> MediaType:
    """Tell the type of a file from its bytes; the type that a server declares is not asked.

    The name decides only where bytes cannot: CSV among plain texts, WPS Office among OLE2
    files. Damage behind the signature is left to those who open the file.

    >>> sniff(b"GIF89a" + bytes(7), "notice.doc")
    MediaType(mime='image/gif', extension='gif')
    >>> sniff("会议召开。".encode("gbk"))
    MediaType(mime='text/plain', extension='txt')

    Args:
        head: The whole file, or its first ``HEAD_BYTES``.
        name: The file's name or URL path, for its extension.
        file: The whole file, seekable, when ``head`` is not: ZIP and OLE2 files have their
            table of contents further back. Its position is moved.

    Returns:
        ``UNKNOWN`` (application/octet-stream) for what is none of the known types.

    Source:
        Text, HTML and binary bytes: WHATWG MIME Sniffing; WPS names: Kingsoft's file types.
    """
    start = head[:HEAD_BYTES]
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip_type(file or io.BytesIO(head))
    if start.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return _ole_type(file or io.BytesIO(head), name)
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n\x0c")
    found = _binary_type(start) or (PDF if text.startswith(b"%PDF-") else _markup_type(text))
    if found or not text:
        return found or UNKNOWN
    return (
        PDF if b"%PDF-1." in start[:1024] and _BINARY_RE.search(start) else _text_type(start, name)
    )


def image_size(data: bytes) -> tuple[int, int]:
    """Read the (width, height) of an image in pixels, without decoding it.

    Never raises; nothing is allocated by what a hostile header says.

    >>> image_size(b"GIF89a" + bytes([3, 0, 2, 0]))
    (3, 2)

    Args:
        data: The image, or as much of its beginning as holds the numbers.

    Returns:
        ``(0, 0)`` when the bytes are no image of a known type or do not say.
    """
    return read_size(data, sniff(data[:HEAD_BYTES]).mime)
