"""Every rule by which text goes has its place in the documentation."""

from __future__ import annotations

import re
from pathlib import Path

import hongxing_crawler.core

RULE_RE = re.compile(r'"((?:spam|template|restore|footer|page|spaces)\.[a-z_]+)"')
ROOT = Path(hongxing_crawler.core.__file__).parent


def test_every_rule_is_documented_and_no_other():
    texts = [path.read_text("utf-8") for path in ROOT.rglob("*.py")]
    rules = {rule for text in texts for rule in RULE_RE.findall(text)}
    docs = (ROOT.parent.parent / "docs" / "rules.md").read_text("utf-8")
    named = set(re.findall(r"\b((?:spam|template|restore|footer|page|spaces)\.[a-z_]+)\b", docs))

    assert rules == named
