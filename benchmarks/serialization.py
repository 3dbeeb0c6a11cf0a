"""How long pipeline files take: ``python benchmarks/serialization.py``. Prints medians and targets."""

import argparse
import statistics
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from harness import taken

import mixtransforms
from mixtransforms.files import nodes
from mixtransforms.files.parse import parse
from mixtransforms.files.registry import ROOT, codec_of

HOSTS = ("torchvision", "albumentations")

MILLISECOND = 1e-3


def torchvision_pipeline(count: int) -> Any:
    from torchvision.transforms import v2

    from mixtransforms.torchvision import BatchCompose, CutMix, MixUp, OneOf

    makers = [
        lambda: v2.RandomResizedCrop(224, interpolation=v2.InterpolationMode.BICUBIC),
        lambda: v2.RandomHorizontalFlip(),
        lambda: v2.RandomApply([v2.ColorJitter(0.25, 0.25, 0.25, 0.125)], p=0.5),
        lambda: v2.RandomAffine(10, translate=(0.125, 0.25), shear=[1, 2, 3, 4]),
        lambda: v2.Pad([1, 2], fill=3),
        lambda: v2.GaussianBlur(3),
        lambda: v2.Normalize([0.5] * 3, [0.25] * 3),
    ]
    last = OneOf([MixUp(0.25), CutMix()], num_classes=10)
    return BatchCompose([*(makers[index % len(makers)]() for index in range(count - 1)), last], seed=3)


def albumentations_pipeline(count: int) -> Any:
    import albumentations as A

    from mixtransforms.albumentations import BatchCompose, CutMix, MixUp, OneOf

    makers = [
        lambda: A.RandomResizedCrop((224, 224)),
        lambda: A.HorizontalFlip(),
        lambda: A.OneOf([A.Blur(), A.GaussNoise()], p=0.25),
        lambda: A.ColorJitter(),
        lambda: A.Affine(scale=(0.75, 1.25), rotate=10),
        lambda: A.CoarseDropout(),
        lambda: A.Normalize(),
    ]
    last = OneOf([MixUp(0.25), CutMix()], num_classes=10)
    return BatchCompose([*(makers[index % len(makers)]() for index in range(count - 1)), last], seed=3)


PIPELINES: dict[str, Callable[[int], Any]] = {
    "torchvision": torchvision_pipeline,
    "albumentations": albumentations_pipeline,
}

FLAT = {
    "torchvision": '{"type": "torchvision.RandomInvert", "args": {"p": 0.5}}',
    "albumentations": '{"type": "albumentations.Transpose", "args": {"p": 0.5}}',
}


def flat_text(host: str, count: int) -> str:
    """A flat pipeline of so many nodes, its container among them."""
    children = ",\n".join([FLAT[host]] * (count - 1))
    pipeline = f'{{"type": "mixtransforms.BatchCompose", "args": {{}}, "children": [{children}]}}'
    return f'{{"format": "mixtransforms/pipeline", "format_version": 2, "host": "{host}", "pipeline": {pipeline}}}'


def examined(host: str, text: str) -> None:
    data = parse(text)
    problems = list(nodes.examine(codec_of(host), data["pipeline"], ROOT))
    if problems:
        raise SystemExit(str(problems[0]))


def median(call: Callable[[], Any], repeat: int) -> float:
    return statistics.median(taken({"": call}, repeat)[""])


def rows(host: str, options: argparse.Namespace) -> Iterator[tuple[str, float, float | None]]:
    pipeline = PIPELINES[host](options.transforms)
    text = mixtransforms.to_json(pipeline)
    flat = flat_text(host, options.nodes)
    few = max(options.repeat // 10, 3)
    name = f"of {options.transforms} transforms"
    yield f"load a pipeline {name}", median(lambda: mixtransforms.from_json(text), options.repeat), 10 * MILLISECOND
    yield f"write a pipeline {name}", median(lambda: mixtransforms.to_json(pipeline), options.repeat), None
    yield f"fingerprint {name}", median(lambda: mixtransforms.fingerprint(pipeline), options.repeat), None
    yield f"repr {name}", median(lambda: repr(pipeline), options.repeat), None
    yield f"parse {options.nodes} nodes", median(lambda: parse(flat), few), None
    yield f"parse and examine {options.nodes} nodes", median(lambda: examined(host, flat), few), 200 * MILLISECOND


def main() -> None:
    parser = argparse.ArgumentParser(description="Times of reading and writing pipeline files, after all imports.")
    parser.add_argument("--host", choices=HOSTS, action="append", help="only this one; may be given twice")
    parser.add_argument("--transforms", type=int, default=30, help="of the pipeline that is loaded and written")
    parser.add_argument("--nodes", type=int, default=10_000, help="of the flat pipeline that is examined")
    parser.add_argument("--repeat", type=int, default=50, help="calls whose median is told")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    print(f"{'host':15} {'what':40} {'median ms':>10} {'target ms':>10}")
    for host in options.host or HOSTS:
        for what, seconds, target in rows(host, options):
            aim = "" if target is None else f"{target / MILLISECOND:.0f}"
            print(f"{host:15} {what:40} {seconds / MILLISECOND:10.2f} {aim:>10}")


if __name__ == "__main__":
    main()
