"""Who wrote and who photographed, by label, beside the date or in the dateline."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from core_kit import TEXTS, read, write_page

from hongxing_crawler.core.people import split_people

CASES = json.loads((Path(__file__).parent / "cases" / "people.json").read_text("utf-8"))
META = "文章来源：红星网 时间: 2020-03-20 16:56"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["label"])
def test_names_and_roles(case):
    people = [[person.name, person.role] for person in split_people(case["received"])]

    assert people == case["people"]


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        (META, "来源：红星网 作者：奉某 蒋某 编辑：杨洁 2020-03-20 16:56", ["奉某", "蒋某"]),
        (META, "来源：红星网作者：奉某 蒋某编辑：杨洁2020-03-20 16:56", ["奉某", "蒋某"]),
        (META, "2020/3/20 16:56:00　江华日报　记者 奉某", ["奉某"]),
        (TEXTS[0], f"新华社长沙3月20日电（记者张某、李某）{TEXTS[0]}", ["张某", "李某"]),
        (TEXTS[0], f"〔記者魏怡嘉／台北報導〕{TEXTS[0]}", ["魏怡嘉"]),
        (TEXTS[-1], f"{TEXTS[-1]}</p><p>（记者 蒋某 通讯员 奉某）", ["蒋某", "奉某"]),
        (TEXTS[0], f"记者：今年有什么特点？</p><p>{TEXTS[0]}", []),
        (TEXTS[1], f"他说（记者在现场看到）{TEXTS[1]}", []),
    ],
)
def test_where_names_stand(old, new, names):
    article = read(write_page().replace(old, new)).article

    assert [author.name for author in article.authors] == names


def test_a_question_of_the_reporter_opens_an_interview():
    html = write_page().replace(TEXTS[0], f"记者：今年有什么特点？</p><p>{TEXTS[0]}")

    assert read(html).article.article_body.startswith("记者：今年有什么特点？\n\n")


def test_the_source_beside_date_and_reporter():
    html = write_page().replace(META, "2020/3/20 16:56:00　江华日报　记者 奉某")

    assert read(html).article.source_name == "江华日报"
