"""The core reads every page of the demo site as its gold record says.

``python tests/test_demo_extraction.py`` shows each field that differs.
"""

from __future__ import annotations

import http.client
import json
import re
import sys
from contextlib import closing
from dataclasses import asdict
from urllib.parse import urlsplit

import pytest

from hongxing_crawler.core.clean import clean, join_parts
from hongxing_crawler.core.page import extract
from hongxing_crawler.demo import DemoSite
from hongxing_crawler.demo.content import DATA_FOLDER, load_site
from hongxing_crawler.demo.gold import load_gold

FIELDS = ("headline", "date_published", "source_name", "article_body", "images", "attachments")
FLOORS = json.loads((DATA_FOLDER / "gold" / "baseline.json").read_text("utf-8"))


def read_pages(demo, article):
    """Fetch and extract all pages of an article, and clean them as one."""
    with closing(http.client.HTTPConnection(urlsplit(demo.www).netloc, timeout=20)) as connection:
        pages = []
        for number in range(1, len(article.parts) + 1):
            path = article.part_path(number)
            connection.request("GET", path)
            response = connection.getresponse()
            kind = response.headers.get("Content-Type", "")
            pages.append(extract(response.read(), demo.www + path, demo.profile, content_type=kind))
    return clean(join_parts(pages) if len(pages) > 1 else pages[0], demo.profile), pages


def read_fields(cleaned):
    """Bring a cleaned page into the form of a gold record."""
    article = cleaned.article
    return {
        "headline": article.headline,
        "date_published": article.date_published,
        "source_name": article.source_name,
        "article_body": article.article_body,
        "images": [{"path": urlsplit(i.url).path, "caption": i.caption} for i in article.images],
        "attachments": [
            {"path": urlsplit(a.url).path, "name": a.name} for a in article.attachments
        ],
    }


def find_surviving(cleaned, gold):
    row = json.dumps(asdict(cleaned.article), ensure_ascii=False)
    return [text for text in gold["gone"] if text in row]


def find_untraced(cleaned, gold):
    """Find texts that went without an edit or removed block that holds them; ids are no text."""
    blocks = [block.text for block in cleaned.removed]
    blocks += [edit.removed for step in cleaned.steps for edit in step.edits]
    texts = [text for text in gold["gone"] if not re.fullmatch(r"[a-z0-9]{5}", text)]
    return [text for text in texts if not any(text in block for block in blocks)]


def find_wronged(cleaned, gold):
    """Find honest texts that a rule for spam took away."""
    spam = [block for block in cleaned.removed if block.rule.startswith("spam.")]
    return [text for text in gold["kept"] for block in spam if text in block.text]


def is_body_right(got, gold):
    """Compare bodies; where characters are lost for good, all other paragraphs must be right."""
    if gold["exact"]:
        return got == gold["article_body"]
    pairs = list(zip(got.split("\n\n"), gold["article_body"].split("\n\n"), strict=False))
    return len(pairs) == gold["article_body"].count("\n\n") + 1 and (
        sum(mine != true for mine, true in pairs) <= 1
    )


def judge(cleaned, gold):
    """Say for each field of a record whether it is right."""
    fields = read_fields(cleaned)
    verdicts = {name: fields[name] == gold[name] for name in FIELDS}
    verdicts["article_body"] = is_body_right(fields["article_body"], gold)
    verdicts["gone"] = not find_surviving(cleaned, gold)
    verdicts["traced"] = not find_untraced(cleaned, gold)
    verdicts["kept"] = not find_wronged(cleaned, gold)
    allowed = {"clean"} if not gold["damaged"] else {"proved", "guessed"}
    verdicts["restoration"] = cleaned.restoration.verdict in (
        allowed if gold["exact"] else {"lossy"}
    )
    return verdicts


@pytest.fixture(scope="module", params=[1, 2])
def judged(request):
    """Judge all articles of a state: path to field to verdict."""
    gold = load_gold(request.param)
    with DemoSite(state=request.param) as demo:
        articles = [a for a in load_site(request.param).articles if a.template != "app"]
        return {a.path: judge(read_pages(demo, a)[0], gold[a.path]) for a in articles}


@pytest.mark.parametrize("field", [*FIELDS, "gone", "traced", "kept", "restoration"])
def test_records_are_exact_in_as_many_articles_as_ever(judged, field):
    wrong = [path for path, verdicts in judged.items() if not verdicts[field]]

    assert len(wrong) <= FLOORS["wrong"][field], wrong


def test_the_parts_of_an_article_are_found_in_order():
    article = next(a for a in load_site(1).articles if len(a.parts) > 1)
    with DemoSite() as demo:
        first = read_pages(demo, article)[1][0]
        wanted = tuple(demo.www + article.part_path(n) for n in range(2, len(article.parts) + 1))

    assert first.next_parts == wanted


@pytest.mark.parametrize("template", ["2012", "2017", "a", "b", "c", "video"])
def test_templates_are_recognised(template):
    articles = [a for a in load_site(1).articles if a.template == template and not a.verbatim]
    with DemoSite() as demo:
        found = {a.path: read_pages(demo, a)[0].page.template for a in articles}

    assert {path: name for path, name in found.items() if name != template} == {}


def main():
    gold = load_gold(1)
    with DemoSite() as demo:
        for article in load_site(1).articles:
            cleaned, _ = read_pages(demo, article)
            record = gold[article.path]
            for name, is_right in judge(cleaned, record).items():
                if not is_right:
                    got = read_fields(cleaned).get(name, "")
                    sys.stdout.write(f"{article.path} {name}\n got  {got!r}\n")
                    sys.stdout.write(f" gold {record.get(name)!r}\n")


if __name__ == "__main__":
    main()
