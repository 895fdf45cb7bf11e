"""Any bytes get an answer, soon and in bounded memory; never an exception.

``make fuzz`` reads the hostile pages at full length and stretches every pattern further.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import random
import re
import subprocess
import sys
import time
from pathlib import Path
from re import _constants as ops
from re import _parser as parser

import hypothesis
import pytest
from bad_input import NAMES, make
from hypothesis import given
from hypothesis import strategies as st

import hongxing_crawler.core
from hongxing_crawler.core.clean import clean, clean_body, clean_page
from hongxing_crawler.core.edits import replay

URL = "http://www.a.gov.cn/1.html"
IS_LONG = hypothesis.settings.get_current_profile_name() == "fuzz"
SECONDS_MAX, MEGABYTES_MAX = 2.0, 500
MARKUP = [
    "<div>",
    "</div>",
    "<p>",
    "</p>",
    "<table><tr><td>",
    "</table>",
    "<br>",
    "<h1>",
    "</h1>",
    "<ul><li>",
    '<a href="http://x.cc/1">',
    "</a>",
    "<script>",
    "</script>",
    "<style>.a{display:none}</style>",
    "<!--",
    "-->",
    '<div class="a" style="left:-9000px">',
    "<title>",
    "</title>",
    "</body>",
    "</html>",
    "<xmp>",
    "<noframes>",
    "&#0;",
    "&#xd800;",
    "&nbsp;",
    "<img src=1.jpg>",
    "<base href=//x>",
    '<meta charset="big5">',
]
TEXTS = [
    "会议召开。",
    "来源：新华社",
    "2020-03-20 16:56",
    "凉山| 兰坪| 中超| 桓仁| 南宁市| 内江市|",
    "長(cháng)",
    "\x05\x06，",
    "?",
    "代开发票，加微信详谈。",
    "online casino bonus, register now",
    "附件：",
    "（记者 江篱）",
    "\u3000",
    "\ufffd",
    "1",
    "技术支持：某公司",
    "责任编辑：江篱",
    "\u202e",
    "\u200b",
    "|",
    "\t",
    "\n",
]


@pytest.mark.hypothesis
def test_hostile_pages_are_answered_in_time_and_memory():
    script = Path(__file__).with_name("bad_input.py")
    scale = "1.0" if IS_LONG else "0.01"
    done = subprocess.run([sys.executable, script, scale], capture_output=True, check=False)
    found = json.loads(done.stdout or b"{}")
    slow = {name: s for name, s in found.get("seconds", {}).items() if s > SECONDS_MAX}

    assert done.returncode == 0, done.stderr.decode()
    assert tuple(found["seconds"]) == NAMES
    assert slow == {}
    assert found["peak_mb"] <= MEGABYTES_MAX


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_page_is_a_row_like_any_other(name):
    cleaned = clean_page(make(name, 0.0005), URL)

    assert replay(cleaned.received, [step.edits for step in cleaned.steps]) == (
        cleaned.article.article_body
    )
    cleaned.article.article_body.encode()


@pytest.mark.parametrize("number", [*range(32), *range(127, 160), 0xFEFF, 0xFFFD, 0xFFFE])
def test_no_control_character_gets_into_a_row(number):
    char = chr(number)
    html = f"<h1>会议{char}召开</h1><p>会议今天在长沙{char}召开，省委书记出席会议。</p>" * 2
    article = clean_page(html.encode(), URL).article
    allowed = {"\n", "\t"}

    assert "会议" in article.headline
    assert "省委书记出席会议。" in article.article_body
    assert not [c for c in article.headline + article.article_body if c < " " and c not in allowed]


@given(st.lists(st.sampled_from(MARKUP + TEXTS), max_size=40).map("".join))
def test_tag_soup_gives_a_row_that_replays_and_is_clean(html):
    cleaned = clean_page(html.encode(), URL)
    body = cleaned.article.article_body

    assert replay(cleaned.received, [step.edits for step in cleaned.steps]) == body
    assert clean(cleaned.page).article == cleaned.article
    assert clean_body(body)[0] == body


@given(st.lists(st.sampled_from([*MARKUP, *TEXTS]), max_size=8), st.binary(max_size=60))
def test_bytes_in_between_are_no_error(pieces, noise):
    clean_page(noise.join(piece.encode("gb18030", "replace") for piece in pieces), URL)


def _patterns():
    """Collect every pattern of the core, under the name of the table that holds it."""
    found: dict[re.Pattern[str], str] = {}
    for module in pkgutil.walk_packages(hongxing_crawler.core.__path__, "hongxing_crawler.core."):
        for name, value in vars(importlib.import_module(module.name)).items():
            for item in _flat(value, 3):
                found.setdefault(item, f"{module.name.rpartition('core.')[2]}.{name}")
    return {name: pattern for pattern, name in found.items() if isinstance(pattern.pattern, str)}


def _flat(value, depth):
    if isinstance(value, re.Pattern):
        yield value
    elif depth and isinstance(value, (tuple, list, set, frozenset)):
        for item in value:
            yield from _flat(item, depth - 1)
    elif depth and isinstance(value, dict):
        for item in value.values():
            yield from _flat(item, depth - 1)


def _alphabet(tree, chars, words):
    """Gather the characters and the words of which a pattern is made."""
    word = ""
    for op, value in tree:
        if op is ops.LITERAL:
            chars.add(chr(value))
            word += chr(value)
            continue
        words.add(word)
        word = ""
        if op is ops.IN:
            chars.update(chr(v if o is ops.LITERAL else v[0]) for o, v in value if o in _SINGLE)
            chars.update("文 7a")
        elif op in {ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT}:
            _alphabet(value[2], chars, words)
        elif op is ops.SUBPATTERN:
            _alphabet(value[3], chars, words)
        elif op is ops.BRANCH:
            for branch in value[1]:
                _alphabet(branch, chars, words)
        elif op in {ops.ASSERT, ops.ASSERT_NOT}:
            _alphabet(value[1], chars, words)
        else:
            chars.add("文")
    words.add(word)


_SINGLE = {ops.LITERAL, ops.RANGE}
PATTERNS = _patterns()
# Patterns that see an address (at most 4,096 characters) or a short text, never a page: their
# callers bound them, and have tests of their own.
BOUNDED = ("surt.", "hosts.", "urls.", "repeats_judge.", "profile.")


@pytest.mark.hypothesis
def test_no_pattern_takes_long_on_its_own_alphabet():
    rng, size = random.Random(20261123), 20_000 if IS_LONG else 1_500
    slow = []
    for name, pattern in PATTERNS.items():
        if name.startswith(BOUNDED):
            continue
        chars: set[str] = set()
        words: set[str] = set()
        _alphabet(parser.parse(pattern.pattern, pattern.flags), chars, words)
        units = [*sorted(chars)[:40], *sorted(filter(None, words))[:40]]
        baits = [unit * (size // len(unit)) for unit in rng.sample(units, min(12, len(units)))]
        for _ in range(40 if IS_LONG else 4):
            unit = "".join(rng.choices(units, k=3))
            baits.append(unit * (size // len(unit)))
        for bait in baits:
            start = time.process_time()
            for _ in pattern.finditer(bait):
                pass
            if time.process_time() - start > 1.0:
                slow.append((name, bait[:20]))

    assert len(PATTERNS) > 100
    assert slow == []
