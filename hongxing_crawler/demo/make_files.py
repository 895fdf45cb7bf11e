"""Draw and write the files of the demo site: ``python -m hongxing_crawler.demo.make_files``.

The results are kept in ``data/demo_site/files``; this module says where they come from.
"""

from __future__ import annotations

import io
import sys
import tomllib
import zlib
from pathlib import Path

from PIL import Image, ImageDraw

from hongxing_crawler.demo import office_files
from hongxing_crawler.demo.content import DATA_FOLDER

_FORMATS = {"jpg": "JPEG", "png": "PNG", "gif": "GIF"}


def draw_picture(name: str) -> bytes:
    """Draw hills under a sky; size and colours follow from the name."""
    seed = zlib.crc32(name.encode())
    width, height = 160 + seed % 80, 100 + seed // 80 % 60
    sky = (120 + seed % 90, 150 + seed // 7 % 90, 200 + seed // 49 % 50)
    image = Image.new("RGB", (width, height), sky)
    draw = ImageDraw.Draw(image)
    for layer in range(3):
        top = height // 2 + layer * height // 6
        peak = (seed >> layer * 4) % width
        hill = (40 + layer * 30, 110 - layer * 25, 60)
        draw.polygon([(0, height), (peak, top - 20), (width, height)], fill=hill)
    draw.ellipse((10, 10, 26, 26), fill=(250, 220, 120))
    buffer = io.BytesIO()
    image.save(buffer, _FORMATS[name.rpartition(".")[2]])
    return buffer.getvalue()


def make_file(name: str) -> bytes:
    """Make one file; its extension says which kind."""
    stem, _, extension = name.rpartition(".")
    rows = [["职位代码", "单位", "人数", stem], ["10010001", "青溪县双溪镇人民政府", "2", ""]]
    text = f"{stem}：示例文件，仅供演示。"
    makers = {
        "xlsx": lambda: office_files.make_xlsx(rows),
        "xls": lambda: office_files.make_xls(rows),
        "doc": lambda: office_files.make_doc(text),
        "docx": lambda: office_files.make_docx([text]),
        "pdf": lambda: office_files.make_pdf(stem),
        "zip": lambda: office_files.make_zip({"readme.txt": text.encode()}),
    }
    return makers[extension]() if extension in makers else draw_picture(name)


def main() -> None:
    folder = DATA_FOLDER / "demo_site"
    stored = tomllib.loads((folder / "site.toml").read_text("utf-8"))["file"]
    for name in sorted({item["file"] for item in stored}):
        (folder / "files" / Path(name).name).write_bytes(make_file(name))
        sys.stdout.write(f"{name}\n")


if __name__ == "__main__":
    main()
