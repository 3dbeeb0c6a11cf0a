"""The mixing methods, one a file. Importing this package registers them."""

from mixtransforms.methods.cutmix import CutMix
from mixtransforms.methods.mixup import MixUp
from mixtransforms.methods.oneof import OneOf

__all__ = ["CutMix", "MixUp", "OneOf"]
