import base64
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from hongxing_crawler.report.thumbnails import make_thumbnail


def _image(form, size=(800, 600), mode="RGB"):
    file = io.BytesIO()
    Image.new(mode, size, "red").save(file, form)
    return file.getvalue()


def _pixels(uri):
    return Image.open(io.BytesIO(base64.b64decode(uri.removeprefix("data:image/jpeg;base64,"))))


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "WEBP", "BMP"])
def test_a_picture_becomes_a_small_jpeg(tmp_path, form):
    path = tmp_path / "image"
    path.write_bytes(_image(form))

    assert _pixels(make_thumbnail(path)).size == (192, 144)


def test_transparent_parts_become_white(tmp_path):
    path = tmp_path / "image"
    file = io.BytesIO()
    Image.new("RGBA", (40, 40), (0, 0, 0, 0)).save(file, "PNG")
    path.write_bytes(file.getvalue())

    assert _pixels(make_thumbnail(path)).getpixel((5, 5)) == (255, 255, 255)


def test_a_missing_file_a_text_and_a_bomb_have_none(tmp_path):
    text, bomb = tmp_path / "text", tmp_path / "bomb"
    text.write_text("<svg onload=alert(1)>")
    bomb.write_bytes(_image("PNG").replace(b"\0\0\x03\x20\0\0\x02\x58", b"\0\1\0\0\0\1\0\0"))

    assert [make_thumbnail(path) for path in (tmp_path / "missing", text, bomb)] == ["", "", ""]


SEEDS = [_image(form, (60, 40)) for form in ("JPEG", "PNG", "GIF", "WEBP", "BMP")]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(SEEDS),
    st.lists(st.tuples(st.integers(0, 900), st.integers(0, 255)), max_size=9),
    st.integers(0, 2_000),
)
def test_damaged_pictures_never_stop_a_report(tmp_path, seed, changes, length):
    data = bytearray(seed)
    for at, value in changes:
        data[at % len(data)] = value
    path = tmp_path / "image"
    path.write_bytes(data[:length])
    uri = make_thumbnail(path)

    assert not uri or _pixels(uri).size <= (192, 144)
