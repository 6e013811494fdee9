"""The five heartbeat classes of ANSI/AAMI EC57 and the annotation symbols that each one gathers."""

from typing import Final

CLASSES: Final = ("N", "S", "V", "F", "Q")

_SYMBOLS: Final = {
    "N": ("N", "L", "R", "e", "j", "B"),
    "S": ("A", "a", "J", "S", "n"),
    "V": ("V", "E", "r"),
    "F": ("F",),
    "Q": ("/", "f", "Q"),
}

CLASS_OF_SYMBOL: Final = {symbol: aami for aami, symbols in _SYMBOLS.items() for symbol in symbols}
"""AAMI class of every beat symbol; a symbol that is not a key is not a beat."""

NON_BEAT_SYMBOLS: Final = frozenset("+~|x![]\"=ptu`'^sT*D@()")
"""WFDB annotation symbols that mark rhythm, signal quality or waveform points, not beats."""


def is_known_symbol(symbol: str) -> bool:
    """Whether `symbol` is a WFDB annotation symbol that this project can place."""
    return symbol in CLASS_OF_SYMBOL or symbol in NON_BEAT_SYMBOLS
