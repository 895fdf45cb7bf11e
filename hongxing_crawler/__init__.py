"""Archive crawler for 红星网 and sites like it: crawl, archive, clean, export."""

__version__ = "0.1.0"
