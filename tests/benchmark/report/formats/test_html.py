"""The HTML fragment, read back by a parser."""

from __future__ import annotations

import dataclasses
from html.parser import HTMLParser

from every_cell import AWKWARD, every_cell, large

from benchmark.report.formats.html import html
from benchmark.report.grid import Grid
from benchmark.report.tables import generalization, uda

EMPTY = {"br", "img", "input", "hr", "meta", "link"}


class Reader(HTMLParser):
    """Collects elements with their texts, and checks that every one is closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, dict[str, str | None], list[str]]] = []
        self.found: list[tuple[str, dict[str, str | None], str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), f"{tag}: an attribute twice"
        if tag not in EMPTY:
            self.open.append((tag, dict(attrs), []))

    def handle_data(self, data: str) -> None:
        for _, _, texts in self.open:
            texts.append(data)

    def handle_endtag(self, tag: str) -> None:
        name, attributes, texts = self.open.pop()
        assert name == tag
        self.found.append((name, attributes, "".join(texts)))


def classes(attributes: dict[str, str | None]) -> list[str]:
    return (attributes.get("class") or "").split()


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    assert reader.open == []
    return reader


def test_a_value_carries_what_a_page_needs() -> None:
    cells = [(a, text) for tag, a, text in read(html(every_cell())).found if tag == "td"]
    best = next(a for a, text in cells if text.startswith("54.2 ") and "best" in classes(a))
    assert best["data-value"] == "54.25"
    assert best["data-encoder"] == "vit"
    assert best["data-records"] == "dacs__vit__shift__seed0@id0"
    gain, text = next((a, t) for a, t in cells if "marked" in classes(a))
    assert text.startswith("-3.5*")
    assert gain["title"] == "3 of 3 seeds; 95 % interval -4.5 to -2.5"
    assert any(text == "not run & <never>" for _, text in cells)
    assert any("state-failed" in classes(a) and text == "— failed" for a, text in cells)


def test_awkward_names_come_through() -> None:
    found = read(html(every_cell())).found
    assert sum(text.strip() == AWKWARD for tag, _, text in found if tag == "caption") == 1
    labels = [text for tag, a, text in found if tag == "th" and a.get("scope") == "row"]
    assert AWKWARD in labels
    assert "Published†3" in labels
    assert sum(tag == "tr" and "published" in classes(a) for tag, a, _ in found) == 1
    notes = {str(a["id"]): text for tag, a, text in found if tag == "li"}
    assert notes["every-note-3"].endswith("Someone & al., table 3")


def test_numbers_are_linked_where_the_page_says_where_records_are() -> None:
    def links(text: str) -> list[str]:
        return [
            str(a["href"]) for t, a, _ in read(text).found if t == "a" and "value" in classes(a)
        ]

    assert links(html(every_cell())) == []
    assert "../records/dacs__vit__shift__seed0.json" in links(html(every_cell(), "../records"))


def test_foot_notes_are_linked() -> None:
    found = read(html(every_cell())).found
    ids = {a["id"] for tag, a, _ in found if tag == "li"}
    links = {str(a["href"]).removeprefix("#") for tag, a, _ in found if tag == "a"}
    assert links == ids == {"every-note-1", "every-note-2", "every-note-3"}


def test_every_row_has_every_column(story: Grid) -> None:
    for table in (uda(story), generalization(story), large(7, 12)):
        found = read(html(table)).found
        heads = sum(tag == "th" and a.get("scope") == "col" for tag, a, _ in found)
        rows = sum(tag == "th" and a.get("scope") == "row" for tag, a, _ in found)
        values = sum(tag == "td" and "data-value" in a for tag, a, _ in found)
        stubs = sum(len(section.stub) for section in table.sections)
        lines = sum(len(section.rows) for section in table.sections)
        assert rows == lines * stubs // len(table.sections)
        assert values == lines * (heads - stubs) // len(table.sections)


def test_settings_that_nobody_prints_are_a_list_of_their_own(story: Grid) -> None:
    told = {"batch size": "inferred: as elsewhere", "crops": "inferred", "rates": "paper"}
    text = html(uda(dataclasses.replace(story, provenance=told)))
    caption, _, rest = text.partition('<ul class="caption">')
    assert "Inferred" not in caption
    assert rest.partition("</ul>")[0].split("\n")[1:3] == [
        "<li>Inferred: batch size (as elsewhere).</li>",
        "<li>Inferred: crops.</li>",
    ]
    assert "<ul" not in html(uda(story))
