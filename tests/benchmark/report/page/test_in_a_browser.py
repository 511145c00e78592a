"""What a reader does with the page, done in a real browser."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from browser import Browser
from scored import scored

from benchmark.report.grid import Grid, Outcome
from benchmark.report.model import RecordRef
from benchmark.report.page import page
from benchmark.report.tables import build

ADAPTATION = "#table-uda table"


def focus(page: Browser, selector: str) -> None:
    page.evaluate(f"document.querySelector({selector!r}).focus()")


def methods(page: Browser, table: str = ADAPTATION) -> list[str]:
    return list(
        page.evaluate(
            f"[...document.querySelectorAll({table + ' tbody tr'!r})]"
            ".filter(r => r.offsetParent !== null).map(r => r.cells[0].innerText)"
        )
    )


def column(page: Browser, index: int) -> list[str]:
    return list(
        page.evaluate(
            f"[...document.querySelectorAll({ADAPTATION + ' tbody tr'!r})]"
            f".map(r => r.cells[{index}].dataset.value)"
        )
    )


def sort_state(page: Browser, index: int) -> Any:
    return page.evaluate(
        f"document.querySelector({ADAPTATION!r}).querySelector('[data-column=\"{index}\"]')"
        ".getAttribute('aria-sort')"
    )


def test_a_key_sorts_a_column_down_then_up_then_not(opened: Browser) -> None:
    before = column(opened, 1)
    focus(opened, f"{ADAPTATION} [data-column='1'] button")
    opened.press("Enter")
    down = [float(value) for value in column(opened, 1)]
    assert sort_state(opened, 1) == "descending"
    assert down == sorted(map(float, before), reverse=True) != [float(v) for v in before]
    opened.press(" ")
    assert sort_state(opened, 1) == "ascending"
    assert [float(value) for value in column(opened, 1)] == down[::-1]
    opened.press("Enter")
    assert sort_state(opened, 1) is None
    assert column(opened, 1) == before


def test_cells_without_a_number_are_last_in_both_orders(opened: Browser) -> None:
    vit = 4  # mIoU, gain and gap closed of the first encoder stand before it
    for _ in range(2):
        opened.evaluate(
            f"document.querySelector({ADAPTATION!r})"
            f".querySelector('[data-column=\"{vit}\"] button').click()"
        )
        values = column(opened, vit)
        assert values[-2:] == ["", ""]
        assert "" not in values[:-2]


def test_text_columns_sort_by_name(opened: Browser) -> None:
    focus(opened, f"{ADAPTATION} [data-column='0'] button")
    opened.press("Enter")
    assert sort_state(opened, 0) == "ascending"
    markup = "Source_aug | *50 % & <b>*"
    assert methods(opened) == ["AdvEnt", "DACS", "Oracle", markup, "Source-only"]


def test_filters_hide_rows_columns_and_are_undone(opened: Browser) -> None:
    assert len(methods(opened)) == 5
    opened.evaluate("document.querySelector('#filters').open = true")
    focus(opened, "#filters input[value='dacs']")
    opened.press(" ")
    assert "DACS" not in methods(opened)
    assert len(methods(opened)) == 4
    shown = "document.getElementById('shown').textContent"
    assert opened.evaluate(shown) == "36 of 45 rows shown"  # 1 + 2 rows of tables, 6 of 30 cells
    opened.evaluate("document.querySelector('#filters input[value=\"resnet\"]').click()")
    visible = (
        f"[...document.querySelector({ADAPTATION!r}).tBodies[0].rows[0].cells]"
        ".filter(c => c.offsetParent !== null).length"
    )
    assert opened.evaluate(visible) == 4  # the method and the three columns of the other encoder
    focus(opened, "#filters button[type='reset']")
    opened.press("Enter")
    opened.evaluate("new Promise(done => setTimeout(done, 20))")
    assert len(methods(opened)) == 5
    assert opened.evaluate(visible) == 7


def test_rows_of_no_method_of_the_suite_are_not_filtered_away(
    chromium: Browser, plan: Any, story: Grid, tmp_path: Path
) -> None:
    """Class names alone, and published rows: no box stands for them."""
    reference = RecordRef("vit_b__syn-real", "f00d", "zero_shot")
    outcome = Outcome("done", scored({"real": 1.0}), record=reference)
    grid = dataclasses.replace(story, zero_shot={("vit_b", "syn-real"): outcome})
    path = tmp_path / "probed.html"
    path.write_text(page(plan, grid, build(grid)), encoding="utf-8")
    chromium.open(path)
    hidden = (
        "[...document.querySelectorAll('tr[data-method]')].filter(r => r.hidden)"
        ".map(r => r.dataset.method)"
    )
    rows = "document.querySelectorAll('table.results tr[data-method=zero-shot]').length"
    assert chromium.evaluate(rows) == 2
    assert chromium.evaluate(hidden) == []
    chromium.evaluate("document.querySelector('#filters input[value=\"dacs\"]').click()")
    assert {*chromium.evaluate(hidden)} == {"dacs"}
    links = "[...document.querySelectorAll('tr.apart a.value')].map(a => a.getAttribute('href'))"
    assert "zero_shot/vit_b__syn-real.json" in chromium.evaluate(links)


def test_rows_are_filtered_by_the_state_of_their_seeds(opened: Browser) -> None:
    opened.evaluate("document.querySelector('#filters input[value=\"done\"]').click()")
    assert methods(opened) == ["Source-only", "DACS"]
    opened.evaluate("document.querySelector('#filters input[value=\"open\"]').click()")
    assert len(methods(opened)) == 3


def test_a_number_tells_its_cells_and_their_files(opened: Browser) -> None:
    focus(opened, f"{ADAPTATION} a.value")
    opened.press("Enter")
    assert opened.evaluate("document.getElementById('origin').open") is True
    links = opened.evaluate(
        "[...document.querySelectorAll('#origin-list a')].map(a => a.getAttribute('href'))"
    )
    stem = "source-only__resnet__syn-real__seed{}"
    assert links == [
        path.format(stem.format(seed))
        for seed in range(3)
        for path in ("records/{}.json", "cells/{}/config.json", "cells/{}/log.txt")
    ]
    assert opened.evaluate("document.getElementById('origin-list').innerText").count("seed") == 3
    opened.press("Escape")
    assert opened.evaluate("document.getElementById('origin').open") is False


def test_arrow_keys_move_the_edge_between_truth_and_prediction(opened: Browser) -> None:
    cut = "getComputedStyle(document.querySelector('.stage')).getPropertyValue('--cut')"
    assert opened.evaluate(cut) == "50%"
    focus(opened, "#panel-slider")
    for _ in range(3):
        opened.press("ArrowRight")
    assert opened.evaluate(cut) == "53%"
    clip = opened.evaluate("getComputedStyle(document.getElementById('panel-above')).clipPath")
    assert "47%" in clip or "53%" in clip


def test_the_viewer_offers_what_there_is_and_keeps_the_choice(opened: Browser) -> None:
    options = "[...document.getElementById('{}').options].map(o => o.text)"
    assert opened.evaluate(options.format("panel-image")) == ["real: real-7", "night: night-7"]
    assert len(opened.evaluate(options.format("panel-prediction"))) == 4
    choose = "(e => {{ e.value = '{}'; e.dispatchEvent(new Event('change')) }})({})"
    opened.evaluate(choose.format(3, "document.getElementById('panel-prediction')"))
    opened.evaluate(choose.format(1, "document.getElementById('panel-image')"))
    chosen = opened.evaluate("document.getElementById('panel-prediction').selectedOptions[0].text")
    assert chosen == "DACS, ViT_B, seed 0"
    opened.evaluate(choose.format("image", "document.getElementById('panel-left')"))
    assert opened.evaluate("document.getElementById('panel-tag').textContent") == "input image"
    assert opened.evaluate("document.getElementById('panel-above').alt") == (
        "input image of night: night-7"
    )


def test_the_figure_is_drawn_with_its_words(opened: Browser) -> None:
    picture = "document.querySelector('#figure-scatter img')"
    opened.evaluate(f"{picture}.scrollIntoView()")  # it loads when it is looked at
    opened.evaluate(f"{picture}.decode()")
    assert opened.evaluate(f"{picture}.naturalWidth") == 80
    assert opened.evaluate(f"{picture}.alt") == "Dots <rise> to the right"


def test_the_switch_goes_round_the_themes(opened: Browser) -> None:
    found = []
    for _ in range(3):
        focus(opened, "#theme")
        opened.press("Enter")
        found.append(opened.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert found[0] == found[2] != found[1]


CONTRAST = """(() => {
  const channels = (c) => (c.match(/[\\d.]+/g) || []).map(Number);
  const light = (c) => channels(c).slice(0, 3).map((v) => v / 255)
    .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const c = channels(getComputedStyle(e).backgroundColor);
      if (c.length === 3 || c[3] > 0.5) return `rgb(${c.slice(0, 3)})`;
    }
    return "rgb(255, 255, 255)";
  };
  const bad = [];
  for (const e of document.querySelectorAll("body *")) {
    const told = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    if (!told || e.offsetParent === null) continue;
    const [a, b] = [light(getComputedStyle(e).color), light(behind(e))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) bad.push(e.tagName + "." + e.className + ": " + e.innerText);
  }
  return bad;
})()"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_text_can_be_read_in_both_themes(opened: Browser, theme: str) -> None:
    opened.evaluate(f"document.documentElement.dataset.theme = {theme!r}")
    opened.evaluate("document.querySelector('#filters').open = true")
    assert opened.evaluate(CONTRAST) == []


@pytest.mark.parametrize("width", [390, 1280])
def test_only_tables_scroll_sideways(chromium: Browser, shown: Path, width: int) -> None:
    chromium.open(shown, width, 844)
    assert chromium.evaluate("document.documentElement.scrollWidth") == width
    heights = chromium.evaluate(
        "[...document.querySelectorAll('button, select, #filters label')]"
        ".filter(e => e.offsetParent).map(e => e.getBoundingClientRect().height)"
    )
    assert min(heights) >= 20


def test_a_page_without_scripts_shows_its_numbers_and_links(chromium: Browser, shown: Path) -> None:
    chromium.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        chromium.open(shown)
        root = chromium.call("DOM.getDocument", depth=1)["root"]["nodeId"]
        found = chromium.call(
            "DOM.querySelectorAll", nodeId=root, selector="#filters:not([hidden])"
        )
        assert found["nodeIds"] == []
        selector = f"{ADAPTATION} a.value[href^='records/']"
        links = chromium.call("DOM.querySelectorAll", nodeId=root, selector=selector)
        assert len(links["nodeIds"]) > 10
    finally:
        chromium.call("Emulation.setScriptExecutionDisabled", value=False)
