"""The command that breaks the package in small places: what it changes, what it leaves alone, and how it goes on."""

import json
from dataclasses import asdict

import mutate
import pytest

SOURCE = b'''"""Words -1."""
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    LIMIT = 3

def f(a: "int | None", b: int = 2) -> int:
    """Words 1 + 1."""
    if not a < b and True:
        raise ValueError(f"{a + b}")
    g(a, b)  # \xc3\xa9
    return -a if a else b * 2
'''


def test_every_kind_of_change():
    found = {mutant.change: mutant for mutant in mutate.mutants("f.py", SOURCE)}
    assert {
        "2 -> 3", "2 -> 1", "a < b -> a <= b", "a < b -> a >= b", "not a < b -> a < b", "True -> False", "-a -> a",
        "not a < b and True -> not a < b or True", "g(a, b) -> g(b, a)", "g(a, b) -> pass", "b * 2 -> b / 2",
        "return -a if a else b * 2 -> return None", "-a if a else b * 2 -> -a if not a else b * 2",
        "raise ValueError(f'{a + b}') -> pass",
    } == set(found)  # fmt: skip
    assert all(mutate.is_another(mutant, SOURCE) for mutant in found.values())
    assert found["b * 2 -> b / 2"].applied(SOURCE) == SOURCE.replace(b"b * 2", b"(b / 2)"), "counted in bytes"
    assert found["g(a, b) -> pass"].line == 10


def test_no_mutant_is_the_same_code_or_none():
    same = mutate.Mutant("f.py", 6, SOURCE.index(b"= 2"), SOURCE.index(b"= 2") + 3, "=  2", "")
    none = mutate.Mutant("f.py", 6, SOURCE.index(b"= 2"), SOURCE.index(b"= 2") + 3, "= =", "")
    assert not mutate.is_another(same, SOURCE)
    assert not mutate.is_another(none, SOURCE)


@pytest.mark.full
def test_a_seed_chooses_the_same_ones_and_fewer_are_the_first_of_more():
    first, again = mutate.chosen(["core/layout"], 5, 6), mutate.chosen(["core/layout.py"], 5, 3)
    assert first[:3] == again
    assert len(set(first)) == 6
    assert mutate.chosen(["core/layout"], 6, 6) != first
    with pytest.raises(SystemExit, match="no such_room"):
        mutate.files_of(["such_room"])


@pytest.mark.full
def test_what_is_known_is_not_run_again(tmp_path, monkeypatch):
    found, out, asked = mutate.chosen(["core/layout"], 5, 3), tmp_path / "out.jsonl", []
    verdicts = iter([("survived", ""), ("killed", "tests/a.py::b"), ("timeout", "")])
    monkeypatch.setattr(mutate, "copied", lambda folder: mutate.ROOT)
    monkeypatch.setattr(mutate, "verdict", lambda *given: asked.append(given) or next(verdicts))
    monkeypatch.setattr(mutate.Path, "write_bytes", lambda *_: None)
    known = {"mutant": asdict(found[1]), "arguments": ["-k", "x"], "result": "survived", "by": "", "seconds": 1.0}
    out.write_text(json.dumps(known) + "\n" + json.dumps(known | {"arguments": []}) + "\n")
    results = mutate.examine(found, ["-k", "x"], 60, out)
    assert [results[mutant]["result"] for mutant in found] == ["killed", "survived", "timeout"]
    assert len(asked) == 3, "once without a change"
    assert len(out.read_text().splitlines()) == 4
    page = mutate.table(results)
    assert page.startswith("2 of 3 killed (1 by time)")
    assert page.index("| survived |") < page.index("| killed |")
