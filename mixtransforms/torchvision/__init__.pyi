"""The torchvision door. For type checkers and editors; `python tests/test_public_names.py` writes it."""

from mixtransforms import methods
from mixtransforms.torchvision import functional as functional
from mixtransforms.torchvision.compose import BatchCompose as BatchCompose
from mixtransforms.torchvision.transform import Transform as Transform

class CutMix(Transform, methods.CutMix): ...
class MixUp(Transform, methods.MixUp): ...
class OneOf(Transform, methods.OneOf): ...
