"""hongxing schedule: run every night, by systemd or by cron."""

from __future__ import annotations

import getpass
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hongxing_crawler.cli.shell import Command, Shell, common_options

if TYPE_CHECKING:
    from hongxing_crawler.schedule.plan import Plan

_HOW_TO_INSTALL = "# Repeat with --install to put this in place.\n"


@click.command(cls=Command)
@click.argument("site", required=False, metavar="[SITE|FILE.toml]")
@click.option("--systemd", "as_units", is_flag=True, help="Services and timers.")
@click.option("--crontab", "as_lines", is_flag=True, help="Lines for a crontab.")
@click.option("--install", is_flag=True, help="Put it in place instead of printing it.")
@click.option("--at", default="02:20", metavar="HH:MM", show_default=True, help="When to crawl.")
@click.option("--zone", default="Asia/Shanghai", show_default=True, help="Zone of that time.")
@click.option("--name", default="hongxing", show_default=True, help="Name of units and block.")
@click.option("--user", "for_user", is_flag=True, help="systemd: units of your own, without root.")
@click.option("--run-as", default="", metavar="USER", help="systemd: who runs it; default you.")
@click.option("--mailto", default="", metavar="ADDRESS", help="crontab: who gets cron's mail.")
@click.option(
    "--log-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Append every crawl's log here, and rotate it.",
)
@common_options
@click.pass_obj
def schedule(
    shell: Shell,
    /,
    site: str | None,
    *,
    as_units: bool,
    as_lines: bool,
    install: bool,
    for_user: bool,
    **values: str,
) -> None:
    """Print what runs a home every night, or install it.

    The crawl runs at the time given, and some hours later a ninetieth of the archive is read
    again. Both use the home and the settings file of this command line.
    """
    if as_units == as_lines:
        raise click.UsageError("say which: --systemd or --crontab, one of them")
    system = "systemd" if as_units else "crontab"
    plan = _plan(shell, _site(site), values)
    if install:
        _install(shell, plan, system, for_user=for_user)
    else:
        files = _texts(plan, system, for_user=for_user)
        shell.result(files, _listing(files))


def _site(site: str | None) -> str:
    """Return the name of a profile, or the path of its file, once it is known to be right."""
    from hongxing_crawler.sites.profile import load_profile

    if not site:
        return ""
    load_profile(site)
    return str(Path(site).absolute()) if site.endswith(".toml") else site


def _plan(shell: Shell, site: str, values: dict[str, str]) -> Plan:
    from hongxing_crawler.schedule.plan import Plan

    config = shell.load_config()
    log_file = values["log_file"]
    try:
        return Plan(
            name=values["name"],
            python=Path(sys.executable).absolute(),
            folder=(config.file.parent if config.file else Path()).absolute(),
            home=config.home,
            site=site,
            config=config.file.absolute() if config.file else None,
            at=values["at"],
            zone=values["zone"],
            mail_to=values["mailto"],
            log_file=Path(log_file).absolute() if log_file else None,
            user=values["run_as"] or getpass.getuser(),
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _texts(plan: Plan, system: str, *, for_user: bool) -> dict[str, str]:
    from hongxing_crawler.schedule import crontab, install, logrotate, systemd

    if system == "crontab":
        files = {"crontab": crontab.block(plan)}
    else:
        folder = install.user_units() if for_user else install.SYSTEM_UNITS
        units = systemd.units(plan, for_user=for_user)
        files = {str(folder / name): text for name, text in units.items()}
    if plan.log_file is not None:
        files[str(install.LOG_ROTATION / plan.name)] = logrotate.stanza(plan.log_file)
    return files


def _listing(files: dict[str, str]) -> str:
    """Join the texts; several files are told apart by a line with their paths."""
    if len(files) == 1:
        return _HOW_TO_INSTALL + next(iter(files.values())).rstrip("\n")
    parts = [f"# ---- {path}\n{text}" for path, text in files.items()]
    return _HOW_TO_INSTALL + "\n".join(parts).rstrip("\n")


def _install(shell: Shell, plan: Plan, system: str, *, for_user: bool) -> None:
    from hongxing_crawler.schedule import install

    if system == "crontab":
        install.install_crontab(plan)
        paths, what_next = ["your crontab"], "crontab -l shows it"
    else:
        folder = install.user_units() if for_user else install.SYSTEM_UNITS
        paths = [str(path) for path in install.install_units(plan, folder, for_user=for_user)]
        what_next = f"systemctl{' --user' if for_user else ''} list-timers shows it"
        if for_user and shutil.which("loginctl"):
            what_next += "; loginctl enable-linger lets it run while you are logged out"
    paths += [str(path) for path in install.install_log_rotation(plan)]
    shell.result({"written": paths}, "\n".join([*(f"wrote {path}" for path in paths), what_next]))
