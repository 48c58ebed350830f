import pytest
from django.core.checks import ERROR

from backoffice.channels.email.imap import FetchError
from backoffice.channels.email.mailboxes import parse_mailbox
from support.addresses import own_addresses
from support.checks import check_mailboxes
from support.intake import fetch_mail, fetching
from support.models import Inbound
from tests.channels.odd_mail import FROM, ODD, TO, mail
from tests.support.mail_servers import SUPPORT, imap_server

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module", params=[True, False], ids=["marks", "seen only"])
def imap(request):
    with imap_server(keeps_marks=request.param) as server:
        yield server


@pytest.fixture
def box(imap):
    """An empty mailbox."""
    with imap.line() as line:
        line.store("1:*", "+FLAGS", r"(\Deleted)")
        line.expunge()
    return parse_mailbox(imap.url())


def numbered(*numbers):
    return [mail(FROM, TO, f"Message-ID: <{number}@example.com>") for number in numbers]


def kept():
    return sorted(Inbound.objects.values_list("external_id", flat=True))


def test_mail_is_kept_as_it_came_and_marked(imap, box):
    imap.put(*numbered(1, 2))
    assert fetch_mail(box) == 2
    rows = Inbound.objects.order_by("id")
    assert [(row.account, row.external_id, bytes(row.raw)) for row in rows] == [
        (SUPPORT, "1@example.com", numbered(1)[0]),
        (SUPPORT, "2@example.com", numbered(2)[0]),
    ]
    assert imap.uids("UNSEEN") == []
    assert fetch_mail(box) == 0


def test_mail_that_was_deleted_is_left_alone(imap, box):
    imap.put(*numbered(1, 2))
    with imap.line() as line:
        line.store("1", "+FLAGS", r"(\Deleted)")
    assert fetch_mail(box) == 1
    assert len(imap.uids("ALL")) == 2


def test_killed_before_marking_fetches_again_and_keeps_once(imap, box, monkeypatch):
    imap.put(*numbered(1, 2, 3))
    monkeypatch.setattr(fetching.MailboxReader, "mark_stored", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        fetch_mail(box)
    assert len(kept()) == 3
    monkeypatch.undo()
    assert fetch_mail(box) == 3
    assert len(kept()) == 3
    assert imap.uids("UNSEEN") == []


def test_mail_that_could_not_be_kept_stays_unmarked(imap, box, monkeypatch):
    imap.put(*numbered(1))
    monkeypatch.setattr(fetching, "store_inbound", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        fetch_mail(box)
    assert len(imap.uids("UNSEEN")) == 1


def test_many_mails_come_in_slices(imap, box):
    imap.put(*numbered(*range(120)))
    assert fetch_mail(box) == 120
    assert len(kept()) == 120
    assert imap.uids("UNSEEN") == []


def test_time_up_marks_what_is_kept_and_goes_on_later(imap, box):
    imap.put(*numbered(*range(5)))
    assert fetch_mail(box, seconds=0) == 1
    assert len(imap.uids("UNSEEN")) == 4
    assert fetch_mail(box) == 4


def test_fetched_mail_is_moved_where_told(imap, box):
    imap.put(*numbered(1, 2))
    assert fetch_mail(parse_mailbox(imap.url("&move=Tickets"))) == 2
    assert imap.uids("ALL") == []
    assert len(imap.uids("ALL", "Tickets")) == 2
    with imap.line("Tickets") as line:
        line.store("1:*", "+FLAGS", r"(\Deleted)")
        line.expunge()


def test_odd_mails_are_all_kept(imap, box):
    # What is huge or deep breaks the server of the tests itself.
    odd = [raw for raw in ODD.values() if 0 < len(raw) < 50_000]
    imap.put(*odd)
    assert fetch_mail(box) == len(odd)
    assert imap.uids("UNSEEN") == []


def test_mail_that_somebody_has_read_is_fetched_where_marks_are_kept(imap, box):
    imap.put(*numbered(1))
    with imap.line() as line:
        line.store("1", "+FLAGS", r"(\Seen)")
        keeps_marks = b"\\*" in line.response("PERMANENTFLAGS")[1][0]
    assert fetch_mail(box) == (1 if keeps_marks else 0)


def test_wrong_password_names_the_mailbox_and_tells_no_secret(imap):
    box = parse_mailbox(imap.url().replace("loopback", "wrong-one"))
    with pytest.raises(FetchError, match=rf"{SUPPORT} at 127.0.0.1") as error:
        fetch_mail(box)
    assert "wrong-one" not in str(error.value)


def test_server_that_is_away_is_told():
    box = parse_mailbox(f"imap://support:x@127.0.0.1:9/INBOX?address={SUPPORT}")
    with pytest.raises(FetchError, match="refused"):
        fetch_mail(box)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("pop3://a@b.example:x@h", "begins with imaps"),
        ("imaps://h/INBOX", "needs a user"),
        ("imaps://ada:secret@h/INBOX", r"Add \?address="),
        ("imaps://ada:secret@h?adress=a@b.example", "no option “adress”"),
    ],
)
def test_mailbox_that_is_written_wrongly_is_refused_without_its_password(url, words):
    with pytest.raises(ValueError, match=words) as error:
        parse_mailbox(url)
    assert "secret" not in str(error.value)


def test_check_tells_what_is_written_wrongly_and_mail_comes_in_all_the_same(settings):
    settings.SUPPORT_MAILBOXES = ["pop3://x", "imaps://ada%40example.com:x@mail.example"]
    (error,) = check_mailboxes()
    assert (error.id, error.level) == ("support.E001", ERROR)
    assert settings.SUPPORT_EMAIL.lower() in own_addresses()


def test_mailbox_address_says_everything():
    box = parse_mailbox("imaps://ada%40example.com:s%2Fecret@mail.example/Support/Open?move=Done")
    assert (box.username, box.password, box.address) == (
        "ada@example.com",
        "s/ecret",
        "ada@example.com",
    )
    assert (box.host, box.port, box.folder, box.move_to) == (
        "mail.example",
        993,
        "Support/Open",
        "Done",
    )
