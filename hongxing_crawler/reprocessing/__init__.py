"""Rows again from the archive: every run read once more by the functions that the crawl used."""
