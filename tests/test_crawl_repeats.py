"""A crawl of pages with blocks in common: what one page cannot tell goes, and nothing else."""

from __future__ import annotations

import pytest
from crawl_kit import crawl, parts, reprocess, snapshot

from hongxing_crawler.core.record import decode, replay_row
from hongxing_crawler.demo.content import load_site, with_shared
from hongxing_crawler.demo.site import DemoSite

RULES = {"shared_note": "template.repeated_block", "shared_shops": "spam.repeated_links"}


@pytest.fixture(scope="module")
def homes(tmp_path_factory):
    """Two crawls of the same articles: without and with blocks in common."""
    made = {}
    for shared in (False, True):
        home = tmp_path_factory.mktemp("home") / "home"
        with DemoSite(shared=shared) as site:
            ended = crawl(site.profile, home)
        assert ended.code == 0, ended.log
        made[shared] = home
    return made


def _served(name):
    site = with_shared(load_site(1))
    return {a.path for a in site.articles if any(insert == name for _, insert in a.inserts)}


def test_rows_are_those_of_the_site_without_them(homes):
    plain, shared = snapshot(homes[False]), snapshot(homes[True])
    different = [
        path for path in plain if plain[path]["article_body"] != shared[path]["article_body"]
    ]

    assert set(plain) == set(shared)
    assert different == []


@pytest.mark.parametrize("name", RULES)
def test_every_removal_names_its_rule_and_its_pages(homes, name):
    rows = snapshot(homes[True])
    found = {
        path: block
        for path, row in rows.items()
        for step in row["cleaning"]["steps"]
        for block in step["removed_blocks"]
        if block["rule"] == RULES[name]
    }

    assert set(found) == _served(name) & set(rows)
    assert {block["evidence"][0] for block in found.values()} == {
        f"pages={len(found)} of {len(rows)}"
    }


def test_every_row_is_proved_by_its_own_edits(homes):
    lines = [line for part in parts(homes[True]).values() for line in part]

    assert lines
    assert all(replay_row(decode(line)) for line in lines)


def test_reprocessing_gives_the_same_bytes(homes, tmp_path):
    done = reprocess(homes[True], tmp_path)

    assert done.returncode == 0, done.stderr
    assert parts(tmp_path) == parts(homes[True])
