from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from store_kit import ONE, Archive, picture

from hongxing_crawler.store.home_files import content_type_of, describe, find_new, kind_of
from hongxing_crawler.store.outbox import Finished, SentPart

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
FILE = Finished("media/sha256/ab/x.jpg", "media", 10, "ab" * 32, "image/jpeg")
TARGET = "s3://archive/x at AWS"


@pytest.fixture
def state(tmp_path):
    archive = Archive(tmp_path)
    yield archive.state
    archive.state.close()


def waiting(state, **more):
    return [entry.path for entry in state.outbox.waiting(("media", "warc"), **more)]


def prove(state, target=TARGET):
    with state.changing_outbox():
        state.outbox.aim(target)
        for entry in list(state.outbox.waiting(("media", "warc"))):
            state.outbox.note_proved(entry.id, f"x/{entry.path}", '"e"', "head", NOW)


def test_a_picture_is_queued_by_the_transaction_that_stores_its_article(tmp_path):
    archive = Archive(tmp_path)
    archive.begin()
    archive.add(ONE)

    archive.visit(ONE, media={"u": picture("u")})

    (entry,) = archive.state.outbox.waiting(("media",))
    assert entry.path == f"media/sha256/ab/{'ab' * 32}.jpg"
    assert (entry.bytes, entry.sha256, entry.content_type) == (10, "ab" * 32, "image/jpeg")
    archive.state.close()


def test_a_visit_that_is_rolled_back_queues_nothing(tmp_path):
    archive = Archive(tmp_path)
    archive.begin()
    archive.add(ONE)
    broken = replace(archive.capture(ONE), fetched_at="no time")

    with pytest.raises(TypeError):
        archive.visit(ONE, media={"u": picture("u")}, captures=[broken])

    assert archive.state.outbox.look().count == 0
    archive.state.close()


def test_a_file_waits_until_it_is_proved(state):
    state.queue([FILE])
    assert waiting(state) == [FILE.path]

    prove(state)

    assert waiting(state) == []
    assert state.outbox.is_proved(FILE.path, FILE.sha256, TARGET)
    assert not state.outbox.is_proved(FILE.path, "cd" * 32, TARGET)
    assert not state.outbox.is_proved(FILE.path, FILE.sha256, "s3://other at AWS")
    assert [entry.proof for entry in state.outbox.proved()] == ["head"]


def test_queued_again_it_stays_proved_and_with_other_bytes_it_waits(state):
    state.queue([FILE])
    prove(state)

    state.queue([FILE])
    assert waiting(state) == []

    state.queue([replace(FILE, sha256="cd" * 32, bytes=11)])
    assert waiting(state) == [FILE.path]


def test_another_bucket_finds_everything_waiting(state):
    state.queue([FILE])
    prove(state)

    with state.changing_outbox():
        state.outbox.aim("s3://other at AWS")

    assert waiting(state) == [FILE.path]


def test_a_failed_file_is_not_due_before_its_time(state):
    state.queue([FILE])
    (entry,) = state.outbox.waiting(("media",))
    later = NOW + timedelta(seconds=30)

    with state.changing_outbox():
        state.outbox.aim("s3://bucket/")
        state.outbox.note_failed(entry.id, "the server does not answer", later)

    assert waiting(state, due_at=NOW) == []
    assert waiting(state, due_at=later) == [FILE.path]
    assert waiting(state) == [FILE.path]
    look = state.outbox.look()
    assert (look.count, look.bytes, look.failed_count) == (1, 10, 1)
    assert look.trouble == "the server does not answer"


def test_an_upload_in_parts_is_remembered(state):
    state.queue([FILE])
    (entry,) = state.outbox.waiting(("media",))

    with state.changing_outbox():
        state.outbox.note_upload(entry.id, "id-1", [SentPart(1, '"a"'), SentPart(2, '"b"')])

    (entry,) = state.outbox.waiting(("media",))
    assert entry.upload_id == "id-1"
    assert entry.parts == (SentPart(1, '"a"'), SentPart(2, '"b"'))


@pytest.mark.parametrize(
    ("path", "kind", "content_type"),
    [
        ("warc/h-run-00000.warc.gz", "warc", "application/warc"),
        ("cdxj/h-run-00000.cdxj", "cdxj", "text/x-cdxj"),
        ("wacz/h.wacz", "wacz", "application/wacz"),
        ("media/sha256/ab/ab.jpg", "media", "image/jpeg"),
        ("media/sha256/ab/ab.bin", "media", "application/octet-stream"),
        ("runs/run_1/run.json", "report", "application/json"),
        ("runs/run_1/report.html", "report", "text/html; charset=utf-8"),
        ("runs/run_1/log", "report", "text/plain; charset=utf-8"),
        ("export/articles/v1/snapshot/dt=1/part-00000.jsonl.gz", "rows", "application/gzip"),
        ("export/articles/v1/snapshot/dt=1/_manifest.json", "manifest", "application/json"),
        ("export/articles/v1/snapshot/dt=1/_SUCCESS", "success", "application/octet-stream"),
        ("export/articles/v1/latest.json", "latest", "application/json"),
    ],
)
def test_what_a_file_is_follows_from_its_path(path, kind, content_type):
    assert kind_of(path) == kind
    assert content_type_of(path) == content_type


def test_only_finished_files_are_found(tmp_path):
    for path in (
        "warc/a.warc.gz", "warc/b.warc.gz.open", "media/sha256/ab/.x.part", "tmp/x",
        "state.sqlite", "lock", "export/articles/v1/delta/dt=1/run=1/part-00000.jsonl.gz",
        "export/articles/v1/delta/dt=2/run=2/part-00000.jsonl.gz",
        "export/articles/v1/delta/dt=2/run=2/_SUCCESS",
    ):  # fmt: skip
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(path.encode())
    (tmp_path / "warc" / "link").symlink_to("/etc/passwd")

    assert [file.path for file in find_new(tmp_path, {})] == [
        "warc/a.warc.gz",
        "export/articles/v1/delta/dt=2/run=2/_SUCCESS",
        "export/articles/v1/delta/dt=2/run=2/part-00000.jsonl.gz",
    ]


def test_a_known_file_is_found_again_only_when_it_changed(tmp_path):
    path = tmp_path / "warc" / "a.warc.gz"
    path.parent.mkdir()
    path.write_bytes(b"one")
    file = describe(tmp_path, path)
    known = {file.path: (file.bytes, file.mtime_ns)}
    assert list(find_new(tmp_path, known)) == []

    path.write_bytes(b"two, longer")

    assert [file.path for file in find_new(tmp_path, known)] == ["warc/a.warc.gz"]
