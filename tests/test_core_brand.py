"""A foreign name in place of the site's is flagged; honest titles of all forms are not."""

from __future__ import annotations

import pytest

from hongxing_crawler.core.brand import is_brand_swapped
from hongxing_crawler.core.clean import clean_page
from hongxing_crawler.core.profile import SiteProfile

HEADLINE = "双溪镇的柑橘熟了"
BODY = "<p>镇里请来技术员，在果园里边剪枝边讲解，三十多名果农围着他提问。</p>" * 3
KNOWN = SiteProfile(name="hongxing", title="红星网", generic=True)

SWAPPED = [
    (f"{HEADLINE}-大发彩票网", "", ""),
    (f"金冠娱乐城官网_{HEADLINE}", "", "红星网"),
    (f"{HEADLINE}-好运网", "欢迎您访问好运网", "红星网"),
    (HEADLINE, "欢迎光临好运天天网", "红星网"),
]
HONEST = [
    (f"{HEADLINE}-红星网", "欢迎您访问红星网", "红星网"),
    (f"{HEADLINE}_基层党建_湖南红星网", "", "红星网"),
    (f"{HEADLINE}-基层党建", "", "红星网"),
    (HEADLINE, "", "红星网"),
    ("", "", ""),
    (f"{HEADLINE}-双溪镇人民政府", "欢迎访问双溪镇政府网", ""),
    (f"{HEADLINE}-红星网", "欢迎您来到江华", "红星网"),
    (f"{HEADLINE}", "欢迎访问红星新闻网", "红星网"),
]


@pytest.mark.parametrize(("title", "foot", "name"), SWAPPED)
def test_a_foreign_name_is_flagged_and_left(title, foot, name):
    profile = KNOWN if name else None
    html = f"<title>{title}</title><h1>{HEADLINE}</h1>{BODY}<div>{foot}</div>"
    cleaned = clean_page(html.encode(), "http://www.hxw.gov.cn/1.html", profile)

    assert "brand_swapped" in cleaned.warnings
    assert cleaned.article.headline == HEADLINE


@pytest.mark.parametrize(("title", "foot", "name"), HONEST)
def test_honest_titles_are_not_flagged(title, foot, name):
    assert not is_brand_swapped(title, HEADLINE, f"{HEADLINE}\n{foot}", name)


def test_a_headline_about_the_trade_is_no_swap():
    assert not is_brand_swapped("警方打掉一个彩票诈骗网站-红星网", "警方打掉一个彩票诈骗网站", "")
