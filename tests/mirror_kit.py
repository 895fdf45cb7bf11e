"""What mirror stations do to a text, in every way left open: order, tables, decoder, capture.

Shares no code with the package: bytes are replaced one character of a table after the other, or
in one pass over the text.
"""

from __future__ import annotations

import random
import re
import unicodedata
from dataclasses import dataclass, field
from functools import cache

import opencc
from pypinyin import Style, pinyin

MARKS = "，。、？！；："
LEFT_ALONE = "干后里面游范斗于"
_CONTROLS = bytes((5, 6, 7, 8))
_FOLDS = {
    "none": str,
    "compatible": lambda text: unicodedata.normalize("NFKC", text),
    "ascii": lambda text: text.translate({code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}),
    "two marks": lambda text: text.translate(str.maketrans("，：", ",:")),
}
_TOKEN_RE = re.compile(
    r"(?P<opaque><(?P<tag>script|style)\b.*?</(?P=tag)>|<!--.*?-->)|(?P<markup><[^>]*>)|[^<]+",
    re.DOTALL | re.IGNORECASE,
)
_SHOWN_RE = re.compile(r'(\b(?:content|alt|title)=")([^"]*)')


@cache
def traditional(char, tables="s2t"):
    form = _converter(tables).convert(char)
    is_kept = char in LEFT_ALONE or len(form) != 1 or not form.encode("gbk", "ignore")
    return char if is_kept else form


@cache
def _converter(tables):
    return opencc.OpenCC(tables)


def usual_glosses(chars, chance=None, blanks=0.0):
    """Readings of characters, some with a blank before the parenthesis ends."""
    chance = chance or random.Random(0)
    rows = ((char, pinyin(char, style=Style.TONE)[0][0]) for char in chars)
    return {
        char: f"({reading}{' ' * (chance.random() < blanks)})"
        for char, reading in rows
        if reading != char and reading.encode("gbk", "ignore").decode("gbk") == reading
    }


@dataclass
class MirrorKit:
    """One mirror. ``marks`` are replaced in their order, before the glosses or after them."""

    glosses: dict[str, str]
    marks: str = MARKS
    is_noise_first: bool = True
    is_one_pass: bool = False
    shows_open_pairs: bool = False  # as private-use characters, like Windows
    is_captured: bool = False  # as plain text: control characters are dropped
    fold: str = "none"
    tables: str = "s2t"
    chance: random.Random = field(default_factory=lambda: random.Random(1))

    def damage(self, text):
        form = "".join(traditional(char, self.tables) for char in text)
        data = form.encode("gbk", "replace")
        shown = self.decode(self._one_pass(data) if self.is_one_pass else self._replace(data))
        return self.view(shown)

    def view(self, text):
        """What the capture makes of a text, damaged or not."""
        return _FOLDS[self.fold](re.sub("[\x05-\x08]", "", text) if self.is_captured else text)

    def damage_html(self, html):
        """Damage what a page shows: text, and the attributes that hold some; scripts stay."""

        def damage_token(token):
            if token["opaque"]:
                return token[0]
            if token["markup"]:
                return _SHOWN_RE.sub(lambda shown: shown[1] + self.damage(shown[2]), token[0])
            return self.damage(token[0])

        return _TOKEN_RE.sub(damage_token, html)

    def decode(self, data):
        parts, at = [], 0
        while at < len(data):
            width = 1 if data[at] < 0x81 or data[at] == 0xFF else 2
            parts.append(self._decode_piece(data[at : at + width]))
            at += width
        return "".join(parts)

    def _decode_piece(self, piece):
        charset = "gb18030" if self.shows_open_pairs else "gbk"
        try:
            return piece.decode(charset)
        except UnicodeDecodeError:
            return "?"

    def _noise(self):
        return bytes(self.chance.choice(_CONTROLS) for _ in range(self.chance.randint(1, 5)))

    def _replace(self, data):
        steps = [self._add_noise, self._add_glosses]
        for step in steps if self.is_noise_first else reversed(steps):
            data = step(data)
        return data

    def _add_noise(self, data):
        for mark in self.marks:
            first, *rest = data.split(mark.encode("gbk"))
            data = first + b"".join(self._noise() + mark.encode("gbk") + part for part in rest)
        return data

    def _add_glosses(self, data):
        for char, gloss in self.glosses.items():
            data = data.replace(char.encode("gbk"), char.encode("gbk") + gloss.encode("gbk"))
        return data

    def _one_pass(self, data):
        before = {mark.encode("gbk") for mark in self.marks}
        after = {char.encode("gbk"): gloss.encode("gbk") for char, gloss in self.glosses.items()}
        parts, at = [], 0
        while at < len(data):
            pair = data[at : at + 2]
            if pair in before or pair in after:
                parts += (self._noise() if pair in before else b"", pair, after.get(pair, b""))
                at += 2
            else:
                parts.append(data[at : at + 1])
                at += 1
        return b"".join(parts)
