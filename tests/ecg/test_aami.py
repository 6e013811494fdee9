"""The classes of EC57 and the symbols that they gather."""

import pytest
import wfdb.io.annotation

from pipeline.ecg.aami import CLASS_OF_SYMBOL, CLASSES, NON_BEAT_SYMBOLS, is_known_symbol


def test_classes_stand_in_the_order_of_their_labels():
    assert CLASSES == ("N", "S", "V", "F", "Q")
    assert set(CLASSES) == set(CLASS_OF_SYMBOL.values())


@pytest.mark.parametrize(("aami", "symbols"), [("N", "NLRejB"), ("S", "AaJSn"), ("V", "VEr"), ("F", "F"), ("Q", "/fQ")])
def test_symbols_of_a_class(aami, symbols):
    assert {symbol for symbol, found in CLASS_OF_SYMBOL.items() if found == aami} == set(symbols)


def test_no_symbol_is_a_beat_and_something_else():
    assert not NON_BEAT_SYMBOLS & set(CLASS_OF_SYMBOL)


def test_every_symbol_of_wfdb_but_the_learning_beat_can_be_placed():
    standard = {label.symbol for label in wfdb.io.annotation.ann_labels if label.symbol.strip()}
    assert {symbol for symbol in standard if not is_known_symbol(symbol)} == {"?"}
