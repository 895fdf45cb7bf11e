"""Mail by SMTP: plain on port 25, STARTTLS when it is offered, TLS from the start with smtps."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from hongxing_crawler.alerts.deadline import ChannelError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hongxing_crawler.alerts.event import Event

_PORTS = {"smtp": 25, "smtps": 465}
_PERMANENT = HTTPStatus.INTERNAL_SERVER_ERROR  # SMTP's replies are split at 500 as well


def send_mail(
    server: str,
    password: str,
    sender: str,
    recipients: Sequence[str],
    event: Event,
    timeout_s: float,
) -> None:
    """Send an event as a mail.

    Args:
        server: ``smtp://[user@]host[:port]`` or ``smtps://…``.
        password: Of that user; never sent without TLS.
        sender: The address that it comes from.
        recipients: Those who get it; one who is refused is told of by ``RefusedError``.
        event: What is told.
        timeout_s: For each answer of the server.

    Raises:
        RefusedError: The server refuses the sender, a recipient, or the password.
        OSError, smtplib.SMTPException: It cannot be reached, or broke off.
    """
    parts = urlsplit(server)
    try:
        with _connect(parts.scheme, parts.hostname or "", parts.port, timeout_s) as smtp:
            if parts.username:
                _log_in(smtp, unquote(parts.username), password)
            refused = smtp.send_message(_message(sender, recipients, event))
    except smtplib.SMTPRecipientsRefused as error:
        raise _judge(next(iter(error.recipients.values()))) from error
    except smtplib.SMTPResponseException as error:
        raise _judge((error.smtp_code, error.smtp_error)) from error
    if refused:
        raise RefusedError(f"not to {', '.join(sorted(refused))}; the others have it")


def _connect(scheme: str, host: str, port: int | None, timeout_s: float) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if scheme == "smtps":
        return smtplib.SMTP_SSL(host, port or _PORTS[scheme], timeout=timeout_s, context=context)
    smtp = smtplib.SMTP(host, port or _PORTS["smtp"], timeout=timeout_s)
    try:
        smtp.ehlo()
        if smtp.has_extn("starttls"):
            smtp.starttls(context=context)
            smtp.ehlo()
    except BaseException:
        smtp.close()
        raise
    return smtp


def _log_in(smtp: smtplib.SMTP, user: str, password: str) -> None:
    if not isinstance(smtp.sock, ssl.SSLSocket):
        raise RefusedError("the server offers no TLS, and a password is not sent without")
    if not password:
        raise RefusedError("no password: set HONGXING_SMTP_PASSWORD")
    smtp.login(user, password)


def _message(sender: str, recipients: Sequence[str], event: Event) -> EmailMessage:
    message = EmailMessage()
    message["From"] = sender
    message["To"] = ", ".join(recipients)
    message["Subject"] = " ".join(event.subject.split())
    message["Date"] = format_datetime(event.at)
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2] or "localhost")
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answers from vacations
    message.set_content(event.text)
    return message


def _judge(reply: tuple[int, bytes | str]) -> ChannelError:
    code, said = reply
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    kind = RefusedError if code >= _PERMANENT else ChannelError
    return kind(f"SMTP {code} {' '.join(text.split())}")
