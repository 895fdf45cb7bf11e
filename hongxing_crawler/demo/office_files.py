"""Make small office files byte by byte, so that they are the same bytes every time."""

from __future__ import annotations

import io
import struct
import zipfile
from xml.sax.saxutils import escape

_ZIP_TIME = (2020, 1, 1, 0, 0, 0)
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_SECTOR = 512
_FREE, _END, _FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
_MIN_STREAM = 4096  # shorter streams would need a second allocation table


def make_zip(members: dict[str, bytes]) -> bytes:
    """Pack members with a fixed time stamp."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, _ZIP_TIME), data)
    return buffer.getvalue()


def _package(main: str, kind: str, parts: dict[str, str]) -> bytes:
    """Pack an Office Open XML file around its main part."""
    is_sheet = kind == "spreadsheetml"
    overrides = {main: "sheet.main" if is_sheet else "document.main"}
    if is_sheet:
        overrides["xl/worksheets/sheet1.xml"] = "worksheet"
    prefix = f"application/vnd.openxmlformats-officedocument.{kind}"
    types = "".join(
        f'<Override PartName="/{name}" ContentType="{prefix}.{part}+xml"/>'
        for name, part in overrides.items()
    )
    rels = "application/vnd.openxmlformats-package.relationships+xml"
    default = f'<Default Extension="rels" ContentType="{rels}"/>'
    content_types = f'{_XML}<Types xmlns="{_TYPES}">{default}{types}</Types>'
    relations = (
        f'{_XML}<Relationships xmlns="{_RELATIONS}"><Relationship Id="r1" '
        f'Type="{_OFFICE}/officeDocument" Target="{main}"/></Relationships>'
    )
    texts = {"[Content_Types].xml": content_types, "_rels/.rels": relations, **parts}
    return make_zip({name: text.encode() for name, text in texts.items()})


def make_xlsx(rows: list[list[str]]) -> bytes:
    """Make a workbook of one sheet of texts."""
    cells = "".join(
        "<row>"
        + "".join(f'<c t="inlineStr"><is><t>{escape(cell)}</t></is></c>' for cell in row)
        + "</row>"
        for row in rows
    )
    workbook = (
        f'{_XML}<workbook xmlns="{_SHEET}" xmlns:r="{_OFFICE}"><sheets>'
        '<sheet name="Sheet1" sheetId="1" r:id="r1"/></sheets></workbook>'
    )
    links = (
        f'{_XML}<Relationships xmlns="{_RELATIONS}"><Relationship Id="r1" '
        f'Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>'
    )
    sheet = f'{_XML}<worksheet xmlns="{_SHEET}"><sheetData>{cells}</sheetData></worksheet>'
    parts = {
        "xl/workbook.xml": workbook,
        "xl/_rels/workbook.xml.rels": links,
        "xl/worksheets/sheet1.xml": sheet,
    }
    return _package("xl/workbook.xml", "spreadsheetml", parts)


def make_docx(paragraphs: list[str]) -> bytes:
    """Make a text document of plain paragraphs."""
    body = "".join(f"<w:p><w:r><w:t>{escape(p)}</w:t></w:r></w:p>" for p in paragraphs)
    document = f'{_XML}<w:document xmlns:w="{_WORD}"><w:body>{body}</w:body></w:document>'
    return _package("word/document.xml", "wordprocessingml", {"word/document.xml": document})


def make_pdf(text: str) -> bytes:
    """Make a PDF of one page with one line of ASCII text."""
    stream = f"BT /F1 18 Tf 72 720 Td ({text}) Tj ET".encode("ascii")
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources 6 0 R>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        b"<</Font<</F1 5 0 R>>>>",
    ]
    data = b"%PDF-1.4\n"
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(data))
        data += b"%d 0 obj%s endobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    tail = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (size, len(data))
    return data + b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, table) + tail


def _directory_entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
    encoded = (name + "\0").encode("utf-16-le")
    return struct.pack(
        "<64sHBBIII16sIQQIQ",
        *(encoded, len(encoded), kind, 1, _FREE, _FREE, child),
        *(b"", 0, 0, 0, start, size),
    )


def make_ole(stream_name: str, data: bytes) -> bytes:
    """Make a compound file (the container of .xls and .doc) with one stream."""
    data = data.ljust(max(_MIN_STREAM, -(-len(data) // _SECTOR) * _SECTOR), b"\0")
    count = len(data) // _SECTOR  # sectors: 0 table, 1 directory, then the stream
    chain = [_FAT, _END, *range(3, count + 2), _END]
    table = struct.pack(f"<{len(chain)}I", *chain).ljust(_SECTOR, b"\xff")
    directory = _directory_entry("Root Entry", 5, 1, _END, 0)
    directory += _directory_entry(stream_name, 2, _FREE, 2, len(data))
    directory += _directory_entry("", 0, _FREE, 0, 0) * 2
    header = struct.pack(
        "<8s16sHHHHH6sIIIIIIIIII",
        *(bytes.fromhex("D0CF11E0A1B11AE1"), b"", 0x3E, 3, 0xFFFE, 9, 6, b""),
        *(0, 1, 1, 0, 4096, _END, 0, _END, 0, 0),
    )
    return header.ljust(_SECTOR, b"\xff") + table + directory + data


def make_xls(rows: list[list[str]]) -> bytes:
    """Make a BIFF8 workbook of one sheet of texts."""

    def record(kind: int, body: bytes) -> bytes:
        return struct.pack("<HH", kind, len(body)) + body

    def label(row: int, column: int, text: str) -> bytes:
        head = struct.pack("<HHHHB", row, column, 0, len(text), 1)
        return record(0x0204, head + text.encode("utf-16-le"))

    begin = struct.pack("<HHHHII", 0x0600, 0x0005, 0, 1997, 0, 0x0600)
    sheet_begin = struct.pack("<HHHHII", 0x0600, 0x0010, 0, 1997, 0, 0x0600)
    name = b"Sheet1"
    offset = len(record(0x0809, begin)) + 4 + 8 + len(name) + 4
    bound = record(0x0085, struct.pack("<IHBB", offset, 0, len(name), 0) + name)
    cells = b"".join(label(r, c, text) for r, row in enumerate(rows) for c, text in enumerate(row))
    end = record(0x000A, b"")
    data = record(0x0809, begin) + bound + end + record(0x0809, sheet_begin) + cells + end
    return make_ole("Workbook", data)


def make_doc(text: str) -> bytes:
    """Make the container of a Word 97 document; its text stands in the stream as UTF-16."""
    head = struct.pack("<HH", 0xA5EC, 0x00C1).ljust(1536, b"\0")
    return make_ole("WordDocument", head + text.encode("utf-16-le"))
