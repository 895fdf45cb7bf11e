"""Carry out a takedown whose journal is written: every step may be repeated after a kill."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import zipfile
from datetime import datetime
from typing import TYPE_CHECKING, Any

from hongxing_crawler.archive import disk
from hongxing_crawler.archive.digests import sha256_of_file
from hongxing_crawler.archive.fields import warc_uri
from hongxing_crawler.archive.fixity import note_replaced
from hongxing_crawler.archive.wacz import PackageInfo, PackedPage, pack
from hongxing_crawler.report.collect import report_run
from hongxing_crawler.store.rows import day_of, export_run, write_delta, write_rows
from hongxing_crawler.store.state import State
from hongxing_crawler.store.takedown_log import append_takedown
from hongxing_crawler.store.takedowns import Consequences
from hongxing_crawler.takedown.journal import close_journal, read_journal, stage_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from hongxing_crawler.store.articles import Line
    from hongxing_crawler.store.home import Home
    from hongxing_crawler.takedown.journal import Journal

_ID_RE = re.compile(rb'"id":"(art_[0-9a-f]{32})"')
_TREE = "articles/v1"


def resume(home: Home, now: Callable[[], datetime]) -> str:
    """Finish or undo what an interrupted takedown left; the caller holds the lock.

    Returns:
        The id of the takedown that was carried to its end, else empty.

    Raises:
        HongxingError: As the steps do; the next start goes on.
        OSError: The disk refuses.
    """
    journal = read_journal(home)
    if journal is None:
        if home.takedown.is_dir():
            close_journal(home)
        return ""
    carry_out(home, journal, now)
    return journal.takedown.id


def carry_out(home: Home, journal: Journal, now: Callable[[], datetime]) -> None:
    """Do all steps, and let go of the journal when all are done.

    Raises:
        HongxingError: A step failed; `resume` goes on.
        OSError: The disk refuses.
    """
    touched: set[str] = set()
    _move_files(home, journal, touched)
    with State.open(home.state, now=now) as state:
        _change_state(home, state, journal)
        _write_rows(home, state, journal, touched)
        _write_reports(home, state, journal, touched)
    _delete_media(home, journal)
    _pack_again(home, journal, touched)
    note_replaced(home.root, _fixity_names(journal), home.fixity_log, now=now())
    append_takedown(home.takedown / "log.jsonl", _entry(journal, touched))
    close_journal(home)


def _move_files(home: Home, journal: Journal, touched: set[str]) -> None:
    """Put the new WARC files and indexes into their places, each at once."""
    staged = stage_folder(home)
    for folder, ending in (("warc", ".warc.gz"), ("cdxj", ".cdxj")):
        for warc in (*journal.warcs, journal.new_warc):
            name = warc.removesuffix(".warc.gz") + ending
            touched.add(f"{folder}/{name}")
            source, target = staged / folder / name, home.root / folder / name
            if source.is_file():
                source.replace(target)
                disk.sync_folder(target.parent)


def _change_state(home: Home, state: State, journal: Journal) -> None:
    names = (*journal.warcs, journal.new_warc)
    files = {name: _size_and_digest(home.warc / name) for name in names}
    after = Consequences(files, journal.promoted, journal.media_urls)
    state.take_down(journal.takedown, {"site": journal.site}, after)


def _size_and_digest(path: Path) -> tuple[int, str]:
    return path.stat().st_size, sha256_of_file(path)


def _write_rows(home: Home, state: State, journal: Journal, touched: set[str]) -> None:
    """Write the rows again that held the articles, and what the takedown's own run changed."""
    root, takedown = home.export / _TREE, journal.takedown
    for run_id in takedown.run_ids[:-1]:
        folder = root / "delta" / f"dt={day_of(run_id)}" / f"run={run_id}"
        if folder.is_dir():
            write_delta(state, home.export, run_id, with_parquet=_has_parquet(folder))
            touched |= _names(home, folder)
    gone = {article.id.encode() for article in takedown.articles}
    for dataset in ("snapshot", "as_of"):
        staged = stage_folder(home) / "rows" / dataset
        names = {path.name for place in (root / dataset, staged) for path in place.glob("dt=*")}
        for name in sorted(name for name in names if not name.endswith(".part")):
            staged.mkdir(parents=True, exist_ok=True)
            _drop_rows(root / dataset / name, staged / name, gone)
            touched |= _names(home, root / dataset / name)
    latest = root / "latest.json"
    snapshot = root / json.loads(latest.read_bytes())["snapshot"] if latest.is_file() else root
    export_run(state, home.export, takedown.id, with_parquet=_has_parquet(snapshot))
    touched.add(f"export/{_TREE}/latest.json")


def _names(home: Home, folder: Path) -> set[str]:
    return {path.relative_to(home.root).as_posix() for path in folder.iterdir() if path.is_file()}


def _has_parquet(folder: Path) -> bool:
    return any(folder.glob("part-*.parquet"))


def _drop_rows(folder: Path, new: Path, gone: set[bytes]) -> None:
    """Write a folder of rows again without some articles, if it holds them.

    The new folder is whole before the old one goes; a kill in between is made good next time.
    """
    if not new.is_dir():
        if not any(_id_of(line) in gone for line in _lines(folder)):
            return
        _write_kept(folder, new, gone)
    if folder.is_dir():
        shutil.rmtree(folder)
    new.replace(folder)
    disk.sync_folder(folder.parent)


def _write_kept(folder: Path, new: Path, gone: set[bytes]) -> None:
    manifest = folder / "_manifest.json"
    known = json.loads(manifest.read_bytes()) if manifest.is_file() else {}
    about = {name: known[name] for name in ("dataset", "run_id", "as_of") if name in known}
    part = new.with_name(f"{new.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    kept: Iterator[Line] = (
        ("snapshot", line) for line in _lines(folder) if _id_of(line) not in gone
    )
    write_rows(part, kept, about, with_parquet=_has_parquet(folder))
    if not (folder / "_SUCCESS").is_file():
        (part / "_SUCCESS").unlink()
    part.replace(new)


def _lines(folder: Path) -> Iterator[bytes]:
    for part in sorted(folder.glob("part-*.jsonl.gz")):
        with gzip.open(part, "rb") as file:
            for line in file:
                yield line.rstrip(b"\n")


def _id_of(line: bytes) -> bytes:
    found = _ID_RE.search(line, 0, 200)
    return found[1] if found else b""


def _write_reports(home: Home, state: State, journal: Journal, touched: set[str]) -> None:
    """Write the reports again of runs that showed the articles."""
    for run_id in journal.takedown.run_ids:
        folder = home.run(run_id)
        if (folder / "report.html").is_file():
            report_run(home, state, run_id)
            touched |= {f"runs/{run_id}/report.html", f"runs/{run_id}/spam.jsonl"}


def _delete_media(home: Home, journal: Journal) -> None:
    for key in journal.media_keys:
        (home.root / key).unlink(missing_ok=True)


def _pack_again(home: Home, journal: Journal, touched: set[str]) -> None:
    """Make the packages again that hold a changed file, with the takedown's own file in them."""
    gone = {warc_uri(url) for url in journal.takedown.urls}
    for name in journal.packages:
        path = home.wacz / name
        if path.is_file():
            _pack_one(home, path, journal.new_warc, gone)
            touched.add(f"wacz/{name}")


def _pack_one(home: Home, path: Path, new_warc: str, gone: set[str]) -> None:
    with zipfile.ZipFile(path) as old:
        names = archived_names(old) | {new_warc}
        about = json.loads(old.read("datapackage.json"))
        pages = [page for page in _pages(old) if warc_uri(page.url) not in gone]
    main = [page for page in pages if page.url == about.get("mainPageUrl")]
    info = PackageInfo(
        about["title"],
        datetime.fromisoformat(about["created"]),
        about["software"],
        about.get("description", ""),
        main[0] if main else None,
    )
    pack(path, sorted(home.warc / name for name in names), pages, info)


def archived_names(package: zipfile.ZipFile) -> set[str]:
    """Return the names of the WARC files in a package."""
    return {
        name.removeprefix("archive/")
        for name in package.namelist()
        if name.startswith("archive/") and not name.endswith("/")
    }


def _pages(package: zipfile.ZipFile) -> Iterator[PackedPage]:
    with package.open("pages/pages.jsonl") as file:
        for line in list(file)[1:]:
            page = json.loads(line)
            moment = datetime.fromisoformat(page["ts"])
            yield PackedPage(page["url"], moment, page.get("title", ""), page.get("text", ""))


def _fixity_names(journal: Journal) -> list[str]:
    warcs = [f"warc/{name}" for name in (*journal.warcs, journal.new_warc)]
    return [*warcs, *journal.media_keys]


def _entry(journal: Journal, touched: set[str]) -> dict[str, Any]:
    """Tell the log what was decided, what was changed, and what published copies still hold."""
    takedown = journal.takedown
    return {
        "id": takedown.id,
        "at": takedown.at,
        "by": takedown.by,
        "reason": takedown.reason,
        "requested": list(takedown.requested),
        "urls": list(takedown.urls),
        "articles": [article.id for article in takedown.articles],
        "removed_records": list(takedown.removed_records),
        "removed_media": list(journal.media_keys),
        "proofs": [
            {
                "file": f"warc/{proof.filename}",
                "bytes": proof.bytes,
                "before": proof.before,
                "after": proof.after,
                "records_kept": proof.record_count,
                "kept_sha256": proof.kept_sha256,
                "replaced": [list(span) for span in proof.cuts],
            }
            for proof in journal.proofs
        ],
        "published": {"replace": sorted(touched), "delete": list(journal.media_keys)},
    }
