import io
import json
import random
import struct
import time
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from hongxing_crawler.core.containers import ole_names, zip_names
from hongxing_crawler.core.media_types import HEAD_BYTES, MediaType, image_size, sniff

CASES = json.loads((Path(__file__).parent / "cases/media_types.json").read_text("utf-8"))
IMAGE_FORMS = {
    "JPEG": MediaType("image/jpeg", "jpg"),
    "PNG": MediaType("image/png", "png"),
    "GIF": MediaType("image/gif", "gif"),
    "WEBP": MediaType("image/webp", "webp"),
    "BMP": MediaType("image/bmp", "bmp"),
    "TIFF": MediaType("image/tiff", "tif"),
    "ICO": MediaType("image/x-icon", "ico"),
}
OFFICE = "application/vnd.openxmlformats-officedocument."
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" %s><path d="M0 0"/></svg>'


def _image(form, size=(37, 53), **options):
    file = io.BytesIO()
    Image.new("RGB", size, "red").save(file, form, **options)
    return file.getvalue()


def _zip(*names, first=b"", comment=b""):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        if first:
            archive.writestr("mimetype", first)
        for name in names:
            archive.writestr(name, b"x" * 300)
        archive.comment = comment
    return file.getvalue()


def _ole(*names, embedded=()):
    """A small OLE2 file: header, one allocation sector, the directory, in this order."""

    def entry(name, kind, left, right, child):
        raw = name.encode("utf-16-le") + b"\0\0"
        return struct.pack("<64sHBxIII48x", raw, len(raw), kind, left, right, child)

    none = 0xFFFFFFFF
    top = [
        entry(name, 2, none, i + 2 if i + 1 < len(names) else none, none)
        for i, name in enumerate(names)
    ]
    below = [entry(name, 2, none, none, none) for name in embedded]
    directory = b"".join([entry("Root Entry", 5, none, none, 1), *top, *below])
    sectors = -(-len(directory) // 512)
    directory = directory.ljust(sectors * 512, b"\0")
    chain = [0xFFFFFFFD, *range(2, sectors + 1), 0xFFFFFFFE]
    chain += [none] * (128 - len(chain))
    header = struct.pack(
        "<8s16sHHHHH10xI", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"", 62, 3, 0xFFFE, 9, 6, 1
    )
    header = header.ljust(48, b"\0") + struct.pack("<I", 1)
    header = header.ljust(76, b"\0") + struct.pack("<109I", 0, *[none] * 108)
    return header + struct.pack("<128I", *chain) + directory


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["label"])
def test_case(case):
    assert sniff(case["received"].encode(case["encoding"]), case["name"]).mime == case["expected"]


@pytest.mark.parametrize("form", IMAGE_FORMS)
def test_images_that_pillow_writes_are_known_with_their_size(form):
    data = _image(form)

    assert sniff(data, "wrong.doc") == IMAGE_FORMS[form]
    assert image_size(data) == Image.open(io.BytesIO(data)).size


@pytest.mark.parametrize(
    ("form", "options"),
    [
        ("WEBP", {"lossless": True}),
        ("WEBP", {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"}),
        ("JPEG", {"progressive": True}),
        ("JPEG", {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0", "comment": b"\xff\xc0" * 50}),
        ("TIFF", {"compression": "tiff_lzw", "big_tiff": False}),
    ],
)
def test_other_flavours_have_their_size(form, options):
    assert image_size(_image(form, (300, 200), **options)) == (300, 200)


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        (b'width="37" height="53"', (37, 53)),
        (b"height='53px' stroke-width='9' width='37.5'", (37, 53)),
        (b'width="100%" viewBox="0 0 37 53"', (37, 53)),
        (b'viewBox="-1.5,0, 37.9,53"', (37, 53)),
        (b'width="100%" height="100%"', (0, 0)),
        (b'width="1e999" height="5"', (0, 0)),
    ],
)
def test_svg_size(attributes, expected):
    assert image_size(SVG % attributes) == expected


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("[Content_Types].xml", "_rels/.rels", "xl/workbook.xml"), OFFICE + "spreadsheetml.sheet"),
        (("word/document.xml", "[Content_Types].xml"), OFFICE + "wordprocessingml.document"),
        (("[Content_Types].xml", "ppt/slides/1.xml"), OFFICE + "presentationml.presentation"),
        (
            ("xl/vbaProject.bin", "[Content_Types].xml"),
            "application/vnd.ms-excel.sheet.macroEnabled.12",
        ),
        (("OFD.xml", "Doc_0/Document.xml"), "application/ofd"),
        (("附件/名单.xlsx", "附件/word/说明.docx"), "application/zip"),
        (("word/list.txt",), "application/zip"),
        ((), "application/zip"),
    ],
)
def test_zip_types(names, expected):
    assert sniff(_zip(*names)).mime == expected


def test_open_document_states_its_type():
    stated = b"application/vnd.oasis.opendocument.text"

    assert sniff(_zip("content.xml", first=stated)).extension == "odt"
    assert sniff(_zip("content.xml", first=stated + b"-template")).extension == "zip"


@pytest.mark.parametrize(
    ("names", "name", "expected"),
    [
        (("WordDocument", "1Table"), "", "application/msword"),
        (("\x05SummaryInformation", "Workbook"), "", "application/vnd.ms-excel"),
        (("Book",), "", "application/vnd.ms-excel"),
        (("PowerPoint Document",), "", "application/vnd.ms-powerpoint"),
        (("WordDocument",), "notice.WPS", "application/wps-office.wps"),
        (("Workbook",), "table.et", "application/wps-office.et"),
        (("Workbook",), "table.wps", "application/vnd.ms-excel"),
        (("EncryptedPackage",), "secret.xlsx", OFFICE + "spreadsheetml.sheet"),
        (("EncryptedPackage",), "secret", "application/x-ole-storage"),
        (("Catalog",), "Thumbs.db", "application/x-ole-storage"),
    ],
)
def test_ole_types(names, name, expected):
    assert sniff(_ole(*names), name).mime == expected


def test_an_embedded_sheet_does_not_make_a_letter_a_table():
    data = _ole("1Table", "Data", "WordDocument", "ObjectPool", embedded=("Workbook",))

    assert sniff(data).extension == "doc"


def test_a_large_file_is_read_through_its_handle():
    data = _zip(
        "[Content_Types].xml", *(f"customXml/{i}.xml" for i in range(500)), "xl/workbook.xml"
    )

    assert sniff(data[:HEAD_BYTES]).extension == "zip"
    assert sniff(data[:HEAD_BYTES], file=io.BytesIO(data)).extension == "xlsx"


def test_a_cut_office_file_is_known_by_its_first_members():
    data = _zip("[Content_Types].xml", "word/document.xml")

    assert sniff(data[:600]).extension == "docx"


def test_zip_with_foreign_bytes_in_front_and_a_comment_lists_its_names():
    data = b"MZ stub" * 9 + _zip("a.txt", "b.txt", comment=b"PK\x05\x06 is no end")

    assert zip_names(io.BytesIO(data)) <= {"a.txt", "b.txt"}


def test_a_directory_that_points_at_itself_ends():
    data = bytearray(_ole("WordDocument"))
    data[512 + 4 : 512 + 8] = struct.pack("<I", 1)  # sector 1 follows sector 1
    data[1024 + 128 + 68 : 1024 + 128 + 76] = struct.pack("<II", 1, 0)  # siblings in a circle

    assert "WordDocument" in ole_names(io.BytesIO(bytes(data)))


SEEDS = [
    *(_image(form) for form in IMAGE_FORMS),
    SVG % b'width="37" height="53"',
    _zip("[Content_Types].xml", "xl/workbook.xml"),
    _ole("WordDocument", "1Table"),
    "<!DOCTYPE html><title>会议".encode("gbk"),
]


@given(
    st.sampled_from(SEEDS),
    st.lists(st.tuples(st.integers(0, 700), st.integers(0, 255)), max_size=12),
    st.integers(0, 2_000),
)
def test_damaged_and_cut_files_have_an_answer(seed, changes, length):
    data = bytearray(seed)
    for at, value in changes:
        data[at % len(data)] = value
    width, height = image_size(bytes(data[:length]))

    assert sniff(bytes(data[:length]), file=io.BytesIO(data)).mime
    assert (width > 0) == (height > 0)


@pytest.mark.parametrize("form", IMAGE_FORMS)
def test_headers_cut_short_have_no_size(form):
    assert image_size(_image(form)[:12]) == ((37, 53) if form == "GIF" else (0, 0))


def test_a_bomb_is_measured_not_opened():
    bomb = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 2**31 - 1, 2**31 - 1)

    assert image_size(bomb) == (2**31 - 1, 2**31 - 1)


BAITS = {
    "comments": b"<!--" * 1_000_000,
    "html without head": b"x<html>" * 700_000,
    "jpeg fill bytes": b"\xff" * 4_000_000,
    "jpeg empty segments": b"\xff\xd8" + b"\xff\xe0\x00\x00" * 1_000_000,
    "zip members": b"PK\x03\x04" * 1_000_000,
    "zip ends": b"PK\x03\x04" + b"PK\x05\x06" * 1_000_000,
    "svg blanks": b"<svg" + b" " * 4_000_000,
    "svg width": b"<svg" + b" width=" * 600_000,
    "noise": random.Random(7).randbytes(4_000_000),
    "brackets": b"[" * 4_000_000,
}


@pytest.mark.parametrize("name", BAITS)
def test_hostile_bytes_take_no_time(name):
    started = time.process_time()
    image_size(BAITS[name])
    sniff(BAITS[name])

    assert time.process_time() - started < 0.3
