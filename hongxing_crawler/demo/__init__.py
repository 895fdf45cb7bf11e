"""A small replica of the site on loopback: real HTTP, with faults that can be switched on."""

from hongxing_crawler.demo.faults import Fault
from hongxing_crawler.demo.pages import serve_folder, serve_pages
from hongxing_crawler.demo.site import DemoSite, demo_profile

__all__ = ["DemoSite", "Fault", "demo_profile", "serve_folder", "serve_pages"]
