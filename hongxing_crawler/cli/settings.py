"""hongxing config: what the settings are, and whether they are right."""

from __future__ import annotations

import os

import click

from hongxing_crawler.cli.shell import Command, Shell, common_options


@click.group()
@common_options
def config() -> None:
    """Show or check the settings."""


@config.command(cls=Command)
@common_options
@click.pass_obj
def show(shell: Shell) -> None:
    """Print every setting, its value and where that came from.

    A flag wins over a HONGXING_ variable, that over hongxing.toml, that over the default.
    """
    from hongxing_crawler.config import show_config

    shown = show_config(shell.load_config())
    width = max(map(len, shown))
    lines = [f"{key:<{width}}  {item['value']!s}  ({item['from']})" for key, item in shown.items()]
    shell.result(shown, "\n".join(lines))


@config.command(cls=Command)
@common_options
@click.pass_obj
def validate(shell: Shell) -> None:
    """Check hongxing.toml, the variables and the site's profile; exit 4 names what is wrong."""
    from hongxing_crawler.config import find_unknown_variables, find_unusable_files, load_site
    from hongxing_crawler.exceptions import ConfigError

    settings = shell.load_config()
    if wrong := [*find_unknown_variables(os.environ), *find_unusable_files(settings)]:
        raise ConfigError("\n".join(wrong))
    profile = load_site(settings)
    file = settings.file or "no hongxing.toml here: defaults and variables"
    text = f"settings are right: {file}\nsite is right: {settings.site} ({profile.name})"
    shell.result({"ok": True, "file": settings.file, "site": settings.site}, text)
