"""Layouts of many systems: which lines are the article, and which rule takes the others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from core_kit import read

CASES = json.loads((Path(__file__).parent / "cases" / "layouts.json").read_text("utf-8"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_the_article_comes_through_whole_and_alone(case):
    title = case.get("title", "某网")
    cleaned = read(f"<!DOCTYPE html><title>{title}</title><body>{case['html']}</body>")

    assert cleaned.article.article_body.split("\n\n") == case["body"]
    rules = {block.rule for block in cleaned.removed}
    assert "rule" not in case or case["rule"] in rules
    assert "not_rule" not in case or not any(rule.startswith(case["not_rule"]) for rule in rules)
