"""Settings for Scrapy, each difference from its default with the reason, and then our own.

Everything is carried by one add-on (``addons.ArchiveAddon``), so that a project of its own gets
the same crawler with ``ADDONS = {"hongxing_crawler.addons.ArchiveAddon": 100}``.
"""

BOT_NAME = "hongxing_crawler"
SPIDER_MODULES = ["hongxing_crawler.spiders"]
NEWSPIDER_MODULE = "hongxing_crawler.spiders"

ADDONS = {"hongxing_crawler.addons.ArchiveAddon": 100}
