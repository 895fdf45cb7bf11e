"""What is done with a home between crawls: a look, reports, packages, rows again."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from hongxing_crawler.archive.wacz import PackageInfo, PackedPage, pack
from hongxing_crawler.core.build import SOFTWARE
from hongxing_crawler.exceptions import ConfigError
from hongxing_crawler.report.collect import report_run
from hongxing_crawler.reprocessing.reprocess import reprocess
from hongxing_crawler.reprocessing.run_files import RunFiles, find_runs
from hongxing_crawler.store.rows import export_run, write_as_of, write_delta, write_snapshot
from hongxing_crawler.store.state import State
from hongxing_crawler.upkeep.soundness import list_warcs, run_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from hongxing_crawler.archive.wacz import PackReport
    from hongxing_crawler.core.profile import SiteProfile
    from hongxing_crawler.core.record import Article
    from hongxing_crawler.reprocessing.replay import ReprocessResult
    from hongxing_crawler.store.home import Home

_USE_STATE = "the home has no state: to go on with this one, type mv {state} {home}"
_UNKNOWN_RUN = "{home} knows no run {run}; hongxing status lists them"


def last_run(state: State) -> str:
    """Return the last run of a home.

    Raises:
        ConfigError: There was none yet.
    """
    runs = state.runs()
    if not runs:
        raise ConfigError(f"{state.path.parent} has seen no run yet; type hongxing crawl")
    return runs[-1].run_id


def write_report(
    home: Home, now: Callable[[], datetime], run_id: str | None = None
) -> dict[str, str]:
    """Write the report of a run, of the last one by default; the paths of its files by name.

    Raises:
        HongxingError: There is no such run, or the state cannot be read.
        OSError: The disk refuses.
    """
    with State.open(home.state, now=now, read_only=True) as state:
        run = run_id or last_run(state)
        if run not in {entry.run_id for entry in state.runs()}:
            raise ConfigError(_UNKNOWN_RUN.format(home=home.root, run=run))
        return report_run(home, state, run)


def export_home(
    home: Home, now: Callable[[], datetime], *, with_parquet: bool = False
) -> dict[str, str]:
    """Write a home's own rows again: snapshot and missing deltas; the caller holds the lock.

    Raises:
        HongxingError: There was no run yet, or the state cannot be read.
        OSError: The disk refuses.
    """
    with State.open(home.state, now=now) as state:
        return export_run(state, home.export, last_run(state), with_parquet=with_parquet)


def export_elsewhere(
    home: Home, now: Callable[[], datetime], folder: Path, *, with_parquet: bool = False
) -> dict[str, str]:
    """Write the snapshot and every delta into another folder; the home is only read.

    Raises:
        HongxingError: There was no run yet, or the state cannot be read.
        OSError: The disk refuses.
    """
    with State.open(home.state, now=now, read_only=True) as state:
        run_id = last_run(state)
        rows = write_snapshot(state, folder, run_id, with_parquet=with_parquet)
        paths = {"rows": str(rows)}
        for entry in state.runs():
            delta = write_delta(state, folder, entry.run_id, with_parquet=with_parquet)
            paths["deltas"] = str(delta.parent.parent)
    return paths


def export_as_of(
    home: Home,
    now: Callable[[], datetime],
    folder: Path,
    moment: datetime,
    name: str,
    *,
    with_parquet: bool = False,
) -> dict[str, str]:
    """Write the articles as they were known at a moment; the state is only read.

    Args:
        home: The home, which may be read-only when ``folder`` lies elsewhere.
        now: The clock.
        folder: ``export`` of the home, or any other.
        moment: Answers up to and with this moment count.
        name: Of the folder that the rows go to.
        with_parquet: Write the rows as Parquet, too.

    Raises:
        HongxingError: There was no run yet, or the state cannot be read.
        OSError: The disk refuses.
    """
    with State.open(home.state, now=now, read_only=True) as state:
        last_run(state)
        rows = write_as_of(state, folder, moment, name, with_parquet=with_parquet)
        return {"rows": str(rows)}


def pack_home(
    home: Home, *, now: Callable[[], datetime], run_id: str | None = None, out: Path | None = None
) -> PackReport:
    """Pack what a home, or one of its runs, archived as a WACZ.

    Raises:
        HongxingError: There is no such run, or nothing to pack, or the disk refuses.
    """
    with State.open(home.state, now=now, read_only=True) as state:
        run = run_id or last_run(state)
        entry = next((entry for entry in state.runs() if entry.run_id == run), None)
        if entry is None:
            raise ConfigError(_UNKNOWN_RUN.format(home=home.root, run=run))
        state.elsewhere.check_here(home.root, "pack", run_id or "warc/")
        site = entry.info.get("site", "site")
        all_warcs = list_warcs(home)
        mine = [path for path in all_warcs if run_of(path) == f"{site}-{run}"]
        warcs = mine if run_id else all_warcs
        known = [filename for filename, *_ in state.warc_files()]
        wanted = [name for name in known if not run_id or name.startswith(f"{site}-{run}-")]
        missing = tuple(name for name in wanted if not (home.warc / name).is_file())
        if not warcs:
            gone = f": {', '.join(missing)} missing in {home.warc}" if missing else ""
            raise ConfigError(f"run {run} archived nothing, there is nothing to pack{gone}")
        rows = state.delta(run) if run_id else state.articles.snapshot()
        title = f"{site}, {run}" if run_id else f"{site}, until {run}"
        info = PackageInfo(title, entry.ended_at or entry.started_at, SOFTWARE)
        path = out or home.wacz / (f"{site}-{run}.wacz" if run_id else f"{site}.wacz")
        path.parent.mkdir(parents=True, exist_ok=True)
        return replace(pack(path, warcs, _packed_pages(rows), info), missing=missing)


def _packed_pages(rows: Iterable[Article]) -> Iterator[PackedPage]:
    for row in rows:
        fetched_at = row.provenance.fetched_at
        if row.op != "deleted" and fetched_at:
            moment = datetime.fromisoformat(fetched_at)
            yield PackedPage(row.url, moment, row.headline, row.article_body)


@dataclass(slots=True)
class Reprocessed:
    """What reprocessing brought; ``comparison`` when there were rows to compare with."""

    folder: Path
    result: ReprocessResult
    comparison: Comparison | None = None
    advice: str = ""


def reprocess_warcs(
    warcs: Iterable[Path], folder: Path, profile_of: Callable[[RunFiles], SiteProfile]
) -> Reprocessed:
    """Make rows from WARC files into a folder of its own.

    Raises:
        HongxingError: As ``reprocess``; ConfigError when the folder holds other things, or a file
            is none of ours.
    """
    runs = find_runs(warcs)  # files that are none of ours leave nothing behind
    target = _fresh_folder(folder)
    state, export = target / "state.sqlite", target / "export"
    return Reprocessed(target, reprocess(runs, profile_of, state, export))


def reprocess_home(
    home: Home,
    folder: Path,
    profile_of: Callable[[RunFiles], SiteProfile],
    *,
    now: Callable[[], datetime],
) -> Reprocessed:
    """Make all rows of a home again, and compare them with those that it holds.

    A home that lost its state is made again whole; what was fetched in visits that never ended
    then counts as well.

    Raises:
        HongxingError: As ``reprocess``; ConfigError when the folder holds other things.
    """
    finished = _finished_records(home, now) if home.state.is_file() else None
    runs = find_runs(list_warcs(home))
    target = _fresh_folder(folder)
    state, export = target / "state.sqlite", target / "export"
    counts = finished.__contains__ if finished is not None else lambda _record_id: True
    result = reprocess(runs, profile_of, state, export, counts)
    if finished is None:
        result.problems += _without_warc(home)
    advice = "" if finished is not None else _USE_STATE.format(state=state, home=home.state)
    return Reprocessed(target, result, compare_exports(home.export, export), advice)


def _finished_records(home: Home, now: Callable[[], datetime]) -> set[str]:
    with State.open(home.state, now=now, read_only=True) as state:
        state.elsewhere.check_here(home.root, "reprocess")
        return {capture.record_id for capture in state.captures()}


def _without_warc(home: Home) -> list[str]:
    """Name the WARC files of which only the index is there: without a state nobody knows why."""
    stems = (path.stem for path in sorted(home.cdxj.glob("*.cdxj")))
    names = (f"{stem}.warc.gz" for stem in stems)
    return [
        f"{name} is not here: lost, or pruned; hongxing restore-home brings all of a bucket back"
        for name in names
        if not (home.warc / name).is_file()
    ]


def _fresh_folder(folder: Path) -> Path:
    """Empty a folder of an earlier reprocessing, or make it.

    Raises:
        ConfigError: It holds something else, which is nobody's to delete.
    """
    if folder.exists() and any(folder.iterdir()):
        if not (folder / "state.sqlite").is_file() or (folder / "warc").exists():
            raise ConfigError(f"{folder} holds other things; choose another folder with --out")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@dataclass(slots=True)
class Comparison:
    """Two exports, part by part."""

    same: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)  # only in the first


def compare_exports(old: Path, new: Path) -> Comparison:
    """Compare the rows of two exports byte for byte, by the names of their parts."""
    result = Comparison()
    for path in sorted(old.rglob("*.jsonl.gz")):
        name = path.relative_to(old)
        if "as_of" in name.parts:  # made by hand, on demand
            continue
        other = new / name
        if not other.is_file():
            result.missing.append(str(name))
        elif other.read_bytes() == path.read_bytes():
            result.same.append(str(name))
        else:
            result.different.append(str(name))
    return result
