"""The mixing methods. For type checkers and editors; `python tests/test_public_names.py` writes it."""

from mixtransforms.methods.attentive_cutmix import AttentiveCutMix as AttentiveCutMix
from mixtransforms.methods.classmix import ClassMix as ClassMix
from mixtransforms.methods.column_swap import ColumnSwap as ColumnSwap
from mixtransforms.methods.copyblend import CopyBlend as CopyBlend
from mixtransforms.methods.copypaste import CopyPaste as CopyPaste
from mixtransforms.methods.cowmask import CowMask as CowMask
from mixtransforms.methods.cutmix import CutMix as CutMix
from mixtransforms.methods.fmix import FMix as FMix
from mixtransforms.methods.gridmix import GridMix as GridMix
from mixtransforms.methods.mixup import MixUp as MixUp
from mixtransforms.methods.mosaic import Mosaic as Mosaic
from mixtransforms.methods.oneof import OneOf as OneOf
from mixtransforms.methods.remix import Remix as Remix
from mixtransforms.methods.resizemix import ResizeMix as ResizeMix
from mixtransforms.methods.saliencymix import SaliencyMix as SaliencyMix
from mixtransforms.methods.smoothmix import SmoothMix as SmoothMix

__all__: list[str]
