"""Files with something wrong in them: what the error says, where, and that nothing was built on the way."""

import json
import re
import tracemalloc

import pytest

import mixtransforms
from mixtransforms.files import check, nodes, parse

ENVELOPE = mixtransforms.to_dict(mixtransforms.OneOf([mixtransforms.MixUp(), mixtransforms.CutMix()]))


def changed(**changes):
    return ENVELOPE | changes


def node(**changes):
    return changed(pipeline=ENVELOPE["pipeline"] | changes)


def without(key):
    return {name: value for name, value in ENVELOPE.items() if name != key}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], r"\(\$\.format\): got list"),
        (changed(format="other"), r"\(\$\.format\): got 'other'"),
        (changed(format_version=3), r"\(\$\.format_version\): got 3; wanted 1 to 2.*newer mixtransforms"),
        (changed(format_version=True), r"\(\$\.format_version\): got True"),
        (changed(format_version=0), r"\(\$\.format_version\): got 0"),
        (changed(host="keras"), r"\(\$\.host\): got 'keras'"),
        (changed(host=["torchvision"]), r"\(\$\.host\): got \['torchvision'\]"),
        (changed(extra=1), r"\(\$\.extra\): got an unknown key.*'notes'"),
        (changed(**{"odd key\n": 1}), r"\(\$\[\"odd key\\n\"\]\)"),
        (changed(written_with=[]), r"\(\$\.written_with\): got \[\]"),
        (changed(written_with={"torch": 2}), r"\(\$\.written_with\.torch\): got 2"),
        (changed(**{"$schema": 3}), r"\$schema"),
        (without("pipeline"), r"\(\$\.pipeline\): got nothing"),
        (changed(pipeline=[]), r"\(\$\.pipeline\): got \[\]; wanted \{\"type\""),
        (node(type="mixtransforms.CutMx"), r"\(\$\.pipeline\.type\).*CutMx.*Did you mean 'mixtransforms\.CutMix'"),
        (node(type="os.system"), r"\(\$\.pipeline\.type\): got 'os\.system'"),
        (node(type="OneOff"), r"\(\$\.pipeline\.type\): got 'OneOff'.*Did you mean 'mixtransforms\.OneOf'"),
        (node(children=[{"type": "Mixup", "args": {}}]), r"\(\$\.pipeline\.children\[0\]\.type\): got 'Mixup'"),
        (node(type=3), r"\(\$\.pipeline\.type\): got 3"),
        (node(args={"wieghts": None}), r"\(\$\.pipeline\.args\.wieghts\).*Did you mean 'weights'"),
        (node(args={"p": 2}), r"Bad value for 'p' \(\$\.pipeline\.args\.p\): got 2; wanted a number within \[0, 1\]"),
        (node(args={"p": True}), r"\(\$\.pipeline\.args\.p\): got True"),
        (node(args={"p": "0.5"}), r"\(\$\.pipeline\.args\.p\): got '0\.5'"),
        (node(args={"weights": [1, 0.5]}), r"\(\$\.pipeline\.args\.weights\): got \[1, 0\.5\].*together at most 1"),
        (node(args={"weights": [0.5]}), r"\(\$\.pipeline\.args\).*1 weights for 2 methods"),
        (node(args=[]), r"\(\$\.pipeline\.args\): got \[\]"),
        (node(args={"transforms": []}), r"\(\$\.pipeline\.args\.transforms\)"),
        (node(args={"_steps": 1}), r"\(\$\.pipeline\.args\._steps\)"),
        (node(children={}), r"\(\$\.pipeline\.children\): got \{\}"),
        (node(children=[{"args": {}}]), r"\(\$\.pipeline\.children\[0\]\.type\): got nothing"),
        (node(children=[3]), r"\(\$\.pipeline\.children\[0\]\): got 3"),
        (
            node(children=[{"type": "mixtransforms.MixUp", "children": []}]),
            r"no container \(\$\.pipeline\.children\[0\]\.children\)",
        ),
        (node(children=[]), r"\(\$\.pipeline\.args\).*'transforms'"),
        (node(more=1), r"\(\$\.pipeline\.more\): got 'more'"),
        (node(arg={}), r"\(\$\.pipeline\.arg\).*Did you mean 'args'"),
        (node(args={"p": float("nan")}), r"\(\$\.pipeline\.args\.p\): got nan"),
        (node(args={"p": {1, 2}}), r"\(\$\.pipeline\.args\.p\): got \{1, 2\}"),
        (node(args={3: 1}), r"\(\$\.pipeline\.args\): got 3; wanted strings"),
        (node(args={"layout": "x" * 5000}), r"\(\$\.pipeline\.args\.layout\).*4096 characters"),
    ],
)
def test_bad_data_names_the_place(data, message):
    with pytest.raises(mixtransforms.ConfigError, match=message):
        mixtransforms.from_dict(data)


def test_arguments_may_be_left_out():
    file = without("written_with") | {"pipeline": {"type": "mixtransforms.MixUp"}}
    assert repr(mixtransforms.from_dict(file)) == "MixUp()"


def test_free_text_under_notes():
    assert repr(mixtransforms.from_dict(changed(notes={"run": 7}))) == repr(mixtransforms.from_dict(ENVELOPE))
    assert mixtransforms.to_dict(mixtransforms.MixUp(), notes="run 7")["notes"] == "run 7"
    assert "notes" not in mixtransforms.to_dict(mixtransforms.MixUp())


def test_data_that_holds_itself():
    data = node()
    data["pipeline"]["children"] = [data["pipeline"]]
    with pytest.raises(mixtransforms.ConfigError, match="at most 32 levels"):
        mixtransforms.from_dict(data)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1, "b": {"c": 1, "c": 2}}', r"A key twice \(\$\.b\.c\): got 'c'"),
        ('{"a": 1, "\\u0061": 2}', r"A key twice \(\$\.a\)"),
        ('{"a": [1, NaN]}', r"\(\$\.a\[1\]\): got 'NaN'"),
        ("[Infinity]", r"\(\$\[0\]\): got 'Infinity'"),
        ("[-Infinity]", r"\(\$\[0\]\): got '-Infinity'"),
        ('{"a": {"b": [0, 1e999]}}', r"\(\$\.a\.b\[1\]\): got '1e999'"),
        ("[" * 40 + "]" * 40, r"\(\$(\[0\]){32}\): got more levels; wanted at most 32 levels"),
        ('{"a": [' + "1" * 5000 + "]}", r"\(\$\.a\[0\]\): got one of 5000 digits"),
        ('{"a": "' + "x" * 5000 + '"}', r"\(\$\.a\).*at most 4096 characters"),
        ('{"good": 1, "' + "k" * 5000 + '": 2}', r"\(\$\.k{39}\).*at most 4096 characters"),
        ('{"' + "k" * 5000 + '": 2}', r"\(\$\.k{39}\)"),
        ('{"a": [' + "0," * 100_000 + "0]}", r"\(\$\.a\[\d+\]\).*at most 100000 values"),
        (r'{"a": "\ud800"}', "Half a character"),
        (b"\xff", r"Not UTF-8 \(byte 0\)"),
        ("{", r"Not JSON \(line 1, column 2\)"),
        ('{"a": 1}\n}', r"Not JSON \(line 2, column 1\)"),
        ("", "Not JSON"),
        (" " * (parse.MAX_BYTES + 1), "at most 1048576 bytes"),
        (None, "Not a text"),
    ],
)
def test_strict_reader(text, message):
    with pytest.raises(mixtransforms.ConfigError, match=message):
        parse.parse(text)


def test_brackets_in_strings_are_no_depth():
    assert parse.parse(json.dumps("[" * 100 + '"\\')) == "[" * 100 + '"\\'
    assert parse.parse(json.dumps(["\\\\", "\\", "]", {"{": ","}])) == ["\\\\", "\\", "]", {"{": ","}]


PLACES = (
    "$",
    "$.a",
    "$.a[0]",
    "$.a[1]",
    '$.a[1]["b c"]',
    '$.a[1]["b c"][0]',
    '$.a[1]["b c"][1]',
    '$[""]',
    "$.d",
    "$.d.e",
)


@pytest.mark.parametrize("key", ["b c", r"b\u0020c"])
def test_places_of_every_value(key):
    text = f'{{\n"a": [\n1,\n{{\n"{key}": [\n[],\n{{}}]}}],\n"": "x",\n"d": {{\n"e":\n-2.5}}}}'
    parsed = parse.parse_with_places(text)
    lines = parsed.lines({*PLACES, "$.b", "$.a[2]", "$.a[1].b", "$.d.e.f"})
    assert list(lines.items()) == [(path, line) for line, path in enumerate(PLACES, start=1)]
    assert parsed.lines({"$.a", "$.d"}) == {"$": 1, "$.a": 2, "$.d": 9}


def test_places_of_yaml():
    pytest.importorskip("yaml")
    text = "a: &list\n- 1\n- b c:\n  - []\n  - {}\n'': x\nd:\n  e: -2.5\nagain: *list\n"
    lines = parse.parse_with_places(text, yaml=True).lines({*PLACES, "$.again", "$.again[0]"})
    numbers = (1, 1, 2, 3, 4, 4, 5, 6, 8, 8)  # of values, which YAML writes below their keys
    assert list(lines.items()) == [*zip(PLACES, numbers, strict=True), ("$.again", 9)]


def test_load_names_the_file(tmp_path):
    path = tmp_path / "broken.json"
    path.write_text("{")
    with pytest.raises(mixtransforms.ConfigError, match=r"broken\.json: Not JSON"):
        mixtransforms.load(path)


def test_an_error_has_the_parts_of_its_first_problem(tmp_path):
    path = tmp_path / "wrong.json"
    path.write_text(json.dumps(node(args={"p": 2, "per": "sampel"})))
    with pytest.raises(mixtransforms.ConfigError) as caught:
        mixtransforms.load(path)
    error, first = caught.value, caught.value.problems[0]
    assert (error.what, error.where, error.got) == ("Bad value for 'p'", "$.pipeline.args.p", "2")
    assert (error.wanted, error.fix) == (first.wanted, first.fix)
    text = f"{path}: {first} (1 more; `mixtransforms validate` lists them.)"
    assert str(error) == text
    assert f"{error.what} ({error.where}): got {error.got}; wanted {error.wanted}. {error.fix}" in text


def test_every_problem_has_its_line(tmp_path):
    path = tmp_path / "wrong.json"
    file = node(args={"p": 2, "per": "sampel"}, children=[{"type": "mixtransforms.MixUp", "args": {"alhpa": 1}}])
    path.write_text(json.dumps(file, indent=1))
    lines = path.read_text().splitlines()
    problems = check(path)
    assert len(problems) == 3
    for line, text in problems:
        name = re.search(r"\.(\w+)\): got", text)[1]
        assert f'"{name}"' in lines[line - 1]
    with pytest.raises(mixtransforms.ConfigError, match="2 more; `mixtransforms validate`"):
        mixtransforms.load(path)


def test_what_is_missing_has_the_line_of_what_should_hold_it(tmp_path):
    path = tmp_path / "wrong.json"
    path.write_text(json.dumps(node(children=[{"args": {}}]), indent=1))
    ((line, text),) = check(path)
    assert "children[0].type" in text
    assert path.read_text().splitlines()[line - 1].strip() == "{"


def test_no_flood_of_problems(tmp_path):
    path = tmp_path / "wrong.json"
    path.write_text(json.dumps(node(children=[{}] * 5000)))
    assert len(check(path)) == 100
    with pytest.raises(mixtransforms.ConfigError, match="many more"):
        mixtransforms.load(path)


def test_as_many_transforms_as_a_file_may_hold():
    children = ENVELOPE["pipeline"]["children"][:1] * (nodes.MAX_TRANSFORMS - 1)
    mixtransforms.from_dict(node(children=children))
    message = r"Beyond a limit \(\$\.pipeline\): got more transforms; wanted at most 10000 transforms"
    with pytest.raises(mixtransforms.ConfigError, match=message):
        mixtransforms.from_dict(node(children=[*children, children[0]]))
    half = node(children=children[:6000])["pipeline"] | {"type": "mixtransforms.Sequential"}
    with pytest.raises(mixtransforms.ConfigError, match=message):
        mixtransforms.from_dict(node(children=[half, half]))


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("\n" * 9 + "[" * 1_000_000, 10, "at most 32 levels"),
        ("\n" + '{"a":' * 200_000, 2, "at most 32 levels"),
        ("[\n" + "0," * 500_000, 2, "at most 100000 values"),
        ('["",\n"' + "\\n" * 500_000 + '"]', 2, "at most 4096 characters"),
        ("[" * 32 + "\n" + "]" * 32 + "," + "[" * 1_000_000, 2, "at most 32 levels"),
        ("[\n" + "[" * 31 + '"a", ' * 100_000 + "[" * 400_000, 2, "at most 100000 values"),
        pytest.param(
            '{"a":'
            + f'{{"{"k" * 250}":' * 20
            + "{"
            + ",".join(f'"{number}":1' for number in range(90_000))
            + ',\n"7":1',
            2,
            "each key once",
            marks=pytest.mark.full,  # seven seconds
        ),
    ],
    ids=["lists", "objects", "values", "escapes", "beside", "inside", "long paths"],
)
def test_what_is_beyond_a_limit_costs_nothing(tmp_path, text, line, told):
    path = tmp_path / "large.json"
    path.write_text(text + "}" * 22 if told == "each key once" else text)
    tracemalloc.start()
    try:
        ((found, problem),) = check(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found == line
    assert told in problem
    assert peak < 50 * 2**20


def test_a_file_with_a_problem_builds_nothing(monkeypatch):
    built = []
    original = mixtransforms.MixUp.__init__

    def recorded(self, *args, **options):
        built.append(type(self))
        original(self, *args, **options)

    monkeypatch.setattr(mixtransforms.CutMix, "__init__", recorded)
    good = {"type": "mixtransforms.CutMix", "args": {}}
    mixtransforms.from_dict(changed(pipeline=good | {"args": {}}))
    with pytest.raises(mixtransforms.ConfigError):
        mixtransforms.from_dict(changed(pipeline=good | {"args": {"alpha": -1}}))
    assert len(built) == 1


@pytest.mark.parametrize(
    ("ending", "text", "line"),
    [
        ("json", '{"a": 1,\n\n "b": [1,\n NaN]}', 4),
        ("json", '{"a": 1,\r\n "b": 1,\r\n "a": 2}', 3),
        ("json", '{"a": 1,\n "b": }', 2),
        ("json", b'{"a": 1,\n "b": "\xff"}', 2),
        ("yaml", "a: 1\nb:\n  - !!int 3\n", 3),
        ("yaml", "a: 1\nb: .inf\n", 2),
        ("yaml", "a: 1\nb: 2\na: 3\n", 3),
        ("yaml", "a: 1\n---\nb: 2\n", 2),
        ("yaml", "a: 1\nb: [1,\n", 3),
        ("yaml", "a: 1\nb:\n\t- 1\n", 3),
    ],
)
def test_what_is_no_text_of_a_pipeline_has_its_line(tmp_path, ending, text, line):
    if ending == "yaml":
        pytest.importorskip("yaml")
    path = tmp_path / f"wrong.{ending}"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    ((found, _),) = check(path)
    assert found == line


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("1", 1),
        ("-0.5", -0.5),
        (".5", 0.5),
        ("+2", 2),
        ("1.", 1.0),
        ("1e-3", 0.001),
        ("true", True),
        ("~", None),
        ("no", "no"),
        ("010", "010"),
        ("0x1F", "0x1F"),
        ("1:30", "1:30"),
        ("2020-01-01", "2020-01-01"),
        ("'1'", "1"),
        ("1_000", "1_000"),
    ],
)
def test_words_of_yaml(word, value):
    pytest.importorskip("yaml")
    read = parse.parse(f"a: {word}", yaml=True)["a"]
    assert read == value
    assert type(read) is type(value)
