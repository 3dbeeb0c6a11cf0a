"""The names of the package. For type checkers and editors; `python tests/test_public_names.py` writes it."""

from mixtransforms import methods
from mixtransforms import show as show
from mixtransforms._version import __version__ as __version__
from mixtransforms.core.errors import ConfigError as ConfigError
from mixtransforms.core.errors import InputError as InputError
from mixtransforms.core.errors import MissingDependencyError as MissingDependencyError
from mixtransforms.core.errors import ParameterError as ParameterError
from mixtransforms.core.errors import PlanError as PlanError
from mixtransforms.core.errors import UnknownOptionError as UnknownOptionError
from mixtransforms.files import fingerprint as fingerprint
from mixtransforms.files import from_dict as from_dict
from mixtransforms.files import from_json as from_json
from mixtransforms.files import json_schema as json_schema
from mixtransforms.files import load as load
from mixtransforms.files import save as save
from mixtransforms.files import to_dict as to_dict
from mixtransforms.files import to_json as to_json
from mixtransforms.methods.pairing import Similar as Similar
from mixtransforms.methods.pairing import SimilarShape as SimilarShape
from mixtransforms.methods.pairing import Within as Within
from mixtransforms.methods.schedules import Cosine as Cosine
from mixtransforms.methods.schedules import OffAfter as OffAfter
from mixtransforms.methods.schedules import Ramp as Ramp
from mixtransforms.methods.schedules import Schedule as Schedule
from mixtransforms.methods.schedules import Steps as Steps
from mixtransforms.methods.schedules import Then as Then
from mixtransforms.mixing.banks import EarlierSamples as EarlierSamples
from mixtransforms.mixing.banks import SampleBank as SampleBank
from mixtransforms.mixing.epochs import set_epoch as set_epoch
from mixtransforms.mixing.hints import register_hint as register_hint
from mixtransforms.mixing.relabel import attention_shares as attention_shares
from mixtransforms.mixing.relabel import relabel as relabel
from mixtransforms.mixing.trace import Trace as Trace
from mixtransforms.mixing.transform import MixTransform
from mixtransforms.objects.boxes import BoxRules as BoxRules
from mixtransforms.objects.keypoints import Keypoints as Keypoints
from mixtransforms.objects.objects import DegenerateBoxWarning as DegenerateBoxWarning
from mixtransforms.objects.objects import VisibleKeypoints as VisibleKeypoints
from mixtransforms.objects.objects import WeightedObjects as WeightedObjects
from mixtransforms.plan import BatchSpec as BatchSpec
from mixtransforms.plan import Boxes as Boxes
from mixtransforms.plan import Canvas as Canvas
from mixtransforms.plan import Layer as Layer
from mixtransforms.plan import Mask as Mask
from mixtransforms.plan import Plan as Plan
from mixtransforms.rng.keys import Key as Key
from mixtransforms.rng.streams import EpochWarning as EpochWarning
from mixtransforms.targets.label import Label as Label
from mixtransforms.targets.label import LabelMix as LabelMix
from mixtransforms.targets.label import LabelPair as LabelPair
from mixtransforms.targets.mask import MaskMix as MaskMix
from mixtransforms.targets.mask import MaskPair as MaskPair
from mixtransforms.targets.mask import SemanticMask as SemanticMask
from mixtransforms.targets.multilabel import KnownLabels as KnownLabels
from mixtransforms.targets.multilabel import MultiLabel as MultiLabel
from mixtransforms.targets.padding import Lengths as Lengths
from mixtransforms.targets.padding import Padding as Padding
from mixtransforms.targets.regression import Regression as Regression
from mixtransforms.targets.table import Table as Table

class AttentiveCutMix(MixTransform, methods.AttentiveCutMix): ...
class ClassMix(MixTransform, methods.ClassMix): ...
class ColumnSwap(MixTransform, methods.ColumnSwap): ...
class CopyBlend(MixTransform, methods.CopyBlend): ...
class CopyPaste(MixTransform, methods.CopyPaste): ...
class CowMask(MixTransform, methods.CowMask): ...
class CutMix(MixTransform, methods.CutMix): ...
class FMix(MixTransform, methods.FMix): ...
class GridMix(MixTransform, methods.GridMix): ...
class MixUp(MixTransform, methods.MixUp): ...
class Mosaic(MixTransform, methods.Mosaic): ...
class OneOf(MixTransform, methods.OneOf): ...
class Remix(MixTransform, methods.Remix): ...
class ResizeMix(MixTransform, methods.ResizeMix): ...
class SaliencyMix(MixTransform, methods.SaliencyMix): ...
class SmoothMix(MixTransform, methods.SmoothMix): ...
