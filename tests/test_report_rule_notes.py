import re
from pathlib import Path

import hongxing_crawler.core
from hongxing_crawler.report.rule_notes import describe_rule

RULE_RE = re.compile(r'"((?:spam|template|restore|footer|page|spaces)\.[a-z_]+)"')


def _rules_of_core():
    folder = Path(hongxing_crawler.core.__file__).parent
    texts = (path.read_text("utf-8") for path in folder.rglob("*.py"))
    return {rule for text in texts for rule in RULE_RE.findall(text)}


def test_every_rule_has_a_sentence_of_its_own():
    rules = _rules_of_core()
    shared = {rule for rule in rules if describe_rule(rule) == describe_rule(rule.split(".")[0])}

    assert len(rules) > 15
    assert shared == set()


def test_a_rule_of_an_unknown_group_has_a_sentence():
    assert describe_rule("never.heard_of") == "Named by the rule; see the documentation."
