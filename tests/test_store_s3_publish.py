"""Publication: what a reader who follows latest.json may see, whatever dies."""

import hashlib
import json
from dataclasses import replace

import pytest
from store_kit import TWO
from upload_kit import QUICK, TREE, SmallHome, upload

from hongxing_crawler.exceptions import ConflictError
from hongxing_crawler.store.s3 import publish, send
from hongxing_crawler.store.s3.client import Bucket


def read_published(memory_bucket):
    """Follow latest.json and check all that it names; the run that it is, or None."""
    objects = memory_bucket.objects()
    if f"{TREE}/latest.json" not in objects:
        return None
    latest = json.loads(objects[f"{TREE}/latest.json"])
    for dataset in ("snapshot", "delta"):
        folder = f"{TREE}/{latest[dataset]}"
        assert f"{folder}/_SUCCESS" in objects
        manifest = json.loads(objects[f"{folder}/_manifest.json"])
        assert manifest["run_id"] == latest["run_id"]
        for part in manifest["parts"]:
            data = objects[f"{folder}/{part['name']}"]
            assert hashlib.sha256(data).hexdigest() == part["sha256"]
    return latest["run_id"]


def note_keys(monkeypatch):
    keys, put = [], Bucket.put

    def noting(self, key, *arguments, **more):
        keys.append(key)
        return put(self, key, *arguments, **more)

    monkeypatch.setattr(Bucket, "put", noting)
    return keys


def test_the_order_is_raw_parts_manifest_mark_card_latest(small_home, memory_bucket, monkeypatch):
    keys = note_keys(monkeypatch)

    upload(small_home, memory_bucket)

    names = [key.rpartition("/")[2] for key in keys]
    snapshot = [name for key, name in zip(keys, names, strict=True) if "/snapshot/" in key]
    assert snapshot == ["part-00000.jsonl.gz", "_manifest.json", "_SUCCESS"]
    assert names[-2:] == ["README.md", "latest.json"]
    first_export = next(n for n, key in enumerate(keys) if "/export/" in key)
    assert all("/export/" not in key for key in keys[:first_export])
    assert all("/export/" in key for key in keys[first_export:])


class KilledError(BaseException):
    """Stands for a kill: nothing catches it."""


def kill_at(monkeypatch, step):
    """Die at the n-th change of the bucket, before or after it is made."""
    count, put = [0], Bucket.put

    def dying(self, *arguments, **more):
        count[0] += 1
        if count[0] == step // 2 + 1 and step % 2 == 0:
            raise KilledError
        etag = put(self, *arguments, **more)
        if count[0] == step // 2 + 1:
            raise KilledError
        return etag

    monkeypatch.setattr(Bucket, "put", dying)


@pytest.mark.parametrize("step", range(26))
def test_a_kill_at_any_step_never_shows_half_a_run(small_home, memory_bucket, monkeypatch, step):
    upload(small_home, memory_bucket)
    first = read_published(memory_bucket)
    second = small_home.crawl(TWO, "第二篇。")
    with monkeypatch.context() as patch:
        kill_at(patch, step)
        one_thread = replace(QUICK, threads=1)
        try:
            upload(small_home, memory_bucket, one_thread)
        except KilledError:
            assert read_published(memory_bucket) in {first, second}
        else:
            assert step >= 2 * 11  # there were no more changes

    upload(small_home, memory_bucket)

    assert read_published(memory_bucket) == second


def test_a_second_run_of_the_day_gets_a_snapshot_of_its_own(small_home, memory_bucket):
    upload(small_home, memory_bucket)
    before = memory_bucket.objects()
    small_home.archive.day -= 1
    run_id = small_home.archive.run_id
    second = f"{run_id}-2"
    small_home.archive.begin = lambda **_: begin_second(small_home.archive, second)
    small_home.crawl(TWO, "第二篇。")

    upload(small_home, memory_bucket)

    folder = f"{TREE}/snapshot/dt=2026-11-23"
    objects = memory_bucket.objects()
    assert memory_bucket.latest()["snapshot"] == f"snapshot/dt=2026-11-23/run={second}"
    assert read_published(memory_bucket) == second
    assert objects[f"{folder}/part-00000.jsonl.gz"] == before[f"{folder}/part-00000.jsonl.gz"]


def begin_second(archive, run_id):
    from store_kit import EAGER

    archive.day += 1
    archive.clock.forward(hours=1)
    archive.run_id = run_id
    archive.state.begin_run(run_id, archive.clock(), {})
    archive.state.plan(run_id, EAGER, archive.clock(), full=True)


def test_manifests_name_their_parent(small_home, memory_bucket):
    upload(small_home, memory_bucket)
    small_home.crawl(TWO, "第二篇。")
    upload(small_home, memory_bucket)

    objects, latest = memory_bucket.objects(), memory_bucket.latest()
    for dataset in ("snapshot", "delta"):
        manifest = json.loads(objects[f"{TREE}/{latest[dataset]}/_manifest.json"])
        parent = objects[f"{TREE}/{manifest['parent']['folder']}/_manifest.json"]
        assert manifest["parent"]["sha256"] == hashlib.sha256(parent).hexdigest()


def test_another_home_is_not_pushed_aside(small_home, memory_bucket, tmp_path):
    upload(small_home, memory_bucket)
    other = SmallHome(tmp_path / "other")
    other.archive.day += 3
    other.crawl(TWO, "另一个。")

    with pytest.raises(ConflictError, match="another home publishes there"):
        upload(other, memory_bucket)

    assert read_published(memory_bucket) == small_home.archive.run_id
    other.close()


def test_latest_never_goes_back(small_home, memory_bucket, tmp_path):
    first = (small_home.home.root / TREE / "latest.json").read_bytes()
    second = small_home.crawl(TWO, "第二篇。")
    upload(small_home, memory_bucket)
    (small_home.home.root / TREE / "latest.json").write_bytes(first)

    with pytest.raises(ConflictError, match="newer"):
        upload(small_home, memory_bucket)

    assert memory_bucket.latest()["run_id"] == second


def test_a_server_that_knows_no_conditions_gets_none(small_home, memory_bucket):
    upload(small_home, memory_bucket, profile="cos")
    second = small_home.crawl(TWO, "第二篇。")
    upload(small_home, memory_bucket, profile="cos")

    assert read_published(memory_bucket) == second


def test_two_who_swap_at_once_are_told_apart(small_home, memory_bucket, monkeypatch):
    upload(small_home, memory_bucket)
    second = small_home.crawl(TWO, "第二篇。")
    read, hits = publish._read_latest, []

    def meddling(session, key):
        found = read(session, key)
        if not hits:
            hits.append(1)
            foreign = json.dumps({"run_id": "run_20300101T000000Z", "snapshot": "", "delta": ""})
            memory_bucket.put(f"{TREE}/latest.json", foreign.encode())
        return found

    monkeypatch.setattr(publish, "_read_latest", meddling)

    with pytest.raises(ConflictError, match="another home"):
        upload(small_home, memory_bucket)

    assert memory_bucket.latest()["run_id"] == "run_20300101T000000Z" != second


def test_nothing_is_published_while_a_file_waits(small_home, memory_bucket, monkeypatch):
    read = send.Sender.read

    def failing(self, entry):
        if entry.kind == "media":
            raise OSError(5, "Input/output error")
        return read(self, entry)

    monkeypatch.setattr(send.Sender, "read", failing)

    with pytest.raises(ConflictError, match="Input/output error"):
        upload(small_home, memory_bucket)

    assert not [key for key in memory_bucket.objects() if key.startswith("export/")]
