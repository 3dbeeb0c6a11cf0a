"""The cases of both hosts as one table: which there are, how one is built, and what hosts warn of meanwhile."""

from typing import Any

import albumentations_cases
import pytest
import v2_cases

HOSTS = {cases.HOST: cases for cases in (v2_cases, albumentations_cases)}

EVERY = [pytest.param(host, case, id=case) for host, cases in HOSTS.items() for case in cases.CASES]

DEPRECATED = [
    pytest.mark.filterwarnings(f"ignore:{message}")
    for message in (
        # Deprecated classes, which are public all the same.
        "The transform `ToTensor",
        "The image decoding and encoding capabilities of TorchVision are deprecated:DeprecationWarning",
        "'reference_images' and 'read_fn' arguments are deprecated",
        # Classes that recommend another one, or complain of themselves.
        "TimeReverse is an alias",
        "(Time|Frequency)Masking is a specialized version",
        "ShiftScaleRotate is a special case",
        "This augmenter is very slow",
        "Using lambda is incompatible with multiprocessing",
    )
]


def built(host: str, case: str) -> Any:
    pytest.importorskip(host, reason=f"{host} is not installed")
    return eval(case, HOSTS[host].names())
