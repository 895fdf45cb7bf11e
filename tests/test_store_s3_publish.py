"""Publication: what a reader who follows latest.json may see, whatever dies."""

import hashlib
import json
from dataclasses import replace

import pytest
from store_kit import TWO
from upload_kit import QUICK, TREE, SmallHome, memory_server, upload

from hongxing_crawler.exceptions import ConflictError
from hongxing_crawler.store.s3 import publish, send
from hongxing_crawler.store.s3.client import Bucket


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with memory_server() as running:
        yield running


@pytest.fixture
def small(tmp_path):
    home = SmallHome(tmp_path / "home")
    home.crawl()
    yield home
    home.close()


def read_published(server):
    """Follow latest.json and check all that it names; the run that it is, or None."""
    objects = server.objects()
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


def test_the_order_is_raw_parts_manifest_mark_card_latest(small, server, monkeypatch):
    keys = note_keys(monkeypatch)

    upload(small, server)

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
def test_a_kill_at_any_step_never_shows_half_a_run(small, server, monkeypatch, step):
    upload(small, server)
    first = read_published(server)
    second = small.crawl(TWO, "第二篇。")
    with monkeypatch.context() as patch:
        kill_at(patch, step)
        one_thread = replace(QUICK, threads=1)
        try:
            upload(small, server, one_thread)
        except KilledError:
            assert read_published(server) in {first, second}
        else:
            assert step >= 2 * 11  # there were no more changes

    upload(small, server)

    assert read_published(server) == second


def test_a_second_run_of_the_day_gets_a_snapshot_of_its_own(tmp_path, server):
    small = SmallHome(tmp_path / "home")
    small.crawl()
    upload(small, server)
    before = server.objects()
    small.archive.day -= 1
    run_id = small.archive.run_id
    second = f"{run_id}-2"
    small.archive.begin = lambda **_: begin_second(small.archive, second)
    small.crawl(TWO, "第二篇。")

    upload(small, server)

    folder = f"{TREE}/snapshot/dt=2026-11-23"
    objects = server.objects()
    assert server.latest()["snapshot"] == f"snapshot/dt=2026-11-23/run={second}"
    assert read_published(server) == second
    assert objects[f"{folder}/part-00000.jsonl.gz"] == before[f"{folder}/part-00000.jsonl.gz"]
    small.close()


def begin_second(archive, run_id):
    from store_kit import EAGER

    archive.day += 1
    archive.clock.forward(hours=1)
    archive.run_id = run_id
    archive.state.begin_run(run_id, archive.clock(), {})
    archive.state.plan(run_id, EAGER, archive.clock(), full=True)


def test_manifests_name_their_parent(small, server):
    upload(small, server)
    small.crawl(TWO, "第二篇。")
    upload(small, server)

    objects, latest = server.objects(), server.latest()
    for dataset in ("snapshot", "delta"):
        manifest = json.loads(objects[f"{TREE}/{latest[dataset]}/_manifest.json"])
        parent = objects[f"{TREE}/{manifest['parent']['folder']}/_manifest.json"]
        assert manifest["parent"]["sha256"] == hashlib.sha256(parent).hexdigest()


def test_another_home_is_not_pushed_aside(small, server, tmp_path):
    upload(small, server)
    other = SmallHome(tmp_path / "other")
    other.archive.day += 3
    other.crawl(TWO, "另一个。")

    with pytest.raises(ConflictError, match="another home publishes there"):
        upload(other, server)

    assert read_published(server) == small.archive.run_id
    other.close()


def test_latest_never_goes_back(small, server, tmp_path):
    first = (small.home.root / TREE / "latest.json").read_bytes()
    second = small.crawl(TWO, "第二篇。")
    upload(small, server)
    (small.home.root / TREE / "latest.json").write_bytes(first)

    with pytest.raises(ConflictError, match="newer"):
        upload(small, server)

    assert server.latest()["run_id"] == second


def test_a_server_that_knows_no_conditions_gets_none(small, server):
    upload(small, server, profile="cos")
    second = small.crawl(TWO, "第二篇。")
    upload(small, server, profile="cos")

    assert read_published(server) == second


def test_two_who_swap_at_once_are_told_apart(small, server, monkeypatch):
    upload(small, server)
    second = small.crawl(TWO, "第二篇。")
    read, hits = publish._read_latest, []

    def meddling(session, key):
        found = read(session, key)
        if not hits:
            hits.append(1)
            foreign = json.dumps({"run_id": "run_20300101T000000Z", "snapshot": "", "delta": ""})
            server.put(f"{TREE}/latest.json", foreign.encode())
        return found

    monkeypatch.setattr(publish, "_read_latest", meddling)

    with pytest.raises(ConflictError, match="another home"):
        upload(small, server)

    assert server.latest()["run_id"] == "run_20300101T000000Z" != second


def test_nothing_is_published_while_a_file_waits(small, server, monkeypatch):
    read = send.Sender.read

    def failing(self, entry):
        if entry.kind == "media":
            raise OSError(5, "Input/output error")
        return read(self, entry)

    monkeypatch.setattr(send.Sender, "read", failing)

    with pytest.raises(ConflictError, match="Input/output error"):
        upload(small, server)

    assert not [key for key in server.objects() if key.startswith("export/")]
