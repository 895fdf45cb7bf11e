"""Which pages need a browser: those that the profile names, and those that came with a lack."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hongxing_crawler.core.profile import BrowserRule

if TYPE_CHECKING:
    from hongxing_crawler.core.profile import SiteProfile

RENDERED = "rendered"  # hongxing-kind of the record that holds a page as a browser showed it
RENDERED_TYPE = "text/html; charset=utf-8"
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
_NO_RULE = BrowserRule("")


@dataclass(frozen=True, slots=True)
class Impression:
    """A page as it came without a browser, as far as it tells whether it is complete."""

    html: bytes
    kind: str  # of the visit
    text: str  # all visible text
    list_item_count: int
    article_links: int
    has_body: bool


def find_lack(page: Impression, profile: SiteProfile) -> str:
    """Say what a page lacks that a script may bring; empty when it seems complete.

    Only a page with a script can gain by a browser. A list without items is one where the
    profile knows how items look and no article is linked either.

    >>> from hongxing_crawler.core.profile import SiteProfile
    >>> empty = Impression(b"<div id=app></div><script src=a.js>", "page", "", 0, 0, False)
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
    if len(text) < _LITTLE_CHARS and not page.has_body and not page.article_links:
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


@dataclass
class Rendering:
    """What one run knows of the pages that need a browser."""

    profile: SiteProfile
    mode: str = "auto"  # one of MODES
    helped: Counter[str] = field(default_factory=Counter)  # by pattern: pages that gained
    in_vain: Counter[str] = field(default_factory=Counter)  # by pattern: pages that did not
    lacks: dict[str, str] = field(default_factory=dict)  # by pattern: what its pages lacked
    missing: str = ""  # why there is no browser, once one was needed

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
        return bool(self.helped) and pattern_of(url) in self.helped

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
        if not lack or self.in_vain[pattern_of(url)] >= _IN_VAIN_MAX:
            return False
        self.lacks.setdefault(pattern_of(url), lack)
        return True

    def note(self, url: str, after: Impression) -> None:
        """Remember whether a browser brought what a page lacked."""
        pattern = pattern_of(url)
        if pattern in self.lacks:
            counts = self.in_vain if find_lack(after, self.profile) else self.helped
            counts[pattern] += 1

    def advice(self) -> list[str]:
        """Say what an operator can put into the profile, or what is missing on this machine."""
        found = [
            f"{count} pages needed a browser ({self.lacks[pattern]}); put [[browser]] with"
            f" pattern = '{pattern}' into the site's profile"
            for pattern, count in self.helped.items()
        ]
        return [*found, self.missing] if self.missing else found
