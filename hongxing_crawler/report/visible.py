"""Make the invisible characters of foreign text harmless and visible."""

from __future__ import annotations

import re

# Controls but tab and newline, surrogates, direction marks, separators, tags: a terminal or a
# browser obeys some of them, and a reader sees none.
_INVISIBLE_RE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff0-\ufffb\ufffe\uffff\U000e0000-\U000e0fff]"
)


def _name(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"⟨{code:02X}⟩" if code < 0x100 else f"⟨U+{code:04X}⟩"


def show_invisible(text: str) -> str:
    r"""Replace control and direction characters by their names.

    >>> show_invisible("会\x05议\u202e。\x1b[2J")
    '会⟨05⟩议⟨U+202E⟩。⟨1B⟩[2J'
    """
    return _INVISIBLE_RE.sub(_name, text)
