"""A real headless Chromium, driven over the pipe of its DevTools protocol.

As a program it makes a picture of a page::

    python tests/support/browser.py PAGE PNG WIDTH HEIGHT [light|dark]
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
KEYS = {"Enter": (13, "\r"), " ": (32, " "), "ArrowRight": (39, ""), "ArrowLeft": (37, "")}
KEYS |= {"Tab": (9, ""), "Escape": (27, "")}


PATIENCE = 20


@dataclass
class Browser:
    """One page of a browser. ``requests`` are the addresses it asked for, ``complaints`` its errors
    and warnings."""

    reading: int
    writing: int
    session: str = ""
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    loaded: bool = False
    _rest: bytes = b""
    _count: int = 0

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Send one command and return its result; what happens meanwhile is noted."""
        self._count += 1
        number = self._count
        message: dict[str, Any] = {"id": number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.writing, json.dumps(message).encode() + b"\0")
        while True:
            found = self._next()
            self._note(found)
            if found.get("id") == number:
                assert "error" not in found, f"{method}: {found}"
                result: dict[str, Any] = found["result"]
                return result

    def open(self, page: Path, width: int = 1280, height: int = 900) -> None:
        """Load ``page`` at this size, in a window of a device of one pixel a pixel."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        self.requests.clear()
        self.complaints.clear()
        self.loaded = False
        self.call("Page.navigate", url=page.absolute().as_uri())
        while not self.loaded:
            self._note(self._next())

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page."""
        found = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def press(self, key: str) -> None:
        """Press a key as a hand would: the focused element gets it."""
        code, text = KEYS[key]
        common = {"key": key, "windowsVirtualKeyCode": code}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **common)
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def picture(self) -> bytes:
        """A PNG of what the window shows."""
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self.reading], [], [], PATIENCE)
            assert ready, f"the browser has been silent for {PATIENCE} s"
            chunk = os.read(self.reading, 1 << 16)
            assert chunk, "the browser has gone"
            self._rest += chunk
        text, _, self._rest = self._rest.partition(b"\0")
        found: dict[str, Any] = json.loads(text)
        return found

    def _note(self, found: dict[str, Any]) -> None:
        params = found.get("params", {})
        if found.get("method") == "Page.loadEventFired":
            self.loaded = True
        elif found.get("method") == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif found.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded"):
            self.complaints.append(json.dumps(params))
        elif found.get("method") == "Runtime.consoleAPICalled":
            self.complaints.append(json.dumps(params["args"]))


@contextmanager
def browser() -> Iterator[Browser]:
    """Start a browser with a profile of its own, and end it."""
    theirs, ours = os.pipe()
    back, forth = os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = f"exec {PROGRAM} --headless=new --no-sandbox --disable-gpu --hide-scrollbars "
        command += "--no-first-run --disable-background-networking --remote-debugging-pipe "
        command += f"--user-data-dir={profile} about:blank 3<&{theirs} 4>&{forth}"
        process = subprocess.Popen(
            ["bash", "-c", command], pass_fds=(theirs, forth), stderr=subprocess.DEVNULL
        )
        os.close(theirs)
        os.close(forth)
        try:
            made = Browser(back, ours)
            target = made.call("Target.createTarget", url="about:blank")["targetId"]
            attached = made.call("Target.attachToTarget", targetId=target, flatten=True)
            made.session = attached["sessionId"]
            # A page in the background may leave keys unanswered.
            made.call("Emulation.setFocusEmulationEnabled", enabled=True)
            for domain in ("Page", "Runtime", "Log", "Network"):
                made.call(f"{domain}.enable")
            yield made
        finally:
            process.terminate()
            process.wait(10)
            os.close(ours)
            os.close(back)


def main(page: str, picture: str, width: str, height: str, theme: str = "light") -> None:
    """Write a picture of ``page``."""
    with browser() as made:
        made.call(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": theme}],
        )
        made.open(Path(page), int(width), int(height))
        time.sleep(0.3)
        Path(picture).write_bytes(made.picture())


if __name__ == "__main__":
    main(*sys.argv[1:])
