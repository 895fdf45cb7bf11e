"""Which pages need a browser: those that the profile names, and those that came with a lack."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hongxing_crawler.core.json_hints import suggest_json_list
from hongxing_crawler.core.json_lists import find_json_list
from hongxing_crawler.core.profile import BrowserRule

if TYPE_CHECKING:
    from hongxing_crawler.core.profile import SiteProfile

RENDERED = "rendered"  # hongxing-kind of the record that holds a page as a browser showed it
RENDERED_TYPE = "text/html; charset=utf-8"
DOM_URN = "urn:dom:"  # before the page's address
PICTURE_URN = "urn:fullPage:"  # as Browsertrix and ReplayWeb.page name it
MODES = ("auto", "always", "off")

_SCRIPT_RE = re.compile(rb"<script\b|<noscript\b", re.IGNORECASE)
_ASKS_RE = re.compile(
    r"enable.{0,20}JavaScript|JavaScript.{0,30}(?:required|enabled|disabled)|"
    r"(?:启用|开启|打开|允许|支持).{0,12}(?:JavaScript|JS|脚本)|"
    r"(?:JavaScript|JS|脚本).{0,12}(?:启用|开启|打开|禁用|不支持)",
    re.IGNORECASE,
)
_LITTLE_CHARS = 60  # a frame, a title, "loading"
_SHORT_CHARS = 600  # a page that asks for JavaScript says little else
_IN_VAIN_MAX = 2
_PATTERNS_MAX = 10_000  # addresses without digits are a pattern each
BESIDE_MAX = 8  # pages that wait for the browser while others are asked for
_LISTS_MAX = 20  # addresses of data that are looked at
_DATA_MAX_BYTES = 1 << 20
_NAMED_MAX = 5  # pages that the advice names one by one
_NO_RULE = BrowserRule("")
_ADVICE = "put [[browser]] with pattern = '{}' into the site's profile"


@dataclass(frozen=True, slots=True)
class Impression:
    """A page as it came without a browser, as far as it tells whether it is complete."""

    html: bytes
    kind: str  # of the visit
    text: str  # all visible text
    list_item_count: int
    article_links: int
    has_text: bool  # of an article
    has_media: bool  # pictures, files or films of an article

    @property
    def has_body(self) -> bool:
        return self.has_text or self.has_media


def find_lack(page: Impression, profile: SiteProfile) -> str:
    """Say what a page lacks that a script may bring; empty when it seems complete.

    Only a page with a script can gain by a browser. A list without items is one where the
    profile knows how items look and no article is linked either.

    >>> from hongxing_crawler.core.profile import SiteProfile
    >>> empty = Impression(b"<div id=app></div><script src=a.js>", "page", "", 0, 0, False, False)
    >>> find_lack(empty, SiteProfile("x"))
    'no_text'

    Returns:
        ``no_text`` | ``asks_for_javascript`` | ``no_items`` | ``no_body`` | empty
    """
    if not _SCRIPT_RE.search(page.html):
        return ""
    text = page.text.strip()
    if len(text) < _SHORT_CHARS and _ASKS_RE.search(text):
        return "asks_for_javascript"
    if len(text) < _LITTLE_CHARS and not page.has_media and not page.article_links:
        return "no_text"
    is_list = page.kind == "list" and profile.list_item
    if is_list and not page.list_item_count and not page.article_links:
        return "no_items"
    return "no_body" if page.kind == "article" and not page.has_body else ""


def pattern_of(url: str) -> str:
    r"""Write the pattern of addresses like this one, as it may stand in a profile.

    >>> pattern_of("https://a.cn/channel/1001_2.html?t=7")
    '^https?://a\\.cn/channel/\\d+_\\d+\\.html'
    """
    host, _, path = url.partition("://")[2].partition("?")[0].partition("/")
    stem = re.sub(r"[0-9]+", r"\\d+", re.escape(f"/{path}"))
    return f"^https?://{re.escape(host)}{stem}"


@dataclass(slots=True)
class _Pattern:
    """What became of the pages of one pattern in this run."""

    came_count: int = 0
    lack: str = ""  # what the first page that lacked something lacked
    helped: list[str] = field(default_factory=list)  # pages that gained by a browser
    in_vain_count: int = 0

    @property
    def needs_browser(self) -> bool:
        """Tell whether that many pages of it gained that the next one will."""
        return bool(self.helped) and len(self.helped) * 2 >= self.came_count


@dataclass
class Rendering:
    """What one run knows of the pages that need a browser."""

    profile: SiteProfile
    mode: str = "auto"  # one of MODES
    patterns: dict[str, _Pattern] = field(default_factory=dict)
    failed_count: int = 0  # pages that no browser could show
    first_failure: str = ""
    waiting: set[int] = field(default_factory=set)  # visits that are with the browser, by ticket
    missing: str = ""  # why there is no browser, once one was needed
    lists: dict[str, str] = field(default_factory=dict)  # advice by address without its query

    @property
    def beside_count(self) -> int:
        """Count the visits that keep no other page from being asked for: those with the browser.

        Not without end: where most pages need a browser, the others wait for it too.
        """
        return min(len(self.waiting), BESIDE_MAX)

    def find_rule(self, url: str) -> BrowserRule | None:
        """Find the profile's rule for an address."""
        for rule in self.profile.browser:
            if re.search(rule.pattern, url):
                return rule
        if any(re.search(pattern, url) for pattern in self.profile.needs_browser):
            return _NO_RULE
        return None

    def is_known(self, url: str) -> bool:
        """Tell before a page is asked for that it will need a browser: no condition is sent."""
        if self.mode == "off" or self.missing:
            return False
        if self.mode == "always" or self.find_rule(url) is not None:
            return True
        known = self.patterns.get(pattern_of(url)) if self.patterns else None
        return known is not None and known.needs_browser

    def is_wanted(self, url: str, page: Impression) -> bool:
        """Tell whether a page that came is to be looked at in a browser.

        A page of a pattern that needed one before and came whole needs none; a pattern whose pages
        gained nothing by it is left alone for the rest of the run.
        """
        if self.mode == "off" or self.missing:
            return False
        if self.mode == "always" or self.find_rule(url) is not None:
            return True
        lack = find_lack(page, self.profile)
        known = self._count(url)
        if not lack or known is None or known.in_vain_count >= _IN_VAIN_MAX:
            return False
        known.lack = known.lack or lack
        return True

    def _count(self, url: str) -> _Pattern | None:
        """Count a page that came; None when there are too many patterns to tell them apart."""
        pattern = pattern_of(url)
        if pattern not in self.patterns and len(self.patterns) >= _PATTERNS_MAX:
            return None
        known = self.patterns.setdefault(pattern, _Pattern())
        known.came_count += 1
        return known

    def note(self, url: str, after: Impression) -> None:
        """Remember whether a browser brought what a page lacked."""
        known = self.patterns.get(pattern_of(url))
        if known is None or not known.lack or self.find_rule(url) is not None:
            return
        if find_lack(after, self.profile):
            known.in_vain_count += 1
        else:
            known.helped.append(url)

    def note_data(self, page: str, url: str, body: bytes, content_type: str) -> None:
        """Look at data that a page asked for: a list may be had without a browser."""
        address = url.partition("?")[0]
        if address in self.lists or len(self.lists) >= _LISTS_MAX or len(body) > _DATA_MAX_BYTES:
            return
        known = find_json_list(url, self.profile) is not None
        found = "" if known else suggest_json_list(body, content_type, url)
        self.lists[address] = found and (
            f"{page} fills a list from {url}; it may be had without a browser:"
            f" [[json_list]] {found}"
        )

    def note_failure(self, url: str, why: str) -> None:
        """Count a page that no browser could show; it stands as it came."""
        self.failed_count += 1
        self.first_failure = self.first_failure or f"{url} ({why})"

    def advice(self) -> list[str]:
        """Say what an operator can put into the profile, or what is missing on this machine."""
        found = [_advise(pattern, known) for pattern, known in self.patterns.items()]
        if self.failed_count:
            pages, stand = ("page", "stands") if self.failed_count == 1 else ("pages", "stand")
            found.append(
                f"{self.failed_count} {pages} could not be shown by the browser and {stand} as"
                f" received; the first: {self.first_failure}"
            )
        return [line for line in (*found, *self.lists.values(), self.missing) if line]


def _advise(pattern: str, known: _Pattern) -> str:
    """Say which pages needed a browser, and a pattern that fits them and few others."""
    count = len(known.helped)
    if not count:
        return ""
    found = f"{count} of {known.came_count} pages like {min(known.helped)} needed a browser"
    if known.needs_browser:
        advice = _ADVICE.format(pattern)
    elif known.lack == "no_items" and count <= _NAMED_MAX:
        advice = _ADVICE.format(_exactly(known.helped))
    else:
        advice = "the others came whole, so no pattern is worth it: such pages are found every time"
    return f"{found} ({known.lack}); {advice}"


def _exactly(urls: list[str]) -> str:
    r"""Write the pattern of a few addresses and no others.

    >>> _exactly(["https://a.cn/list/7", "https://a.cn/list/9"])
    '^https?://(?:a\\.cn/list/7|a\\.cn/list/9)$'
    """
    places = [re.escape(url.partition("://")[2]) for url in sorted(set(urls))]
    return f"^https?://(?:{'|'.join(places)})$"
