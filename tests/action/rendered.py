"""A comment as GitHub would show it: GitHub-flavoured Markdown, rendered, and looked through."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

from markdown_it import MarkdownIt

# Digests in code, and the two commits that we name ourselves.
_OURS = r"sha256:[0-9a-f]{64}|[0-9a-f]{8} on [0-9a-f]{8}|--base [0-9a-f]{12}"
_LINKED = r"(?<!\w)@\w+|#\d+|\bGH-\d+|https?://\S+|www\.\S+|\w@\w+\.\w|(?<![\w:])[0-9a-f]{7,40}\b"


@dataclass
class Facts(HTMLParser):
    """What a rendered comment holds."""

    tags: set[str] = field(default_factory=set)
    links: set[str] = field(default_factory=set)
    images: int = 0
    text: str = ""

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.tags.add(tag)
        self.images += tag == "img"
        if tag == "a":
            self.links.add(dict(attrs)["href"] or "")

    def handle_data(self, data: str) -> None:
        """Note text."""
        self.text += data

    @property
    def mentions(self) -> list[str]:
        """What GitHub would turn into a link to somebody, an issue or a commit."""
        rest = re.sub(_OURS, "", self.text)
        return re.findall(_LINKED, rest)


def as_html(markdown: str) -> str:
    """The comment as HTML; `html: True`, as GitHub lets HTML through before it is cleaned."""
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    return str(parser.render(markdown))


def facts(markdown: str) -> Facts:
    """What it holds."""
    found = Facts()
    found.feed(as_html(markdown))
    return found
