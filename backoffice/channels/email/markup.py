"""HTML of strangers: made safe to show, and turned to text."""

import re
from functools import cache

import nh3
from inscriptis.css_profiles import CSS_PROFILES
from inscriptis.html_engine import Inscriptis
from inscriptis.model.config import ParserConfig
from lxml import etree
from lxml import html as lxml_html

from backoffice.channels.email.charsets import clean

# More than so much HTML is cut: no letter is that long, and the raw mail is kept.
MAX_CHARACTERS = 1_000_000
TAGS = {
    "a", "abbr", "b", "blockquote", "br", "caption", "code", "col", "colgroup", "dd", "del", "div",
    "dl", "dt", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "kbd", "li",
    "ol", "p", "pre", "q", "s", "small", "span", "strike", "strong", "sub", "sup", "table",
    "tbody", "td", "tfoot", "th", "thead", "tr", "tt", "u", "ul",
}  # fmt: skip
ATTRIBUTES = {
    "a": {"href", "title"},
    # Images come with the mail (cid:) or not at all: a remote one would tell that it was read.
    "img": {"src", "alt", "width", "height"},
    "td": {"colspan", "rowspan", "align", "valign"},
    "th": {"colspan", "rowspan", "align", "valign"},
    "ol": {"start"},
    "*": {"dir", "lang"},
}
# Where mail programs put what is quoted.
_QUOTING_CLASSES = (
    "gmail_quote",
    "gmail_quote_container",
    "moz-cite-prefix",
    "protonmail_quote",
    "yahoo_quoted",
)
_QUOTES = (
    "blockquote[@type='cite']",
    *tuple(f"div[contains(concat(' ', @class, ' '), ' {name} ')]" for name in _QUOTING_CLASSES),
)
# From these on, everything is quoted: Outlook puts no frame around it.
_FROM_HERE = ("div[@id='divRplyFwdMsg']", "div[@id='appendonsend']", "hr[@id='stopSpelling']")
_DEEP = 200


def sanitised(html: str) -> str:
    """Only what formats text, with images that came along (cid:) and safe links."""
    return clean(_cleaner().clean(html[:MAX_CHARACTERS]))


@cache
def _cleaner() -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=TAGS,
        attributes=ATTRIBUTES,
        clean_content_tags={"script", "style", "head", "title", "noscript", "template"},
        url_schemes={"http", "https", "mailto", "tel", "cid"},
        attribute_filter=_attribute,
        link_rel="noopener noreferrer nofollow",
        url_relative="deny",
    )


def _attribute(tag: str, name: str, value: str) -> str | None:
    if tag == "img" and name == "src" and not value.lower().startswith("cid:"):
        return None
    return value


def text_of(html: str, *, with_quotes: bool = True) -> str:
    """The text of a page as a person sees it; without what mail programs mark as quoted."""
    tree = _structure(html[:MAX_CHARACTERS])
    if tree is None:
        return ""
    if not with_quotes:
        _drop_quotes(tree)
    if _depth(tree) > _DEEP:
        text = " ".join(tree.itertext())
    else:
        text = Inscriptis(tree, _settings()).get_text()
    lines = [line.rstrip() for line in clean(text).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


@cache
def _settings() -> ParserConfig:
    return ParserConfig(css=CSS_PROFILES["strict"], display_links=False, display_images=False)


def _structure(html: str) -> lxml_html.HtmlElement | None:
    """The page as a tree, without scripts, styles and comments."""
    if not html.strip():
        return None
    try:
        tree = lxml_html.document_fromstring(clean(html), parser=_parser())
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return None
    etree.strip_elements(tree, "script", "style", "head", "title", "noscript", with_tail=False)
    etree.strip_tags(tree, etree.Comment, etree.ProcessingInstruction)
    return tree


def _parser() -> lxml_html.HTMLParser:
    return lxml_html.HTMLParser(
        encoding=None, remove_comments=True, remove_pis=True, no_network=True
    )


def _drop_quotes(tree: lxml_html.HtmlElement) -> None:
    for place in _QUOTES:
        for element in tree.xpath(f"//{place}"):
            if element.getparent() is not None:
                element.drop_tree()
    for place in _FROM_HERE:
        for element in tree.xpath(f"//{place}")[:1]:
            for later in element.xpath("following::*"):
                if later.getparent() is not None:
                    later.tail = None
                    later.drop_tree()
            element.tail = None
            element.drop_tree()


def _depth(tree: lxml_html.HtmlElement) -> int:
    deepest = depth = 0
    for event, _ in etree.iterwalk(tree, events=("start", "end")):
        depth += 1 if event == "start" else -1
        deepest = max(deepest, depth)
    return deepest
