"""How much is too much. Every limit is a setting of the table ``[monitors]``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of all monitors; 0 switches one off.

    Shares run from 0 to 1. Of fewer than ``least_pages`` pages, they have to be beyond chance.
    """

    least_pages: int = 8
    quiet_days: int = 7  # working days without a new article
    low_factor: float = 0.1  # new articles of eight working days, of what they usually bring
    high_factor: float = 5.0  # new articles, of the most that a day ever brought
    generic_share: float = 0.3  # articles that no template fits, more than usual
    short_share: float = 0.3  # articles with hardly any text, more than usual
    undated_share: float = 0.3  # articles without a date, more than usual
    reject_share: float = 0.3  # pages rejected, more than usual
    spam_share: float = 0.1  # articles that carry injected spam, more than usual
    new_spam_hosts: int = 10  # in injected links, that no earlier run has seen
    guessed_share: float = 0.2  # restored texts that could not be proved, more than usual
    error_share: float = 0.2  # pages that failed
    retry_share: float = 0.3  # requests repeated
    blocked_count: int = 1  # block and captcha pages
    media_share: float = 0.3  # images and attachments that failed
    growth_factor: float = 10.0  # bytes archived, of the most that a run usually needs
    disk_days: int = 30  # until the disk is full
    outbox_days: float = 3.0  # that a file waits to be uploaded
    clock_skew_s: float = 300.0
    removed_share: float = 0.05  # of all articles, removed in one run
    killed_count: int = 1  # runs before this one that never ended
