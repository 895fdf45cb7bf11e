"""Render our self-contained HTML pages: nothing in them can run or reach the network."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from hongxing_crawler.report.visible import show_invisible


def _show_text(value: Any) -> Any:
    """Every string that a template prints passes here, before it is escaped."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return show_invisible(value)
    return value


@cache
def _style() -> Markup:
    text = resources.files("hongxing_crawler.report").joinpath("style.css").read_text("utf-8")
    return Markup(text)  # noqa: S704 - a file of ours


def content_security_policy(style: str) -> str:
    """Allow this one style sheet and pictures held in the page; nothing else."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    allowed = f"style-src 'sha256-{digest}'; img-src data:"
    return f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("hongxing_crawler", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_show_text,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(template: str, **values: Any) -> str:
    """Fill a template of this folder; every value is escaped, invisible characters are shown."""
    style = _style()
    page = _environment().get_template(template)
    return page.render(style=style, policy=content_security_policy(style), **values)
