"""``udabench report`` through the command line, on copies of the committed records."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
import webbrowser
from pathlib import Path
from types import ModuleType

import pytest

from benchmark import cli

ROOT = Path(__file__).parents[3]
RECORDS = ROOT / "results" / "demo" / "records"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    shutil.copytree(RECORDS, tmp_path / "demo" / "records")
    return tmp_path


def report(out: Path, *more: str) -> int:
    return cli.main(["report", "demo", "--out", str(out), "--no-figures", *more])


def test_it_writes_says_what_it_wrote_and_prints(
    out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(out) == cli.EXIT_DONE
    first = capsys.readouterr()
    assert "MiniDrive demo: adaptation" in first.out
    assert f"wrote {out / 'demo' / 'report.html'}" in first.err
    assert report(out) == cli.EXIT_DONE
    assert "wrote" not in capsys.readouterr().err


def test_an_incomplete_suite_has_a_report_and_says_so(out: Path) -> None:
    next((out / "demo" / "records").glob("dacs*")).unlink()
    assert report(out) == cli.EXIT_INCOMPLETE
    assert "13</strong> done" in (out / "demo" / "report.html").read_text(encoding="utf-8")


def test_open_shows_the_page(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda address: bool(opened.append(address)) or True)
    assert report(out, "--open") == cli.EXIT_DONE
    assert opened == [(out / "demo" / "report.html").as_uri()]


def test_no_browser_is_told(
    out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda address: False)
    assert report(out, "--open") == cli.EXIT_DONE
    assert "found no browser" in capsys.readouterr().err


@pytest.mark.parametrize("option", [["--open"], ["--watch"], ["--into", "README.md"]])
def test_a_part_of_the_suite_is_only_printed(
    out: Path, option: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    part = ["--only", "method=dacs"]
    assert report(out, *part, *option) == cli.EXIT_USAGE
    assert option[0] in capsys.readouterr().err
    assert report(out, *part) == cli.EXIT_DONE
    assert not (out / "demo" / "report.html").exists()


def test_into_hands_the_tables_to_a_document(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[Path, str, int]] = []
    module = ModuleType("benchmark.report.document")
    module.update = lambda path, suite, tables: given.append(  # type: ignore[attr-defined]
        (path, suite, len(tables))
    )
    monkeypatch.setitem(sys.modules, module.__name__, module)
    assert report(out, "--into", "README.md") == cli.EXIT_DONE
    ((path, suite, tables),) = given
    assert (path, suite) == (Path("README.md"), "demo")
    assert tables >= 2


def test_a_picture_that_cannot_be_made_is_an_exit_code_of_its_own(
    out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def gather(plan: object) -> object:
        raise ValueError("no picture")

    monkeypatch.setattr("benchmark.report.panels.gather", gather)
    assert report(out) == cli.EXIT_FAILED
    assert "the panels could not be made" in capsys.readouterr().err
    assert (out / "demo" / "report.html").exists()


@pytest.mark.parametrize("text", ["0", "-1", "soon", "inf", "nan"])
def test_watching_needs_seconds(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["report", "demo", f"--watch={text}"])
    assert "expected seconds above 0" in capsys.readouterr().err


def test_watching_writes_again_when_a_record_comes(out: Path) -> None:
    records, page = out / "demo" / "records", out / "demo" / "report.html"
    late = next(records.glob("dacs*"))
    text = late.read_text(encoding="utf-8")
    late.unlink()
    watching = subprocess.Popen(
        [sys.executable, "-m", "benchmark", "report", "demo", "--out", str(out), "--no-figures",
         "--watch", "0.1"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert watching.stdout is not None
        first = watching.stdout.readline()
        before = page.read_bytes()
        time.sleep(0.3)
        late.write_text(text, encoding="utf-8")
        second = watching.stdout.readline()
        probe = out / "demo" / "zero_shot" / "eva02-mini-clip__minidrive.json"
        probe.parent.mkdir()
        probe.write_text("{}", encoding="utf-8")
        third = watching.stdout.readline()
        watching.send_signal(signal.SIGINT)
        rest, errors = watching.communicate(timeout=20)
    finally:
        watching.kill()
    assert "13 done, 1 missing" in first
    assert "14 cells: 14 done" in second
    assert "14 cells: 14 done; 0 files changed" in third, "demo has no encoder with a text tower"
    assert page.read_bytes() != before
    assert (rest, errors) == ("", "udabench: interrupted\n")
    assert watching.returncode == cli.EXIT_INTERRUPTED
