"""Pure rooms: bytes and text in, values out. No Scrapy, files, network, clock or logging."""
