"""The seed page: the captured text of a real damaged page, with HTML put around it.

Nothing is added to the text and nothing taken away: the page's visible text is the capture.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hongxing_crawler.demo.render import render_template

if TYPE_CHECKING:
    from pathlib import Path

    from hongxing_crawler.demo.content import Article

_IMAGE_RE = re.compile(r"\d{3}\.jpg")


@dataclass(frozen=True, slots=True)
class SeedLine:
    """A line of the body: a paragraph, an image's name, or the caption that follows it."""

    text: str
    image: str = ""
    centred: bool = False


@dataclass(frozen=True, slots=True)
class Seed:
    """The capture, cut where the page's parts begin."""

    title: str
    info: str
    lines: tuple[SeedLine, ...]
    pager: str
    footer: tuple[str, ...]
    wheel: str


def parse_seed(captured: str, image_folder: str) -> Seed:
    """Cut the captured text into the parts of a page.

    The first two lines are the title and the source line; a lone number ends the body; the
    last line is the link wheel.
    """
    title, info, *rest = [line for line in captured.splitlines() if line.strip()]
    end = next(index for index, line in enumerate(rest) if line.strip().isdigit())
    lines: list[SeedLine] = []
    for line in rest[:end]:
        is_image = _IMAGE_RE.fullmatch(line) is not None
        after_image = bool(lines and lines[-1].image)
        lines.append(SeedLine(line, image_folder + line if is_image else "", after_image))
    return Seed(title, info, tuple(lines), rest[end], tuple(rest[end + 1 : -1]), rest[-1])


def render_seed(article: Article, folder: Path) -> str:
    """Write the seed page; ``article.body`` names the folder of its images."""
    captured = (folder / "seed" / "captured.txt").read_text("utf-8")
    return render_template("plain", seed=parse_seed(captured, article.body))
