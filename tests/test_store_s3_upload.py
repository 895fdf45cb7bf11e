"""The logic of uploads, on a server in memory; the contract of a real one is in test_cli_upload."""

import hashlib
import tracemalloc
from dataclasses import replace

import pytest
from upload_kit import PREFIX, QUICK, SmallHome, now, upload

from hongxing_crawler.exceptions import ConflictError
from hongxing_crawler.store.s3 import upload as uploading
from hongxing_crawler.store.s3.client import Bucket
from hongxing_crawler.store.s3.upload import Session
from hongxing_crawler.upkeep.upload import uploading as upload_beside


def count_calls(monkeypatch):
    """Count calls by name, of every client that is made from now on."""
    calls, make = [], Bucket.open.__func__

    def opened(cls, options):
        bucket = make(cls, options)
        bucket.client.meta.events.register(
            "before-call.s3", lambda model, **_: calls.append(model.name)
        )
        return bucket

    monkeypatch.setattr(Bucket, "open", classmethod(opened))
    return calls


def test_everything_arrives_with_its_bytes_digest_and_type(small_home, memory_bucket):
    report = upload(small_home, memory_bucket)

    objects = memory_bucket.objects()
    assert set(objects) == set(small_home.files())
    for path, file in small_home.files().items():
        assert objects[path] == file.read_bytes()
    path = next(path for path in objects if path.startswith("warc/"))
    head = memory_bucket.client.head_object(Bucket="archive", Key=f"{PREFIX}{path}")
    assert head["Metadata"]["sha256"] == hashlib.sha256(objects[path]).hexdigest()
    assert head["ContentType"] == "application/warc"
    assert report.waiting_count == 0
    assert memory_bucket.latest()["run_id"] == report.latest_run == small_home.archive.run_id


def test_a_second_upload_puts_nothing(small_home, memory_bucket, monkeypatch):
    upload(small_home, memory_bucket)
    calls = count_calls(monkeypatch)

    report = upload(small_home, memory_bucket)

    assert report.sent_count == 0
    assert "PutObject" not in calls
    assert "HeadObject" not in calls


def test_a_lost_state_sends_nothing_again(small_home, memory_bucket):
    upload(small_home, memory_bucket)
    with small_home.archive.state.changing_outbox():
        small_home.archive.state.outbox.forget(list(small_home.files()))

    report = upload(small_home, memory_bucket)

    assert report.sent_count == 0
    assert report.same_count == len(small_home.files())


def test_an_object_that_is_not_there_any_more_is_sent_again(small_home, memory_bucket):
    upload(small_home, memory_bucket)
    path = next(path for path in small_home.files() if path.startswith("media/"))
    memory_bucket.client.delete_object(Bucket="archive", Key=f"{PREFIX}{path}")

    report = upload(small_home, memory_bucket)

    assert (report.lost_count, report.sent_count) == (1, 1)
    assert memory_bucket.objects()[path] == small_home.files()[path].read_bytes()


def test_another_object_under_a_key_stays_and_the_others_go_on(small_home, memory_bucket):
    path = next(path for path in small_home.files() if path.startswith("media/"))
    memory_bucket.put(path, b"not ours")

    with pytest.raises(ConflictError, match=f"another object lies there .8 bytes.*{path}"):
        upload(small_home, memory_bucket)

    objects = memory_bucket.objects()
    assert objects[path] == b"not ours"
    assert any(name.startswith("warc/") for name in objects)
    assert "export/articles/v1/latest.json" not in objects
    assert small_home.archive.state.outbox.look().failed_count == 1


def test_the_same_object_of_another_tool_is_taken(small_home, memory_bucket):
    path = next(path for path in small_home.files() if path.startswith("media/"))
    memory_bucket.put(path, small_home.files()[path].read_bytes())

    report = upload(small_home, memory_bucket)

    assert report.sent_count == len(small_home.files()) - 2  # latest.json is swapped, not sent
    assert report.waiting_count == 0


def test_a_report_that_is_written_again_replaces_ours(small_home, memory_bucket):
    path = small_home.home.run(small_home.archive.run_id) / "report.html"
    for text in ("one", "another"):
        path.write_text(text)
        upload(small_home, memory_bucket)

    assert memory_bucket.objects()[f"runs/{small_home.archive.run_id}/report.html"] == b"another"


def test_a_report_that_is_not_ours_stays(small_home, memory_bucket):
    path = small_home.home.run(small_home.archive.run_id) / "report.html"
    path.write_text("one")
    memory_bucket.put(f"runs/{small_home.archive.run_id}/report.html", b"somebody else's")

    with pytest.raises(ConflictError):
        upload(small_home, memory_bucket)

    assert (
        memory_bucket.objects()[f"runs/{small_home.archive.run_id}/report.html"]
        == b"somebody else's"
    )


def test_a_finished_file_that_changed_is_not_sent(small_home, memory_bucket):
    path, file = next(item for item in small_home.files().items() if item[0].startswith("warc/"))
    file.write_bytes(b"X" * file.stat().st_size)

    with pytest.raises(ConflictError, match=f"{path} is not what it was"):
        upload(small_home, memory_bucket, whole=False)

    assert path not in memory_bucket.objects()


def test_a_file_that_is_gone_is_named(small_home, memory_bucket):
    path, file = next(item for item in small_home.files().items() if item[0].startswith("media/"))
    file.unlink()

    with pytest.raises(ConflictError, match=f"{path} waits to be uploaded and cannot be read"):
        upload(small_home, memory_bucket)

    assert "export/articles/v1/latest.json" not in memory_bucket.objects()


def test_an_empty_file_arrives(small_home, memory_bucket):
    (small_home.home.run(small_home.archive.run_id) / "rejects.jsonl").touch()

    upload(small_home, memory_bucket)

    assert memory_bucket.objects()[f"runs/{small_home.archive.run_id}/rejects.jsonl"] == b""


def test_a_home_that_was_moved_goes_on(small_home, memory_bucket, tmp_path):
    upload(small_home, memory_bucket)
    small_home.close()
    moved = tmp_path / "elsewhere"
    small_home.home.root.rename(moved)
    other = SmallHome(moved)

    report = upload(other, memory_bucket)

    assert (report.sent_count, report.lost_count) == (0, 0)
    other.close()


def make_large(small_home, size=12 << 20):
    content = b"".join(n.to_bytes(4, "big") * 262_144 for n in range(-(-size >> 20)))[:size]
    return small_home.picture(content)


def test_a_large_file_goes_up_in_parts_and_arrives_whole(small_home, memory_bucket, monkeypatch):
    file = make_large(small_home)
    calls = count_calls(monkeypatch)

    upload(small_home, memory_bucket)

    assert calls.count("UploadPart") == 3
    path = file.relative_to(small_home.home.root).as_posix()
    assert memory_bucket.objects()[path] == file.read_bytes()


class KilledError(BaseException):
    """Stands for a kill: nothing catches it."""


def test_parts_that_arrived_before_a_kill_are_not_sent_again(
    small_home, memory_bucket, monkeypatch
):
    make_large(small_home)
    note = uploading.Session._note_parts

    def kill_after_two(self, entry, upload_id, parts):
        note(self, entry, upload_id, parts)
        if len(parts) == 2:
            raise KilledError

    monkeypatch.setattr(uploading.Session, "_note_parts", kill_after_two)
    with pytest.raises(KilledError):
        upload(small_home, memory_bucket)
    monkeypatch.setattr(uploading.Session, "_note_parts", note)
    calls = count_calls(monkeypatch)

    upload(small_home, memory_bucket)

    assert "CreateMultipartUpload" not in calls
    assert calls.count("UploadPart") <= 1
    assert memory_bucket.client.list_multipart_uploads(Bucket="archive").get("Uploads", []) == []


def test_an_upload_that_the_server_forgot_begins_again(small_home, memory_bucket, monkeypatch):
    make_large(small_home)
    note = uploading.Session._note_parts

    def kill_after_one(self, entry, upload_id, parts):
        note(self, entry, upload_id, parts)
        if parts:
            raise KilledError

    monkeypatch.setattr(uploading.Session, "_note_parts", kill_after_one)
    with pytest.raises(KilledError):
        upload(small_home, memory_bucket)
    monkeypatch.setattr(uploading.Session, "_note_parts", note)
    for item in memory_bucket.client.list_multipart_uploads(Bucket="archive")["Uploads"]:
        memory_bucket.client.abort_multipart_upload(
            Bucket="archive", Key=item["Key"], UploadId=item["UploadId"]
        )

    report = upload(small_home, memory_bucket)

    assert report.waiting_count == 0


def test_a_large_file_that_changes_while_it_is_sent_never_appears(
    small_home, memory_bucket, monkeypatch
):
    file = make_large(small_home)
    path = file.relative_to(small_home.home.root).as_posix()
    note = uploading.Session._note_parts

    def change(self, entry, upload_id, parts):
        note(self, entry, upload_id, parts)
        if not parts:
            with file.open("r+b") as target:
                target.seek(11 << 20)
                target.write(b"changed")

    monkeypatch.setattr(uploading.Session, "_note_parts", change)

    with pytest.raises(ConflictError, match=f"{path} is not what it was"):
        upload(small_home, memory_bucket, whole=False)

    assert path not in memory_bucket.objects()
    assert memory_bucket.client.list_multipart_uploads(Bucket="archive").get("Uploads", []) == []


def test_memory_does_not_grow_with_the_file(small_home, memory_bucket):
    upload(small_home, memory_bucket)
    make_large(small_home, 60 << 20)
    tracemalloc.start()
    bucket = Bucket.open(memory_bucket.options())
    state = small_home.archive.state

    with Session(state, small_home.home, bucket, QUICK, now) as session:
        (entry,) = state.outbox.waiting(("media",))
        list(session.parts._read(entry))[:0]
        tracemalloc.reset_peak()
        for _ in session.parts._read(entry):
            pass
        _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 40 << 20


def test_deep_reads_every_object_back(small_home, memory_bucket):
    upload(small_home, memory_bucket)

    report = upload(small_home, memory_bucket, replace(QUICK, is_deep=True))

    assert report.compared_count == len(small_home.files())


def test_deep_finds_an_object_whose_bytes_are_other(small_home, memory_bucket):
    upload(small_home, memory_bucket)
    path, file = next(item for item in small_home.files().items() if item[0].startswith("warc/"))
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    memory_bucket.put(path, b"Y" * file.stat().st_size, Metadata={"sha256": digest})

    with pytest.raises(ConflictError, match="holds other bytes"):
        upload(small_home, memory_bucket, replace(QUICK, is_deep=True))


def test_bandwidth_is_bounded(small_home, memory_bucket):
    import time

    size = sum(file.stat().st_size for file in small_home.files().values())
    started = time.monotonic()

    upload(small_home, memory_bucket, replace(QUICK, max_bytes_per_s=size / 1.5))

    assert time.monotonic() - started > 1.2


def test_files_go_up_beside_a_crawl(small_home, memory_bucket, monkeypatch):
    import time

    monkeypatch.setattr("hongxing_crawler.upkeep.upload._PAUSE_S", 0.05)
    with upload_beside(small_home.home, memory_bucket.options(), QUICK, now=now):
        small_home.picture(b"found while it runs")
        end = time.monotonic() + 20
        while not list(small_home.archive.state.outbox.proved()) and time.monotonic() < end:
            time.sleep(0.05)
        time.sleep(0.2)

    objects = memory_bucket.objects()
    assert any(path.startswith("media/") for path in objects)
    assert not any(path.startswith("export/") for path in objects)


def test_no_acl_is_ever_sent(small_home, memory_bucket, monkeypatch):
    sent = []
    make = Bucket.open.__func__

    def opened(cls, options):
        bucket = make(cls, options)
        bucket.client.meta.events.register(
            "before-call.s3", lambda params, **_: sent.append(dict(params["headers"]))
        )
        return bucket

    monkeypatch.setattr(Bucket, "open", classmethod(opened))
    make_large(small_home)

    upload(small_home, memory_bucket)

    assert sent
    assert not [name for headers in sent for name in headers if "acl" in name.lower()]
