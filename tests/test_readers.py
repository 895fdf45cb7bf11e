"""Every block of docs/readers.md and of the dataset card is run, on files and on a real S3 server.

``make readers`` builds the environment with the libraries; HONGXING_READERS names its folder.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from store_kit import SITE, Archive

from hongxing_crawler.store.rows import export_run

DOCUMENT = (Path(__file__).parent.parent / "docs" / "readers.md").read_text("utf-8")
BLOCK_RE = re.compile(
    r"^## (?P<library>[^\n]+)$|^```python\n# (?P<place>files|bucket)\n(?P<code>.*?)^```",
    re.MULTILINE | re.DOTALL,
)
CARD_BLOCK_RE = re.compile(r"^```python\n(?P<code>.*?)^```", re.MULTILINE | re.DOTALL)
ROWS = 30
BUCKET, PREFIX = "archive", "红星"


def _blocks():
    library = ""
    for number, match in enumerate(BLOCK_RE.finditer(DOCUMENT)):
        library = match["library"] or library
        if match["code"]:
            name = f"{library}, {match['place']}, {number}"
            yield pytest.param(match["place"], match["code"], id=name)


BLOCKS = list(_blocks())
LIBRARIES = ("pandas", "polars", "duckdb", "pyarrow", "datasets", "smart_open", "pyspark")


@pytest.mark.parametrize("library", LIBRARIES)
def test_every_library_has_its_block(library):
    assert any(library in block.values[1] for block in BLOCKS)


@pytest.fixture(scope="session")
def readers_python():
    folder = os.environ.get("HONGXING_READERS")
    if not folder:
        pytest.skip("the readers need an environment of their own: make readers")
    return Path(folder) / "bin" / "python"


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    """Thirty articles as snapshot and delta, in both forms."""
    folder = tmp_path_factory.mktemp("home")
    archive = Archive(folder)
    archive.begin()
    urls = [f"{SITE}/content/2020/03/20/{number}.html" for number in range(ROWS)]
    archive.add(*urls)
    for number, url in enumerate(urls):
        archive.visit(url, body=f"第{number}篇。\n\n完。")
    export_run(archive.state, folder / "export", archive.run_id, with_parquet=True)
    archive.state.close()
    return folder / "export" / "articles" / "v1"


@pytest.fixture(scope="module")
def bucket(gateway, export):
    """The same export in a bucket, below a prefix in Chinese; the variables to reach it."""
    client = boto3.client(
        "s3",
        endpoint_url=gateway.endpoint,
        aws_access_key_id=gateway.access_key,
        aws_secret_access_key=gateway.secret_key,
        region_name="us-east-1",
        config=Config(request_checksum_calculation="when_required"),
    )
    client.create_bucket(Bucket=BUCKET)
    for path in sorted(path for path in export.rglob("*") if path.is_file()):
        key = f"{PREFIX}/export/articles/v1/{path.relative_to(export).as_posix()}"
        client.put_object(Bucket=BUCKET, Key=key, Body=path.read_bytes())
    return gateway.environment | {"AWS_ENDPOINT_URL": gateway.endpoint}


def _run(python, code, folder, cache, environment):
    mine = {"HF_HOME": str(cache), "SPARK_LOCAL_IP": "127.0.0.1"}
    return subprocess.run(
        [python, "-c", code],
        cwd=folder,
        env=os.environ | mine | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.parametrize(("place", "code"), BLOCKS)
def test_the_block_reads_every_row(request, readers_python, export, tmp_path, place, code):
    if "pyspark" in code and not shutil.which("java"):
        pytest.skip("Spark needs Java: apt-get install default-jre-headless")
    environment = request.getfixturevalue("bucket") if place == "bucket" else {}
    code = code.replace("BUCKET/PREFIX", f"{BUCKET}/{PREFIX}")
    done = _run(readers_python, code, export, tmp_path, environment)

    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip() == str(ROWS)


def test_the_loaders_of_the_dataset_card_read_every_row(readers_python, export, tmp_path):
    card = (export / "README.md").read_text("utf-8")
    blocks = [match["code"] for match in CARD_BLOCK_RE.finditer(card)]
    runs = [_run(readers_python, f"{b}print(len(rows))", export, tmp_path, {}) for b in blocks]

    assert len(blocks) == 4
    assert [(done.stdout.strip(), done.stderr) for done in runs if done.returncode] == []
    assert {done.stdout.strip() for done in runs} == {str(ROWS)}
