"""Put units, crontab block and log rotation where the machine looks for them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from hongxing_crawler.archive.disk import replaced
from hongxing_crawler.exceptions import ConfigError
from hongxing_crawler.schedule import crontab, logrotate, systemd

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hongxing_crawler.schedule.plan import Plan

SYSTEM_UNITS = Path("/etc/systemd/system")
LOG_ROTATION = Path("/etc/logrotate.d")
_TIMEOUT_S = 60


def user_units() -> Path:
    """Return the folder of the user's own units; see systemd.unit(5)."""
    config = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(config) / "systemd" / "user"


def install_units(plan: Plan, folder: Path, *, for_user: bool) -> list[Path]:
    """Write the units of a plan and have systemd start its timers.

    Args:
        plan: What to run, and when.
        folder: Where units lie: ``SYSTEM_UNITS`` or ``user_units()``.
        for_user: They belong to the user's own manager.

    Returns:
        The files written.

    Raises:
        ConfigError: The folder cannot be written, or systemd refuses; files stay as they are.
    """
    plan.home.mkdir(parents=True, exist_ok=True)  # a unit cannot make what it may write to
    written = _write(folder, systemd.units(plan, for_user=for_user))
    manager = ["systemctl", "--user"] if for_user else ["systemctl"]
    _call([*manager, "daemon-reload"], "", "the files are written; start systemd and repeat")
    _call([*manager, "enable", "--now", *systemd.timers(plan)], "", "the files are written")
    return written


def install_log_rotation(plan: Plan, folder: Path = LOG_ROTATION) -> list[Path]:
    """Write the log rotation of a plan that has a log file."""
    if plan.log_file is None:
        return []
    return _write(folder, {plan.name: logrotate.stanza(plan.log_file)})


def install_crontab(plan: Plan) -> None:
    """Put the block of a plan into the crontab of the user, in place of an earlier one.

    Raises:
        ConfigError: There is no cron, it refuses, or the crontab was broken by hand.
    """
    old = _call(["crontab", "-l"], "", "nothing was changed", may_fail=True)
    try:
        new = crontab.merge(old, plan)
    except ValueError as error:
        raise ConfigError(f"{error}; nothing was changed (crontab -e)") from error
    _call(["crontab", "-"], new, "the crontab is as it was")


def _write(folder: Path, files: Mapping[str, str]) -> list[Path]:
    written = []
    for name, text in files.items():
        path = folder / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with replaced(path) as file:
                file.write(text.encode())
            path.chmod(0o644)
        except OSError as error:
            raise ConfigError(
                f"cannot write {path}: {error.strerror}; "
                "type the command with sudo, or with --user for units of your own"
            ) from error
        written.append(path)
    return written


def _call(command: Sequence[str], text: str, what_next: str, *, may_fail: bool = False) -> str:
    """Run a program of the system and return what it printed."""
    line = " ".join(command)
    try:
        done = subprocess.run(  # noqa: S603 - fixed words and unit names we made
            command, input=text, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
    except FileNotFoundError as error:
        package = "cron" if command[0] == "crontab" else "systemd"
        raise ConfigError(
            f"{command[0]} is not installed (Debian: apt install {package}); {what_next}"
        ) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ConfigError(f"{line}: {error}; {what_next}") from error
    if done.returncode and not may_fail:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise ConfigError(f"{line}: {said[0] if said else 'it failed'}; {what_next}")
    return "" if done.returncode else done.stdout
