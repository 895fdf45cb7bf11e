"""Why an item left the pipelines; Scrapy counts drops by class name."""

from scrapy.exceptions import DropItem


class NotAnArticle(DropItem):
    """A visit that brought links, a redirect or a failure, and is stored; there is no row."""
