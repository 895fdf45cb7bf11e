"""How the browser is started: without a way to the network, without what an archive cannot use."""

from __future__ import annotations

from typing import Any

from hongxing_crawler.browser.find import find_browser, is_root

START_TIMEOUT_S = 30.0

# No name resolves and no address is connected to: what the browser gets, the crawl gives it.
_NO_NETWORK = (
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--force-webrtc-ip-handling-policy",
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--dns-prefetch-disable",
    "--no-pings",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-sync",
    "--disable-quic",
)
_PLAIN = (
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--mute-audio",
    "--no-first-run",
    "--block-new-web-contents",  # popups: opened and closed a hundred times a second they cost much
    "--js-flags=--max-old-space-size=512",  # MB: a script's own objects
)


def launch_options() -> dict[str, Any]:
    """Return what Playwright is told about starting the browser.

    Signals are ours to handle: the crawl ends in order and then closes the browser.
    """
    return {
        "executable_path": find_browser(),
        "headless": True,
        "chromium_sandbox": not is_root(),
        "timeout": START_TIMEOUT_S * 1000,
        "handle_sigint": False,
        "handle_sigterm": False,
        "handle_sighup": False,
        "args": [*_NO_NETWORK, *_PLAIN],
    }


def context_options(user_agent: str) -> dict[str, Any]:
    """Return the context of one site: nothing is kept, nothing is downloaded."""
    return {
        "user_agent": user_agent,
        "locale": "zh-CN",
        "timezone_id": "Asia/Shanghai",
        "viewport": {"width": 1280, "height": 1024},
        "service_workers": "block",
        "accept_downloads": False,
        "permissions": [],
        "reduced_motion": "reduce",
    }
