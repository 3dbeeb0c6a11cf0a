"""Files that a stranger may send: every one must be refused by name, and nothing may happen while it is read.

``FILES`` has them by name (its ending says the reader), ``NAMED`` the words that the error must have, such as the JSON path
of what is wrong. ``HARMLESS`` looks no better, but must load: what stands there is never read, opened or run.
"""

import base64
import copy
import json
import pickle
import re
from collections.abc import Iterable, Iterator
from typing import Any

Content = bytes | str
Node = dict[str, Any]

FILES: dict[str, Content] = {}
NAMED: dict[str, tuple[str, ...]] = {}
HARMLESS: dict[str, Content] = {}

FORMAT = "mixtransforms/pipeline"
MIB = 1 << 20
TORCHVISION, ALBUMENTATIONS, NEUTRAL = HOSTS = ("torchvision", "albumentations", "neutral")
MIXUP: Node = {"type": "mixtransforms.MixUp", "args": {"alpha": 0.4}}
RESIZE: Node = {"type": "torchvision.Resize", "args": {"size": [8, 8]}}
FLIP: Node = {"type": "albumentations.HorizontalFlip", "args": {"p": 0.5}}
PICKLE = base64.b64encode(pickle.dumps(len)).decode()
CODE = "__import__('os').system('id')"


def slug(text: Any) -> str:
    """A few harmless characters of a text, for the name of a file."""
    return (
        re.sub(r"[^A-Za-z0-9]+", "-", json.dumps(text) if not isinstance(text, str) else text).strip("-")[:40]
        or "empty"
    )


def add(name: str, content: Content, *words: str) -> None:
    """One more file; names that are taken get a number."""
    stem, dot, ending = name.rpartition(".")
    number = 2
    while name in FILES:
        name, number = f"{stem}-{number}{dot}{ending}", number + 1
    FILES[name] = content
    NAMED[name] = words


def add_all(prefix: str, cases: Iterable[tuple[Any, ...]], ending: str = "json") -> None:
    """Files of ``(name, content, *words)``."""
    for name, content, *words in cases:
        add(f"{prefix}-{name}.{ending}", content, *words)


def envelope(pipeline: Any, host: str = TORCHVISION, **more: Any) -> Node:
    """A whole file around a node."""
    return {"format": FORMAT, "format_version": 2, "host": host, "pipeline": pipeline} | more


def host_of(name: str) -> str:
    """The host that a type is looked up in."""
    return ALBUMENTATIONS if name.startswith("albumentations") else TORCHVISION


def of_type(name: Any, args: Any = None, host: str | None = None, **more: Any) -> str:
    """A file of one node."""
    host = host or host_of(str(name))
    return json.dumps(envelope({"type": name, "args": {} if args is None else args} | more, host))


def around(*children: Node, host: str = TORCHVISION, **args: Any) -> str:
    """A file of a BatchCompose."""
    return json.dumps(envelope({"type": "mixtransforms.BatchCompose", "args": args, "children": list(children)}, host))


def saved(transform: Any, version: Any = "2.0.8", **more: Any) -> str:
    """What ``A.save`` writes."""
    return json.dumps({"__version__": version, "transform": transform} | more)


def saved_class(name: Any, /, **args: Any) -> str:
    """What ``A.save`` writes of one transform."""
    return saved({"__class_fullname__": name} | args)


GOOD = json.dumps(envelope(MIXUP, NEUTRAL))
GOOD_YAML = f"""\
format: {FORMAT}
format_version: 2
host: neutral
pipeline:
  type: mixtransforms.MixUp
  args:
    alpha: 0.4
"""
GOOD_SAVED = saved_class("HorizontalFlip", p=0.5)


# ---------------------------------------------------------------------------------------------------------------- types

DOTTED = """
    os.system logging.os.system builtins.eval builtins.exec builtins.open subprocess.Popen posix.system pickle.loads
    numpy.load torch.load torch.hub.load yaml.unsafe_load cv2.imread importlib.import_module torchvision.os.system
    torchvision.transforms.v2.Resize torchvision.transforms.v2.functional.resize
    torchvision.transforms.v2.functional._misc.torch.hub.load torchvision.utils.pathlib.Path.unlink
    torchvision.datasets.ImageFolder torchvision.io.read_image torchvision.models.get_model
    albumentations.check_version.urllib.request.urlopen torch.nn.modules.module.torch.load
    albumentations.augmentations.transforms.Blur albumentations.core.serialization.load mixtransforms.cli.main
    mixtransforms.files.load mixtransforms.methods.registry.METHODS.clear
    mixtransforms.MixUp.__init__.__globals__ mixtransforms.MixUp.__class__ mixtransforms.__loader__
    keras.layers.Lambda monai.transforms.Lambda kornia.augmentation.RandomMixUpV2 timm.data.Mixup
    hydra.utils.get_object transformers.AutoImageProcessor.from_pretrained __main__.MixUp
""".split()
"""Types that would be found by importing what stands before the last dot."""

NOT_COVERED = """
    torchvision.Lambda torchvision.Transform torchvision.functional torchvision.InterpolationMode
    torchvision.AutoAugmentPolicy torchvision._transform torchvision.__dict__ torchvision.__builtins__
    albumentations.Lambda albumentations.TextImage albumentations.FDA albumentations.HistogramMatching
    albumentations.PixelDistributionAdaptation albumentations.BasicTransform albumentations.BaseCompose
    albumentations.ImageOnlyTransform albumentations.DualTransform albumentations.Transform3D
    albumentations.NoOp.apply albumentations.from_dict albumentations.load albumentations.save
    albumentations.BboxParams albumentations.BaseCropAndPad albumentations.__version__ albumentations.np
    mixtransforms.load mixtransforms.save mixtransforms.from_json mixtransforms.Method mixtransforms.Plan
    mixtransforms.MixTransform mixtransforms.Transform mixtransforms.BoxRules mixtransforms.ConfigError custom.MixUp
    custom.os.system custom.Lambda custom.__init__ custom. custom
""".split()
"""Names that the hosts or we do export, and that are no transforms to be had from a file."""

MISSPELT = (
    *("", ".", "torchvision", "torchvision.", ".Resize", "torchvision..Resize", "torchvision.Resize."),
    *(" torchvision.Resize", "torchvision.Resize ", "torchvision .Resize", "Torchvision.Resize", "torchvision.resize"),
    *("torchvision.RESIZE", "torchvision/Resize", "torchvision:Resize", "torchvision.Resizer", "v2.Resize", "A.Blur"),
    *("torchvision.Res\u0456ze", "torchvision.\uff32esize", "torchvision.Re\u200bsize", "torchvision.Resize\u0301"),
    *("torchvision.Resize\x00", "torchvision.Resize\n", "torchvision.Re\r\nsize", "\x1b[31mtorchvision.Resize\x1b[0m"),
    *("torchvision.\u202eeziseR", "torchvision.Resize\x7f\x9b0m", "torchvision.Resize\u2028"),
    *("\ufefftorchvision.Resize", "${oc.env:HOME}", "{{7*7}}", "{0.__class__}", "%s%s%s%n", "$(id)", "`id`"),
    *("%(password)s", "; id", "| id", "' OR 1=1", "../../etc/passwd", "/etc/passwd", "file:///etc/passwd"),
    *("http://example.com/x.json", "\\\\host\\share\\x"),
)


def types() -> Iterator[tuple[Any, ...]]:
    """Types that are in no table."""
    for name in (*DOTTED, *NOT_COVERED, *MISSPELT):
        shown = () if not name.isprintable() or "\\" in name or "'" in name else (name,)
        yield slug(name), of_type(name), "$.pipeline.type", *shown
    yield "4000-characters", of_type("torchvision." + "x" * 4000), "$.pipeline.type"
    yield "4000-escapes", of_type("\x1b" * 4000), "$.pipeline.type"
    yield "4000-near", of_type("torchvision." + "Resize" * 660), "$.pipeline.type"
    for wrong in (None, True, 3, 0.5, [], ["torchvision.Resize"], {}, {"name": "torchvision.Resize"}):
        yield f"not-a-string-{slug(wrong)}", of_type(wrong), "$.pipeline.type"
    for name in ("os.system", "torchvision.Lambda", "mixtransforms.Plan", "custom.X"):
        yield f"inside-{slug(name)}", around(RESIZE, {"type": name, "args": {}}), "$.pipeline.children[1].type", name
    for host, name in ((ALBUMENTATIONS, "torchvision.Resize"), (TORCHVISION, "albumentations.HorizontalFlip")):
        meant = name.partition(".")[0]  # one problem for all types, and the word to write
        yield f"of-another-host-{host}", of_type(name, host=host), "$.host", meant
        yield f"of-no-host-{host}", of_type(name, host=NEUTRAL), "$.host", meant
        yield f"inside-of-another-host-{host}", around({"type": name, "args": {}}, host=host), "$.host", meant
    yield "both-hosts", around(RESIZE, FLIP), "$.pipeline.children[1].type", "albumentations.HorizontalFlip"
    yield "batch-compose-of-no-host", around(MIXUP, host=NEUTRAL), "$.pipeline.type", "mixtransforms.BatchCompose"
    one_of = {"type": "mixtransforms.OneOf", "args": {}, "children": [MIXUP, RESIZE]}
    yield "a-host-in-one-of", json.dumps(envelope(one_of)), "$.pipeline.children[1]"
    one_of = one_of | {"children": [{"type": "mixtransforms.BatchCompose", "args": {}, "children": [MIXUP]}]}
    yield "a-pipeline-in-one-of", json.dumps(envelope(one_of)), "$.pipeline.children[0]"


# ------------------------------------------------------------------------------------- keys that others load code through

LOADERS: dict[str, Any] = {
    "_target_": "os.system",
    "_partial_": True,
    "_args_": ["id"],
    "_attn_implementation_internal": "someone/kernel",
    "module": "os",
    "class_name": "system",
    "registered_name": "os>system",
    "config": {"module": "builtins", "class_name": "eval"},
    "safe_mode": None,
    "__class_fullname__": "os.system",
    "__type__": "Lambda",
    "__class__": "os.system",
    "__init__": {"__globals__": {}},
    "__dict__": {"alpha": 1},
    "__reduce__": ["os.system", ["id"]],
    "__setstate__": PICKLE,
    "__proto__": {"allow": ["os.system"]},
    "__builtins__": {},
    "py/object": "os.system",
    "py/reduce": [{"py/type": "os.system"}, {"py/tuple": ["id"]}],
    "$eval": CODE,
    "$ref": "file:///etc/passwd",
    "$import": "os",
    "auto_map": {"AutoImageProcessor": "someone/repository--code.Evil"},
    "trust_remote_code": True,
    "registry": {"torchvision.Evil": "os.system"},
    "register": "os.system",
    "allow": ["os.system"],
    "pickle": PICKLE,
    "lambda": "lambda x: x",
    "include": "/etc/passwd",
    "extends": "http://example.com/base.json",
    "state_dict": {"weight": PICKLE},
    "requirements": ["evil"],
    "": 1,
    " ": 1,
    "type ": "torchvision.Resize",
    "Type": "torchvision.Resize",
    "a.b": 1,
    "a'b\"c]": 1,
    "\x1b[2J": 1,
    "\n$.pipeline: fine": 1,
    "\u202e": 1,
    "k" * 250: 1,
}
"""Keys through which other formats run code, and keys that would make a mess of a message."""


def loader_keys() -> Iterator[tuple[Any, ...]]:
    """Every such key in every place where there is a dict."""
    for key, value in LOADERS.items():
        shown = (key,) if key.isprintable() and not set(key) & set("'\"") and len(key) < 50 else ()
        yield f"top-{slug(key)}", json.dumps(envelope(MIXUP) | {key: value}), "$", *shown
        yield f"node-{slug(key)}", of_type("torchvision.Resize", {"size": 8}, **{key: value}), "$.pipeline", *shown
        yield f"args-{slug(key)}", of_type("torchvision.Resize", {"size": 8, key: value}), "$.pipeline.args", *shown
        yield f"value-{slug(key)}", of_type("torchvision.Resize", {"size": {key: value}}), "$.pipeline.args.size"
        yield f"instead-{slug(key)}", json.dumps(envelope({key: value})), "$.pipeline"
    for key in "self args kwargs cls transforms _size size_ Size training params always_apply".split():
        yield f"args-{key}", of_type("torchvision.Resize", {"size": 8, key: 1}), "$.pipeline.args", key
        yield f"args-albumentations-{key}", of_type("albumentations.Blur", {key: [3, 5]}), "$.pipeline.args", key
        yield f"args-mixtransforms-{key}", of_type("mixtransforms.MixUp", {key: 1}, NEUTRAL), "$.pipeline.args", key


# --------------------------------------------------------------------------------------------------------- functions, paths

FUNCTIONS = (
    *("os.system", "builtins.len", "lambda x: x", CODE, "numpy.load", "/etc/passwd", {"_target_": "os.system"}),
    *(["os", "system"], {"$eval": CODE}, {"__type__": "function", "name": "len"}, {"code": "aGk="}, {"pickle": PICKLE}),
    *(True, 0),
)

TAKE_FUNCTIONS = (
    ("mixtransforms.MixUp", "labels_getter", {}),
    ("torchvision.CutMix", "labels_getter", {"num_classes": 3}),
    ("torchvision.SanitizeBoundingBoxes", "labels_getter", {}),
    ("albumentations.Equalize", "mask", {}),
)

REFUSED_WITH = (
    ("torchvision.Lambda", {"lambd": "os.system"}),
    ("torchvision.Lambda", {"lambd": CODE, "types": ["builtins.object"]}),
    ("albumentations.Lambda", {"image": "os.system"}),
    ("albumentations.Lambda", {"name": "x", "image": {"__type__": "function"}}),
    ("albumentations.TextImage", {"font_path": "/etc/passwd"}),
    ("albumentations.TextImage", {"font_path": "http://example.com/font.ttf"}),
    ("albumentations.FDA", {"reference_images": ["/etc/passwd"], "read_fn": "numpy.load"}),
    ("albumentations.FDA", {"read_fn": None}),
    ("albumentations.HistogramMatching", {"reference_images": ["/etc/passwd"]}),
    ("albumentations.HistogramMatching", {"read_fn": {"_target_": "numpy.load", "allow_pickle": True}}),
    ("albumentations.PixelDistributionAdaptation", {"reference_images": [PICKLE], "read_fn": "pickle.loads"}),
    ("albumentations.TemplateTransform", {"templates": "/etc/passwd"}),
)


def functions() -> Iterator[tuple[Any, ...]]:
    """Functions by name, as code and as pickles; classes that read files."""
    for name, argument, args in TAKE_FUNCTIONS:
        for value in FUNCTIONS:
            yield f"{slug(name)}-{slug(value)}", of_type(name, args | {argument: value}), f"$.pipeline.args.{argument}"
    for name, args in REFUSED_WITH:
        yield slug(name), of_type(name, args), "$.pipeline.type", name
    for value in (
        *(PICKLE, {"$ref": "#/pipeline"}, {"file": "/etc/passwd"}, {"py/tuple": [8, 8]}, "eval:8*8", "8,8", "@size"),
        "${size}",
    ):
        yield f"size-{slug(value)}", of_type("torchvision.Resize", {"size": value}), "$.pipeline.args.size"


# ------------------------------------------------------------------------------------------------------- the text of a file


def brackets(opening: str, closing: str, number: int) -> str:
    return opening * number + closing * number


def in_place(value: str, place: str) -> str:
    """A good text with a raw value in one place: alpha, an element, notes or the version."""
    texts = {
        "alpha": GOOD.replace("0.4", value),
        "element": of_type("torchvision.Resize", {"size": ["@", 8]}).replace('"@"', value),
        "notes": json.dumps(envelope(MIXUP, NEUTRAL, notes={"a": [1, "@"]})).replace('"@"', value),
        "version": GOOD.replace('"format_version": 2', f'"format_version": {value}'),
    }
    return texts[place]


PLACES = {
    "alpha": "$.pipeline.args.alpha",
    "element": "$.pipeline.args.size[0]",
    "notes": "$.notes.a[1]",
    "version": "$.format_version",
}

NO_NUMBERS = (
    *("NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1" + "0" * 400 + ".0", "1" * 5000, "-" + "1" * 21, "9" * 21),
)

NOT_JSON = (
    *("", " ", "\n", "\x00", "{", "}", "[", "]", '"', '"abc', "{]", "[}", '{"a"}', '{"a":}', '{"a":1,}', "[1,]", "[,]"),
    *(",", ":", '{"a" 1}', "{a: 1}", "{'a': 1}", "{1: 2}", "nul", "None", "True", "undefined", "truee", "+1", "01"),
    *("1.", ".5", "1e", "0x10", "1_000", "--1", "-", "1 2", "{} {}", "[] x", "// x\n{}", "/* x */ {}", "# x\n{}"),
    *('{"a": 1 /* x */}', '"\\x41"', '"\\u12"', '"\\"', '"\\', '"a\nb"', '"a\tb"', '"a\x00b"', '"a\x1fb"', "(1)"),
    *("<a/>", "b'x'", "```json\n{}\n```", "format = 1", "---\na: 1", "=cmd|' /C calc'!A0", "#!/bin/sh\nid"),
    *("\x80\x04\x95.", "PK\x03\x04", "%PDF-1.7", "\x89PNG\r\n", "\x1f\x8b\x08", "\u2028", "\xa0{}", GOOD + "}"),
    *(GOOD + GOOD, GOOD + "\x00", GOOD + ",", GOOD[:-1], GOOD[: len(GOOD) // 2], GOOD.replace('"', "'"), GOOD + "#"),
    *(GOOD.replace(":", "="), GOOD.replace(", ", ","[:0]), GOOD.replace('"pipeline"', "pipeline"), GOOD_YAML),
)

NOT_UTF8 = (
    *(GOOD.encode(coding) for coding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be")),
    *(b"\xff", b"\xfe\xff", b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff", b"\xef\xbb\xbf", b"\xef\xbb", b"\xc3", b"\x80"),
    b"\xf5\x80\x80\x80",
    *(
        GOOD.encode().replace(b"MixUp", bad)
        for bad in (b"\xc0\xaf", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80", b"Mix\xfc", b"\xe2\x82")
    ),
    *(GOOD.encode() + b"\xff", b"\xff" + GOOD.encode(), GOOD.encode("cp037")),
    GOOD.encode("utf-7").replace(b"{", b"+AHs-"),
)

SURROGATES = (
    (r"key", GOOD.replace('"alpha"', r'"\ud800"')),
    (r"low-key", GOOD.replace('"alpha"', r'"\udc00"')),
    (r"type", GOOD.replace("MixUp", r"\ud83d")),
    (r"swapped", GOOD.replace("MixUp", r"\ude00\ud83d")),
    (r"top-key", GOOD.replace("{", r'{"\ud800": 1, ', 1)),
    (r"value", of_type("mixtransforms.MixUp", {"layout": "@"}, NEUTRAL).replace("@", r"\udfff")),
    (r"raw-in-text", GOOD.replace("MixUp", "\ud800")),
    (r"raw-key-in-text", GOOD.replace("alpha", "\udfff")),
)


def texts() -> Iterator[tuple[Any, ...]]:
    """What is no strict JSON."""
    for number, text in enumerate(NOT_JSON):
        yield f"syntax-{number}-{slug(text)[:12]}", text
    for number, raw in enumerate(NOT_UTF8):
        yield f"coding-{number}", raw
    for value in NO_NUMBERS:
        for place, path in PLACES.items():
            yield f"number-{place}-{slug(value)[:12]}-{len(value)}", in_place(value, place), path
        yield f"number-alone-{slug(value)[:12]}-{len(value)}", value, "$"
    for name, text in SURROGATES:
        yield f"surrogate-{name}", text


def twice() -> Iterator[tuple[Any, ...]]:
    """Duplicate keys, of which Python's reader silently takes the last."""
    yield "format", GOOD.replace("{", '{"format": "other", ', 1), "$", "format"
    yield "format-at-the-end", GOOD[:-1] + f', "format": "{FORMAT}"}}', "$", "format"
    yield "pipeline", GOOD[:-1] + ', "pipeline": {"type": "torchvision.Lambda", "args": {}}}', "$", "pipeline"
    yield "host", GOOD.replace('"host"', '"host": "torchvision", "host"'), "$", "host"
    yield "type", GOOD.replace('"type"', '"type": "os.system", "type"'), "$.pipeline", "type"
    yield "args", GOOD.replace('"args"', '"args": {}, "args"'), "$.pipeline", "args"
    yield "alpha", GOOD.replace('"alpha"', '"alpha": 0.4, "alpha"'), "$.pipeline.args", "alpha"
    yield "escaped", GOOD.replace('"alpha"', r'"alpha": 0.4, "\u0061lpha"'), "$.pipeline.args", "alpha"
    yield "empty", GOOD.replace('"alpha"', '"": 1, "": 1, "alpha"'), "$.pipeline.args"
    yield "control", GOOD.replace('"alpha"', r'"\u001b[2J": 1, "\u001b[2J": 1, "alpha"'), "$.pipeline.args"
    yield "thrice", GOOD.replace('"alpha"', '"alpha": 1, "alpha": 2, "alpha"'), "$.pipeline.args", "alpha"
    yield "notes", json.dumps(envelope(MIXUP, NEUTRAL, notes={"a": 1})).replace('"a"', '"a": 2, "a"'), "$.notes", "a"
    child = around(RESIZE, MIXUP).replace('"alpha"', '"alpha": 1, "alpha"')
    yield "in-a-child", child, "$.pipeline.children[1].args", "alpha"
    yield (
        "in-a-value",
        of_type("torchvision.Pad", {"padding": 1, "fill": {"Image": 1}}).replace('"Image"', '"Image": 2, "Image"'),
        *("$.pipeline.args.fill", "Image"),
    )
    yield "saved", GOOD_SAVED.replace('"p"', '"p": 1, "p"'), "$.transform", "p"
    yield "saved-class", GOOD_SAVED.replace('"__class', '"__class_fullname__": "Blur", "__class'), "$.transform"
    yield "many", "{" + ", ".join(['"a": 1'] * 5000) + "}", "$", "a"


# --------------------------------------------------------------------------------------------------------------- too large


def large() -> Iterator[tuple[Any, ...]]:
    """Brackets, values, strings, digits and bytes beyond the limits."""
    for name, opening, closing in (("lists", "[", "]"), ("dicts", '{"a":', "}"), ("both", '[{"a":', "}]")):
        for number in (33, 1000, 100_000):
            yield f"{name}-{number}", opening * number + "1" + closing * number, "32"
        yield f"unclosed-{name}", opening * 100_000, "32"
    yield "200000-brackets", brackets("[", "]", 200_000), "32"
    yield (
        "brackets-in-notes",
        json.dumps(envelope(MIXUP, NEUTRAL, notes="@")).replace('"@"', brackets("[", "]", 40)),
        "32",
    )
    yield "brackets-in-size", in_place(brackets("[", "]", 40), "element"), "32"
    yield "brackets-after-quotes", '["\\"", ' + brackets("[", "]", 40) + "]", "32"
    yield "brackets-after-backslashes", '["\\\\\\\\", ' + brackets("[", "]", 40) + "]", "32"
    deep: Node = RESIZE
    for _ in range(60):
        deep = {"type": "torchvision.Compose", "args": {}, "children": [deep]}
    yield "60-containers", json.dumps(envelope(deep)), "32"
    for name, item in (("zeros", "0"), ("lists", "[]"), ("dicts", "{}"), ("strings", '""'), ("nulls", "null")):
        yield f"100001-{name}", "[" + ",".join([item] * 100_001) + "]", "100"
    yield "100001-keys", json.dumps({f"k{number}": 0 for number in range(60_000)}), "$"
    yield "200000-values-in-notes", json.dumps(envelope(MIXUP, NEUTRAL, notes=[0] * 200_000)), "100"
    yield "values-in-size", of_type("torchvision.Resize", {"size": [1] * 100_001}), "100"
    yield "commas", "[" + "," * 1_000_000 + "]"
    yield "colons", "{" + ":" * 1_000_000 + "}"
    yield "quotes", '"' * 1_000_001
    yield "minuses", "-" * 1_000_000
    yield "digits", "1" * 1_000_000, "$"
    yield "decimals", "[0." + "1" * 1_000_000 + "e999]"
    yield "exponent", "[1e" + "9" * 1_000_000 + "]"
    yield "backslashes", '["' + "\\" * 1_000_000 + '"]'
    yield "odd-backslashes", '["' + "\\" * 999_999 + '"]'
    yield "escapes", '["' + "\\u0041" * 100_000 + '"]', "4096"
    yield "blanks", " " * MIB + "{}"
    yield "a-byte-more", GOOD + " " * (MIB + 1 - len(GOOD)), str(MIB)
    yield "characters-of-3-bytes", '"' + "\u20ac" * (MIB // 3 + 1) + '"', str(MIB)
    yield "3-mib", '"' + "x" * (3 * MIB) + '"', str(MIB)
    yield "string-in-notes", json.dumps(envelope(MIXUP, NEUTRAL, notes={"a": "x" * 4097})), "$.notes.a", "4096"
    yield "string-as-type", of_type("x" * 4097), "$.pipeline.type", "4096"
    yield (
        *("string-as-value", of_type("torchvision.Resize", {"size": 8, "interpolation": "x" * 4097})),
        *("$.pipeline.args", "4096"),
    )
    yield "string-of-a-mib", json.dumps(["x" * (MIB - 10)]), "$[0]", "4096"
    yield "key", json.dumps(envelope(MIXUP, NEUTRAL, notes={"k" * 257: 1})), "$.notes", "256"
    yield "key-in-args", of_type("torchvision.Resize", {"k" * 257: 1}), "$.pipeline.args", "256"
    yield "key-of-a-mib", json.dumps({"k" * (MIB - 20): 1}), "Beyond a limit"
    yield "50000-keys", json.dumps(envelope(MIXUP) | {f"key{number}": 1 for number in range(20_000)}), "$"
    yield (
        "10000-arguments",
        of_type("torchvision.Resize", {f"size{number}": 1 for number in range(10_000)}),
        "$.pipeline.args",
    )
    yield "50000-sizes", of_type("torchvision.Resize", {"size": [1] * 50_000}), "$.pipeline.args", "size"
    yield "20000-means", of_type("albumentations.Normalize", {"mean": ["x"] * 20_000}), "$.pipeline.args.mean"
    yield (
        "20000-bad-sizes",
        of_type("albumentations.RandomCrop", {"height": ["x"] * 20_000, "width": 8}),
        "$.pipeline.args.height",
    )
    yield "9000-children", around(*[{"type": f"x{number}"} for number in range(9_000)]), "$.pipeline.children[0]"
    yield "20000-children", around(*[{"type": f"x{number}"} for number in range(20_000)]), "at most 10000 transforms"
    yield "a-bad-child-at-the-end", around(*[RESIZE] * 999, {"type": "x"}), "$.pipeline.children[999].type"


# -------------------------------------------------------------------------------------------------------------- envelopes


def envelopes() -> Iterator[tuple[Any, ...]]:
    """Missing, wrong and unknown parts of the outermost dict."""
    good = envelope(MIXUP, NEUTRAL)
    for root in (None, True, 1, 0.5, "x", [], [good], {}, {"notes": 1}, [[["pipeline"]]]):
        yield f"root-{slug(root)}", json.dumps(root), "$"
    for key in good:
        yield f"without-{key}", json.dumps({name: value for name, value in good.items() if name != key}), f"$.{key}"
        for wrong in (None, True, 0, 1.5, "x", "", [], {}, [good[key]], {"value": good[key]}):
            yield f"{key}-{slug(wrong)}", json.dumps(good | {key: wrong}), f"$.{key}"
    for version in (
        *(3, 99, 10**19, 0, -1, -2, 2.0, 2.5, 1e300, "2", "1", "2.0", "latest", False, [2], {"major": 2}, None),
    ):
        yield f"version-{slug(version)}", json.dumps(good | {"format_version": version}), "$.format_version"
    for host in (
        *("kornia", "timm", "keras", "os", "Torchvision", "torchvision ", "torch", "mixtransforms", "custom"),
        "../torchvision",
    ):
        yield f"host-{slug(host)}", json.dumps(good | {"host": host}), "$.host"
    for host in (
        *("\x1b[31m", "torchvision\x00", "\n", "x" * 4000, "\u202e", "torchvisi\u043en", "__class__"),
        "serialization.reader",
    ):
        yield f"host-{slug(host)}", json.dumps(good | {"host": host}), "$.host"
    for name in (
        *("keras", "mixtransforms/plan", "mixtransforms/pipeline/", "MIXTRANSFORMS/PIPELINE"),
        *("mixtransforms\\pipeline", "\x1b[2J"),
    ):
        yield f"format-{slug(name)}", json.dumps(good | {"format": name}), "$.format"
    for written in (
        *(None, 3, "0.1.0", [], ["0.1.0"], {"mixtransforms": 1}, {"torch": None}, {"a": ["1"]}, {"a": {}}, {"a": True}),
    ):
        yield f"written-with-{slug(written)}", json.dumps(good | {"written_with": written}), "$.written_with"
    for schema in (3, None, [], {}, {"$ref": "x"}, True):
        yield f"schema-{slug(schema)}", json.dumps(good | {"$schema": schema}), "$", "schema"
    newer = {"written_with": {"mixtransforms": "9.0", "torchvision": "9.9"}}
    yield "newer-writer", json.dumps(envelope(MIXUP | {"args": {"beta": 1}}) | newer), "$.pipeline.args", "beta"
    yield "newer-host", json.dumps(envelope(RESIZE | {"args": {"size": 8, "new": 1}}) | newer), "$.pipeline.args", "new"
    yield "newer-type", json.dumps(envelope({"type": "torchvision.MixEverything"}) | newer), "$.pipeline.type"
    yield "two-pipelines", json.dumps(good | {"pipelines": [MIXUP]}), "$", "pipelines"
    yield "a-path-as-pipeline", json.dumps(good | {"pipeline": "other.json"}), "$.pipeline"
    yield (
        "an-old-file-of-a-function",
        json.dumps(envelope({"type": "torchvision.Lambda", "args": {}}, format_version=1)),
        "$.pipeline",
    )
    yield (
        "an-old-file-of-an-enum",
        json.dumps(
            envelope(
                {"type": "torchvision.Resize", "args": {"size": 8, "interpolation": {"enum": "os", "value": "system"}}},
                format_version=1,
            )
        ),
        "$.pipeline.args.interpolation",
    )
    yield (
        "an-old-file-of-a-dtype",
        json.dumps(
            envelope({"type": "torchvision.ToDtype", "args": {"dtype": {"dtype": "__class__"}}}, format_version=1)
        ),
        "$.pipeline.args.dtype",
    )
    yield (
        "an-old-file-of-a-type",
        json.dumps(
            envelope(
                {"type": "torchvision.Pad", "args": {"padding": 1, "fill": {"by_type": [["os.system", 1]]}}},
                format_version=1,
            )
        ),
        "$.pipeline.args.fill",
    )
    yield (
        "an-old-file-of-no-pairs",
        json.dumps(
            envelope(
                {"type": "torchvision.Pad", "args": {"padding": 1, "fill": {"by_type": [[["Image"], 1], 3]}}},
                format_version=1,
            )
        ),
        "$.pipeline.args.fill",
    )


# ------------------------------------------------------------------------------------------------------------------ nodes


def nodes() -> Iterator[tuple[Any, ...]]:
    """Nodes of another form."""
    for wrong in (
        *(None, True, 3, 0.5, "torchvision.Resize", "", [], [RESIZE], {}, {"args": {}}, {"children": []}),
        ["torchvision.Resize", {}],
    ):
        yield f"root-{slug(wrong)}", json.dumps(envelope(wrong)), "$.pipeline"
        yield f"child-{slug(wrong)}", around(RESIZE, wrong), "$.pipeline.children[1]"
    for args in (None, True, 3, 0.5, "size", "", [], [8], [["size", 8]], [{"size": 8}]):
        yield f"args-{slug(args)}", json.dumps(envelope(RESIZE | {"args": args})), "$.pipeline.args"
    for children in (None, True, 3, "x", {}, RESIZE, {"0": RESIZE}):
        compose = {"type": "torchvision.Compose", "children": children}
        yield f"children-{slug(children)}", json.dumps(envelope(compose)), "$.pipeline.children"
    for leaf in (RESIZE, MIXUP, FLIP):
        for children in ([], [leaf], [MIXUP]):
            file = json.dumps(envelope(leaf | {"children": children}, host_of(leaf["type"])))
            yield f"children-of-a-leaf-{slug(leaf['type'])}-{len(children)}", file, "$.pipeline"
    for name in (
        *("torchvision.Compose", "torchvision.RandomApply", "albumentations.OneOf", "mixtransforms.BatchCompose"),
        "mixtransforms.OneOf",
    ):
        yield (
            *(f"transforms-in-args-{slug(name)}", of_type(name, {"transforms": [RESIZE]}), "$.pipeline.args"),
            "transforms",
        )
        yield (
            *(f"transforms-twice-{slug(name)}", of_type(name, {"transforms": []}, children=[MIXUP]), "$.pipeline.args"),
            "transforms",
        )
        yield f"transforms-as-children-{slug(name)}", of_type(name, transforms=[RESIZE]), "$.pipeline", "transforms"
        yield f"null-child-{slug(name)}", of_type(name, children=[None]), "$.pipeline.children[0]"
    yield "no-children-of-one-of", of_type("mixtransforms.OneOf", {}, NEUTRAL), "$.pipeline"
    yield "empty-one-of", of_type("mixtransforms.OneOf", {}, NEUTRAL, children=[]), "$.pipeline"
    yield (
        "one-of-in-one-of",
        of_type(
            "mixtransforms.OneOf", {}, NEUTRAL, children=[{"type": "mixtransforms.OneOf", "args": {}, "children": []}]
        ),
        "$.pipeline.children[0]",
    )
    yield (
        "options-inside-one-of",
        of_type("mixtransforms.OneOf", {}, NEUTRAL, children=[MIXUP | {"args": {"num_classes": 3}}, MIXUP]),
        *("$.pipeline.children[0].args", "num_classes"),
    )
    deep: Node = {"type": "torchvision.Lambda"}
    for _ in range(9):
        deep = {"type": "torchvision.Compose", "children": [deep]}
    yield "a-function-far-down", json.dumps(envelope(deep)), "$.pipeline" + ".children[0]" * 9 + ".type"
    mix_inside = {"type": "torchvision.RandomApply", "args": {"p": 0.5}, "children": [MIXUP]}
    yield "a-container-around-a-mix", around(mix_inside), "$.pipeline"
    yield "the-hosts-own-mix", around({"type": "torchvision.MixUp", "args": {"num_classes": 3}}), "$.pipeline"
    yield "two-seeds", around(MIXUP | {"args": {"seed": 1}}, seed=2), "$.pipeline"


# -------------------------------------------------------------------------------------------------------------- arguments

WRONG = {
    "number": (True, "0.5", "", {}, {"value": 0.5}, [0.5, [0.5]], "os.system", "0x1", "1e999", "nan", None),
    "integer": (True, "8", "8.0", 8.5, {}, {"int": 8}, "os.system", None, [[8]]),
    "flag": (1, 0, "true", "yes", "", None, [True], {}, 1.0),
    "interpolation": (
        *(True, ["bilinear"], {"enum": "InterpolationMode", "value": "bilinear"}, "os.system", "linear", 99, -1, 2.5),
        *(None, "\x1b[0m"),
    ),
    "dtype": (
        *("float33", "os", "__class__", "dtype", "Tensor", "torch.load", 3, True, None, ["float32"]),
        *({"dtype": "float32"}, "", "\n"),
    ),
    "fill": (
        *({"Evil": 1}, {"torch.Tensor": 1}, {"builtins.int": 1}, {"image": 1}, {"Image": "1"}),
        *({"Image": {"others": 1}}, {"": 1}, True, "random", "os.system", {"by_type": [["Image", 1]]}),
        *({"__class__": 1}, {"Image": True}, {"others": [1, "2"]}),
    ),
    "pair": ("12", [1, "2"], [True, False], {"0": 1, "1": 2}, [[1, 2], [3, 4]], [1, None], "os.system"),
}
"""Values by what they should have been."""

TYPED = (
    ("torchvision.RandomHorizontalFlip", {}, "p", "number"),
    ("torchvision.GaussianNoise", {}, "sigma", "number"),
    ("torchvision.CenterCrop", {}, "size", "number"),
    ("torchvision.RandomPosterize", {}, "bits", "integer"),
    ("torchvision.Resize", {"size": 8}, "antialias", "flag"),
    ("torchvision.RandomCrop", {"size": 8}, "pad_if_needed", "flag"),
    ("torchvision.Resize", {"size": 8}, "interpolation", "interpolation"),
    ("torchvision.ToDtype", {}, "dtype", "dtype"),
    ("torchvision.Pad", {"padding": 1}, "fill", "fill"),
    ("torchvision.RandomResizedCrop", {"size": 8}, "scale", "pair"),
    ("albumentations.HorizontalFlip", {}, "p", "number"),
    ("albumentations.RandomCrop", {"width": 8}, "height", "integer"),
    ("albumentations.ColorJitter", {}, "brightness", "pair"),
    ("albumentations.Affine", {}, "fit_output", "flag"),
    ("albumentations.Rotate", {}, "interpolation", "interpolation"),
    ("mixtransforms.MixUp", {}, "alpha", "number"),
    ("mixtransforms.MixUp", {}, "num_classes", "integer"),
    ("mixtransforms.MixUp", {}, "fold", "flag"),
    ("mixtransforms.CutMix", {}, "minmax", "pair"),
)

NULL_IS_GOOD = {("torchvision.Resize", "antialias"), ("mixtransforms.MixUp", "num_classes")}

MATRIX = {"dtype": "float32", "values": [[1.0, 0.0], [0.0, 1.0]]}
VECTOR = {"dtype": "float32", "values": [0.0, 0.0]}

TENSORS = (
    *({"dtype": "float32", "values": [0.0] * 4097}, {"dtype": "float32", "values": [[0.0] * 65] * 65}),
    *({"dtype": "float32"}, {"dtype": "float32", "values": [[1, 2], [3]]}, {"dtype": "float32", "values": [1, [2]]}),
    *({"dtype": "float32", "values": ["1", "2"]}, {"dtype": "float32", "values": [None, None]}),
    *({"dtype": "float32", "values": "0 0"}, {"dtype": "float32", "values": PICKLE}),
    *({"dtype": "float32", "values": {"0": 1}}, {"dtype": "float33", "values": [0, 0]}),
    *({"dtype": "object", "values": [0, 0]}, {"dtype": 3, "values": [0, 0]}, {"dtype": None, "values": [0, 0]}),
    *({"dtype": ["float32"], "values": [0, 0]}, {"values": [0, 0]}, {"dtype": "uint8", "values": [300, 0]}),
    *({"dtype": "int8", "values": [0.5, 0]}, {"dtype": "float32", "values": [0, 0], "device": "cuda"}),
    *({"dtype": "float32", "values": [0, 0], "storage": "/etc/passwd"}, {"dtype": "float32", "values": [1e300, 0]}, []),
    *("zeros(2)", 3, None, True, {"dtype": "__class__", "values": [0, 0]}, {"dtype": "load", "values": [0, 0]}),
    *({"dtype": "int64", "values": [10**19, 0]}, {"dtype": "float32", "values": [True, False]}),
    *({"dtype": "bool", "values": [1, 2]}, {"dtype": "float32", "values": [{"a": 1}, 2]}),
    *({"dtype": "float32", "values": []}, {"dtype": "float32", "values": [[[]]]}),
    {"dtype": "complex64", "values": ["1+2j", 0]},
)


def arguments() -> Iterator[tuple[Any, ...]]:
    """Arguments of another type, unknown ones, and what the hosts' constructors would take or turn into something else."""
    for name, args, argument, kind in TYPED:
        for value in WRONG[kind]:
            if not (value is None and (name, argument) in NULL_IS_GOOD):
                file = of_type(name, args | {argument: value})
                yield f"{slug(name)}-{argument}-{slug(value)}", file, f"$.pipeline.args.{argument}"
    for number, tensor in enumerate(TENSORS):
        args = {"transformation_matrix": MATRIX, "mean_vector": tensor}
        yield f"tensor-{number}", of_type("torchvision.LinearTransformation", args), "$.pipeline.args", "mean_vector"
    for name, args, unknown in (
        ("torchvision.Resize", {"size": 8, "p": 0.5}, "p"),
        ("torchvision.RandomHorizontalFlip", {"size": 8}, "size"),
        ("torchvision.Identity", {"x": 1}, "x"),
        ("torchvision.Compose", {"p": 1}, "p"),
        ("albumentations.HorizontalFlip", {"blur_limit": 3}, "blur_limit"),
        ("albumentations.GaussNoise", {"var_limit": [10, 50]}, "var_limit"),
        ("albumentations.Blur", {"save_applied_params": True}, "save_applied_params"),
        ("albumentations.HorizontalFlip", {"params": {}}, "params"),
        ("mixtransforms.MixUp", {"minmax": [0.1, 0.2]}, "minmax"),
        ("mixtransforms.MixUp", {"aplha": 1}, "aplha"),
        ("mixtransforms.BatchCompose", {"p": 1}, "p"),
    ):
        yield f"unknown-{slug(name)}-{unknown}", of_type(name, args), "$.pipeline.args", unknown
    for name, missing in (
        ("torchvision.Resize", "size"),
        ("torchvision.Normalize", "mean"),
        ("torchvision.ToDtype", "dtype"),
        ("torchvision.LinearTransformation", "transformation_matrix"),
        ("albumentations.RandomCrop", "height"),
        ("albumentations.RandomResizedCrop", "size"),
    ):
        yield f"missing-{slug(name)}", of_type(name), "$.pipeline", missing
        yield f"without-args-{slug(name)}", json.dumps(envelope({"type": name}, host_of(name))), "$.pipeline", missing


# ----------------------------------------------------------------------------------- what constructors themselves refuse

OUT_OF_RANGE: tuple[tuple[str, Node, str], ...] = (
    ("mixtransforms.MixUp", {"alpha": -1}, "alpha"),
    ("mixtransforms.MixUp", {"alpha": -1e308}, "alpha"),
    ("mixtransforms.MixUp", {"p": 1.5}, "p"),
    ("mixtransforms.MixUp", {"p": -1e-300}, "p"),
    ("mixtransforms.MixUp", {"per": "nothing"}, "per"),
    ("mixtransforms.MixUp", {"pairing": "os.system"}, "pairing"),
    ("mixtransforms.MixUp", {"seed": -1}, "seed"),
    ("mixtransforms.MixUp", {"seed": 2**64}, "seed"),
    ("mixtransforms.MixUp", {"num_classes": 0}, "num_classes"),
    ("mixtransforms.MixUp", {"num_classes": 2**31}, "num_classes"),
    ("mixtransforms.MixUp", {"ignore_index": 2**40}, "ignore_index"),
    ("mixtransforms.MixUp", {"labels": "hard"}, "labels"),
    ("mixtransforms.MixUp", {"masks": "none"}, "masks"),
    ("mixtransforms.MixUp", {"boxes": {"min_visibility": 2}}, "boxes"),
    ("mixtransforms.MixUp", {"boxes": {"evil": 2}}, "boxes"),
    ("mixtransforms.MixUp", {"boxes": {"format": "/etc/passwd"}}, "boxes"),
    ("mixtransforms.MixUp", {"boxes": {"fields": [1.5]}}, "boxes"),
    ("mixtransforms.MixUp", {"boxes": [1]}, "boxes"),
    ("mixtransforms.MixUp", {"boxes": "BoxRules()"}, "boxes"),
    ("mixtransforms.MixUp", {"boxes": {"__class__": 1}}, "boxes"),
    ("mixtransforms.MixUp", {"kinds": {"a": "evil"}}, "kinds"),
    ("mixtransforms.MixUp", {"kinds": {"a": {"kind": "os.system"}}}, "kinds"),
    ("mixtransforms.MixUp", {"kinds": {"a": {"kind": "mask", "evil": 1}}}, "kinds"),
    ("mixtransforms.MixUp", {"kinds": {"a": {"_target_": "os.system"}}}, "kinds"),
    ("mixtransforms.MixUp", {"kinds": {"a": 3}}, "kinds"),
    ("mixtransforms.MixUp", {"kinds": {"a": None}}, "kinds"),
    ("mixtransforms.MixUp", {"kinds": [["a", "image"], 3]}, "kinds"),
    ("mixtransforms.MixUp", {"kinds": [[["a"], "image"]]}, "kinds"),
    ("mixtransforms.MixUp", {"kinds": "image"}, "kinds"),
    ("mixtransforms.MixUp", {"layout": "XYZ"}, "layout"),
    ("mixtransforms.MixUp", {"layout": 3}, "layout"),
    ("mixtransforms.MixUp", {"axes": "Q"}, "axes"),
    ("mixtransforms.MixUp", {"pad": "min"}, "pad"),
    ("mixtransforms.MixUp", {"passthrough": [1.5]}, "passthrough"),
    ("mixtransforms.MixUp", {"passthrough": [["a"]]}, "passthrough"),
    ("mixtransforms.MixUp", {"passthrough": {"a": 1}}, "passthrough"),
    ("mixtransforms.CutMix", {"minmax": [0.5, 0.1]}, "minmax"),
    ("mixtransforms.CutMix", {"minmax": [0, 2]}, "minmax"),
    ("mixtransforms.CutMix", {"minmax": [0.1, 0.2, 0.3]}, "minmax"),
    ("mixtransforms.CutMix", {"placement": "minmax"}, "minmax"),
    ("mixtransforms.CutMix", {"placement": "evil"}, "placement"),
    ("torchvision.RandomHorizontalFlip", {"p": 2}, "p"),
    ("torchvision.RandomRotation", {"degrees": -5}, "degrees"),
    ("torchvision.RandomAffine", {"degrees": 5, "scale": [-1, 1]}, "scale"),
    ("torchvision.RandomAffine", {"degrees": 5, "translate": [2, 2]}, "translat"),
    ("torchvision.RandomErasing", {"value": "os.system"}, "value"),
    ("torchvision.RandomErasing", {"scale": [2, 3]}, "cale"),
    ("torchvision.GaussianBlur", {"kernel_size": 2}, "ernel"),
    ("torchvision.GaussianBlur", {"kernel_size": 3, "sigma": [2, 1]}, "sigma"),
    ("torchvision.ColorJitter", {"hue": 0.9}, "hue"),
    ("torchvision.ColorJitter", {"brightness": -1}, "brightness"),
    ("torchvision.Pad", {"padding": 1, "padding_mode": "evil"}, "adding"),
    ("torchvision.Pad", {"padding": [1, 2, 3]}, "adding"),
    ("torchvision.RandomPerspective", {"distortion_scale": 2}, "distortion_scale"),
    ("torchvision.AugMix", {"severity": 11}, "severity"),
    ("torchvision.RandomResizedCrop", {"size": [1, 2, 3]}, "size"),
    ("torchvision.Resize", {"size": None}, "size"),
    ("torchvision.RandomZoomOut", {"side_range": [0.5, 1]}, "side"),
    ("torchvision.JPEG", {"quality": 101}, "quality"),
    ("torchvision.AutoAugment", {"policy": "evil"}, "policy"),
    ("torchvision.ConvertBoundingBoxFormat", {"format": "EVIL"}, "format"),
    ("torchvision.SanitizeBoundingBoxes", {"min_size": 0}, "min_size"),
    ("torchvision.CutMix", {"alpha": -1}, ""),
    ("albumentations.HorizontalFlip", {"p": 2}, "p"),
    ("albumentations.HorizontalFlip", {"p": -1}, "p"),
    ("albumentations.Resize", {"height": 0, "width": 8}, "height"),
    ("albumentations.RandomCrop", {"height": -8, "width": 8}, "height"),
    ("albumentations.Normalize", {"normalization": "evil"}, "normalization"),
    ("albumentations.Rotate", {"border_mode": 99}, "border_mode"),
    ("albumentations.CoarseDropout", {"num_holes_range": [5, 1]}, "num_holes_range"),
    ("albumentations.GaussNoise", {"std_range": [2, 3]}, "std_range"),
    ("albumentations.ImageCompression", {"quality_range": [0, 101]}, "quality_range"),
    ("albumentations.ImageCompression", {"compression_type": "exe"}, "compression_type"),
    ("albumentations.Posterize", {"num_bits": 9}, "num_bits"),
    ("albumentations.ToGray", {"method": "os.system"}, "method"),
    ("albumentations.RandomResizedCrop", {"size": [8]}, "size"),
    ("albumentations.RandomSunFlare", {"src_radius": 0}, "src_radius"),
    ("albumentations.HEStain", {"preset": "evil"}, "preset"),
)

IN_COMPOSE: tuple[tuple[str, Node, str], ...] = (
    ("bbox-format", {"bbox_params": {"format": "evil"}}, "bbox_params"),
    ("bbox-string", {"bbox_params": "coco"}, "bbox_params"),
    ("bbox-unknown", {"bbox_params": {"format": "coco", "evil": 1}}, "bbox_params"),
    ("bbox-target", {"bbox_params": {"_target_": "os.system", "format": "coco"}}, "bbox_params"),
    ("bbox-missing", {"bbox_params": {}}, "bbox_params"),
    ("bbox-list", {"bbox_params": ["coco"]}, "bbox_params"),
    ("keypoint-format", {"keypoint_params": {"format": "evil"}}, "keypoint_params"),
    ("keypoint-number", {"keypoint_params": 3}, "keypoint_params"),
    ("targets-number", {"additional_targets": {"a": 3}}, "additional_targets"),
    ("targets-list", {"additional_targets": ["a"]}, "additional_targets"),
    ("seed-string", {"seed": "1"}, "seed"),
    ("seed-true", {"seed": True}, "seed"),
    ("seed-fraction", {"seed": 1.5}, "seed"),
    ("p-string", {"p": "1"}, "p"),
    ("strict-number", {"strict": 1}, "strict"),
    ("mask-interpolation", {"mask_interpolation": "os.system"}, "mask_interpolation"),
)


def constructors() -> Iterator[tuple[Any, ...]]:
    """What is of the right type and still nonsense."""
    for name, args, word in OUT_OF_RANGE:
        file = of_type(name, args, NEUTRAL if name.startswith("mixtransforms") else None)
        yield f"{slug(name)}-{slug(args)[:24]}", file, "$.pipeline.args", word
    for name, args, word in IN_COMPOSE:
        for container in ("albumentations.Compose", "mixtransforms.BatchCompose"):
            file = of_type(container, args, ALBUMENTATIONS, children=[FLIP])
            yield f"{slug(container)}-{name}", file, "$.pipeline.args", word
    for weights in ([1], [1, 2, 3], [-1, 2], ["1", "2"], [True, True], [], [[1, 2]], {"0": 1}, "12"):
        file = of_type("mixtransforms.OneOf", {"weights": weights}, NEUTRAL, children=[MIXUP, MIXUP])
        yield f"weights-{slug(weights)}", file, "$.pipeline.args", "weights"
    for p in ([1], ["1", "2"], "12", {"0": 1}):
        file = of_type("torchvision.RandomChoice", {"p": p}, children=[RESIZE, RESIZE])
        yield f"choice-{slug(p)}", file, "$.pipeline.args", "p"
    for name in ("torchvision.Compose", "torchvision.RandomOrder"):
        yield f"nothing-in-{slug(name)}", of_type(name, children=[]), "$.pipeline"
    bad = MIXUP | {"args": {"alpha": -1}}
    yield "in-a-child", around(RESIZE, RESIZE, bad), "$.pipeline.children[2].args", "alpha"
    one_of = {"type": "mixtransforms.OneOf", "args": {}, "children": [MIXUP, bad]}
    yield "in-a-grandchild", around(RESIZE, one_of), "$.pipeline.children[1].children[1].args", "alpha"


# ------------------------------------------------------------------------------------------------------------------- YAML


def yaml_args(text: str, host: str = NEUTRAL, name: str = "mixtransforms.MixUp") -> str:
    """A good file with other arguments, written in YAML's flow style."""
    head = f"format: {FORMAT}\nformat_version: 2\nhost: {host}\n"
    return f"{head}pipeline:\n  type: {name}\n  args: {{{text}}}\n"


TAGGED = (
    *('!!python/object/apply:os.system ["id"]', "!!python/name:os.system", "!!python/module:os"),
    *("!!python/tuple [1, 2]", '!!python/object/new:subprocess.Popen [["id"]]', "!!python/object:os.system {}"),
    *("!!python/object/apply:eval ['1']", "!!python/str x", "!!python/long 1", "!!python/bytes eA=="),
    *("!!python/dict {}", "!!binary aGk=", "!!set {a, b}", "!!omap [a: 1]", "!!timestamp 2024-01-01", '!!int "1"'),
    *('!!float "1"', "!!float .nan", "!!bool yes", "!!null x", "!!str 1", "!!seq [1]", "!!map {}", "!evil 1", "! 1"),
    *("!<tag:yaml.org,2002:python/name:os.system> ''", "!!merge x", "!!value x", "!!pairs [a: 1]"),
    *("!include /etc/passwd", "!!js/function 'x'", "!ruby/object:Gem {}", "!ENV HOME"),
    *("!!python/object/apply:builtins.exec ['1']", "!!python/complex 1"),
)

NOT_THE_NUMBER = (
    *(".nan", ".NaN", ".NAN", ".inf", "-.inf", "+.INF", "1e999", "-1e999", "1.0e+999", "1:30", "190:20:30.15", "1:2:3"),
    *("2024-01-01", "2024-01-01T00:00:00Z", "0o17", "017", "0x1F", "0b11", "1_000", "yes", "no", "on", "off", "y"),
    *("true", "True", "'0.4'", '"0.4"', "NaN", "Infinity", "=", "<<", "0.4.1", "1,5", "[0.4]", "{a: 1}", "1" * 5000),
    *("0x" + "f" * 5000, "0b" + "1" * 9000, "9" * 21, ":".join(["1"] * 3000), "1" + "0" * 400 + ".5"),
    *("0." + "1" * 5000 + "e999", "|\n    0.4", "1 # x\n    2", "- 1", "none", "nan", "~x"),
)

NOT_THE_FLAG = (
    *("yes", "no", "on", "off", "y", "n", "Yes", "NO", "On", "0", "1", "'true'", '"false"', "~", "null", "2024-01-01"),
    "[true]",
)

NOT_YAML = (
    *("", " ", "\n", "# nothing\n", "---\n", "---\n...\n", "~\n", "x", "[", "{", "{a: 1", "'", '"', '"\\x"', "a: b: c"),
    *("a:\n\tb: 1", "\t{}", "- a\nb: 1", "a: 1\n b: 2", "%YAML 9.9\n---\na: 1", "%TAG ! tag:evil,2024:\n---\n!x a"),
    *("&a", "*a", "&a *a", "@x", "`x`", "? ", ": ", "a: |\n x\ny", "[1, 2", "a: [1, 2}", "\x00", "a: \x01", "a: \x7f"),
    *("a: \x9b", "\x1b[2J", "a: 'x\n", "--- a\n--- b", "%", "%%\n---\n"),
)


def bombs() -> Iterator[tuple[Any, ...]]:
    """Small texts of large values."""
    laughs = "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12))
    yield "billion-laughs", "a0: &a0 [x, x]\n" + laughs + "\n"
    yield (
        "billion-laughs-in-notes",
        GOOD_YAML + "notes:\n" + "  a0: &a0 x\n" + "\n".join("  " + x for x in laughs.split("\n")) + "\n",
    )
    yield (
        "laughing-dicts",
        "\n".join(f"a{n}: &a{n} {{b: {f'*a{n - 1}' if n else 1}, c: {f'*a{n - 1}' if n else 1}}}" for n in range(40)),
    )
    yield "recursive-list", "&a [*a]\n"
    yield "recursive-dict", "&a {b: *a}\n"
    yield "recursive-node", GOOD_YAML.replace("pipeline:", "pipeline: &p").replace("alpha: 0.4", "alpha: *p")
    yield (
        "recursive-children",
        f"format: {FORMAT}\nformat_version: 2\nhost: torchvision\npipeline: &p {{type: torchvision.Compose, children: [*p]}}\n",
    )
    yield "quadratic", "a: &a " + "x" * 3000 + "\nb: [" + ", ".join(["*a"] * 9000) + "]\n"
    yield "alias-before-anchor", GOOD_YAML + "notes: *b\nwritten_with: &b {}\n", "$.notes", "alias"
    yield "alias-of-nothing", yaml_args("alpha: *b"), "$.pipeline.args.alpha", "alias"
    yield "alias-of-text", yaml_args("pairing: &a roll, alpha: *a"), "$.pipeline.args.alpha"
    yield "alias-as-key", yaml_args("pairing: &a alpha, *a : 0.4"), "$.pipeline.args"
    yield "alias-of-another-document", "a: &a 0.4\n---\n" + GOOD_YAML.replace("0.4", "*a")
    yield "anchor-on-an-alias", yaml_args("p: &a 0.4, alpha: &b *a")
    yield "merge", yaml_args("<<: {alpha: 0.4}"), "$.pipeline.args", "<<"
    yield "merge-of-an-alias", yaml_args("<<: *x").replace("format:", "notes: &x {alpha: 1}\nformat:", 1), "<<"
    yield "merge-list", yaml_args("<<: [{alpha: 0.4}, {p: 1}]"), "$.pipeline.args", "<<"
    yield "merge-at-the-top", "<<: {format: x}\n" + GOOD_YAML, "$", "<<"
    for number in (33, 1000, 100_000):
        yield f"flow-{number}", GOOD_YAML + "notes: " + brackets("[", "]", number) + "\n"
    yield "flow-dicts", GOOD_YAML + "notes: " + "{a: " * 20_000 + "1" + "}" * 20_000 + "\n"
    yield "unclosed-flow", "[" * 100_000
    yield "block", "\n".join(" " * n + "a:" for n in range(800)) + "\n"
    yield "dashes", "- " * 50_000 + "1\n"
    yield "question-marks", "? " * 50_000 + "1\n"
    yield "colons", "a: " * 1000 + "\n"
    yield "values", GOOD_YAML + "notes: [" + "0, " * 100_001 + "]\n", "100"
    yield "documents", "--- a\n" * 50_000
    yield "directives", "%X a\n" * 50_000 + "---\na\n"
    yield "comments", "# x\n" * 300_000 + GOOD_YAML
    yield "a-mib", GOOD_YAML + "# " + "x" * MIB + "\n", str(MIB)
    yield "string", GOOD_YAML + "notes: {a: " + "x" * 4097 + "}\n", "$.notes.a"
    yield "folded-string", GOOD_YAML + "notes:\n  a: >\n" + "    xxxx\n" * 2000, "$.notes.a"
    yield "key", GOOD_YAML + "notes: {" + "k" * 257 + ": 1}\n", "$.notes"
    yield "long-plain-key", "k" * 100_000 + ": 1\n"
    yield "anchors", "\n".join(f"- &a{n} x" for n in range(20_000)) + "\n"
    yield "tags", "\n".join("- !!str x" for n in range(20_000)) + "\n"


def yamls() -> Iterator[tuple[Any, ...]]:
    """What YAML can say and JSON cannot."""
    for value in TAGGED:
        yield f"tag-{slug(value)}", yaml_args(f"alpha: {value}")
        yield f"tag-notes-{slug(value)}", GOOD_YAML + f"notes: {value}\n"
    yield "tag-at-the-root", "!!python/object/apply:os.system\n" + GOOD_YAML
    yield "tag-of-a-key", yaml_args("!!python/name:os.system alpha: 1")
    yield "tag-of-a-type", GOOD_YAML.replace("mixtransforms.MixUp", "!!python/name:os.system ''")
    for value in NOT_THE_NUMBER:
        yield f"number-{slug(value)[:20]}", GOOD_YAML.replace("0.4", value)
    for value in ("1:30", "2024-01-01", "0o17", "017", "0x1F", "0b11", "1_000", "yes", "'1'", "1.5", "true", "9" * 21):
        yield f"seed-{slug(value)[:20]}", yaml_args(f"seed: {value}"), "$.pipeline.args.seed"
    for value in NOT_THE_FLAG:
        yield f"flag-{slug(value)}", yaml_args(f"fold: {value}"), "$.pipeline.args.fold"
    for value in ("[yes, no]", "2024-01-01", "~", "1", "true", "[a]", "{a: b}"):
        yield f"string-{slug(value)}", yaml_args(f"pairing: {value}"), "$.pipeline.args.pairing"
    for number, text in enumerate(NOT_YAML):
        yield f"syntax-{number}-{slug(text)[:12]}", text
    for coding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp037"):
        yield f"coding-{coding}", GOOD_YAML.encode(coding)
    for raw in (b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\x80"):
        yield f"bytes-{raw.hex()}", GOOD_YAML.encode().replace(b"0.4", raw)
    yield "twice-top", GOOD_YAML + "host: torchvision\n", "$", "host"
    yield "twice-type", GOOD_YAML.replace("  args:", "  type: torchvision.Lambda\n  args:"), "$.pipeline", "type"
    yield "twice-alpha", GOOD_YAML + "    alpha: 0.4\n", "$.pipeline.args", "alpha"
    yield "twice-quoted", GOOD_YAML + '    "alpha": 0.4\n', "$.pipeline.args", "alpha"
    yield "twice-escaped", GOOD_YAML + '    "\\x61lpha": 0.4\n', "$.pipeline.args", "alpha"
    yield "twice-in-notes", GOOD_YAML + "notes: {a: 1, a: 2}\n", "$.notes", "a"
    for key in ("1", "1.5", "true", "yes", "~", "null", "2024-01-01", "[a]", "{a: b}", "? [a]\n  ", ".nan", "=", "''"):
        yield f"key-{slug(key)}", yaml_args(f"{key}: 1")
    yield "two-documents", GOOD_YAML + "---\n" + GOOD_YAML
    yield "an-empty-second-document", GOOD_YAML + "---\n"
    yield "the-second-is-bad", GOOD_YAML + "---\n!!python/object/apply:os.system ['id']\n"
    yield "version", GOOD_YAML.replace("version: 2", "version: 2.0"), "$.format_version"
    yield "version-octal", GOOD_YAML.replace("version: 2", "version: 02"), "$.format_version"
    yield "version-text", GOOD_YAML.replace("version: 2", "version: '2'"), "$.format_version"
    yield "host-off", GOOD_YAML.replace("host: neutral", "host: off"), "$.host"
    yield "unknown-type", GOOD_YAML.replace("mixtransforms.MixUp", "os.system"), "$.pipeline.type", "os.system"
    yield "unknown-argument", GOOD_YAML.replace("alpha", "_target_"), "$.pipeline.args", "_target_"
    yield "unknown-key", GOOD_YAML + "evil: 1\n", "$", "evil"
    yield "escapes-as-type", GOOD_YAML.replace("mixtransforms.MixUp", '"\\e[31m\\0\\n"'), "$.pipeline.type"
    yield "bidi-as-type", GOOD_YAML.replace("mixtransforms.MixUp", '"\\u202emix"'), "$.pipeline.type"
    yield "surrogate-as-type", GOOD_YAML.replace("mixtransforms.MixUp", '"\\ud800"')
    yield (
        *("saved-unknown", '__version__: "2.0.8"\ntransform: {__class_fullname__: os.system}\n', "$.transform"),
        "os.system",
    )
    yield "saved-version", "__version__: 2.0\ntransform: {__class_fullname__: HorizontalFlip}\n", "$.__version__"


# ------------------------------------------------------------------------------------------------------ what A.save writes

SAVED_CLASSES = (
    *("os.system", "logging.os.system", "builtins.eval", "Evil", "", ".", "Lambda", "TextImage", "FDA"),
    *("HistogramMatching", "PixelDistributionAdaptation", "BasicTransform", "BaseCompose", "DualTransform"),
    *("Transform3D", "albumentations.check_version.urllib.request.urlopen"),
    *("albumentations.core.serialization.os.system", "horizontalflip", "torchvision.Resize"),
    *("torchvision.transforms.v2.Resize", "mixtransforms.load", "mixtransforms.cli.main", "my.module.Flip"),
    *("HorizontalFlip ", "HorizontalFlip\x00", "\x1b[31mHorizontalFlip", "Horizonta\u0406Flip"),
    *("HorizontalFlip.__init__", "x" * 4000, "__main__.Flip", "../HorizontalFlip", "albumentations", "albumentations."),
    *("Serializable", "BboxParams", "custom.Flip"),
)


def saves() -> Iterator[tuple[Any, ...]]:
    """The host's own files, with what its own reader takes, imports or only warns of."""
    flip = {"__class_fullname__": "HorizontalFlip", "p": 0.5}
    for name in SAVED_CLASSES:
        shown = (name,) if 0 < len(name) < 100 and name.isprintable() else ()
        if name.startswith("torchvision."):  # one error for all types of another host
            yield f"class-{slug(name)}", saved_class(name, p=0.5), "$.host", "torchvision"
            continue
        yield f"class-{slug(name)}", saved_class(name, p=0.5), "$.transform", *shown
    for wrong in (None, True, 3, [], ["HorizontalFlip"], {}, {"name": "HorizontalFlip"}):
        yield f"class-{slug(wrong)}", saved_class(wrong), "$.transform"
    for wrong in (
        *(None, True, 3, "HorizontalFlip", [], [flip], {}, {"p": 0.5}, {"type": "albumentations.HorizontalFlip"}),
    ):
        yield f"transform-{slug(wrong)}", saved(wrong), "$.transform"
        compose = {"__class_fullname__": "Compose", "p": 1.0, "transforms": [flip, wrong]}
        yield f"inside-{slug(wrong)}", saved(compose), "$.transform.transforms[1]"
    for wrong in (None, True, 2, 2.0, ["2.0.8"], {}):
        yield f"version-{slug(wrong)}", saved(flip, wrong), "$.__version__"
    yield "no-transform", json.dumps({"__version__": "2.0.8"}), "$"
    yield "no-version", json.dumps({"transform": flip}), "$"
    yield "other-key", saved(flip, evil=1), "$", "evil"
    for host in ("cli", "__main__", "show.os", "os", "..os", "neutral", "albumentations", "", None, 3, [], {}):
        yield f"host-{slug(host)}", saved(flip, host=host), "$", "host"
        yield f"host-alone-{slug(host)}", json.dumps({"transform": None, "host": host}), "$"
    for key, value in (
        ("pipeline", FLIP),
        ("pipeline", None),
        ("format_version", 1),
        ("format_version", 2),
        ("written_with", {}),
    ):
        yield f"{key}-{slug(value)}", saved(flip, **{key: value}), "$", key
    yield "target-key", saved(flip, _target_="os.system"), "$", "_target_"
    yield "both-formats", json.dumps(envelope(FLIP, ALBUMENTATIONS) | {"__version__": "2.0.8", "transform": flip}), "$"
    yield "envelope-inside", saved(envelope(FLIP, ALBUMENTATIONS)), "$.transform"
    yield "lambda", saved({"__class_fullname__": "Lambda", "__name__": "evil"}), "$.transform", "Lambda"
    yield "lambda-type", saved({"__type__": "Lambda", "__name__": "evil"}), "$.transform"
    yield (
        "lambda-inside",
        saved(
            {"__class_fullname__": "Compose", "transforms": [flip, {"__class_fullname__": "Lambda", "__name__": "x"}]}
        ),
        "$.transform.transforms[1]",
    )
    yield "font", saved_class("TextImage", font_path="/etc/passwd"), "$.transform", "TextImage"
    yield "read-fn", saved_class("FDA", read_fn="numpy.load", reference_images=["/etc/passwd"]), "$.transform", "FDA"
    replay = {"__class_fullname__": "ReplayCompose", "transforms": [{"__class_fullname__": "Lambda"}]}
    yield "lambda-replayed", saved(replay), "$.transform.transforms[0]", "Lambda"
    yield "replay-key", saved(replay | {"transforms": [flip], "save_key": 3}), "$.transform", "save_key"
    for key in (
        *("evil", "_target_", "__init__", "__class__", "self", "args", "kwargs", "cls", "size", "_p", "", "\x1b[2J"),
        "k" * 250,
    ):
        shown = (key,) if key.isprintable() and len(key) < 100 else ()
        yield f"argument-{slug(key)}", saved(flip | {key: 1}), "$.transform", *shown
    for p in ("0.5", True, None, 2, -1, [0.5], {}, "os.system"):
        yield f"p-{slug(p)}", saved(flip | {"p": p}), "$.transform", "p"
    yield "nan", saved(flip | {"p": float("nan")}), "$.transform.p"
    yield "infinity", GOOD_SAVED.replace("0.5", "1e999"), "$.transform.p"
    yield (
        *("other-version", saved({"__class_fullname__": "GaussNoise", "var_limit": [10, 50]}, "1.3.1"), "$.transform"),
        "var_limit",
    )
    yield "older-version", saved({"__class_fullname__": "Cutout", "num_holes": 8}, "0.5.2"), "$.transform", "Cutout"
    yield "newer-version", saved({"__class_fullname__": "HorizontalFlip", "new": 8}, "99.0"), "$.transform", "new"
    yield "transforms-of-a-leaf", saved(flip | {"transforms": [flip]}), "$.transform", "transforms"
    for wrong in (None, 3, "x", {}, flip, [[flip]]):
        compose = {"__class_fullname__": "OneOf", "p": 1.0, "transforms": wrong}
        yield f"transforms-{slug(wrong)}", saved(compose), "$.transform.transforms"
    for name, args, word in IN_COMPOSE:
        compose = {"__class_fullname__": "Compose", "transforms": [flip]} | args
        yield name, saved(compose), "$.transform", word
    nested: Node = {"__class_fullname__": "os.system"}
    for _ in range(8):
        nested = {"__class_fullname__": "OneOf", "p": 1.0, "transforms": [nested]}
    yield "nested", saved(nested), "$.transform" + ".transforms[0]" * 8
    for _ in range(60):
        nested = {"__class_fullname__": "Sequential", "p": 1.0, "transforms": [nested]}
    yield "nested-deep", saved(nested), "32"


# --------------------------------------------------------------------------------------------------------------- harmless


def harmless() -> Iterator[tuple[str, Content]]:
    """What nobody reads."""
    for name, notes in (
        ("code", CODE),
        ("target", {"_target_": "os.system"}),
        ("loaders", copy.deepcopy(LOADERS)),
        ("null", None),
    ):
        yield f"notes-{name}.json", json.dumps(envelope(MIXUP, NEUTRAL, notes=notes))
    for schema in ("http://example.com/evil.json", "file:///etc/passwd", "/dev/zero", "", CODE, "\x1b[2J"):
        yield f"schema-{slug(schema)}.json", json.dumps({"$schema": schema} | envelope(MIXUP, NEUTRAL))
    yield (
        "writers.json",
        json.dumps(envelope(MIXUP, NEUTRAL, written_with={"os.system": "id", "mixtransforms": "99.0", "": "x"})),
    )
    yield "a-mib.json", GOOD + " " * (MIB - len(GOOD))
    yield (
        "31-brackets-in-notes.json",
        json.dumps(envelope(MIXUP, NEUTRAL, notes="@")).replace('"@"', brackets("[", "]", 31)),
    )
    yield "brackets-in-a-string.json", json.dumps(envelope(MIXUP, NEUTRAL, notes='[{"\\' * 1000))
    yield "strings.json", json.dumps(envelope(MIXUP, NEUTRAL, notes={"k" * 256: "x" * 4096}))
    yield "integers.json", json.dumps(envelope(MIXUP, NEUTRAL, notes=[10**19, -(10**19), 1e308, 5e-324]))
    yield "no-args.json", json.dumps(envelope({"type": "mixtransforms.MixUp"}, NEUTRAL))
    yield "a-name-as-key.json", of_type("albumentations.OverlayElements", {"metadata_key": "__import__('os')"})
    yield "strings.yaml", GOOD_YAML + "notes: [yes, 1:30, 2024-01-01, 0o17, =, 'x', \"\\e\"]\n"
    yield "a-comment.yaml", "# !!python/name:os.system &a *a <<\n" + GOOD_YAML
    yield "tags-in-a-string.yaml", GOOD_YAML + "notes: '!!python/name:os.system &a *a <<: *b'\n"
    yield "an-anchor.yaml", GOOD_YAML.replace("0.4", "&a 0.4")
    yield "an-alias.yaml", GOOD_YAML.replace("0.4", "&a 0.4") + "notes: *a\n"
    yield (
        "an-alias-of-a-list.yaml",
        yaml_args("placement: minmax, minmax: &a [0.1, 0.2]", name="mixtransforms.CutMix") + "notes: [*a, *a]\n",
    )
    yield "an-anchor-twice.yaml", GOOD_YAML + "notes: [&a 1, *a, &a 2, *a]\n"
    yield "aliases-within-the-limit.yaml", GOOD_YAML + "notes: [&a [0, 0], " + "*a, " * 24_000 + "0]\n"
    yield "a-merge-in-notes.yaml", GOOD_YAML + "notes: {<<: {a: 1}}\n"
    yield "json.yaml", GOOD
    yield "good.yml", GOOD_YAML
    yield "saved.json", GOOD_SAVED
    yield "resize.json", json.dumps(envelope(RESIZE))
    flip = {"__class_fullname__": "HorizontalFlip", "p": 0.5}
    replay = {"__class_fullname__": "ReplayCompose", "transforms": [flip], "save_key": "replay"}
    yield "replay.json", saved(replay)
    yield "an-empty-replay.json", saved_class("ReplayCompose", p=0.5)
    yield "format-1.json", json.dumps(envelope(MIXUP, NEUTRAL, format_version=1) | {"$schema": "x"})
    one_of = {"type": "mixtransforms.OneOf", "args": {"weights": [0, 0]}, "children": [MIXUP, MIXUP]}
    yield "weights-of-nothing.json", json.dumps(envelope(one_of, NEUTRAL))


for _prefix, _cases in (
    ("type", types()),
    ("key", loader_keys()),
    ("function", functions()),
    ("text", texts()),
    ("twice", twice()),
    ("large", large()),
    ("envelope", envelopes()),
    ("node", nodes()),
    ("argument", arguments()),
    ("range", constructors()),
    ("saved", saves()),
):
    add_all(_prefix, _cases)
add_all("bomb", bombs(), "yaml")
add_all("yaml", yamls(), "yaml")
HARMLESS.update(harmless())
