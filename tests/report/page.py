"""An HTML page as a parser sees it: its elements, their attributes and the text in them."""

from __future__ import annotations

from html.parser import HTMLParser

_VOID = {"meta", "link", "br", "img", "input", "hr", "circle", "rect", "line", "path"}


class Page(HTMLParser):
    """A parsed page; it is an error when its tags do not nest."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self._open: list[str] = []
        self._joins = False  # a place where a word may be broken does not make it two
        self.feed(source)
        self.close()
        assert not self._open, f"left open: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "wbr":
            self._joins = True
            return
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        if self._joins:
            tag, before = self.texts.pop()
            self.texts.append((tag, before + data))
        else:
            self.texts.append((self._open[-1] if self._open else "", data))
        self._joins = False

    def text(self, *tags: str) -> str:
        """All text, or that inside these tags, with single spaces."""
        found = [
            t for tag, t in self.texts if (tag in tags if tags else tag not in {"style", "script"})
        ]
        return " ".join(" ".join(found).split())

    def tags(self) -> set[str]:
        return {tag for tag, _ in self.elements}

    def headings(self) -> list[int]:
        return [int(tag[1]) for tag, _ in self.elements if tag in {"h1", "h2", "h3", "h4"}]
