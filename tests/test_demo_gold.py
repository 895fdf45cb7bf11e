"""Gold records follow from how the articles were written, and the core meets them."""

from __future__ import annotations

import json
from dataclasses import asdict, fields

import pytest

from hongxing_crawler.demo.content import DATA_FOLDER, Article, load_site
from hongxing_crawler.demo.gold import GoldRecord, load_gold, make_gold, make_topic_records
from hongxing_crawler.demo.markup import parse_parts, plain_text


@pytest.mark.parametrize("state", [1, 2])
def test_the_kept_records_are_those_of_the_articles(state):
    assert load_gold(state) == make_gold(state)


def test_the_kept_topic_records_are_those_of_the_topics():
    kept = json.loads((DATA_FOLDER / "gold" / "topics.json").read_text("utf-8"))

    assert kept == make_topic_records()
    assert sum(len(record["attachments"]) for record in kept.values()) >= 8


def test_every_article_has_its_record():
    assert set(load_gold(1)) == {article.path for article in load_site(1).articles}


def test_every_record_has_all_fields():
    names = [field.name for field in fields(GoldRecord)]

    assert all(list(record) == names for record in load_gold(1).values())


def test_the_seed_record_is_its_annotated_file():
    record = load_gold(1)["/content/2020/03/20/7000320.html"]

    assert record["headline"] == "永州江华:“五抓五强”摘穷帽 神州瑶都焕新颜"
    assert record["article_body"].count("\n\n") == 4
    assert [image["path"] for image in record["images"]] == [
        f"/2020/03-20/seed-{number}.jpg" for number in ("001", "002", "003")
    ]
    assert {"会泽县", "中超", "欢迎您访问红星网"} <= set(record["gone"])


def test_injected_pages_and_look_alikes_are_in_number():
    records = load_gold(1).values()

    assert len({rule for record in records for rule in record["rules"]}) >= 18
    assert sum(bool(record["gone"]) for record in records) >= 15
    assert sum(bool(record["kept"]) for record in records) >= 3


def test_what_must_go_is_never_part_of_an_article():
    for record in load_gold(1).values():
        row = json.dumps(
            {k: v for k, v in record.items() if k not in {"gone", "kept"}}, ensure_ascii=False
        )
        assert not [text for text in record["gone"] if text in row]


def test_markup_reads_blocks_in_order():
    blocks = ("一[链](img:/a.doc)二。", "![字](img:/b.jpg) 说明", "| a | b |\n| c | d |", ">> 落款")
    parts = parse_parts("\n\n".join((*blocks, "-----", "三")))

    assert [[(b.kind, b.read_text()) for b in part] for part in parts] == [
        [("text", "一链二。"), ("picture", ""), ("table", "a\tb\n\nc\td"), ("right", "落款")],
        [("text", "三")],
    ]


def test_plain_text_drops_marks_alone():
    assert plain_text("**第一**，见[附件](/a.pdf)（略）") == "第一，见附件（略）"


def test_an_article_is_a_plain_value():
    article = load_site(1).articles[0]

    assert Article(**asdict(article)) == article
