"""Publish rows so that a reader who follows ``latest.json`` never sees half a run.

Order: everything that rows refer to (archive, media), parts, ``_manifest.json``, ``_SUCCESS``, the
dataset card, and ``latest.json`` last, swapped against what was read. Folders in the bucket never
change: when a second run of a day writes that day's snapshot again, it goes into a folder of its
own, ``snapshot/dt=…/run=…``, and the ``latest.json`` of the bucket says so.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec
from botocore.exceptions import ClientError

from hongxing_crawler.exceptions import ConflictError
from hongxing_crawler.store.s3.errors import code_of, status_of
from hongxing_crawler.store.s3.retry import ReadBackError, persist
from hongxing_crawler.store.s3.send import REFUSES_CONDITIONS, Proof
from hongxing_crawler.store.s3.upload import DATASETS, LATEST, TREE

if TYPE_CHECKING:
    from hongxing_crawler.store.outbox import Entry
    from hongxing_crawler.store.s3.upload import Session

_LAST_NAMES: Final = ("_manifest.json", "_SUCCESS")  # in this order, after all others


def publish(session: Session) -> None:
    """Publish the folders of rows that wait, then what `latest.json` names.

    Errors are noted in the session; what could not be published waits.
    """
    folders = _folders(session)
    late = [folder for folder in folders if _is_rewritten(session, folder)]
    for folder in folders:
        if folder not in late:
            _publish_folder(session, folder)
    _send_loose(session)
    if not session.failure:
        _publish_latest(session)
    for folder in late:
        _publish_folder(session, folder)


def _folders(session: Session) -> list[str]:
    """Return the whole folders that have something to send; deltas first, oldest first."""
    waiting = session.state.outbox.waiting(("rows", "manifest", "success"))
    found = {entry.path.rpartition("/")[0] for entry in waiting}
    found |= {name for name in session.named_folders() if arrived_at(session, name) is None}
    return sorted(name for name in found if (session.home.root / name / "_SUCCESS").is_file())


def _is_rewritten(session: Session, folder: str) -> bool:
    """Tell whether a takedown wrote a folder again that readers have been led to before.

    Its objects are replaced in their places, so `latest.json` has to lead elsewhere first.
    """
    is_named = folder in session.named_folders()
    return not is_named and any(path.startswith(f"{folder}/") for path in session.rewritten)


def arrived_at(session: Session, folder: str) -> str | None:
    """Return the key of a folder in the bucket; None unless all of it is there, in one place."""
    entries = _entries(session, folder)
    places = {entry.key.rpartition("/")[0] for entry in entries if entry.proof}
    names = {_name(entry) for entry in entries if entry.proof}
    is_whole = len(names) == len(entries) and names.issuperset(_LAST_NAMES)
    return places.pop() if is_whole and len(places) == 1 else None


def _publish_folder(session: Session, folder: str) -> None:
    """Send a folder: parts, then its manifest, then its mark."""
    entries = _entries(session, folder)
    target = _choose_target(session, folder, entries)
    if target is None:
        return

    def key_of(entry: Entry) -> str:
        return session.bucket.place.key(f"{target}/{_name(entry)}")

    waiting = [entry for entry in entries if entry.proof == "" or entry.key != key_of(entry)]
    steps = [[entry for entry in waiting if _name(entry) not in _LAST_NAMES]]
    steps += [[entry for entry in waiting if _name(entry) == name] for name in _LAST_NAMES]
    for step in steps:
        if not session.send_all(step, key_of):
            return


def _entries(session: Session, folder: str) -> list[Entry]:
    """Return the files of a whole folder; what an older export left in the outbox is forgotten."""
    root, depth = session.home.root, folder.count("/") + 1
    known = [
        entry for entry in session.state.outbox.under(folder) if entry.path.count("/") == depth
    ]
    if not (root / folder / "_SUCCESS").is_file():
        return known
    gone = [entry.path for entry in known if not (root / entry.path).exists()]
    if gone:
        with session.state.changing_outbox():
            session.state.outbox.forget(gone)
    return [entry for entry in known if entry.path not in gone]


def _choose_target(session: Session, folder: str, entries: list[Entry]) -> str | None:
    """Choose the folder of the bucket: the same, or one of the run's own when that is taken."""
    candidates = [folder]
    if "/snapshot/" in folder and (run_id := _run_of(session, folder)):
        candidates.append(f"{folder}/run={run_id}")
    conflict: ConflictError | None = None
    for target in candidates:
        try:
            _check_free(session, target, entries)
        except ConflictError as error:
            conflict = error
        else:
            return target
    assert conflict is not None
    session.fail(entries[0], conflict)
    return None


def _check_free(session: Session, target: str, entries: list[Entry]) -> None:
    """Make sure that a folder of the bucket holds nothing else than these files, or nothing.

    Raises:
        ConflictError: It does.
        UploadError: It could not be looked at.
    """
    for entry in entries:
        key = session.bucket.place.key(f"{target}/{_name(entry)}")
        if not (entry.proof and entry.key == key):
            session.sender.look(entry, key)


def _run_of(session: Session, folder: str) -> str:
    manifest = session.home.root / folder / "_manifest.json"
    try:
        return str(msgspec.json.decode(manifest.read_bytes()).get("run_id", ""))
    except (OSError, msgspec.DecodeError, AttributeError):
        return ""


def _name(entry: Entry) -> str:
    return entry.path.rpartition("/")[2]


def _send_loose(session: Session) -> None:
    """Send the dataset card, and rows outside of whole folders are left to wait."""
    cards = session.state.outbox.waiting(("card",))
    session.send_all(cards, lambda entry: session.bucket.place.key(entry.path))


@dataclass(frozen=True, slots=True)
class Latest:
    """What lies in the bucket as ``latest.json``."""

    body: bytes
    etag: str
    run_id: str


def _publish_latest(session: Session) -> None:
    """Swap ``latest.json``, when all that it names, and all that rows refer to, has arrived."""
    entry = session.state.outbox.find(LATEST)
    if entry is None or not session.sender.path(entry).is_file():
        return
    body = _latest_body(session, session.sender.path(entry).read_bytes())
    if body is None:
        return
    key = session.bucket.place.key(LATEST)
    call = _Swap(session, key, body)
    where = session.bucket.where(key)
    try:
        etag = persist(call, where, session.patience)
    except ConflictError as error:
        session.fail(entry, error)
        return
    session.report.latest_run = str(msgspec.json.decode(body)["run_id"])
    session.note(entry, Proof(key, etag, "get"))


def _latest_body(session: Session, local: bytes) -> bytes | None:
    """Write what the bucket's ``latest.json`` says; None while a folder has not arrived."""
    value = msgspec.json.decode(local)
    for dataset in DATASETS:
        key = arrived_at(session, f"{TREE}/{value[dataset]}")
        if key is None:
            return None
        value[dataset] = key.removeprefix(session.bucket.place.key(f"{TREE}/"))
    return msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n"


@dataclass(slots=True)
class _Swap:
    """One try to put ``latest.json`` in the place of the one that was read."""

    session: Session
    key: str
    body: bytes

    def __call__(self) -> str:
        bucket = self.session.bucket
        there = _read_latest(self.session, self.key)
        if there is not None and there.body == self.body:
            return there.etag
        if there is not None:
            self._check_order(there)
        digest = hashlib.sha256(self.body).hexdigest()
        try:
            bucket.put(
                self.key,
                self.body,
                sha256=digest,
                content_type="application/json",
                CacheControl="no-cache",
                **self._condition(there),
            )
        except ClientError as error:
            self._learn(error, there)
        there = _read_latest(self.session, self.key)
        if there is None or there.body != self.body:
            raise ReadBackError(self.key)
        return there.etag

    def _condition(self, there: Latest | None) -> dict[str, Any]:
        sender = self.session.sender
        if there is None:
            return sender.condition(None)
        return sender.swap_condition(there.etag)

    def _learn(self, error: ClientError, there: Latest | None) -> None:
        """After a refusal: somebody else was faster, or the server cannot compare."""
        sender = self.session.sender
        if code_of(error) in REFUSES_CONDITIONS:
            sender.conditions = False
            return
        if status_of(error) != 412:
            raise error
        now = _read_latest(self.session, self.key)
        if there is not None and now is not None and now.etag == there.etag:
            sender.learn_swap()

    def _check_order(self, there: Latest) -> None:
        """Never go back, and never take the place of another home.

        Raises:
            ConflictError: It would.
        """
        mine = str(msgspec.json.decode(self.body)["run_id"])
        known = [entry.run_id for entry in self.session.state.runs()]
        where = self.session.bucket.where(self.key)
        if there.run_id not in known:
            raise ConflictError(
                f"{where} names {there.run_id or 'no run'}, which this home does not know: another"
                " home publishes there; choose another prefix with --s3"
            )
        if known.index(there.run_id) > known.index(mine):
            raise ConflictError(f"{where} names {there.run_id}, which is newer than {mine}")


def _read_latest(session: Session, key: str) -> Latest | None:
    client, place = session.bucket.client, session.bucket.place
    try:
        answer = client.get_object(Bucket=place.bucket, Key=key)
    except ClientError as error:
        if status_of(error) == 404:
            return None
        raise
    body = answer["Body"].read()
    try:
        run_id = str(msgspec.json.decode(body)["run_id"])
    except (msgspec.DecodeError, KeyError, TypeError):
        run_id = ""
    return Latest(body, str(answer["ETag"]), run_id)
