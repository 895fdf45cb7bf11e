"""The kit's damage, done forwards, gives the seed page character for character."""

from __future__ import annotations

import json
import random
import re

import pytest

from hongxing_crawler.demo.content import DATA_FOLDER, load_site
from hongxing_crawler.demo.damage import (
    capture_text,
    change_script,
    damage_html,
    damage_text,
    decode_like_kit,
    load_glosses,
)
from hongxing_crawler.demo.render import render_article
from hongxing_crawler.demo.seed import parse_seed, render_seed

FOLDER = DATA_FOLDER / "demo_site"
CAPTURED = (FOLDER / "seed" / "captured.txt").read_text("utf-8")
SEED = parse_seed(CAPTURED, "/2020/03-20/seed-")
GOLD = json.loads((FOLDER / "seed" / "gold.json").read_text("utf-8"))
PAIRS = [
    (GOLD["title"], SEED.title),
    *zip(GOLD["body"], [x.text for x in SEED.lines if not x.image and not x.centred], strict=True),
    *zip(
        [image["caption"] for image in GOLD["images"]],
        [line.text for line in SEED.lines if line.centred],
        strict=True,
    ),
    *zip(GOLD["footer_removed"], SEED.footer, strict=True),
]


@pytest.mark.parametrize(("true", "captured"), PAIRS, ids=range(len(PAIRS)))
def test_the_seed_is_reproduced(true, captured):
    damaged = damage_text(true, load_glosses("seed"), random.Random(1))

    assert capture_text(damaged) == captured


def test_the_seed_page_shows_the_captured_lines_and_nothing_else():
    article = next(a for a in load_site(1).articles if a.verbatim)
    html = render_seed(article, FOLDER)
    body = html.partition("<body>")[2]
    shown = re.sub(r'<img src="[^"]*" alt="([^"]*)">', r"\1", body)
    lines = [line.strip() for line in re.sub(r"<[^>]+>", "\n", shown).splitlines()]

    wanted = [line.strip() for line in CAPTURED.splitlines() if line.strip()]
    assert [line for line in lines if line] == wanted


@pytest.mark.parametrize(
    ("true", "damaged"),
    [
        ("和涉黑涉恶问题集中", "和涉黑涉惡?jiǎn)栴}集中"),
        ("树立了新风正气。考核奖惩兑现", "樹立了新風(fēng)正氣??己霜?jiǎng)懲兌現(xiàn)"),
    ],
)
def test_the_two_frame_shifts_of_the_seed(true, damaged):
    noisy = damage_text(true, load_glosses("seed"), random.Random(5))

    assert capture_text(noisy) == damaged


def test_glosses_may_end_in_a_space():
    assert "絡(luò )" in damage_text("网络", load_glosses("second"), random.Random(1))


def test_characters_outside_gbk_become_question_marks():
    assert damage_text("李𠮷", {}, random.Random(1)) == "李?"


def test_noise_stands_before_marks_alone():
    damaged = damage_text("一，二。三", {}, random.Random(1))

    assert re.fullmatch(r"一[\x05-\x08]{1,5}，二[\x05-\x08]{1,5}。三", damaged)


@pytest.mark.parametrize("char", "干后里面游范斗于")
def test_characters_that_the_kit_leaves_alone(char):
    assert change_script(char) == char


def test_a_truncated_last_byte_is_one_question_mark():
    assert decode_like_kit(b"a\xb0") == "a?"


def test_scripts_comments_and_addresses_stay():
    html = '<p id="业">业</p><script>业</script><!--业--><a href="/业" title="业">业 "业"</a>'

    assert damage_html(html, "seed", 1) == (
        '<p id="业">業(yè)</p><script>业</script><!--业-->'
        '<a href="/业" title="業(yè)">業(yè) "業(yè)"</a>'
    )


def test_damaged_pages_keep_their_inserts_in_simplified():
    site = load_site(1)
    for article in site.articles:
        if article.damage:
            html = render_article(site, article)
            assert article.headline not in html
            assert all(site.inserts[name].html in html for _, name in article.inserts)
            assert bool(re.search(r"[\x05-\x08]", html)) is not article.captured
