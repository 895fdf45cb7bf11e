"""A site's name replaced by another one: what mirrors do to titles, headers and footers."""

from __future__ import annotations

import re

from hongxing_crawler.core.advertising import may_advertise

_SEPARATORS_RE = re.compile(r"[-_|｜—－–·]+")
_WELCOME_RE = re.compile(r"欢迎您?(?:访问|光临|来到)[“《]?([\w\u4e00-\u9fff]{2,16})")
_TAIL_CHARS = 3_000


def is_brand_swapped(page_title: str, headline: str, text: str, site_title: str = "") -> bool:
    """Say whether a page carries a foreign name where the site's own belongs.

    The name is lost and never guessed; the page is flagged. On a known site the welcome
    line names another one, and its own name stands nowhere; on any site the title names a trade
    that the headline does not. A title that names no site, or only a section of it, is left alone.

    >>> is_brand_swapped("柑橘熟了-金冠娱乐城", "柑橘熟了", "欢迎您访问金冠娱乐城", "红星网")
    True
    >>> is_brand_swapped("柑橘熟了-基层党建-红星网", "柑橘熟了", "柑橘熟了", "红星网")
    False

    Args:
        page_title: The title element.
        headline: The headline that was found.
        text: The visible text of the page.
        site_title: The site's name when it is known.
    """
    others = [part.strip() for part in _SEPARATORS_RE.split(page_title) if part.strip()]
    others = [part for part in others if part not in headline and headline not in part]
    if any(may_advertise(part) for part in others) and not may_advertise(headline):
        return True
    if not site_title or site_title in page_title or site_title in text:
        return False
    welcomed = _WELCOME_RE.search(text[-_TAIL_CHARS:])
    return welcomed is not None and not _is_kin(welcomed[1], site_title)


def _is_kin(name: str, site_title: str) -> bool:
    """Tell whether two names share two characters in a row: long and short forms of one."""
    return any(site_title[at : at + 2] in name for at in range(len(site_title) - 1))
