"""Links to the next part of an article and the next page of a list."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hongxing_crawler.core.addresses import extension_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from hongxing_crawler.core.blocks import Outline
    from hongxing_crawler.core.profile import SiteProfile

_NEXT_RE = re.compile(
    r"^[\s\[【<>(（]*(?:下一?[页頁]|后一?页|次页|[Nn]ext(?:\s[Pp]age)?|››?|»|>|>>)[\s\]】>)）»]*$"
)
_NUMBER_RE = re.compile(r"^[\s\[【(（]*(?:第\s?)?(\d{1,4})(?:\s?页)?[\s\]】)）]*$")
_SIGNS_RE = re.compile(r"[\d页頁›»>Nn]")  # one of them is in each of the two
_TRS_PAGER_RE = re.compile(
    r"createPageHTML\(\s?(\d{1,4})\s?,\s?(\d{1,4})\s?,\s?[\"']([\w-]{1,60})[\"']\s?,\s?[\"'](\w{1,10})[\"']"
)
_PAGE_QUERY_RE = re.compile(
    r"[?&](?:page|p|pageno|pn|curpage|currentpage|pageindex)=\d{1,5}", re.IGNORECASE
)
_MAX_PAGES = 500


def find_pager_links(outline: Outline, url: str, absolute: Callable[[str], str]) -> tuple[str, ...]:
    """List the links of a pager: numbers and next marks that lead to siblings of this page."""
    found = []
    for line in outline.lines:
        if not line.links or len(line.text) > 300:
            continue
        for start, end, href in line.links:
            if end - start > 8:
                continue
            name = line.text[start:end]
            if _SIGNS_RE.search(name) and (_NUMBER_RE.match(name) or _NEXT_RE.match(name)):
                target = absolute(href)
                if target and target != url and is_sibling(url, target):
                    found.append(target)
    found += _trs_pages(outline, absolute)
    return tuple(dict.fromkeys(found))[:_MAX_PAGES]


def is_sibling(url: str, target: str) -> bool:
    """Say whether two addresses differ only in a page number.

    >>> is_sibling("http://a.cn/c/1.html", "http://a.cn/c/1_2.html")
    True
    >>> is_sibling("http://a.cn/c/1.html", "http://a.cn/c/2.html")
    False
    """
    if extension_of(url) != extension_of(target):
        return False
    return _stem(url) == _stem(target)


def _stem(url: str) -> str:
    plain = _PAGE_QUERY_RE.sub("", url.split("#", 1)[0])
    folder, _, name = plain.rpartition("/")
    path, question, query = name.partition("?")
    stem = path.rpartition(".")[0] or path
    stem = re.sub(r"(?<=[\w])[_-]\d{1,3}$", "", stem)
    if stem in {"index", "default", "list"}:
        stem = ""
    return f"{folder}/{stem}{question}{query.replace('?', '')}"


def _trs_pages(outline: Outline, absolute: Callable[[str], str]) -> list[str]:
    """Read the pager that TRS sites write by script: pages 2 to n are NAME_1 to NAME_(n-1)."""
    for _, script in outline.scripts:
        match = _TRS_PAGER_RE.search(script) if "createPageHTML" in script else None
        if match:
            count, current, name, extension = int(match[1]), int(match[2]), match[3], match[4]
            return [
                absolute(f"{name}_{page}.{extension}")
                for page in range(current + 1, min(count, _MAX_PAGES))
            ]
    return []


def split_pagers(
    outline: Outline, url: str, profile: SiteProfile | None, absolute: Callable[[str], str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the links to parts of this article and to pages of this list.

    A page that the profile calls a list has list pages; else a pager belongs to the article.
    """
    links = find_pager_links(outline, url, absolute)
    if (
        profile is not None
        and _matches(url, (*profile.list, *profile.topic))
        and not _matches(url, profile.article)
    ):
        return (), links
    if profile is not None and profile.next_part_url:
        pattern = re.compile(profile.next_part_url)
        links = tuple(link for link in links if pattern.search(link)) or links
    return links, links if profile is None else ()


def _matches(url: str, patterns: tuple[str, ...]) -> bool:
    return any(re.search(pattern, url) for pattern in patterns)
