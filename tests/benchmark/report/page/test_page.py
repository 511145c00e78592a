"""What the page's text says and how it is put together."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import re
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any

from benchmark.cell import Cell
from benchmark.report.grid import Grid
from benchmark.report.page import page, pictures
from benchmark.report.page.headline import answers
from benchmark.report.page.states import entries, matrices
from benchmark.report.tables import build, generalization, uda


class Collected(HTMLParser):
    """Every start tag with its attributes; unbalanced ones are an error."""

    EMPTY = ("meta", "link", "img", "input", "br", "path", "use")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.EMPTY:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag


def test_equal_records_give_an_equal_page(plan: Any, story: Grid) -> None:
    tables = build(story)
    assert page(plan, story, tables) == page(plan, story, tables)


def test_the_page_names_no_place_and_asks_nothing_of_a_network(text: str, plan: Any) -> None:
    assert str(plan.folder) not in text
    for tag, attributes in Collected(text).tags:
        for name in ("href", "src"):
            address = attributes.get(name) or ""
            assert not re.match(r"[a-z]+:(?!image/)|/", address) or address == "data:,", (tag, name)
    assert not re.search(r"url\(|@import|fetch\(|XMLHttpRequest", text)


def test_only_the_script_of_the_page_may_run(text: str) -> None:
    script = re.findall(r"<script>(.*?)</script>", text, flags=re.DOTALL)
    assert len(script) == 1
    digest = base64.b64encode(hashlib.sha256(script[0].encode()).digest()).decode()
    policy = next(
        a["content"] for t, a in Collected(text).tags if t == "meta" and "http-equiv" in a
    )
    assert policy is not None
    assert policy.startswith("default-src 'none'; ")
    assert f"script-src 'sha256-{digest}';" in policy.replace("&#39;", "'")


def test_what_names_say_is_text(text: str, plan: Any, story: Grid) -> None:
    assert "Source_aug | *50 % &amp; &lt;b&gt;*" in text
    assert "<b>" not in text
    evil = "</script><img src=x onerror=alert(1)>"
    method = dataclasses.replace(story.methods[0], title=evil)
    grid = dataclasses.replace(story, title=evil, methods=(method, *story.methods[1:]))
    assert evil not in page(plan, grid, build(grid))


def test_ids_are_unique_and_links_within_the_page_have_a_target(text: str) -> None:
    tags = Collected(text).tags
    ids = [attributes["id"] for _, attributes in tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    inner = {a["href"][1:] for _, a in tags if (a.get("href") or "").startswith("#") and a["href"]}
    assert inner <= set(ids)


def test_landmarks_captions_and_words_for_pictures_are_there(text: str) -> None:
    tags = Collected(text).tags
    names = [tag for tag, _ in tags]
    for landmark in ("header", "nav", "main", "footer"):
        assert names.count(landmark) == 1
    assert names.count("caption") == names.count("table")
    assert all("alt" in attributes for tag, attributes in tags if tag == "img")
    assert all(a.get("scope") for tag, a in tags if tag == "th")
    assert tags[0] == ("html", {"lang": "en"})


def test_every_cell_with_a_record_links_to_its_files(text: str, story: Grid) -> None:
    for cell, outcome in story.outcomes.items():
        linked = [
            f'href="{path}"' in text
            for path in (
                f"records/{cell.stem}.json",
                f"cells/{cell.stem}/config.json",
                f"cells/{cell.stem}/log.txt",
            )
        ]
        assert linked == [outcome.state in ("done", "failed", "stale")] * 3, cell


def test_a_square_tells_how_far_its_seeds_are(plan: Any, story: Grid) -> None:
    (matrix,) = matrices(story, entries(plan, story))
    found = {
        (square.method, square.encoder): (square.state, square.done, square.expected)
        for _, _, squares in matrix.rows
        for square in squares
    }
    assert found[("dacs", "vit_b")] == ("done", 3, 3)
    assert found[("advent", "resnet")] == ("partial", 1, 3)
    assert found[("advent", "vit_b")] == ("excluded", 0, 0)
    assert found[("source-aug", "vit_b")] == ("stale", 0, 3)
    assert found[("oracle", "vit_b")] == ("partial", 2, 3)


def test_the_answer_is_the_best_complete_combination(story: Grid) -> None:
    (answer,) = answers(story, [uda(story), generalization(story)])
    assert [best.names for best in answer.best] == [("DACS with ViT_B",)] * 2
    assert answer.best[0].value == "58.0"  # mean of 57, 58 and 59
    assert answer.best[0].spread == "1.0"
    assert answer.best[1].value == "46.0"  # 8 and 16 points below on the two unseen domains
    first, second, third = answer.sentences
    assert "DACS with ViT_B is best on real, the target: 58.0 mIoU, +12.0 points" in first
    assert "not marked: no interval over images" in first
    assert second.startswith("It is best again")
    # Source_aug with ViT_B is stale and AdvEnt with ResNet failed; AdvEnt with ViT_B is excluded.
    assert third == "2 combinations of method and encoder lack a seed and could still be better."
    done = {
        cell: outcome
        for cell, outcome in story.outcomes.items()
        if cell.method in ("source-only", "dacs")
    }
    methods = tuple(each for each in story.methods if each.name in ("source-only", "dacs"))
    whole = dataclasses.replace(story, outcomes=done, methods=methods)
    (answer,) = answers(whole, [uda(whole), generalization(whole)])
    assert len(answer.sentences) == 2, "nothing is open"


def test_a_marked_gain_is_told(story: Grid) -> None:
    table = uda(story)
    section = table.sections[0]
    rows = [
        dataclasses.replace(
            row,
            cells=tuple(
                dataclasses.replace(c, delta=c.delta and dataclasses.replace(c.delta, marked=True))
                for c in row.cells
            ),
        )
        for row in section.rows
    ]
    marked = dataclasses.replace(table, sections=(dataclasses.replace(section, rows=tuple(rows)),))
    (answer,) = answers(story, [marked])
    assert "survives both seeds and images" in answer.sentences[0]
    assert len(answer.sentences) == 2


def test_equals_share_the_answer(story: Grid) -> None:
    equal = dict(story.outcomes)
    for seed in story.seeds:
        best = equal[Cell("dacs", "vit_b", "syn-real", seed)]
        equal[Cell("source-only", "resnet", "syn-real", seed)] = best
    grid = dataclasses.replace(story, outcomes=equal)
    (answer,) = answers(grid, [uda(grid), generalization(grid)])
    assert answer.best[0].names == ("Source-only with ResNet", "DACS with ViT_B")
    assert "Source-only with ResNet and DACS with ViT_B are equally best" in answer.sentences[0]


def test_nothing_done_says_nothing(story: Grid, plan: Any) -> None:
    empty = dataclasses.replace(story, outcomes={})
    (answer,) = answers(empty, [uda(empty), generalization(empty)])
    assert answer.best == ()
    assert "nothing can be said" in answer.sentences[0]


def test_predictions_name_their_shift_where_there_are_several(story: Grid) -> None:
    """Two shifts may test on the same domain: their predictions must be told apart."""
    (shift,) = story.shifts
    one = SimpleNamespace(method="dacs", encoder="vit_b", shift=shift.name, seed=0, png=b"p")
    panel = SimpleNamespace(domain="real", image_id="7", image=b"i", truth=b"t", predictions=(one,))
    other = dataclasses.replace(shift, name="other", title="Other")
    several = dataclasses.replace(story, shifts=(shift, other))
    for grid, expected in ((story, ""), (several, shift.title)):
        (shown,) = pictures.panels(grid, [panel])
        assert shown["predictions"][0]["shift"] == expected
