"""What a site looks like: plain values that the extractor and the spiders read.

The TOML files in ``sites`` are read and checked by ``sites.profile``; this module holds only
the values, so that ``core`` stays free of files.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Template:
    """One generation of a site's article template: ordered CSS selectors per field.

    The first selector that finds text wins. ``comment_pairs`` are the HTML comments that
    enclose a field (``标题开始``, ``标题结束``), for templates of the comment-marked kind.
    A template is believed only when its invariants hold on the page (title and body found).
    """

    name: str
    title: tuple[str, ...] = ()
    body: tuple[str, ...] = ()
    date: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    author: tuple[str, ...] = ()
    editor: tuple[str, ...] = ()
    kicker: tuple[str, ...] = ()
    subheadline: tuple[str, ...] = ()
    caption: tuple[str, ...] = ()
    comment_pairs: tuple[tuple[str, str, str], ...] = ()  # (field, start mark, end mark)


@dataclass(frozen=True, slots=True)
class Revisit:
    """When a known URL is asked again, in seconds."""

    list_after_s: float = 0.0
    article_first_s: float = 86_400.0
    article_factor: float = 2.0
    article_ceiling_s: float = 15_552_000.0  # 180 days
    unconditional_share: float = 0.02  # servers lie: this share is asked without validators
    gone_confirmations: int = 2  # visits that must agree before a page gets its tombstone


@dataclass(frozen=True, slots=True)
class BrowserRule:
    """Pages that a script fills, and what the browser waits for and does on them.

    ``scroll`` and ``click`` end early when they bring nothing more, and always with the page's
    time.
    """

    pattern: str  # regex, searched in the absolute URL
    wait_for: str = ""  # CSS selector; empty: until network and DOM are quiet
    scroll: int = 0  # times to scroll to the end
    click: str = ""  # CSS selector of "load more"
    clicks: int = 20  # times to click it at most


@dataclass(frozen=True, slots=True)
class JsonList:
    """A list that the site gives as JSON: its addresses, and where in an answer things stand.

    A place is names parted by dots, ``data.records``; numbers count in arrays, ``*`` is each.
    The list goes on at ``next``, else at the next number of ``page``, and ends where nothing is
    named any more, where ``more`` says no, or after so many ``pages``.
    """

    pattern: str  # regex, searched in the absolute address of the JSON
    items: str = ""  # place of the array; empty: the answer itself
    url: str = "url"  # place in an item, or an address with places in braces: /detail/{id}.html
    title: str = ""  # place in an item; given, some item must have one
    date: str = ""  # the same; --since goes by it
    next: str = ""  # place of the next address, or of the cursor
    cursor: str = ""  # parameter of the address that takes what stands at next
    page: str = ""  # regex with group n: the number in the address that is counted up
    step: int = 1  # by so much; the number of items where the address counts items
    pages: str = ""  # place of the number of pages
    more: str = ""  # place of yes or no
    for_pages: str = ""  # regex on the addresses of web pages that such a list belongs to
    address: str = ""  # of the list of such a page, with groups of for_pages in braces


@dataclass(frozen=True, slots=True)
class SiteProfile:
    """A site: where to start, what belongs to it, how its pages are read.

    URL patterns are regular expressions matched (``search``) against the absolute URL
    without its fragment. Order of the decision for a URL: ``never`` > ``json_list`` >
    ``article`` > ``list`` > ``topic`` > ``attachment_extensions`` > page on one of the ``hosts``.
    """

    name: str
    title: str = ""
    hosts: tuple[str, ...] = ()  # host or host:port whose pages are crawled
    media_hosts: tuple[str, ...] = ()  # images and attachments only; tried for root-relative files
    old_hosts: tuple[str, ...] = ()  # former names: links to them are looked up on hosts[0]
    seeds: tuple[str, ...] = ()
    sitemaps: tuple[str, ...] = ()
    feeds: tuple[str, ...] = ()  # RSS or Atom
    never: tuple[str, ...] = ()  # counters, login, visit/clicks/star routes: never requested
    article: tuple[str, ...] = ()
    list: tuple[str, ...] = ()
    topic: tuple[str, ...] = ()
    article_date: str = ""  # regex with groups year, month, day in the URL
    article_date_shift: int = 0  # digits shifted by this much mod 10 (rednet: 4)
    next_list: tuple[str, ...] = ()  # CSS of next-page links in lists
    list_item: tuple[str, ...] = ()  # CSS of a list's items; none found = a warning
    next_part: tuple[str, ...] = ()  # CSS of in-article page links
    next_part_url: str = ""  # regex with groups stem and n: (?P<stem>.*)_(?P<n>\d+)\.html
    templates: tuple[Template, ...] = ()
    date_labels: tuple[str, ...] = ("时间", "发布时间", "发布日期", "日期")
    source_labels: tuple[str, ...] = ("文章来源", "来源", "稿源", "信息来源")
    author_labels: tuple[str, ...] = ("作者",)
    editor_labels: tuple[str, ...] = ("责任编辑", "责编", "编辑")
    tail_marks: tuple[str, ...] = ()  # regexes: lines that end the article
    template_text: tuple[str, ...] = ()  # the site's own furniture lines (footer, welcome)
    attachment_extensions: tuple[str, ...] = (
        "xlsx", "xls", "doc", "docx", "pdf", "zip", "rar", "wps", "et", "ppt", "pptx", "txt", "csv",
        "7z",
    )  # fmt: skip
    soft_404: tuple[str, ...] = ()  # regexes on title or text; "home": the body of a start page
    needs_browser: tuple[str, ...] = ()  # URL patterns whose pages are filled by script
    browser: tuple[BrowserRule, ...] = ()  # the same, with what to wait for and to do there
    json_list: tuple[JsonList, ...] = ()  # lists that are asked for as JSON, without a browser
    max_list_pages: int = 2_000
    max_depth: int = 50
    generic: bool = False  # every page on the hosts may be an article; the generic path decides
    revisit: Revisit = Revisit()
