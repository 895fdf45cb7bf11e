"""Scrapy extensions: read settings, call one function of the inner rooms, count, return."""
