"""The whole crawler as one Scrapy add-on: politeness, archive, frontier, pipelines.

Every value is set with the priority of an add-on, so a project's settings, ``-s`` flags and
spider settings still win.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hongxing_crawler import __version__

if TYPE_CHECKING:
    from scrapy.settings import BaseSettings

MIB = 1 << 20

SCRAPY_SETTINGS: dict[str, Any] = {
    # We are guests.
    "USER_AGENT": (
        f"Mozilla/5.0 (compatible; hongxing_crawler/{__version__}; web archive; "
        "+https://www.hxw.gov.cn/ archive request)"
    ),  # default names Scrapy; plain clients without a browser's first word are refused by the CMS
    "ROBOTSTXT_OBEY": True,  # default False
    "ROBOTSTXT_USER_AGENT": "hongxing_crawler",  # default: the whole User-Agent line
    "DEFAULT_REQUEST_HEADERS": {
        "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "Accept-Language": "zh-CN,zh;q=0.9,en;q=0.3",  # default en: some pages answer in English
    },
    "CONCURRENT_REQUESTS": 1,  # default 16: it is also the time a stop takes
    "CONCURRENT_REQUESTS_PER_DOMAIN": 1,  # default 8: a small government server
    "DOWNLOAD_DELAY": 1.0,  # seconds, default 0
    "DOWNLOAD_DELAY_JITTER": 0.3,  # default 0.5: spread, but never near half the delay
    "DOWNLOAD_TIMEOUT": 60,  # seconds, default 180
    "DOWNLOAD_MAXSIZE": 32 * MIB,  # default 1 GiB: for pages; files have their own limit
    "DOWNLOAD_WARNSIZE": 0,  # default 32 MiB: the limit above says it
    "RETRY_ENABLED": False,  # default True: BackoffMiddleware retries, and honours Retry-After
    "REDIRECT_ENABLED": False,  # default True: the target goes to the frontier, archived both
    "METAREFRESH_ENABLED": False,  # default True: scans every page's head, 0.2 ms
    "COOKIES_ENABLED": False,  # default True: an archive visits as nobody
    "REFERER_ENABLED": False,  # default True: where we come from is nobody's business
    "HTTPPROXY_ENABLED": True,  # default: http_proxy of the environment is honoured
    # What it costs.
    "CONCURRENT_ITEMS": 1,  # default 100: starts a hundred tasks a page; a visit is one item
    "SCHEDULER": "hongxing_crawler.fetching.scheduler.FrontierScheduler",  # a kill empties JOBDIR
    "DUPEFILTER_CLASS": "scrapy.dupefilters.BaseDupeFilter",  # the frontier knows what was seen
    "MEMUSAGE_ENABLED": True,
    "MEMUSAGE_LIMIT_MB": 1024,  # default 0: a leak ends the run, not the machine
    "LOG_LEVEL": "INFO",  # default DEBUG: logs every article whole
    "STATS_DUMP": False,  # default True: the run record holds them
    "LOGSTATS_INTERVAL": 60.0,
    "FEED_EXPORT_ENCODING": "utf-8",  # default escapes every Chinese character
    "LOG_FORMATTER": "hongxing_crawler.extensions.log_format.QuietLogFormatter",
    # What must not be open.
    "TELNETCONSOLE_ENABLED": False,  # default True: executes code
    "REMOTE_CONTROL_ENABLED": False,  # default True: executes code
    "TWISTED_REACTOR": "twisted.internet.asyncioreactor.AsyncioSelectorReactor",
}

OUR_SETTINGS: dict[str, Any] = {
    "HONGXING_HOME": "var",
    "HONGXING_SITE": "hongxing",
    "HONGXING_RUN_FULL": False,
    "HONGXING_RUN_SINCE": "",
    "HONGXING_RUN_SEEDS": [],
    "HONGXING_RUN_MAX_PAGES": 0,
    "HONGXING_RUN_WAIT_LOCK_S": 0.0,
    "HONGXING_RUN_OPERATOR": "",
    "HONGXING_RUN_IN_COMMAND": False,
    "HONGXING_MONITORS": {},
    "HONGXING_ARCHIVE_MAX_BYTES": 1 << 30,
    "HONGXING_ARCHIVE_SYNC": "record",
    "HONGXING_BACKOFF_BASE_S": 2.0,
    "HONGXING_BACKOFF_MAX_S": 900.0,
    "HONGXING_BACKOFF_TIMES": 3,
    "HONGXING_BACKOFF_BLOCKED_COUNT": 5,
    "HONGXING_BACKOFF_DOWN_COUNT": 10,
    "HONGXING_BROWSER_MODE": "auto",
    "HONGXING_BROWSER_MEMORY_MB": 800,
    "HONGXING_BROWSER_PAGES": 2,
    "HONGXING_BROWSER_RESTART_PAGES": 200,
    "HONGXING_BROWSER_SCREENSHOT": True,
    "HONGXING_BROWSER_TIMEOUT_S": 24.0,
    "HONGXING_CLEAN_ENABLED": True,
    "HONGXING_DISK_MIN_BYTES": 256 * MIB,
    "HONGXING_DISK_RESUME_BYTES": 0,  # twice the floor
    "HONGXING_DISK_WAIT_S": 300.0,
    "HONGXING_DOWNLOAD_SPOOL_BYTES": 8 * MIB,
    "HONGXING_EXPORT_PARQUET": False,
    "HONGXING_LOG_LEVEL": "INFO",
    "HONGXING_LOG_FORMAT": "text",  # or json: one object a line
    "HONGXING_MEDIA_ENABLED": True,
    "HONGXING_MEDIA_MAX_BYTES": 1 << 30,
    "HONGXING_MEDIA_TIMEOUT_S": 600.0,
    "HONGXING_PARTS_MAX_COUNT": 60,
    "HONGXING_VIDEOS_ENABLED": False,
    "HONGXING_VIDEOS_MAX_BYTES": 1 << 30,
    "HONGXING_VIDEOS_MAX_PIECES": 2_000,
    "HONGXING_VIDEOS_TIMEOUT_S": 3_600.0,
}

_OFF = None
COMPONENTS: dict[str, dict[str, int | None]] = {
    "DOWNLOADER_MIDDLEWARES": {
        "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware": _OFF,
        "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": _OFF,
        "scrapy.downloadermiddlewares.httpauth.HttpAuthMiddleware": _OFF,
        "hongxing_crawler.middlewares.scope.ScopeMiddleware": 50,
        "hongxing_crawler.middlewares.robots.StrictRobotsMiddleware": 100,
        "hongxing_crawler.middlewares.backoff.BackoffMiddleware": 550,
        "hongxing_crawler.middlewares.warc.WarcWriterMiddleware": 950,
    },
    "SPIDER_MIDDLEWARES": {
        "scrapy.spidermiddlewares.httperror.HttpErrorMiddleware": _OFF,
        "scrapy.spidermiddlewares.referer.RefererMiddleware": _OFF,
        "scrapy.spidermiddlewares.urllength.UrlLengthMiddleware": _OFF,
        "scrapy.spidermiddlewares.depth.DepthMiddleware": _OFF,
    },
    "ITEM_PIPELINES": {
        "hongxing_crawler.pipelines.clean.CleanPipeline": 200,
        "hongxing_crawler.pipelines.media.MediaPipeline": 400,
        "hongxing_crawler.pipelines.videos.VideoPipeline": 500,
        "hongxing_crawler.pipelines.store.StorePipeline": 900,
    },
    "EXTENSIONS": {
        "scrapy.extensions.corestats.CoreStats": _OFF,
        "hongxing_crawler.extensions.core_stats.QuietCoreStats": 0,
        "scrapy.extensions.memusage.MemoryUsage": _OFF,
        "hongxing_crawler.extensions.memory.OwnMemoryUsage": 0,
        "hongxing_crawler.extensions.run_log.RunLog": 5,
        "hongxing_crawler.extensions.visits.UnfinishedVisits": 10,
        "hongxing_crawler.extensions.disk.DiskGuard": 20,
        "hongxing_crawler.extensions.close.CloseRun": 900,
    },
}

DOWNLOAD_HANDLERS: dict[str, str | None] = {
    "http": "hongxing_crawler.fetching.download.ArchivingDownloadHandler",
    "https": "hongxing_crawler.fetching.download.ArchivingDownloadHandler",
    "file": None,  # a page must never read our disk
    "ftp": None,
    "data": None,
    "s3": None,
}


class ArchiveAddon:
    """Put the settings and components of this project in place."""

    def update_settings(self, settings: BaseSettings) -> None:
        for name, value in (SCRAPY_SETTINGS | OUR_SETTINGS).items():
            settings.set(name, value, "addon")
        for name, components in COMPONENTS.items():
            for path, priority in components.items():
                settings[name].set(path, priority, "addon")
        for scheme, handler in DOWNLOAD_HANDLERS.items():
            settings["DOWNLOAD_HANDLERS"].set(scheme, handler, "addon")
