# ruff: noqa: E501 - a case a line
import time
from datetime import UTC, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from backoffice.channels.base import Incoming, Nature, Party
from backoffice.channels.email.reading import read_mail
from tests.channels.odd_mail import (
    DATE,
    FROM,
    ID,
    ODD,
    PICTURE,
    PNG,
    SUBJECT,
    TO,
    USUAL,
    html,
    mail,
    parts,
    plain,
    typed,
    uuencoded,
)


def texts_of(read: Incoming) -> list[str]:
    told = [read.message_id, read.subject, read.text, read.full_text, read.html]
    told += [read.sender.address, read.sender.name, *read.problems, *read.answers]
    return told + [file.name for file in read.files]


def check(read: Incoming) -> None:
    """What must hold of every mail, however odd."""
    assert read.message_id
    for text in texts_of(read):
        text.encode("utf-8")  # no half pairs: a database would refuse them
        assert "\x00" not in text
    assert len(read.subject) <= 300
    assert len(read.text) <= 200_000
    assert "<script" not in read.html.lower()
    assert all(file.name and "/" not in file.name for file in read.files)


@pytest.mark.parametrize("name", ODD)
def test_odd_mail_is_read_within_seconds(name):
    began = time.process_time()
    check(read_mail(ODD[name]))
    assert time.process_time() - began < 8


@given(st.binary(max_size=4_000))
@settings(max_examples=200)
def test_any_bytes_are_read(raw):
    check(read_mail(raw))


@st.composite
def broken_mails(draw):
    """An odd mail with some of its bytes changed, cut out or doubled."""
    raw = bytearray(draw(st.sampled_from([raw for raw in ODD.values() if len(raw) < 5_000])))
    for _ in range(draw(st.integers(1, 8))):
        at = draw(st.integers(0, len(raw)))
        end = at + draw(st.integers(0, 30))
        raw[at:end] = draw(st.one_of(st.binary(max_size=20), st.just(bytes(raw[at:end]) * 2)))
    return bytes(raw)


@given(broken_mails())
@settings(max_examples=400)
@example(b"Content-Type: multipart/mixed; boundary=\r\n\r\n--\r\n")
def test_broken_mails_are_read(raw):
    check(read_mail(raw))


@given(st.text(max_size=300), st.sampled_from(["utf-8", "utf-16", "utf-7", "gb18030"]))
def test_any_text_survives_its_charset(text, charset):
    read = read_mail(typed(charset, text.encode("utf-8", "replace").decode()))
    check(read)
    assert not read.problems


def test_usual_mail_is_read():
    read = read_mail(mail(*USUAL, "In-Reply-To: <b@x>", "References: <a@x> <b@x>"))
    assert read.sender == Party("ada@example.com", "Ada Weber")
    assert read.recipients == (Party("support@amends.example"),)
    assert read.subject == "No internet"
    assert read.text == "Hello."
    assert read.sent_at == datetime(2026, 11, 21, 9, tzinfo=UTC)
    assert read.message_id == "one@example.com"
    assert read.answers == ("b@x", "a@x")
    assert read.nature is Nature.PERSON
    assert read.may_be_answered
    assert read.problems == ()


@pytest.mark.parametrize(
    ("charset", "text"),
    [
        ("iso-2022-jp", "インターネットが使えません"),
        ("utf-7", "Störung — не работает"),
        ("windows-1251", "Интернет не работает"),
        ("windows-1252", "Störung – seit „gestern“"),
        ("koi8-r", "Интернет не работает"),
        ("gb2312", "网络无法使用"),
        ("big5", "網路無法使用"),
        ("shift_jis", "インターネット"),
        ("euc-kr", "인터넷이 안 됩니다"),
        ("iso-8859-15", "49,90 €"),
        ("utf-16", "Störung"),
    ],
)
@pytest.mark.parametrize("encoding", ["8bit", "base64"])
def test_charset_is_read(charset, text, encoding):
    raw = typed(charset, text, encoding=encoding)
    if encoding == "base64":
        import base64

        head, _, body = raw.partition(b"\r\n\r\n")
        raw = head + b"\r\n\r\n" + base64.b64encode(body)
    read = read_mail(raw)
    assert read.text == text
    assert read.problems == ()


def test_gb2312_that_is_gbk_is_read():
    raw = mail(*USUAL, "Content-Type: text/plain; charset=gb2312", body="朱镕基".encode("gbk"))
    assert read_mail(raw).text == "朱镕基"


def test_latin_that_is_utf8_is_read():
    raw = mail(*USUAL, "Content-Type: text/plain; charset=iso-8859-1", body="Störung €")
    assert read_mail(raw).text == "Störung €"


def test_text_without_charset_is_guessed():
    text = "Здравствуйте, у меня со вчерашнего дня не работает интернет. Помогите!"
    read = read_mail(mail(*USUAL, "Content-Type: text/plain", body=text.encode("cp1251")))
    assert read.text == text


def test_raw_8_bit_headers_are_read():
    read = read_mail(ODD["raw 8 bit"])
    assert read.sender == Party("j@example.com", "Jürgen")
    assert read.subject == "Störung"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("=?utf-8?B?U3TDtnJ1bmc=?=", "Störung"),
        ("=?iso-8859-1?Q?St=F6rung?= seit gestern", "Störung seit gestern"),
        ("=?utf-8?Q?St=C3?= =?utf-8?Q?=B6rung?=", "Störung"),
        ("=?koi8-r?B?7sUg0sHCz9TBxdQ=?=", "Не работает"),
        ("=?klingon?Q?abc?=", "abc"),
        ("=?utf-8?B?not base64", "=?utf-8?B?not base64"),
        ("folded\r\n  line", "folded line"),
    ],
)
def test_subject_is_decoded(raw, expected):
    assert read_mail(mail(FROM, TO, ID, f"Subject: {raw}")).subject == expected


def test_mail_without_from_says_so():
    read = read_mail(ODD["no from"])
    assert read.sender == Party("")
    assert read.problems == ("It has no readable sender address.",)
    assert not read.may_be_answered


def test_missing_from_is_taken_from_reply_to():
    read = read_mail(mail(TO, ID, "Reply-To: Ada <ada@example.com>"))
    assert read.sender == Party("ada@example.com", "Ada")
    assert "Reply-To" in read.problems[0]


def test_several_from_addresses_give_the_first():
    read = read_mail(ODD["several from"])
    assert read.sender == Party("a@example.com")
    assert read.problems == ("It has several senders: also b@example.com.",)


@pytest.mark.parametrize(
    "value",
    ["ada@example.com", "<ada@example.com>", "Weber, Ada <ada@example.com>", '"<x>" ADA@example.com',
     "ada@example.com <ada@example.com>", "Ada <mailto:ada@example.com>", "=?utf-8?Q?A=2Cb?= <ada@example.com>"],
)  # fmt: skip
def test_from_address_is_found_in(value):
    assert read_mail(mail(f"From: {value}", TO)).sender.address == "ada@example.com"


def test_impossible_date_is_told():
    read = read_mail(ODD["hour 29"])
    assert read.sent_at is None
    assert "29:00:00" in read.problems[0]


def test_missing_message_id_is_made_of_the_contents():
    one, same, other = (mail(FROM, TO, SUBJECT, DATE, body=body) for body in ("a", "a", "b"))
    assert read_mail(one).message_id == read_mail(same).message_id
    assert read_mail(one).message_id != read_mail(other).message_id
    assert read_mail(one).message_id.endswith(".invalid")


def test_no_body_is_an_empty_text():
    assert read_mail(ODD["no body"]).text == ""


def test_uuencoded_file_is_taken_out():
    read = read_mail(ODD["uuencode"])
    assert [(file.name, file.content) for file in read.files] == [("bill.txt", b"EUR 49.90\n" * 20)]
    assert read.text == "See below."


def test_text_that_only_begins_like_uuencode_stays():
    read = read_mail(mail(*USUAL, body="begin 644 the work\nplease!\nend\n"))
    assert read.files == ()
    assert "please!" in read.text


def test_file_without_a_name_gets_one():
    assert [file.name for file in read_mail(ODD["file name is a space"]).files] == ["file-1.pdf"]


def test_file_name_cannot_leave_its_folder():
    assert [f.name for f in read_mail(ODD["file name leaves its folder"]).files] == ["passwd"]


def test_mail_in_mail_is_a_file_and_its_text_is_not_ours():
    read = read_mail(ODD["mail in mail"])
    assert read.text == "See this."
    assert [(file.name, file.content_type) for file in read.files] == [
        ("No internet.eml", "message/rfc822")
    ]
    assert b"Message-ID: <one@example.com>" in read.files[0].content


def test_inline_image_comes_along():
    read = read_mail(ODD["inline image"])
    assert [(file.content_id, file.content) for file in read.files] == [("logo@example.com", PNG)]
    assert 'src="cid:logo@example.com"' in read.html


def test_html_is_sanitised_and_loads_nothing():
    page = """<html><head><style>p{background:url(http://evil.example/a)}</style></head><body>
      <script>alert(1)</script><p onclick="x()" style="background:url(http://evil.example/b)">Hi</p>
      <img src="http://evil.example/pixel.gif"><img src="data:image/png;base64,x">
      <a href="javascript:alert(1)">a</a><a href="https://ok.example">b</a>
      <iframe src="http://evil.example"></iframe><form action="http://evil.example"><input></form>
      <object data="http://evil.example"></object><link href="http://evil.example" rel="stylesheet">
      <svg><image href="http://evil.example"/></svg><base href="http://evil.example"></body></html>"""
    read = read_mail(parts("alternative", html(page)))
    assert "evil" not in read.html
    assert "javascript" not in read.html
    assert "data:" not in read.html
    assert "alert" not in read.html
    assert 'href="https://ok.example"' in read.html
    assert read.text.startswith("Hi")


def test_html_alone_gives_text():
    page = (
        "<p>Dear all,</p><ul><li>one</li><li>two &amp; three</li></ul><table><tr><td>a<td>b</table>"
    )
    read = read_mail(parts("alternative", html(page)))
    assert read.text.split() == ["Dear", "all,", "*", "one", "*", "two", "&", "three", "a", "b"]


def test_alternatives_give_the_plain_text_and_the_html():
    read = read_mail(parts("alternative", plain("Plain."), html("<p>Rich.</p>")))
    assert (read.text, read.html) == ("Plain.", "<p>Rich.</p>")


def test_texts_around_a_picture_belong_together():
    read = read_mail(parts("mixed", plain("Before."), PICTURE, plain("After.")))
    assert read.text == "Before.\n\nAfter."
    assert len(read.files) == 1


def test_flowed_lines_are_joined():
    body = "This line is \r\nvery long.\r\n> quoted \r\nNext."
    read = read_mail(mail(*USUAL, "Content-Type: text/plain; format=flowed", body=body))
    assert read.full_text == "This line is very long.\n> quoted \nNext."


def test_deep_multiparts_are_told_and_kept():
    read = read_mail(ODD["deep multiparts"])
    assert read.problems == ("It cannot be read as a mail: this is its beginning, as it came.",)
    assert read.sender.address == "ada@example.com"
    assert read.subject == "No internet"


def test_broken_base64_gives_what_can_be_read():
    read = read_mail(ODD["bad base64"])
    assert read.text.startswith("Hello ")


def test_x_uuencode_as_transfer_encoding_is_read():
    raw = mail(*USUAL, "Content-Transfer-Encoding: x-uuencode", body=uuencoded("a", b"Hello there"))
    assert read_mail(raw).text == "Hello there"


def test_huge_text_is_cut_and_said_to_be():
    read = read_mail(mail(*USUAL, body="word " * 100_000))
    assert len(read.full_text) == 200_000
    assert "499999 characters" in read.problems[0]
