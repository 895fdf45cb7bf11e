"""Log rotation for the file that ``--log-file`` appends to; runs keep logs of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def stanza(log_file: Path) -> str:
    """Write what goes into /etc/logrotate.d."""
    name = str(log_file).replace("\\", "\\\\").replace('"', '\\"')
    return f"""\
"{name}" {{
    weekly
    rotate 12
    missingok
    notifempty
    compress
    delaycompress
    # A crawl may be at work: it goes on writing to the same file.
    copytruncate
}}
"""
