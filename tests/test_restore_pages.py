"""Articles of the demo site, damaged as pages and cleaned: their rows are those of sound pages.

What a kit made unreadable for good is flagged; all else comes back in every field.
"""

from __future__ import annotations

import random
import re
from functools import cache

import pytest
from mirror_kit import MARKS, MirrorKit, traditional, usual_glosses

from hongxing_crawler.core.clean import clean_page
from hongxing_crawler.core.edits import replay
from hongxing_crawler.demo.content import load_site
from hongxing_crawler.demo.render import render_article

HOST = "http://www.hxw.gov.cn"
KITS = {
    "live": {},
    "no noise": {"marks": ""},
    "noise in another order, after the glosses": {"marks": MARKS[::-1], "is_noise_first": False},
    "one pass": {"is_one_pass": True},
    "noise before two marks": {"marks": "，。"},
    "captured": {"is_captured": True},
    "captured and folded": {"is_captured": True, "fold": "ascii"},
    "decoded like Windows": {"shows_open_pairs": True},
    "the tables of Taiwan": {"tables": "s2tw"},
}


@cache
def articles():
    site = load_site(1)
    sound = [
        (HOST + article.path, render_article(site, article))
        for article in site.articles
        if not (article.damage or article.verbatim or article.template == "app")
        and len(article.parts) == 1
    ]
    return random.Random(4).sample(sound, 8)


@cache
def frequent(count, tables):
    text = "".join(html for _, html in articles())
    changed = [traditional(char, tables) for char in text if traditional(char, tables) != char]
    return sorted(set(changed), key=lambda char: (-changed.count(char), char))[:count]


def with_inline_tags(html):
    """Break the running text of every paragraph, so that damage lies across tags."""
    parts = re.split(r"(?<=<p>)([^<>&]{24,})", html)
    parts[1::2] = [f"{x[:9]}<strong>{x[9:12]}</strong>{x[12:20]}<br>{x[20:]}" for x in parts[1::2]]
    return "".join(parts)


def fields(cleaned, view):
    article = cleaned.article
    return {
        "headline": view(article.headline),
        "body": view(article.article_body),
        "source": view(article.source_name),
        "editor": view(article.editor),
        "authors": [view(author.name) for author in article.authors],
        "captions": [view(image.caption) for image in article.images],
        "alternative texts": [view(image.alt) for image in article.images],
        "attachments": [view(file.name) for file in article.attachments],
        "date": article.date_published,
    }


def clean(html, url):
    return clean_page(html.encode(), url)


@pytest.mark.parametrize("count", [30, 400])
@pytest.mark.parametrize("habits", KITS.values(), ids=KITS)
@pytest.mark.parametrize("prepare", [str, with_inline_tags], ids=["plain", "inline tags"])
def test_fields_of_damaged_pages_are_those_of_sound_ones_or_flagged(prepare, habits, count):
    glosses = usual_glosses(frequent(count, habits.get("tables", "s2t")), random.Random(1), 0.1)
    kit = MirrorKit(glosses, **habits)
    wrong = []
    for url, html in articles()[:: 1 if prepare is str else 4]:
        sound = fields(clean(prepare(html), url), kit.view)
        cleaned = clean(kit.damage_html(prepare(html)), url)
        got = fields(cleaned, kit.view)
        is_flagged = cleaned.restoration.verdict in {"guessed", "lossy"}
        wrong += [
            (url, key, got[key]) for key in sound if got[key] != sound[key] and not is_flagged
        ]

        assert cleaned.restoration.verdict != "clean"
        assert replay(cleaned.received, [step.edits for step in cleaned.steps]) == (
            cleaned.article.article_body
        )

    assert wrong == []
