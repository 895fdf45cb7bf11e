"""Damage a WARC file in eight ways and print what each referee says of it, as a table.

    python bench/referees.py                 # needs `make referees`, else fewer columns

A number is the exit code of a program, 0 for "fine"; ours is what `hongxing verify` finds. Bold is
a wrong verdict. Package: `wacz create` and then `wacz validate`.
"""

from __future__ import annotations

import gzip
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hongxing_crawler.archive.verify import verify_warcs
from hongxing_crawler.archive.warc import WarcWriter
from hongxing_crawler.items import Capture, Exchange, Original

REFEREES = Path(__file__).parents[1] / ".venv" / "referees" / "bin" / "python"
START = datetime(2026, 1, 1, tzinfo=UTC)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
NOT_MODIFIED = b"HTTP/1.1 304 Not Modified\r\n\r\n"
Damage = Callable[[bytes, list[Capture]], bytes]


def write(folder: Path, *, with_revisits: bool) -> tuple[Path, list[Capture]]:
    """57 pages, so 115 records; half of the pages again as revisits, if wanted."""
    with WarcWriter(folder, "referees", warcinfo={"operator": "bench"}) as writer:
        captures = [writer.write_exchange(_exchange(number)) for number in range(57)]
        for number, first in enumerate(captures[:20] if with_revisits else []):
            original = Original(first.url, first.fetched_at, first.record_id, first.payload_digest)
            head = NOT_MODIFIED if number % 2 else HEAD
            writer.write_exchange(_exchange(number, head, 1_000), original=original)
    return writer.close()[0], captures


def _exchange(number: int, head: bytes = HEAD, seconds: int = 0) -> Exchange:
    text = "".join(f"<p>第{number * 7919 + n}号文件，红星网刊载。</p>" for n in range(80))
    body = b"" if head is NOT_MODIFIED else text.encode()
    fetched_at = START + timedelta(seconds=seconds + number)
    request = f"GET /{number}.html HTTP/1.1\r\nHost: www.site.example\r\n\r\n".encode()
    return Exchange(f"http://www.site.example/{number}.html", fetched_at, request, head, body)


def _cut_in_last(data: bytes, captures: list[Capture]) -> bytes:
    return data[: captures[-1].offset + captures[-1].length // 2]


def _torn_then_more(data: bytes, captures: list[Capture]) -> bytes:
    torn = captures[29]
    return data[: torn.offset + 200] + data[torn.offset + torn.length :]


def _flip_bit(data: bytes, captures: list[Capture]) -> bytes:
    place = captures[29].offset + captures[29].length // 2
    return data[:place] + bytes([data[place] ^ 4]) + data[place + 1 :]


def _alter(data: bytes, captures: list[Capture]) -> bytes:
    start, end = captures[29].offset, captures[29].offset + captures[29].length
    record = gzip.decompress(data[start:end]).replace("红星".encode(), "红心".encode(), 1)
    return data[:start] + gzip.compress(record, 6, mtime=0) + data[end:]


DAMAGES: dict[str, Damage] = {
    "none": lambda data, _: data,
    "last record cut in the middle": _cut_in_last,
    "last 4 bytes missing": lambda data, _: data[:-4],
    "torn record, then more appended": _torn_then_more,
    "one bit flipped": _flip_bit,
    "payload altered, compressed again": _alter,
    "whole file one gzip member": lambda data, _: gzip.compress(gzip.decompress(data), mtime=0),
    "zero-filled tail": lambda data, _: data + bytes(4096),
    "valid revisit records": lambda data, _: data,
}
SOUND = frozenset({"none", "valid revisit records"})


def judge(path: Path, folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the name of a judge and what it says: 0 when it takes the file for sound."""
    findings = verify_warcs([path]).findings
    kinds = sorted({str(finding.kind) for finding in findings})
    yield "ours", ", ".join(kinds) if kinds else "0"
    here = [sys.executable, "-m"]
    yield "warcio", _run([*here, "warcio.cli", "check", path])
    yield "fastwarc", _run([*here, "fastwarc.cli", "check", path])
    yield "fastwarc -p", _run([*here, "fastwarc.cli", "check", "-p", path])
    yield "gzip -t", _run(["gzip", "-t", path])
    if not REFEREES.exists():
        return
    yield "cdxj-indexer", _run([REFEREES, "-m", "cdxj_indexer.main", path])
    package = folder / "package.wacz"
    package.unlink(missing_ok=True)
    made = _run([REFEREES, "-m", "wacz.main", "create", "-o", package, "-f", path])
    valid = _run([REFEREES, "-m", "wacz.main", "validate", "-f", package])
    yield "wacz", f"{made} → {valid}" if made == "0" else made


def _run(command: list[str | Path]) -> str:
    done = subprocess.run(command, capture_output=True, timeout=120, check=False)
    return str(done.returncode)


def is_right(label: str, word: str) -> bool:
    """A package is judged by its last step."""
    return word.endswith("0") == (label in SOUND)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table = []
        for number, (label, damage) in enumerate(DAMAGES.items()):
            revisits = label == "valid revisit records"
            path, captures = write(folder / str(number), with_revisits=revisits)
            path.write_bytes(damage(path.read_bytes(), captures))
            table.append((label, dict(judge(path, folder))))
    print("| damage | " + " | ".join(table[0][1]) + " |")
    print("| --- |" + " --- |" * len(table[0][1]))
    for label, words in table:
        cells = (word if is_right(label, word) else f"**{word}**" for word in words.values())
        print(f"| {label} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
