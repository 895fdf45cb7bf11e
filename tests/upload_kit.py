"""Small homes, and an S3 server in memory to bring them to."""

import hashlib
import json
import logging
import urllib.request
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache

import boto3
import botocore.session
from botocore.config import Config
from moto.server import ThreadedMotoServer
from store_kit import ONE, TWO, Archive

from hongxing_crawler.store.home import Home
from hongxing_crawler.store.home_files import describe
from hongxing_crawler.store.rows import export_run
from hongxing_crawler.store.s3.client import S3Options
from hongxing_crawler.store.s3.place import Place
from hongxing_crawler.store.s3.upload import UploadOptions
from hongxing_crawler.upkeep.upload import upload_home

TREE = "export/articles/v1"
PREFIX = "红星/"
KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
# Each client reads the descriptions of S3 anew, half a second; a process of tests reads them once.
botocore.session.create_loader = cache(botocore.session.create_loader)
QUICK = UploadOptions(threads=2, part_bytes=5 << 20, tries=3, deep_share=0.0)


def now():
    return datetime.now(UTC)


class SmallHome:
    """A home of a few files; each run adds an article, a picture and a WARC file."""

    def __init__(self, root):
        self.home = Home(root)
        self.home.prepare()
        self.archive = Archive(root)
        self.archive.add(ONE, TWO)

    def crawl(self, url=ONE, body="正文。"):
        archive, root = self.archive, self.home.root
        archive.begin(full=True)
        archive.visit(url, body=body)
        self.picture(f"{archive.run_id}".encode())
        warc = self.home.warc / f"hongxing-{archive.run_id}-00000.warc.gz"
        warc.write_bytes(f"WARC of {archive.run_id}".encode())
        archive.state.finish_warcs([describe(root, warc)])
        export_run(archive.state, self.home.export, archive.run_id)
        archive.end()
        record = self.home.run(archive.run_id) / "run.json"
        record.parent.mkdir(parents=True)
        record.write_text(json.dumps({"run_id": archive.run_id}))
        archive.state.queue([describe(root, record)])
        return archive.run_id

    def picture(self, content):
        digest = hashlib.sha256(content).hexdigest()
        path = self.home.media / "sha256" / digest[:2] / f"{digest}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        self.archive.state.queue([describe(self.home.root, path)])
        return path

    def files(self):
        """Every file that belongs into the bucket, by its path."""
        return {
            path.relative_to(self.home.root).as_posix(): path
            for path in sorted(self.home.root.rglob("*"))
            if path.is_file() and not path.name.startswith(("state.sqlite", "lock"))
        }

    def close(self):
        self.archive.state.close()


class MemoryServer:
    """moto, with a bucket; it counts what it is asked."""

    def __init__(self, endpoint):
        self.endpoint = endpoint
        self.client = boto3.client(
            "s3",
            endpoint_url=endpoint,
            aws_access_key_id="key",
            aws_secret_access_key="secret",
            region_name="us-east-1",
            config=Config(s3={"addressing_style": "path"}),
        )
        self.client.create_bucket(Bucket="archive")

    def options(self, **more):
        return S3Options(Place("archive", PREFIX), endpoint=self.endpoint, timeout_s=5, **more)

    def objects(self):
        """Bytes by key, without the prefix."""
        listed = self.client.list_objects_v2(Bucket="archive", Prefix=PREFIX).get("Contents", [])
        return {
            item["Key"].removeprefix(PREFIX): self.client.get_object(
                Bucket="archive", Key=item["Key"]
            )["Body"].read()
            for item in listed
        }

    def put(self, path, body, **more):
        self.client.put_object(Bucket="archive", Key=f"{PREFIX}{path}", Body=body, **more)

    def latest(self):
        return json.loads(self.objects()[f"{TREE}/latest.json"])


@contextmanager
def memory_server():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    reset = urllib.request.Request(f"http://{host}:{port}/moto-api/reset", method="POST")
    urllib.request.urlopen(reset, timeout=10).close()  # what earlier tests of the process left
    try:
        yield MemoryServer(f"http://{host}:{port}")
    finally:
        server.stop()


def upload(small, server, options=QUICK, *, whole=True, **more):
    return upload_home(small.home, server.options(**more), options, now=now, whole=whole)
