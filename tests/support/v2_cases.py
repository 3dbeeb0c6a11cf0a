"""Transforms of torchvision v2 as expressions, and samples on which each of them does something.

Expressions, not objects: a case has a readable name, and tests can see which arguments it gives.
"""

from typing import Any

from hosts import torchvision_bends_outside, torchvision_mode

HOST = "torchvision"

CASES = [
    # no arguments
    "v2.Identity()",
    "v2.ClampKeyPoints()",
    "v2.PILToTensor()",
    "v2.RandomChannelPermutation()",
    "v2.RGB()",
    "v2.ToImage()",
    "v2.ToPureTensor()",
    "v2.ToTensor()",
    # a probability alone
    "v2.RandomAutocontrast()",
    "v2.RandomAutocontrast(p=0.9)",
    "v2.RandomEqualize(p=0.8)",
    "v2.RandomGrayscale(0.6)",
    "v2.RandomHorizontalFlip()",
    "v2.RandomHorizontalFlip(1)",
    "v2.RandomHorizontalFlip(0)",
    "v2.RandomInvert(p=0.7)",
    "v2.RandomVerticalFlip(p=1.0)",
    # colours
    "v2.RandomAdjustSharpness(2)",
    "v2.RandomAdjustSharpness(sharpness_factor=0.5, p=1.0)",
    "v2.RandomPosterize(3)",
    "v2.RandomPosterize(bits=2, p=0.75)",
    "v2.RandomSolarize(128)",
    "v2.RandomSolarize(threshold=100.0, p=0.9)",
    "v2.ColorJitter()",
    "v2.ColorJitter(0.3)",
    "v2.ColorJitter(brightness=(0.5, 0.75), contrast=[1, 2], saturation=0.4, hue=0.1)",
    "v2.ColorJitter(contrast=2, hue=(-0.2, 0.3))",  # two numbers below zero or none: not what one number stands for
    "v2.ColorJitter(brightness=0, saturation=(1.0, 1.0), hue=0.0)",  # all of which are stored as None
    "v2.ColorJitter(0.1, 0.2, 0.3, 0.4)",
    "v2.RandomPhotometricDistort()",
    "v2.RandomPhotometricDistort(brightness=(0.5, 2), contrast=(1, 2), saturation=(0.0, 1.0), hue=(-0.1, 0.2), p=0.9)",
    "v2.Grayscale()",
    "v2.Grayscale(num_output_channels=3)",
    "v2.Normalize([0.5, 0.25, 0.125], [0.5, 1, 2])",
    "v2.Normalize(mean=(0, 0.0, 1), std=(1.0, 0.1, 1e-3), inplace=True)",
    "v2.Normalize(torch.tensor([0.5, 0.25, 0.1]).double().numpy(), torch.ones(3).double().numpy())",
    "v2.GaussianBlur(3)",
    "v2.GaussianBlur([3, 5], sigma=2)",
    "v2.GaussianBlur(kernel_size=(5, 3), sigma=(0.5, 1))",
    "v2.GaussianBlur([7], 1.5)",
    "v2.GaussianNoise()",
    "v2.GaussianNoise(mean=0.1, sigma=0.3, clip=False)",
    "v2.GaussianNoise(0, 1)",
    "v2.JPEG(50)",
    "v2.JPEG(quality=(5, 30))",
    "v2.JPEG([10, 90])",
    # sizes
    "v2.CenterCrop(10)",
    "v2.CenterCrop(size=[8, 12])",
    "v2.CenterCrop((30,))",
    "v2.FiveCrop(6)",
    "v2.FiveCrop(size=(5, 7))",
    "v2.TenCrop(6)",
    "v2.TenCrop(size=[4, 8], vertical_flip=True)",
    "v2.Resize(10)",
    "v2.Resize([9])",
    "v2.Resize((8, 9), interpolation=InterpolationMode.NEAREST)",
    "v2.Resize(size=[14, 6], interpolation=mode('bicubic'), antialias=False)",
    "v2.Resize((30, 30), interpolation=0)",  # PIL's number of a mode
    "v2.Resize((11, 13), 3, antialias=None)",
    "v2.Resize(16, max_size=18)",
    "v2.Resize(None, max_size=12)",
    "v2.Resize((10, 8), interpolation=mode('nearest-exact'))",
    "v2.RandomResize(8, 30)",
    "v2.RandomResize(min_size=10, max_size=16, interpolation=InterpolationMode.NEAREST_EXACT, antialias=False)",
    "v2.RandomShortestSize(10)",
    "v2.RandomShortestSize([8, 12, 16], max_size=20)",
    "v2.RandomShortestSize(min_size=(9, 15), max_size=14, interpolation=mode('nearest'), antialias=False)",
    "v2.ScaleJitter((60, 80))",
    "v2.ScaleJitter(target_size=[16, 10], scale_range=(0.5, 1), interpolation=InterpolationMode.BICUBIC, antialias=False)",
    "v2.RandomResizedCrop(12)",
    "v2.RandomResizedCrop((8, 16), scale=(0.2, 1), ratio=[0.5, 2])",
    "v2.RandomResizedCrop(size=[10, 11], scale=[0.5, 0.75], ratio=(1.0, 1.5), interpolation=InterpolationMode.BICUBIC, antialias=None)",
    "v2.RandomResizedCrop(9, interpolation=mode('nearest'))",
    # padding, which stands in one order in RandomCrop's arguments and in another in its state
    "v2.RandomCrop(8)",
    "v2.RandomCrop((8, 10), padding=2)",
    "v2.RandomCrop([8, 10], padding=[1, 2], fill=7)",
    "v2.RandomCrop(size=19, padding=[1, 2, 3, 4], fill=7)",
    "v2.RandomCrop(24, padding=(3, 0, 5, 9), padding_mode='edge')",
    "v2.RandomCrop(12, padding=[4])",
    "v2.RandomCrop(12, padding=0)",
    "v2.RandomCrop((30, 20), padding=None, pad_if_needed=True, padding_mode='reflect')",
    "v2.RandomCrop(40, pad_if_needed=True, fill={tv_tensors.Image: [1, 2, 3], tv_tensors.Mask: 4, 'others': 0})",
    "v2.RandomCrop(18, padding=6, fill=[0, 128.0, 255])",
    "v2.Pad(2)",
    "v2.Pad(padding=[1, 2], fill={tv_tensors.Image: 3, 'others': 0})",
    "v2.Pad((1, 2, 3, 4), fill=5, padding_mode='constant')",
    "v2.Pad([4, 3, 2, 1], fill=None)",
    "v2.Pad(2, fill=0.0)",
    "v2.Pad(2, fill=7.0)",
    "v2.Pad([3], fill=(9, 8.0, 7))",
    "v2.Pad(3, padding_mode='symmetric')",
    "v2.Pad(0, padding_mode='reflect')",
    "v2.Pad(2, {tv_tensors.Image: 1, tv_tensors.Mask: 2.0, tv_tensors.BoundingBoxes: None, tv_tensors.KeyPoints: 3})",
    "v2.Pad(2, fill={torch.Tensor: 5, tv_tensors.Video: [1.0, 2.0, 3.0], 'others': 1})",
    "v2.RandomZoomOut()",
    "v2.RandomZoomOut(fill=3, side_range=(1, 2), p=0.8)",
    "v2.RandomZoomOut(fill={tv_tensors.Mask: 9, 'others': 0}, side_range=[1.5, 2.0], p=1)",
    "v2.RandomZoomOut([4, 5, 6])",
    # geometry
    "v2.RandomRotation(30)",
    "v2.RandomRotation(15.0, fill=0.0)",
    "v2.RandomRotation((-10, 45.0), interpolation=mode('bilinear'), expand=True)",
    "v2.RandomRotation(degrees=[10, 20], interpolation=InterpolationMode.BILINEAR, center=[4, 5.0], fill=[1, 2, 3])",
    "v2.RandomRotation(45, interpolation=2, center=(0, 0), fill={tv_tensors.Image: 9, 'others': None})",
    "v2.RandomAffine(20)",
    "v2.RandomAffine(0, translate=(0.1, 0.2), scale=(0.8, 1.1), shear=[1, 2, 3, 4])",
    "v2.RandomAffine((0, 90), shear=10)",
    "v2.RandomAffine(5.0, translate=[0, 0.5], shear=(-5, 15.5), interpolation=mode('bilinear'), fill=None)",
    "v2.RandomAffine(degrees=[-30, 30], scale=[1, 2], interpolation=InterpolationMode.BILINEAR, fill=(1, 0.5, 0), center=[2.0, 9])",
    "v2.RandomAffine(10, interpolation=2, fill={tv_tensors.Image: [3, 2, 1], tv_tensors.Mask: 0, 'others': 0}, center=(0.0, 0.0))",
    "v2.RandomPerspective()",
    "v2.RandomPerspective(distortion_scale=0.8, p=1.0, interpolation=InterpolationMode.NEAREST, fill=11)",
    "v2.RandomPerspective(1, 0.9, mode('nearest'), {tv_tensors.Image: 4, 'others': 0})",
    "v2.ElasticTransform()",
    "v2.ElasticTransform(alpha=[10.0, 20.0], sigma=(2, 3.0))",
    "v2.ElasticTransform(alpha=100, sigma=[4], interpolation=InterpolationMode.NEAREST, fill=3)",
    "v2.ElasticTransform(200.0, 3, 0, {tv_tensors.Image: [5, 6, 7], 'others': 0})",
    "v2.RandomIoUCrop()",
    "v2.RandomIoUCrop(min_scale=0.5, max_scale=0.75, min_aspect_ratio=0.25, max_aspect_ratio=3, trials=200)",
    "v2.RandomIoUCrop(sampler_options=[0.0, 0.125])",
    "v2.RandomIoUCrop(1, 1, 1, 1.5, (0, 2), 3)",
    "v2.RandomErasing()",
    "v2.RandomErasing(p=1, value='random')",
    "v2.RandomErasing(p=0.9, scale=(0.1, 0.2), ratio=(0.5, 2), value=[1, 2.0, 3], inplace=True)",
    "v2.RandomErasing(1.0, scale=[0.2, 0.4], ratio=[1, 1], value=(9, 9, 9))",
    "v2.RandomErasing(p=1.0, value=7)",
    "v2.RandomErasing(p=1.0, value=7.5)",
    # found policies
    "v2.AutoAugment()",
    "v2.AutoAugment(v2.AutoAugmentPolicy.CIFAR10, interpolation=mode('bilinear'))",
    "v2.AutoAugment(policy=v2.AutoAugmentPolicy.SVHN, interpolation=InterpolationMode.BILINEAR, fill=[1, 2, 3])",
    "v2.AutoAugment(fill={tv_tensors.Image: 128, 'others': None})",
    "v2.RandAugment()",
    "v2.RandAugment(num_ops=4, magnitude=5, num_magnitude_bins=11, interpolation=2, fill=0)",
    "v2.RandAugment(3, 20, fill=[9.0, 8.0, 7.0])",
    "v2.TrivialAugmentWide()",
    "v2.TrivialAugmentWide(num_magnitude_bins=7, interpolation=mode('bilinear'), fill={tv_tensors.Image: [0, 9, 0], 'others': 1})",
    "v2.AugMix()",
    "v2.AugMix(severity=9, mixture_width=2, chain_depth=3, alpha=0.5, all_ops=False, interpolation=mode('nearest'), fill=12.0)",
    "v2.AugMix(1, alpha=2.0, interpolation=InterpolationMode.NEAREST, fill=(1.0, 2, 3))",
    # types
    "v2.ToDtype(torch.float32)",
    "v2.ToDtype(dtype=torch.float64, scale=True)",
    "v2.ToDtype(torch.uint16, scale=True)",
    "v2.ToDtype({tv_tensors.Image: torch.float32, 'others': None}, scale=True)",
    "v2.ToDtype({tv_tensors.Image: torch.float16, tv_tensors.Mask: torch.int64, tv_tensors.BoundingBoxes: None, 'others': torch.bfloat16})",
    "v2.ToDtype({torch.Tensor: torch.int16, tv_tensors.KeyPoints: torch.float64, 'others': None})",
    "v2.ConvertImageDtype()",
    "v2.ConvertImageDtype(dtype=torch.float64)",
    "v2.ConvertImageDtype(torch.int32)",
    "v2.ToPILImage()",
    "v2.ToPILImage(mode='YCbCr')",
    # boxes and points
    "v2.ConvertBoundingBoxFormat('CXCYWH')",
    "v2.ConvertBoundingBoxFormat(format=tv_tensors.BoundingBoxFormat.XYWH)",
    "v2.ClampBoundingBoxes()",
    "v2.ClampBoundingBoxes(clamping_mode='hard')",
    "v2.ClampBoundingBoxes(clamping_mode=None)",
    "v2.SetClampingMode('hard')",
    "v2.SetClampingMode(clamping_mode=None)",
    "v2.SanitizeBoundingBoxes()",
    "v2.SanitizeBoundingBoxes(min_size=3, labels_getter='default')",
    "v2.SanitizeBoundingBoxes(min_area=20.0, labels_getter=None)",
    "v2.SanitizeKeyPoints()",
    "v2.SanitizeKeyPoints(labels_getter='default')",
    # batches, clips, matrices
    "v2.MixUp(num_classes=4)",
    "v2.MixUp(alpha=0.5, num_classes=5, labels_getter='default')",
    "v2.MixUp(alpha=2.0)",
    "v2.MixUp(labels_getter=None)",
    "v2.CutMix(num_classes=4)",
    "v2.CutMix(alpha=0.25, num_classes=6)",
    "v2.CutMix(alpha=3.0)",
    "v2.CutMix(num_classes=4, labels_getter=None)",
    "v2.UniformTemporalSubsample(3)",
    "v2.UniformTemporalSubsample(num_samples=5)",
    "v2.LinearTransformation(torch.arange(144.0).reshape(12, 12) / 7, torch.arange(12.0) / 3)",
    "v2.LinearTransformation(transformation_matrix=torch.eye(12).double() * 2, mean_vector=torch.ones(12).double() / 3)",
    "v2.LinearTransformation(torch.tensor([[0.1, -0.0], [1e-45, 1 / 3]]), torch.tensor([1e-45, 3.4e38]))",
    # containers
    "v2.Compose([v2.RandomHorizontalFlip(0.25)])",
    "v2.Compose((v2.Resize(12), v2.ToDtype(torch.float32, scale=True), v2.Normalize([0.5] * 3, [0.25] * 3)))",
    "v2.Compose(transforms=[v2.Compose([v2.RandomCrop(8, padding=[1, 2, 3, 4])]), v2.RandomApply([v2.RandomInvert(1.0)])])",
    "v2.RandomApply([v2.RandomRotation((10, 20)), v2.RandomInvert(p=1)], p=0.7)",
    "v2.RandomApply(torch.nn.ModuleList([v2.ColorJitter(0.5), v2.RandomSolarize(9, p=1)]), p=0.9)",
    "v2.RandomApply(transforms=(v2.GaussianBlur(3),), p=1)",
    "v2.RandomChoice([v2.RandomHorizontalFlip(1), v2.RandomVerticalFlip(1)])",
    "v2.RandomChoice([v2.RandomInvert(1), v2.RandomPosterize(1, 1)], p=[1, 3])",
    "v2.RandomChoice(transforms=[v2.Identity(), v2.Pad(1), v2.Pad(2)], p=[0.1, 0.7, 0.3])",  # do not sum to 1
    "v2.RandomChoice([v2.Identity(), v2.Pad(1)] * 3)",  # nor do six sixths, to the last bit
    "v2.RandomChoice([v2.Identity()] * 6 + [v2.Pad(1)], p=[0.1] * 7)",
    "v2.RandomOrder([v2.Pad(2), v2.CenterCrop(16), v2.RandomRotation((30, 40))])",
    "v2.RandomOrder(transforms=(v2.RandomChoice([v2.RandomApply([v2.Pad(3)], p=0.4), v2.Pad(1)], p=[2, 1]), v2.RandomInvert(1)))",
]

REFUSED = {
    "v2.Lambda(len)": "$.pipeline.type",
    "v2.Lambda(lambda image: image, tv_tensors.Image)": "$.pipeline.type",
    "v2.CutMix(num_classes=4, labels_getter=lambda batch: batch[1])": "$.pipeline.args.labels_getter",
    "v2.MixUp(num_classes=4, labels_getter=len)": "$.pipeline.args.labels_getter",
    "v2.SanitizeBoundingBoxes(labels_getter=lambda sample: sample['labels'])": "$.pipeline.args.labels_getter",
    "v2.SanitizeKeyPoints(labels_getter=lambda sample: sample['labels'])": "$.pipeline.args.labels_getter",
    "v2.Compose([v2.Identity(), v2.Lambda(len)])": "$.pipeline.children[1].type",
    "v2.RandomApply([v2.RandomOrder([v2.Lambda(len)])])": "$.pipeline.children[0].children[0].type",
    "v2.LinearTransformation(torch.eye(2) / 0, torch.zeros(2))": "$.pipeline.args.transformation_matrix",
}
"""Cases that no file can hold, and the place that the error must name."""

CHECKED = "v2"
"""Whose classes' arguments the cases must give."""

CANNOT_DIFFER: dict[str, str] = {}
"""Arguments that no case can give, and why."""

CANNOT_RUN = {
    "v2.MixUp(labels_getter=None)": "the host itself wants labels",
    "v2.CutMix(num_classes=4, labels_getter=None)": "the host itself wants labels",
}

UNCHANGED = {
    "v2.Identity()": "does nothing",
    "v2.RandomHorizontalFlip(0)": "never flips",
    "v2.ColorJitter()": "changes nothing",
    "v2.ColorJitter(brightness=0, saturation=(1.0, 1.0), hue=0.0)": "changes nothing",
    "v2.Pad(0, padding_mode='reflect')": "adds nothing",
    "v2.ClampBoundingBoxes(clamping_mode=None)": "clamps nothing",
}
"""Cases that leave every sample as it is; all others must not."""

SEEDS = range(5)


def names() -> dict[str, Any]:
    """What the expressions are written with."""
    import torch
    from torchvision import tv_tensors
    from torchvision.transforms import InterpolationMode, v2

    host = {"v2": v2, "torch": torch, "tv_tensors": tv_tensors, "InterpolationMode": InterpolationMode}
    return host | {"mode": torchvision_mode}


def classes() -> dict[str, type]:
    """The host's public transforms by name."""
    from torchvision.transforms import v2

    public = {name: value for name, value in vars(v2).items() if isinstance(value, type) and name[0] != "_"}
    return {
        name: cls
        for name, cls in public.items()
        if issubclass(cls, v2.Transform) and cls not in (v2.Transform, v2.Lambda)
    }


def sample(transform: Any) -> Any:
    """A sample of the kind that a transform takes."""
    name = type(transform).__name__
    if name in ("MixUp", "CutMix"):
        return _batch(one_hot=transform.num_classes is None)
    if name == "LinearTransformation":
        return _floats(len(transform.mean_vector), 1, 1)
    if name in ("PILToTensor", "ToTensor", "ToImage"):
        return _picture()
    if name == "UniformTemporalSubsample":
        return _clip()
    scene = _scene(channels=1 if name == "RGB" else 3, floats=name == "Normalize")
    one_a_channel = isinstance(getattr(transform, "fill", None), (list, tuple))
    mirrored = getattr(transform, "padding_mode", "constant") != "constant"
    if name in IMAGES_ALONE or one_a_channel or mirrored:
        return {key: scene[key] for key in ("image", "labels")}
    if name == "ElasticTransform" and not torchvision_bends_outside():
        return {key: scene[key] for key in ("image", "mask", "labels")}
    return scene


IMAGES_ALONE = "AugMix AutoAugment RandAugment TrivialAugmentWide FiveCrop TenCrop RandomErasing".split()
"""Transforms that warn of boxes and masks, or refuse them; others do for some values of their arguments."""


def play(transform: Any, seed: int) -> Any:
    """What a transform makes of its sample."""
    import torch

    given = sample(transform)
    torch.manual_seed(seed)
    return transform(*given) if isinstance(given, tuple) else transform(given)


def pictures(data: Any) -> Any:
    """What a transform that does nothing leaves to the bit."""
    return data


def _floats(*shape: int) -> Any:
    import torch

    return torch.rand(shape, generator=torch.Generator().manual_seed(0))


def _bytes(*shape: int) -> Any:
    import torch

    return torch.randint(40, 200, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def _scene(channels: int, floats: bool) -> dict[str, Any]:
    """Three objects: one whole, one tiny, one that leaves the image."""
    import torch
    from torchvision import tv_tensors

    size = (24, 28)
    image = (_floats if floats else _bytes)(channels, *size)
    boxes = torch.tensor([[3.0, 2.0, 15.0, 17.0], [5.0, 6.0, 7.0, 9.5], [18.0, 8.0, 30.0, 15.0]])
    points = torch.tensor([[9.0, 9.0], [6.5, 7.0], [30.0, 10.0]])
    return {
        "image": tv_tensors.Image(image),
        "mask": tv_tensors.Mask(_bytes(3, *size) % 5),
        "boxes": tv_tensors.BoundingBoxes(boxes, format="XYXY", canvas_size=size),
        "points": tv_tensors.KeyPoints(points, canvas_size=size),
        "labels": torch.tensor([7, 8, 9]),
    }


def _batch(one_hot: bool) -> tuple[Any, Any]:
    import torch

    return _floats(4, 3, 8, 10), torch.eye(4) if one_hot else torch.arange(4)


def _picture() -> Any:
    from PIL import Image

    return Image.fromarray(_bytes(20, 24, 3).numpy())


def _clip() -> Any:
    from torchvision import tv_tensors

    return tv_tensors.Video(_bytes(9, 3, 6, 8))
