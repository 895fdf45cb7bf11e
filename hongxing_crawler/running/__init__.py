"""The run in progress: what the crawl reads, decides and writes, from its start to its verdict."""
