"""Make every replacement of a takedown beside the home's files, and prove it, before a change."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hongxing_crawler.archive import disk
from hongxing_crawler.archive.captures import capture_of
from hongxing_crawler.archive.cdxj import captures_in, write_index
from hongxing_crawler.archive.draft import Block, Draft
from hongxing_crawler.archive.exact_member import TooSmallError
from hongxing_crawler.archive.excise import (
    Cut,
    Notice,
    Proof,
    copy_with_cuts,
    header_lines,
    new_original_of,
    redirect_cut,
    refers_to,
    tombstone_cut,
)
from hongxing_crawler.archive.groups import GroupBuilder, warcinfo
from hongxing_crawler.archive.openfile import OpenFile
from hongxing_crawler.archive.reader import read_at
from hongxing_crawler.archive.takedown_events import EVENT_FIELD
from hongxing_crawler.archive.verify import verify_warc
from hongxing_crawler.archive.warc import new_record_id
from hongxing_crawler.core.takedown import encode_takedown
from hongxing_crawler.exceptions import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

    from hongxing_crawler.archive.reader import Record
    from hongxing_crawler.core.takedown import Takedown
    from hongxing_crawler.items import Capture
    from hongxing_crawler.store.home import Home
    from hongxing_crawler.takedown.survey import Survey

_ID_TRIES = 400  # ids differ by a byte or two when compressed
_LEVEL = 6


@dataclass(slots=True)
class Staged:
    """Files that are ready to take the place of others."""

    warcs: list[str] = field(default_factory=list)  # names
    new_warc: str = ""
    proofs: list[Proof] = field(default_factory=list)
    promoted: dict[str, tuple[str, Capture]] = field(default_factory=dict)  # url: revisit id


@dataclass(frozen=True, slots=True)
class _Promotion:
    """A body that other pages still need: it becomes a record of the first of them."""

    original: Record
    revisits: tuple[Record, ...]  # in the order of their dates
    new_id: str
    cuts: tuple[Cut, ...]  # of the revisits, in their order


def stage(
    home: Home,
    folder: Path,
    survey: Survey,
    takedown: Takedown,
    run_fields: dict[str, str],
    at: datetime,
) -> Staged:
    """Write new WARC files and indexes into a folder.

    Args:
        home: The home, which is only read.
        folder: Where to; it is empty.
        survey: What goes.
        takedown: The decision, as the archive keeps it.
        run_fields: For the warcinfo record of the takedown's own file.
        at: Time of the takedown.

    Raises:
        ArchiveError: The disk refuses, or a replacement is not what it should be.
    """
    notice = Notice(takedown.id, at, takedown.by, takedown.reason, new_record_id)
    cuts: dict[Path, list[Cut]] = defaultdict(list)
    for path, groups in survey.removals.items():
        for group in groups:
            for span in group.spans():
                records = [r for r in group.records if span[0] <= r.offset < span[1]]
                cuts[path].append(tombstone_cut(records, span, notice))
    promotions = list(_promotions(survey))
    for promotion in promotions:
        for record, cut in zip(promotion.revisits, promotion.cuts, strict=True):
            cuts[record.path].append(cut)
    staged = Staged(new_warc=f"{run_fields['hongxing-site']}-{takedown.id}-00000.warc.gz")
    for path, found in sorted(cuts.items()):
        staged.proofs.append(copy_with_cuts(path, folder / "warc" / path.name, found))
        staged.warcs.append(path.name)
    new_path = folder / "warc" / staged.new_warc
    _write_own_file(new_path, takedown, promotions, run_fields, at, staged)
    for name in (*staged.warcs, staged.new_warc):
        _check_and_index(home, folder, name)
    return staged


def _promotions(survey: Survey) -> Iterator[_Promotion]:
    waiting: dict[str, list[Record]] = defaultdict(list)
    for groups in survey.revisits.values():
        for group in groups:
            waiting[refers_to(group.main)].append(group.main)
    originals = {
        group.main.record_id: group.main for groups in survey.removals.values() for group in groups
    }
    for record_id, revisits in sorted(waiting.items()):
        ordered = tuple(sorted(revisits, key=lambda record: (record.date, record.record_id)))
        new_id, cuts = _fitting_id(ordered)
        yield _Promotion(originals[record_id], ordered, new_id, cuts)


def _fitting_id(revisits: tuple[Record, ...]) -> tuple[str, tuple[Cut, ...]]:
    """Choose an id with which every revisit that will carry it keeps its length."""
    for _ in range(_ID_TRIES):
        new = new_original_of(revisits[0], new_record_id())
        try:
            return new.record_id, tuple(redirect_cut(record, new) for record in revisits)
        except TooSmallError:
            continue
    first = revisits[0]
    raise ArchiveError(
        f"{first.path.name}:{first.offset}: {first.url} stands for a body that would go, and its "
        "record has no room for another reference; take that page down as well"
    )


def _write_own_file(
    path: Path,
    takedown: Takedown,
    promotions: Iterable[_Promotion],
    run_fields: dict[str, str],
    at: datetime,
    staged: Staged,
) -> None:
    """Write the file that says what was decided, and holds the bodies that others need."""
    path.parent.mkdir(parents=True, exist_ok=True)
    warcinfo_id = new_record_id()
    builder = GroupBuilder(warcinfo_id, new_record_id)
    event = json.dumps(json.loads(encode_takedown(takedown)))  # ASCII, on one line
    try:
        file = OpenFile(path)
        try:
            head = warcinfo(warcinfo_id, path.name, at, run_fields)
            told = builder.metadata(takedown.urls[0], {EVENT_FIELD: event}, at)
            file.append([head.members(_LEVEL), told.members(_LEVEL)], sync=False)
            for number, promotion in enumerate(promotions):
                body = path.with_name(f"body-{number}.part")
                drafts = _promoted(promotion, body, builder, warcinfo_id, takedown)
                spans = file.append([draft.members(_LEVEL) for draft in drafts], sync=False)
                body.unlink()
                record = read_at(file.path, spans[-1].offset)
                first = promotion.revisits[0]
                staged.promoted[first.url] = first.record_id, capture_of(record)
            file.close()
        finally:
            file.abandon()
    except OSError as error:
        raise ArchiveError(f"cannot write {path}: {disk.explain(error)}") from error


def _promoted(
    promotion: _Promotion,
    body: Path,
    builder: GroupBuilder,
    warcinfo_id: str,
    takedown: Takedown,
) -> tuple[Draft, Draft]:
    """Make the full record of the first revisit: its own head and date, the original's body."""
    first, original = promotion.revisits[0], promotion.original
    with body.open("wb") as file:
        file.writelines(original.pieces())
    kept = ("warc-ip-address", "warc-protocol", "warc-payload-digest")
    fields = (
        ("WARC-Type", "response"),
        ("WARC-Record-ID", f"<{promotion.new_id}>"),
        ("WARC-Date", first.fields["warc-date"]),
        ("WARC-Target-URI", first.url),
        ("WARC-Warcinfo-ID", f"<{warcinfo_id}>"),
        *((name, value) for name, value in header_lines(first) if name.lower() in kept),
        ("Content-Type", "application/http; msgtype=response"),
    )
    head = first.http_head or original.http_head
    note = {"takedown": takedown.id, "promoted-from": f"<{first.record_id}>"}
    return (
        builder.metadata(first.url, note, first.date, promotion.new_id),
        Draft(promotion.new_id, fields, Block(head, body)),
    )


def _check_and_index(home: Home, folder: Path, name: str) -> None:
    """Read a new file as strictly as verify does, and index it; nothing else may have changed."""
    path = folder / "warc" / name
    if findings := verify_warc(path):
        raise ArchiveError(f"the new {findings[0]}; nothing was changed")
    stem = name.removesuffix(".warc.gz")
    index = folder / "cdxj" / f"{stem}.cdxj"
    write_index(captures_in([path]), index)
    old = home.cdxj / f"{stem}.cdxj"
    if old.is_file():
        known = set(old.read_bytes().splitlines())
        if not known.issuperset(index.read_bytes().splitlines()):
            raise ArchiveError(f"the new {index.name} has other lines; nothing was changed")
