"""Text for LaTeX: every character literally, in ASCII, with places where a long word may break.

The result needs no package, input encoding or font encoding, so that it compiles in any document.
"""

from __future__ import annotations

import re
import unicodedata

from benchmark.report.model import one_line

_MATH = {
    "±": r"\pm", "†": r"\dagger", "→": r"\rightarrow", "←": r"\leftarrow", "↔": r"\leftrightarrow",
    "↑": r"\uparrow", "↓": r"\downarrow", "⇒": r"\Rightarrow", "−": "-", "×": r"\times",
    "·": r"\cdot", "≤": r"\leq", "≥": r"\geq", "≠": r"\neq", "≈": r"\approx", "∞": r"\infty",
    "°": r"^\circ", "∅": r"\emptyset", "∈": r"\in", "√": r"\surd", "²": "^2", "³": "^3",
    "α": r"\alpha", "β": r"\beta", "γ": r"\gamma", "δ": r"\delta", "ε": r"\varepsilon",
    "λ": r"\lambda", "μ": r"\mu", "µ": r"\mu", "π": r"\pi", "ρ": r"\rho", "σ": r"\sigma",
    "τ": r"\tau", "φ": r"\varphi", "Δ": r"\Delta", "Σ": r"\Sigma", "Ω": r"\Omega",
}  # fmt: skip

_ARROW = re.compile(r"(?<!\S)->(?!\S)")

_TEXT = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#",
    "%": r"\%", "_": r"\_", "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}",
    # A straight quotation mark is no character of TeX's first font encoding.
    '"': r"{\char34}", "`": r"{\char96}",
    # Behind the end of a row a bracket or star would be read as an option of it.
    "[": "{[}", "]": "{]}", "*": "{*}",
    "–": "--", "—": "---", "…": r"\ldots{}", "‘": "`", "’": "'", "“": "``", "”": "''",
    "‡": r"\ddag{}", "§": r"\S{}", "©": r"\copyright{}", "•": r"\textbullet{}",
    "ß": r"\ss{}", "ø": r"\o{}", "Ø": r"\O{}", "æ": r"\ae{}", "Æ": r"\AE{}", "œ": r"\oe{}",
    "ł": r"\l{}", "Ł": r"\L{}", "ı": r"\i{}",
}  # fmt: skip

_ACCENTS = {
    "\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0304": "=", "\u0306": "u",
    "\u0307": ".", "\u0308": '"', "\u030a": "r", "\u030b": "H", "\u030c": "v", "\u0327": "c",
}  # fmt: skip

LONGEST_WORD = 24
"""Characters without a blank after which a line may break, so that no path runs off the page."""


def escape(text: str) -> str:
    """``text`` on one line, as LaTeX that prints it.

    Letters with an accent are composed. What the usual fonts lack becomes a question mark: a table
    must not stop a paper.
    """
    arrows = _ARROW.sub("→", one_line(text))
    return " ".join(_word(word) for word in arrows.split(" "))


def _word(word: str) -> str:
    printed = [_character(character) for character in word]
    pieces = [printed[i : i + LONGEST_WORD] for i in range(0, len(printed), LONGEST_WORD)]
    return r"\allowbreak{}".join("".join(piece) for piece in pieces)


def _character(character: str) -> str:
    if character in _TEXT:
        return _TEXT[character]
    if character in _MATH:
        return f"${_MATH[character]}$"
    if character.isascii():
        return character
    base, *accents = list(unicodedata.normalize("NFD", character))
    if len(accents) == 1 and accents[0] in _ACCENTS and base.isascii():
        return rf"\{_ACCENTS[accents[0]]}{{{base}}}"
    return "?"
