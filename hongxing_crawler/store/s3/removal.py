"""Remove from the bucket what a takedown removed from the home: the one place that deletes.

The takedown's log says which files were written again and which are gone. Files that were written
again replace their objects; folders that `latest.json` names are published anew beside the old
ones, which go last, older versions included. What could not be done stays in the log for the next
upload.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from hongxing_crawler.store.s3.errors import status_of
from hongxing_crawler.store.s3.retry import persist
from hongxing_crawler.store.takedown_log import PendingRemoval, mark_removed, read_pending_removals

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hongxing_crawler.store.s3.upload import Session

_NO_VERSIONS = frozenset({405, 501})  # the server keeps none


@dataclass(slots=True)
class Removals:
    """What takedowns still ask of the bucket; paths below the home."""

    pending: list[PendingRemoval] = field(default_factory=list)

    @property
    def rewritten(self) -> frozenset[str]:
        return frozenset(path for item in self.pending for path in item.replace)

    @property
    def deleted(self) -> frozenset[str]:
        return frozenset(path for item in self.pending for path in item.delete)


def begin_removals(session: Session) -> Removals:
    """Let the files that takedowns wrote again replace their objects; forget those that are gone.

    Raises:
        StateError: The log of takedowns was changed after it was written.
    """
    removals = Removals(read_pending_removals(session.home.root))
    named = tuple(f"{folder}/" for folder in session.named_folders())
    session.sender.replaceable = frozenset(
        path for path in removals.rewritten if not path.startswith(named or ("\0",))
    )
    session.rewritten = removals.rewritten
    with session.state.changing_outbox():
        session.state.outbox.forget(removals.deleted)
    return removals


def finish_removals(session: Session, removals: Removals) -> None:
    """Delete what is not part of the archive any more, and note that in the takedown's own log.

    Raises:
        UploadError: The bucket refuses or is away; the log keeps what is left to do.
    """
    if not removals.pending:
        return
    key_of = session.bucket.place.key
    for path in sorted(removals.deleted):
        _delete(session, key_of(path), keep_newest=False)
    for key in _stale_rows(session, removals):
        _delete(session, key, keep_newest=False)
    for path in sorted(removals.rewritten):
        _delete(session, key_of(path), keep_newest=True)
    for item in removals.pending:
        mark_removed(session.home.root, item.takedown_id, str(session.bucket.place), session.now())


def _stale_rows(session: Session, removals: Removals) -> Iterator[str]:
    """Yield objects of rewritten days of rows that the home's rows do not stand for any more."""
    folders = {path.rpartition("/")[0] for path in removals.rewritten if "/dt=" in path}
    for folder in sorted(folders):
        current = {entry.key for entry in session.state.outbox.under(folder) if entry.proof}
        for key in _list(session, session.bucket.place.key(f"{folder}/")):
            if key not in current:
                yield key


def _list(session: Session, prefix: str) -> list[str]:
    def pages() -> list[str]:
        found = session.bucket.client.get_paginator("list_objects_v2").paginate(
            Bucket=session.bucket.place.bucket, Prefix=prefix
        )
        return [item["Key"] for page in found for item in page.get("Contents", [])]

    return persist(pages, f"{session.bucket}: {prefix}", session.patience)


def _delete(session: Session, key: str, *, keep_newest: bool) -> None:
    """Delete an object with all its versions, or only its older versions."""
    where = session.bucket.where(key)
    for version in persist(lambda: _versions(session, key), where, session.patience):
        if not (keep_newest and version.get("IsLatest")):
            more = {"VersionId": version["VersionId"]} if version.get("VersionId") else {}
            persist(
                lambda more=more: session.bucket.client.delete_object(  # type: ignore[misc]
                    Bucket=session.bucket.place.bucket, Key=key, **more
                ),
                where,
                session.patience,
            )


def _versions(session: Session, key: str) -> list[dict[str, Any]]:
    bucket = session.bucket
    try:
        pages = bucket.client.get_paginator("list_object_versions").paginate(
            Bucket=bucket.place.bucket, Prefix=key
        )
        return [
            item
            for page in pages
            for item in (*page.get("Versions", []), *page.get("DeleteMarkers", []))
            if item["Key"] == key
        ]
    except ClientError as error:
        if status_of(error) in _NO_VERSIONS:
            return [{"IsLatest": True}]
        raise
