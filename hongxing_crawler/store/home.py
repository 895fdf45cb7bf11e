"""The home directory: where everything of one archive lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hongxing_crawler.exceptions import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Home:
    """Paths below one root; every file of a crawl has its place here."""

    root: Path

    @property
    def state(self) -> Path:
        return self.root / "state.sqlite"

    @property
    def lock(self) -> Path:
        return self.root / "lock"

    @property
    def warc(self) -> Path:
        return self.root / "warc"

    @property
    def cdxj(self) -> Path:
        return self.root / "cdxj"

    @property
    def wacz(self) -> Path:
        return self.root / "wacz"

    @property
    def media(self) -> Path:
        return self.root / "media"

    @property
    def export(self) -> Path:
        return self.root / "export"

    @property
    def restoring(self) -> Path:
        """Stands in a home that is being restored, until it is whole."""
        return self.root / ".restoring"

    @property
    def fixity_log(self) -> Path:
        return self.root / "fixity.jsonl"

    @property
    def takedown(self) -> Path:
        return self.root / "takedown"

    @property
    def spool(self) -> Path:
        return self.root / "tmp"

    @property
    def ledger(self) -> Path:
        """Starts, ends and skipped starts; see ``store/run_ledger``."""
        return self.root / "runs" / "ledger.jsonl"

    def run(self, run_id: str) -> Path:
        return self.root / "runs" / run_id

    def prepare(self) -> None:
        """Make the folders; nothing that is there is touched.

        Raises:
            ConfigError: The home cannot be made or written to, or is not restored yet.
        """
        if self.restoring.exists():
            raise ConfigError(
                f"home {self.root} is not restored yet: type hongxing restore-home again"
            )
        try:
            for folder in (self.root, self.warc, self.cdxj, self.media, self.export, self.spool):
                folder.mkdir(parents=True, exist_ok=True)
            probe = self.root / ".writable"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise ConfigError(
                f"home {self.root} cannot be written: {error.strerror}; "
                "choose another with --home or HONGXING_HOME"
            ) from error

    def empty_spool(self) -> None:
        """Remove temporary bodies that a killed run left behind; they are in no record."""
        for path in self.spool.glob("*.part"):
            path.unlink(missing_ok=True)
