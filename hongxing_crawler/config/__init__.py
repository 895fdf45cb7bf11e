"""Settings of the program: flags, then environment, then hongxing.toml, then defaults.

Every setting is one line of ``table.SETTINGS``; ``load_config`` reads all sources once and either
returns a ``Config`` whose values are all usable, or names every value that is not.
"""

from hongxing_crawler.config.kinds import parse_duration, parse_rate
from hongxing_crawler.config.load import (
    FILE_NAME,
    FILE_VARIABLE,
    SECRET_VARIABLES,
    find_unknown_variables,
    find_unusable_files,
    load_config,
    load_site,
    show_config,
)
from hongxing_crawler.config.table import SETTINGS, Config, Setting

__all__ = [
    "FILE_NAME",
    "FILE_VARIABLE",
    "SECRET_VARIABLES",
    "SETTINGS",
    "Config",
    "Setting",
    "find_unknown_variables",
    "find_unusable_files",
    "load_config",
    "load_site",
    "parse_duration",
    "parse_rate",
    "show_config",
]
