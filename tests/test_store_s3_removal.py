"""What a takedown removed from the home goes from the bucket too, older versions included."""

import pytest
from store_kit import TWO
from test_store_s3_publish import read_published
from upload_kit import TREE, SmallHome, memory_server, upload

from hongxing_crawler.exceptions import ConflictError
from hongxing_crawler.store.home_files import describe
from hongxing_crawler.store.rows import write_rows
from hongxing_crawler.store.takedown_log import append_takedown, read_pending_removals

SECRET = b"a picture that has to go"


@pytest.fixture(params=[False, True], ids=["plain", "versioned"])
def server(request, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with memory_server() as running:
        if request.param:
            running.client.put_bucket_versioning(
                Bucket="archive", VersioningConfiguration={"Status": "Enabled"}
            )
        yield running


@pytest.fixture
def small(tmp_path):
    home = SmallHome(tmp_path / "home")
    home.crawl()
    yield home
    home.close()


def take_down(small, picture):
    """Do to the home what a takedown does: one WARC and one day of rows again, one file less."""
    root = small.home.root
    warc = next(path for path in small.files().values() if path.name.endswith(".warc.gz"))
    warc.write_bytes(b"without the page")
    day = root / TREE / "snapshot" / "dt=2026-11-23"
    write_rows(day, [], {"dataset": "snapshot", "run_id": "run_20261123T080000Z"})
    rewritten = [warc, *day.iterdir()]
    picture.unlink()
    replaced = [path.relative_to(root).as_posix() for path in rewritten]
    deleted = [picture.relative_to(root).as_posix()]
    entry = {"id": "td_1", "published": {"replace": replaced, "delete": deleted}}
    append_takedown(root / "takedown" / "log.jsonl", entry)
    return replaced, deleted


def all_bytes(server):
    """Every version of every object."""
    answer = server.client.list_object_versions(Bucket="archive")
    return {
        (item["Key"], item["VersionId"]): server.client.get_object(
            Bucket="archive", Key=item["Key"], VersionId=item["VersionId"]
        )["Body"].read()
        for item in answer.get("Versions", [])
    }


def test_what_was_removed_is_nowhere_any_more(small, server):
    picture = small.picture(SECRET)
    upload(small, server)
    before = server.objects()
    last = small.crawl(TWO, "第二篇。")
    upload(small, server)
    replaced, deleted = take_down(small, picture)

    upload(small, server)

    objects = server.objects()
    assert not set(deleted) & set(objects)
    for path in replaced:
        assert objects[path] == (small.home.root / path).read_bytes()
    everything = all_bytes(server).values()
    assert SECRET not in everything
    assert not [before[path] for path in replaced if before[path] and before[path] in everything
                and before[path] != objects[path]]  # fmt: skip
    assert read_published(server) == last
    assert read_pending_removals(small.home.root) == []


def test_without_a_takedown_the_same_change_is_damage(small, server):
    upload(small, server)
    warc = next(path for path in small.files().values() if path.name.endswith(".warc.gz"))
    before = server.objects()
    warc.write_bytes(b"without the page")
    small.archive.state.queue([describe(small.home.root, warc)])

    with pytest.raises(ConflictError, match="another object lies there"):
        upload(small, server)

    path = warc.relative_to(small.home.root).as_posix()
    assert server.objects()[path] == before[path]
