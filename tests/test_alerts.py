import email
import email.policy
import json
import sys
import time
from datetime import UTC, datetime

import pytest
from alert_kit import mail_server, web_server

from hongxing_crawler.alerts.event import Event, kind_of
from hongxing_crawler.alerts.tell import AlertOptions, tell
from hongxing_crawler.exit_codes import ExitCode

NOW = datetime(2026, 1, 31, 18, 21, 7, tzinfo=UTC)
SECRET = "f3c1-secret-path"
FAILURE = Event(
    kind="failure",
    command="crawl",
    host="archive1",
    home="/srv/红星",
    at=NOW,
    exit_code=5,
    sentence="site down: 红星网 does not answer; nothing is lost",
    run_id="run_20260131T182000Z",
    seconds=67.2,
    counts={"pages": 12, "failed": 0},
    warnings=("w1", "w2"),
    identity="8a1f",
)


def _options(**values):
    return AlertOptions(**{"timeout_s": 2.0, "tries": 2} | values)


def _event(kind, **values):
    return Event(kind=kind, command="crawl", host="a", home="/h", at=NOW, identity="8a1f", **values)


@pytest.fixture
def web():
    with web_server() as told:
        yield told


@pytest.fixture
def box():
    with mail_server() as mailbox:
        yield mailbox


@pytest.mark.parametrize(
    ("code", "kind"),
    [(0, "success"), (3, "success"), (8, "success"), (75, "note"), (130, "note"), (143, "note")]
    + [(code, "failure") for code in (1, 2, 4, 5, 6, 7, 9, 10, 99, -9)],
)
def test_an_exit_code_is_told_as_what_it_means(code, kind):
    assert kind_of(code) == kind


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("start", "/start"),
        ("success", ""),
        ("failure", "/fail"),
        ("note", "/log"),
        ("test", "/log"),
    ],
)
def test_a_ping_goes_where_the_monitor_waits_for_it(web, kind, path):
    failures = tell(_event(kind), _options(ping_url=f"{web.url}/{SECRET}/?a=1"))

    assert failures == []
    assert [request[0] for request in web.requests] == [f"/{SECRET}{path}?a=1&rid=8a1f"]


def test_a_webhook_gets_the_event_as_json(web):
    assert tell(FAILURE, _options(webhook_url=f"{web.url}/hook")) == []

    ((path, content_type, body),) = web.requests
    sent = json.loads(body)
    assert (path, content_type) == ("/hook", "application/json")
    assert sent["event"] == "failure"
    assert sent["exit_name"] == "temporary"
    assert sent["sentence"] == FAILURE.sentence
    assert sent["counts"] == {"pages": 12, "failed": 0}


@pytest.mark.parametrize(
    ("kind", "always", "count"),
    [
        ("failure", False, 1),
        ("test", False, 1),
        ("warning", False, 1),
        ("success", False, 0),
        ("note", False, 0),
        ("start", True, 0),
        ("success", True, 1),
        ("note", True, 1),
    ],
)
def test_people_are_told_of_trouble_or_of_every_end(web, kind, always, count):
    tell(_event(kind), _options(webhook_url=web.url, always=always))

    assert len(web.requests) == count


def test_a_server_that_stumbles_is_asked_again(web):
    web.statuses = [500]

    assert tell(FAILURE, _options(webhook_url=web.url)) == []
    assert len(web.requests) == 2


@pytest.mark.parametrize("status", [400, 403, 404, 410])
def test_a_refusal_is_not_repeated(web, status):
    web.statuses = [status] * 5

    failures = tell(FAILURE, _options(webhook_url=f"{web.url}/{SECRET}"))

    assert failures == [f"webhook at 127.0.0.1: HTTP {status}"]
    assert len(web.requests) == 1


def test_a_redirect_to_a_file_is_no_answer(web):
    web.statuses = [302, 302]

    (failure,) = tell(FAILURE, _options(webhook_url=web.url))

    assert failure.startswith("webhook at 127.0.0.1: ")


@pytest.mark.parametrize("fault", ["hangs", "drips"])
def test_a_server_that_never_ends_holds_nobody_up(web, fault):
    setattr(web, fault, True)
    options = _options(webhook_url=f"{web.url}/{SECRET}", timeout_s=0.3, tries=1)
    started = time.monotonic()

    failures = tell(FAILURE, options)

    assert failures == ["webhook at 127.0.0.1: no answer within 0.3 s"]
    assert time.monotonic() - started < 5


def test_a_server_that_is_away_is_named_without_its_secret():
    options = _options(ping_url=f"http://127.0.0.1:9/{SECRET}", tries=1)

    (failure,) = tell(FAILURE, options)

    assert failure.startswith("ping to 127.0.0.1: ")
    assert SECRET not in failure


def test_a_mail_says_what_where_and_how(box):
    options = _options(
        mail_to=("a@b.cn", "c@d.cn"),
        mail_from="crawler@b.cn",
        smtp_url=f"smtp://127.0.0.1:{box.port}",
    )

    assert tell(FAILURE, options) == []

    ((sender, recipients, raw),) = box.mails
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    assert (sender, recipients) == ("crawler@b.cn", ["a@b.cn", "c@d.cn"])
    assert mail["Subject"] == "hongxing crawl on archive1: exit 5 (temporary)"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert FAILURE.sentence in mail.get_content()
    assert "pages: 12" in mail.get_content()
    assert "failed" not in mail.get_content()
    assert "- w2" in mail.get_content()


def test_a_recipient_who_is_refused_is_named_and_the_others_get_it(box):
    box.refused = {"c@d.cn"}
    options = _options(mail_to=("a@b.cn", "c@d.cn"), smtp_url=f"smtp://127.0.0.1:{box.port}")

    failures = tell(FAILURE, options)

    assert failures == ["mail by 127.0.0.1: not to c@d.cn; the others have it"]
    assert [mail[1] for mail in box.mails] == [["a@b.cn"]]


def test_a_mail_server_that_refuses_is_quoted(box):
    box.refused = {"a@b.cn"}
    options = _options(mail_to=("a@b.cn",), smtp_url=f"smtp://127.0.0.1:{box.port}")

    assert tell(FAILURE, options) == ["mail by 127.0.0.1: SMTP 550 no such user here"]


def test_a_password_never_leaves_without_tls(box):
    options = _options(
        mail_to=("a@b.cn",), smtp_url=f"smtp://me@127.0.0.1:{box.port}", smtp_password=SECRET
    )

    (failure,) = tell(FAILURE, options)

    assert "no TLS" in failure
    assert not any("AUTH" in line for line in box.says)


def test_a_mail_server_that_hangs_holds_nobody_up(box):
    box.hangs = True
    options = _options(
        mail_to=("a@b.cn",), smtp_url=f"smtp://127.0.0.1:{box.port}", timeout_s=0.3, tries=1
    )

    (failure,) = tell(FAILURE, options)

    assert failure.startswith("mail by 127.0.0.1: ")


def _script(tmp_path, text):
    path = tmp_path / "hook script.py"
    path.write_text(text)
    return f"{sys.executable} '{path}'"


def test_a_program_gets_the_event(tmp_path):
    out = tmp_path / "out"
    script = (
        "import json, os, sys\n"
        "event = json.load(sys.stdin)\n"
        f"open({str(out)!r}, 'w').write(event['run_id'] + os.environ['HONGXING_EXIT_CODE'])\n"
    )

    assert tell(FAILURE, _options(on_failure=_script(tmp_path, script))) == []
    assert out.read_text() == "run_20260131T182000Z5"


def test_a_program_runs_after_the_end_that_it_is_for(tmp_path):
    options = _options(on_success=_script(tmp_path, "import sys; sys.exit('ran')"))

    assert tell(FAILURE, options) == []
    assert tell(_event("note"), options) == []
    assert tell(_event("success"), options) == ["command: exit 1: ran"]


def test_a_program_that_never_ends_is_killed_with_its_children(tmp_path):
    alive = tmp_path / "alive"
    script = (
        "import subprocess, sys, time\n"
        f"child = \"import time; time.sleep(3); open({str(alive)!r}, 'w')\"\n"
        "subprocess.Popen([sys.executable, '-c', child])\n"
        "time.sleep(60)\n"
    )

    failures = tell(FAILURE, _options(on_failure=_script(tmp_path, script), tries=1))

    assert failures == ["command: no end within 1 s, killed"]
    time.sleep(3)
    assert not alive.exists()


def test_a_program_that_is_not_there_is_named():
    (failure,) = tell(FAILURE, _options(on_failure="/no/such/program"))

    assert "/no/such/program" in failure


def test_one_channel_that_fails_keeps_no_other_from_telling(web, box):
    web.statuses = [404]
    options = _options(
        webhook_url=web.url, mail_to=("a@b.cn",), smtp_url=f"smtp://127.0.0.1:{box.port}"
    )

    assert tell(FAILURE, options) == ["webhook at 127.0.0.1: HTTP 404"]
    assert len(box.mails) == 1


def _environment(web, **values):
    return {"HONGXING_ALERTS_WEBHOOK_URL": web.url, "HONGXING_ALERTS_TRIES": "1"} | values


def test_the_command_sends_a_test(hongxing, web):
    done = hongxing("alert", environment=_environment(web))

    assert done.returncode == ExitCode.OK
    assert json.loads(web.requests[0][2])["event"] == "test"


def test_a_test_that_is_not_taken_ends_with_an_error(hongxing, web):
    web.statuses = [403]

    done = hongxing("alert", environment=_environment(web))

    assert done.returncode == ExitCode.CONFIG
    assert b"webhook at 127.0.0.1: HTTP 403" in done.stderr


def test_without_anybody_to_tell_the_command_says_how(hongxing):
    done = hongxing("alert")

    assert done.returncode == ExitCode.CONFIG
    assert b"[alerts]" in done.stderr


@pytest.mark.parametrize(
    ("result", "status", "count"),
    [
        ("exit-code", "5", 0),
        ("exit-code", "1", 0),
        ("exit-code", "217", 1),
        ("signal", "KILL", 1),
        ("oom-kill", "KILL", 1),
        ("timeout", "TERM", 1),
    ],
)
def test_a_unit_is_told_of_when_it_could_not_tell_itself(hongxing, web, result, status, count):
    unit = {
        "MONITOR_UNIT": "hongxing.service",
        "MONITOR_SERVICE_RESULT": result,
        "MONITOR_EXIT_STATUS": status,
    }

    done = hongxing("alert", "--unit-failed", environment=_environment(web, **unit))

    assert done.returncode == ExitCode.OK
    assert len(web.requests) == count
    assert all(f"hongxing.service ended by {result}" in body for _, _, body in web.requests)


def test_a_crawl_tells_its_start_and_how_it_ended(hongxing, web, tmp_path):
    site = tmp_path / "site.toml"
    site.write_text('name = "nowhere"\nhosts = ["127.0.0.1:9"]\nseeds = ["http://127.0.0.1:9/"]\n')
    flags = ("--home", str(tmp_path / "var"), "--ping-url", f"{web.url}/{SECRET}", "-q")

    done = hongxing("crawl", str(site), *flags, environment=_environment(web))

    assert done.returncode == ExitCode.TEMPORARY
    paths = [path.partition("?")[0] for path, _, _ in web.requests]
    assert sorted(paths) == ["/", f"/{SECRET}/fail", f"/{SECRET}/start"]
    queries = [path.partition("?")[2] for path, _, _ in web.requests]
    assert len({query for query in queries if query.startswith("rid=")}) == 1
    kept = b"".join(path.read_bytes() for path in (tmp_path / "var").rglob("*") if path.is_file())
    assert SECRET.encode() not in kept + done.stdout + done.stderr


def test_a_crawl_that_cannot_start_is_told_too(hongxing, web, tmp_path):
    done = hongxing("crawl", "nosuchsite", "--home", str(tmp_path), environment=_environment(web))

    assert done.returncode == ExitCode.CONFIG
    (sent,) = [json.loads(body) for _, _, body in web.requests]
    assert sent["exit_code"] == ExitCode.CONFIG
    assert "nosuchsite" in sent["sentence"]


def test_an_alert_that_fails_changes_nothing_but_is_said(hongxing, tmp_path):
    done = hongxing(
        "alert",
        environment={
            "HONGXING_ALERTS_PING_URL": f"http://127.0.0.1:9/{SECRET}",
            "HONGXING_ALERTS_TRIES": "1",
        },
    )

    assert b"could not tell: ping to 127.0.0.1" in done.stderr
    assert SECRET.encode() not in done.stderr


def test_addresses_that_are_secret_are_not_shown(hongxing):
    done = hongxing(
        "config",
        "show",
        environment={"HONGXING_ALERTS_PING_URL": f"https://monitor.example/{SECRET}"},
    )

    assert b"(hidden)" in done.stdout
    assert SECRET.encode() not in done.stdout
