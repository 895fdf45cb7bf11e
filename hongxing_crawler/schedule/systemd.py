"""systemd units: a oneshot service and a timer for each job, and one that tells of a failure.

What the units forbid: see systemd.exec(5). Name spaces, executable memory and ``ptrace`` stay
allowed, because the sandbox of a browser, which some pages need, is made of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hongxing_crawler.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hongxing_crawler.schedule.plan import Job, Plan

# Another run holds the home; some pages failed but the rows are out; stopped at a limit.
_NO_FAILURE = (ExitCode.LOCKED, ExitCode.PARTIAL, ExitCode.STOPPED)

_SYSTEM_HARDENING = """\
CapabilityBoundingSet=
PrivateDevices=yes
PrivateTmp=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHome=read-only
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectSystem=strict
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native
SystemCallFilter=~@clock @cpu-emulation @module @obsolete @raw-io @reboot @swap
"""
_HARDENING = """\
LockPersonality=yes
NoNewPrivileges=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
UMask=0027
"""


def units(plan: Plan, *, for_user: bool = False) -> dict[str, str]:
    """Write the unit files of a plan: file name to text.

    Args:
        plan: What to run, and when.
        for_user: Units of a user's own manager, which cannot take all restrictions.
    """
    files = {}
    for job in plan.jobs:
        name = f"{plan.name}{job.suffix}"
        files[f"{name}.service"] = _service(plan, job, for_user=for_user)
        files[f"{name}.timer"] = _timer(plan, job)
    files[f"{plan.name}-failed.service"] = _failure_service(plan, for_user=for_user)
    return files


def timers(plan: Plan) -> list[str]:
    """Return the names of the units that have to be enabled."""
    return [f"{plan.name}{job.suffix}.timer" for job in plan.jobs]


def _service(plan: Plan, job: Job, *, for_user: bool) -> str:
    codes = " ".join(str(int(code)) for code in _NO_FAILURE)
    return f"""\
# hongxing_crawler: {job.verb} the archive in {plan.home}
[Unit]
Description={_escape(f"hongxing_crawler: {job.verb} the archive in {plan.home}")}
Wants=network-online.target
After=network-online.target
OnFailure={plan.name}-failed.service

[Service]
Type=oneshot
ExecStart={_words(job.command)}
{_place(plan, for_user=for_user)}\
# {_reasons()}
SuccessExitStatus={codes}
# A stop ends the crawl in order and saves; the next one goes on.
KillMode=mixed
TimeoutStopSec=3min
Nice=10
IOSchedulingClass=best-effort
IOSchedulingPriority=7
OOMPolicy=continue
{_limits(_writable(plan), for_user=for_user)}"""


def _reasons() -> str:
    return "No failure: 75 another run at work, 3 some pages failed, 8 stopped at a limit."


def _timer(plan: Plan, job: Job) -> str:
    return f"""\
# hongxing_crawler: when to {job.verb} the archive in {plan.home}
[Unit]
Description={_escape(f"hongxing_crawler: when to {job.verb} the archive in {plan.home}")}

[Timer]
OnCalendar=*-*-* {job.hour:02}:{job.minute:02}:00 {plan.zone}
RandomizedDelaySec=10min
# A night that the machine slept through is made up for at its next start.
Persistent=true

[Install]
WantedBy=timers.target
"""


def _failure_service(plan: Plan, *, for_user: bool) -> str:
    return f"""\
# hongxing_crawler: tells of an end that the program itself could not tell of, such as a kill
[Unit]
Description={_escape(f"hongxing_crawler: tell that a job of {plan.home} failed")}

[Service]
Type=oneshot
ExecStart={_words(plan.command("alert", "--unit-failed"))}
{_place(plan, for_user=for_user)}\
{_limits(_writable(plan), for_user=for_user)}"""


def _place(plan: Plan, *, for_user: bool) -> str:
    user = f"User={plan.user}\n" if plan.user and not for_user else ""
    return (
        f"{user}WorkingDirectory={_escape(str(plan.folder))}\n"
        "Environment=LANG=C.UTF-8\n"
        "# Credentials and other variables, for this service alone; the file may be missing.\n"
        f"EnvironmentFile=-{_escape(str(plan.folder))}/hongxing.env\n"
    )


def _writable(plan: Plan) -> list[Path]:
    folders = [plan.home]
    if plan.log_file is not None and not plan.log_file.is_relative_to(plan.home):
        folders.append(plan.log_file.parent)
    return folders


def _limits(folders: Sequence[Path], *, for_user: bool) -> str:
    if for_user:
        return _HARDENING
    paths = " ".join(_quote(str(folder)) for folder in folders)
    return f"{_HARDENING}{_SYSTEM_HARDENING}ReadWritePaths={paths}\n"


def _words(command: Sequence[str]) -> str:
    return " ".join(_quote(word, in_command=True) for word in command)


def _escape(text: str) -> str:
    return text.replace("%", "%%")


def _quote(word: str, *, in_command: bool = False) -> str:
    """Quote a word as systemd.syntax(7) asks, when it has to be."""
    word = _escape(word.replace("\\", "\\\\").replace('"', '\\"'))
    if in_command:
        word = word.replace("$", "$$")
    return f'"{word}"' if any(letter in word for letter in " '\";\\") else word
