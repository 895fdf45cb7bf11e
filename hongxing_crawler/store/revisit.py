"""When a known URL is asked again, and whether with validators: decisions without a database."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hongxing_crawler.core.profile import Revisit

HUB_KINDS = frozenset({"seed", "list", "topic", "sitemap", "feed"})  # asked for their links


@dataclass(frozen=True, slots=True)
class PageState:
    """What is known of a URL between two visits."""

    state: str = "pending"  # pending | in_flight | done | failed | gone
    attempts: int = 0  # failed visits in this run
    interval_s: float = 0.0
    gone_count: int = 0  # visits in a row that found it gone
    seen: int = 0  # 1 after the first success
    original_id: int | None = None
    etag: str = ""
    last_modified: str = ""
    parent_kind: str = ""  # of the page on which it was found


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a visit that failed is tried in one run, and how long it waits before that."""

    max_attempts: int = 3
    after_s: float = 2.0
    factor: float = 4.0

    def wait_s(self, attempts: int) -> float:
        """Return the wait after ``attempts`` failures.

        >>> Retry().wait_s(1), Retry().wait_s(2)
        (2.0, 8.0)
        """
        return self.after_s * self.factor ** (attempts - 1)


def choose_interval_s(
    revisit: Revisit, kind: str, previous_s: float | None, *, changed: bool
) -> float:
    """Choose how long a page is left alone: lists briefly, articles longer while they rest.

    >>> from hongxing_crawler.core.profile import Revisit
    >>> day = 86_400.0
    >>> choose_interval_s(Revisit(), "article", None, changed=True) / day
    1.0
    >>> choose_interval_s(Revisit(), "article", 100 * day, changed=False) / day
    180.0

    Args:
        revisit: The site's rules.
        kind: What the URL is.
        previous_s: The last interval; None before the first success.
        changed: The visit brought other content than the one before.
    """
    if kind in HUB_KINDS:
        return revisit.list_after_s
    if changed or previous_s is None:
        return revisit.article_first_s
    longer_s = max(previous_s, revisit.article_first_s) * revisit.article_factor
    return min(longer_s, revisit.article_ceiling_s)


def settle(
    revisit: Revisit,
    kind: str,
    known: PageState,
    *,
    is_gone: bool,
    changed: bool,
    is_seen: bool = True,
) -> PageState:
    """Decide what a visit that got an answer means for the next one.

    A page that is gone is asked again by the next run until enough visits agree, and then only
    after the longest interval; a list that is gone a little sooner, since much hangs on it.

    Args:
        revisit: The site's rules.
        kind: What the URL is.
        known: What was known before the visit.
        is_gone: The page was not there.
        changed: The visit brought other content than the one before.
        is_seen: The page answered; False when it was not asked (robots.txt, for instance).

    >>> from hongxing_crawler.core.profile import Revisit
    >>> once = settle(Revisit(), "article", PageState(), is_gone=True, changed=False)
    >>> once.state, settle(Revisit(), "article", once, is_gone=True, changed=False).state
    ('done', 'gone')
    """
    if is_gone:
        gone_count = known.gone_count + 1
        confirmed = gone_count >= revisit.gone_confirmations
        rest_s = revisit.article_first_s if kind in HUB_KINDS else revisit.article_ceiling_s
        interval_s = rest_s if confirmed else 0.0
        state = "gone" if confirmed else "done"
        return replace(known, state=state, attempts=0, interval_s=interval_s, gone_count=gone_count)
    previous_s = known.interval_s if known.seen and not known.gone_count else None
    paced_as = "article" if is_next_list(kind, known) else kind
    interval_s = choose_interval_s(revisit, paced_as, previous_s, changed=changed)
    return replace(
        known,
        state="done",
        attempts=0,
        interval_s=interval_s,
        gone_count=0,
        seen=int(is_seen or known.seen),
    )


def is_next_list(kind: str, known: PageState) -> bool:
    """Tell whether a list hangs on another list, as the second page of a pager on the first.

    It rests as articles do, and is asked when the list that it hangs on has changed.
    """
    return kind == "list" and known.parent_kind == "list"


def is_sampled(url: str, run_id: str, share: float) -> bool:
    """Tell whether this run asks a URL without validators, because servers lie.

    The choice is by digest: the same for the same run, another set of pages in the next.
    """
    digest = hashlib.sha256(f"{run_id} {url}".encode("utf-8", "replace")).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64
