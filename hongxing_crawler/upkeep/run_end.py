"""The end of a run that was uploaded: its record tells of both, the crawl and the upload."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import msgspec

from hongxing_crawler.exit_codes import ExitCode
from hongxing_crawler.store.files import write_file
from hongxing_crawler.store.runs import UPLOAD_FAILED

if TYPE_CHECKING:
    from hongxing_crawler.running.run import RunResult
    from hongxing_crawler.store.home import Home
    from hongxing_crawler.store.state import State

_GOES_ON = frozenset({ExitCode.OK, ExitCode.PARTIAL})  # ends that a failed upload outweighs


@dataclass(frozen=True, slots=True)
class UploadEnd:
    """How the upload of a run ended."""

    exit_code: int
    sentence: str
    target: str
    seconds: float
    sent_count: int = 0
    sent_bytes: int = 0
    waiting_count: int = 0


def join_ends(crawl: RunResult, upload: UploadEnd) -> RunResult:
    """Join how the crawl and its upload ended.

    A failed upload decides the code of a crawl that went well, and is a warning of another. One
    that went well takes back the finding that files wait for the bucket.
    """
    counts = {"uploaded": upload.sent_count, "uploaded_bytes": upload.sent_bytes}
    if upload.exit_code == ExitCode.OK:
        return replace(
            crawl,
            counts=crawl.counts | counts,
            paths=crawl.paths | {"s3": upload.target},
            findings=[finding for finding in crawl.findings if finding.name != "outbox"],
        )
    if crawl.exit_code in _GOES_ON:
        sentence = f"the crawl is done ({crawl.sentence}), its upload is not: {upload.sentence}"
        return replace(crawl, exit_code=upload.exit_code, reason=UPLOAD_FAILED, sentence=sentence)
    return replace(crawl, warnings=[*crawl.warnings, f"the upload failed: {upload.sentence}"])


def record_end(
    home: Home, state: State, crawl: RunResult, upload: UploadEnd, end: RunResult
) -> None:
    """Write into ledger and run record how crawl and upload ended.

    Raises:
        HongxingError: The state cannot be written.
        OSError: The disk refuses the record, or it is not there.
    """
    state.amend_run(end.run_id, end.exit_code, end.reason, end.counts)
    path = home.run(end.run_id) / "run.json"
    record = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    record |= asdict(end) | {
        "crawl": {name: getattr(crawl, name) for name in ("exit_code", "reason", "sentence")},
        "upload": asdict(upload),
    }
    write_file(path, msgspec.json.format(msgspec.json.encode(record, enc_hook=str), indent=1))
