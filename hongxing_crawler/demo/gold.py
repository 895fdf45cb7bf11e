"""The records that the demo site's articles must give, read from how they were written.

``python -m hongxing_crawler.demo.gold`` writes them to ``data/gold``. Nothing here comes from
the extractor: the body is the article's own text, in the conventions of ``data/gold/README.md``.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from hongxing_crawler.demo.content import DATA_FOLDER, load_site
from hongxing_crawler.demo.damage import capture_text
from hongxing_crawler.demo.markup import is_file, parse_parts

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from hongxing_crawler.demo.content import Article, Site
    from hongxing_crawler.demo.markup import Link

_REMOVED = "removed.json"
_PREFIX_RE = re.compile(r"^(?:img|www|old):")


@dataclass(frozen=True, slots=True)
class GoldRecord:
    """What an article's row must hold; ``gone`` and ``kept`` are texts on the page besides."""

    path: str
    template: str
    headline: str
    date_published: str
    source_name: str
    article_body: str
    images: tuple[dict[str, str], ...] = ()  # path, caption
    attachments: tuple[dict[str, str], ...] = ()  # path, name
    page_count: int = 1
    damaged: bool = False  # the text was damaged and has to come back
    exact: bool = True  # False: some characters of the body are lost for good
    rules: tuple[str, ...] = ()  # names of the inserts
    gone: tuple[str, ...] = ()  # nowhere in the row
    kept: tuple[str, ...] = ()  # in no block removed as spam


def _iso(date: str) -> str:
    day, _, time = date.partition(" ")
    return f"{day}T{time if time.count(':') == 2 else time + ':00'}+08:00"


def _path_of(url: str) -> str:
    return _PREFIX_RE.sub("", url)


def _unique(links: Iterable[Link]) -> list[Link]:
    return list({link.url: link for link in reversed(list(links))}.values())[::-1]


def make_record(site: Site, article: Article) -> GoldRecord:
    """Read an article as its row must be; text captures keep their folded marks."""
    fold = capture_text if article.damage and article.captured else str
    texts = [block.read_text() for block in article.blocks]
    inserts = [site.inserts[name] for _, name in article.inserts]
    return GoldRecord(
        path=article.path,
        template=article.template,
        headline=fold(article.headline),
        date_published=_iso(article.date),
        source_name=fold(article.source),
        article_body=fold("\n\n".join(text for text in texts if text)),
        images=tuple(
            {"path": _path_of(block.url), "caption": fold(block.text)} for block in article.pictures
        ),
        attachments=tuple(
            {"path": _path_of(link.url), "name": fold(link.text)} for link in _unique(article.files)
        ),
        page_count=len(article.parts),
        damaged=bool(article.damage),
        exact=article.exact,
        rules=tuple(insert.name for insert in inserts),
        gone=tuple(dict.fromkeys(text for insert in inserts for text in insert.gone)),
        kept=tuple(dict.fromkeys(text for insert in inserts for text in insert.kept)),
    )


def make_seed_record(article: Article, folder: Path) -> GoldRecord:
    """Read the seed page's record from its own annotated file."""
    gold = json.loads((folder / "seed" / "gold.json").read_text("utf-8"))
    return GoldRecord(
        path=article.path,
        template=article.template,
        headline=gold["title"],
        date_published=gold["published_at"],
        source_name=gold["source"] or "",
        article_body="\n\n".join(gold["body"]),
        images=tuple(
            {"path": article.body + image["alt"], "caption": image["caption"]}
            for image in gold["images"]
        ),
        damaged=True,
        rules=("seed",),
        gone=(*gold["footer_removed"], *gold["spam_removed"]),
    )


def make_gold(state: int, folder: Path = DATA_FOLDER / "demo_site") -> dict[str, dict[str, Any]]:
    """Make the records of all articles in a state of the site, by path."""
    site = load_site(state, folder)
    records = (
        make_seed_record(article, folder) if article.verbatim else make_record(site, article)
        for article in site.articles
    )
    return {record.path: json.loads(json.dumps(asdict(record))) for record in records}


def make_topic_records(folder: Path = DATA_FOLDER / "demo_site") -> dict[str, dict[str, Any]]:
    """Make what is expected of the topic pages: title and files, by path."""
    records: dict[str, dict[str, Any]] = {}
    for topic in load_site(1, folder).topics:
        links = [link for block in parse_parts(topic.body)[0] for link in block.find_links()]
        files = [{"path": _path_of(x.url), "name": x.text} for x in links if is_file(x.url)]
        path = f"/topic/{topic.id}/index.html"
        records[path] = {"path": path, "headline": topic.title, "attachments": files}
    return records


def load_gold(state: int = 1, folder: Path = DATA_FOLDER / "gold") -> dict[str, dict[str, Any]]:
    """Read the kept records of one state, by path; state 2 is kept as its differences."""
    records = _read_records(folder / "state1")
    if state == 1:
        return records
    removed = json.loads((folder / "state2" / _REMOVED).read_text("utf-8"))
    return {p: r for p, r in records.items() if p not in removed} | _read_records(folder / "state2")


def _read_records(folder: Path) -> dict[str, dict[str, Any]]:
    files = sorted(path for path in folder.glob("*.json") if path.name != _REMOVED)
    records = [json.loads(path.read_text("utf-8")) for path in files]
    return {record["path"]: record for record in records}


def _write(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{json.dumps(value, ensure_ascii=False, indent=1)}\n", "utf-8")


def write_gold(folder: Path = DATA_FOLDER / "gold") -> None:
    """Write the records of state 1, and what is changed, new or removed in state 2."""
    first, second = make_gold(1), make_gold(2)
    changed = {path: record for path, record in second.items() if first.get(path) != record}
    for old in folder.glob("state?/*.json"):
        old.unlink()
    for state, records in (("state1", first), ("state2", changed)):
        for path, record in records.items():
            name = re.sub(r"\.html?$", ".json", path.rpartition("/")[2])
            _write(folder / state / name, record)
    _write(folder / "topics.json", make_topic_records())
    _write(folder / "state2" / _REMOVED, sorted(set(first) - set(second)))


if __name__ == "__main__":
    write_gold()
