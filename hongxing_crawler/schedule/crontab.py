"""A crontab block: absolute paths, a language, a zone, an address for trouble."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hongxing_crawler.schedule.plan import Plan

_ADVICE = """\
# Prints nothing when all is well, so that cron mails only trouble.
# Debian's own cron does not know CRON_TZ: there the hours are those of the machine's zone.
"""


def block(plan: Plan) -> str:
    """Write the lines of a plan, between two marks by which they are found again."""
    mail = f"MAILTO={plan.mail_to}\n" if plan.mail_to else ""
    lines = [
        f"{job.minute} {job.hour} * * *  cd {_word(str(plan.folder))} && "
        + " ".join(map(_word, job.command))
        for job in plan.jobs
    ]
    return (
        f"{_begin(plan)}\n{_ADVICE}{mail}SHELL=/bin/sh\nLANG=C.UTF-8\nCRON_TZ={plan.zone}\n"
        + "\n".join(lines)
        + f"\n{_end(plan)}\n"
    )


def merge(old: str, plan: Plan) -> str:
    """Put the block of a plan at the end of a crontab, in place of an earlier one.

    At the end, because the variables of a crontab hold for all lines below them.
    """
    kept, inside = [], False
    for line in old.splitlines():
        inside = inside or line == _begin(plan)
        if not inside:
            kept.append(line)
        inside = inside and line != _end(plan)
    if inside:
        raise ValueError(f"the crontab holds {_begin(plan)!r} without its end: correct it by hand")
    text = "\n".join(kept).rstrip("\n")
    return f"{text}\n{block(plan)}" if text else block(plan)


def _begin(plan: Plan) -> str:
    return f"# begin hongxing_crawler {plan.name}"


def _end(plan: Plan) -> str:
    return f"# end hongxing_crawler {plan.name}"


def _word(word: str) -> str:
    return shlex.quote(word).replace("%", "\\%")  # cron ends the command at a bare %
