"""Pagers that never end, and honest ones that look alike."""

import pytest

from hongxing_crawler.running.list_pages import ListPages
from hongxing_crawler.store.visit import Found, Ticket

HEAD = "http://a.cn/list.html"


def page(number):
    return f"http://a.cn/list_{number}.html" if number > 1 else HEAD


def visit(pages, number, articles, kind="list"):
    """Show the pager a page; whether its next page is followed."""
    found_on = page(number - 1) if number > 1 else "http://a.cn/"
    ticket = Ticket(number, page(number), kind, 2, number, 0, found_on)
    links = [Found(f"http://a.cn/{article}", "article") for article in articles]
    links.append(Found(page(number + 1), "list"))
    return any(link.url == page(number + 1) for link in pages.choose(ticket, links))


@pytest.mark.parametrize(
    ("shown", "followed"),
    [
        pytest.param(["abc", "def", "gh"], [True, True, True], id="an honest pager"),
        pytest.param(["abc", "def", "def", "def"], [True, True, False, False], id="the last again"),
        pytest.param(["abc", "abc"], [True, False], id="the first again"),
        pytest.param(["abc", "fed", "edf"], [True, True, False], id="the same in another order"),
        pytest.param(["abc", "", ""], [True, False, False], id="empty pages"),
        pytest.param(["", "abc"], [True, True], id="a first page filled by script"),
        pytest.param(["abc", "bcd", "cde"], [True, True, True], id="one new item a page"),
    ],
)
def test_a_pager_is_followed_as_long_as_it_shows_something_new(shown, followed):
    pages = ListPages()

    assert [visit(pages, number, items) for number, items in enumerate(shown, 1)] == followed


def test_a_page_that_is_asked_twice_does_not_repeat_itself():
    pages = ListPages()
    visit(pages, 1, "abc")

    assert visit(pages, 2, "def")
    assert visit(pages, 2, "def")


def test_other_pages_keep_their_links():
    assert visit(ListPages(), 2, "", kind="topic")
