"""A real browser, only for pages that need one; it reaches the network through the crawl alone."""
