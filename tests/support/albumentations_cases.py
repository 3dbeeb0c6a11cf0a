"""Transforms of Albumentations as expressions, and samples on which each of them does something.

Expressions, not objects: a case has a readable name, and tests can see which arguments it gives.
"""

import copy
from importlib.util import find_spec
from typing import Any

import numpy as np
from hosts import opencv_takes_booleans

HOST = "albumentations"

CASES = [
    # no arguments, a probability alone
    "A.NoOp()",
    "A.NoOp(p=0.25)",
    "A.ChannelShuffle()",
    "A.ChannelShuffle(p=0.75)",
    "A.D4(p=0.5)",
    "A.HorizontalFlip()",
    "A.HorizontalFlip(1)",
    "A.HorizontalFlip(p=0)",
    "A.InvertImg(p=0.75)",
    "A.RandomRotate90(p=0.75)",
    "A.SquareSymmetry(p=0.75)",
    "A.TimeReverse(p=0.75)",
    "A.ToSepia(p=1.0)",
    "A.Transpose(p=1)",
    "A.VerticalFlip(p=0.75)",
    # blurs
    "A.Blur(5, p=1)",
    "A.Blur(blur_limit=[3, 9], p=0.75)",
    "A.MedianBlur((3, 5), p=1)",
    "A.MedianBlur(blur_limit=7, p=0.75)",
    "A.MotionBlur(p=1)",
    "A.MotionBlur(blur_limit=9, allow_shifted=False, angle_range=(0, 45.5), direction_range=[-0.5, 0.5], p=0.75)",
    "A.GaussianBlur(p=1)",
    "A.GaussianBlur(blur_limit=(3, 7), sigma_limit=2, p=0.75)",
    "A.GaussianBlur(5, sigma_limit=(0.25, 1.5), p=1)",
    "A.GlassBlur(p=1)",
    "A.GlassBlur(sigma=2, max_delta=2, iterations=1, mode='exact', p=0.9)",
    "A.AdvancedBlur(p=1)",
    "A.AdvancedBlur(5, sigma_x_limit=0.5, sigma_y_limit=(0.5, 2), rotate_limit=30, beta_limit=(0.75, 3), noise_limit=(0.75, 1.25), p=0.75)",
    "A.AdvancedBlur(blur_limit=(5, 9), rotate_limit=(0, 45), beta_limit=2.0, noise_limit=0.5, p=1)",
    "A.AdvancedBlur(rotate_limit=45.5, p=1)",
    "A.Defocus(p=1)",
    "A.Defocus(radius=(2, 4), alias_blur=0.3, p=0.75)",
    "A.Defocus(5, (0.2, 0.4), 1.0)",
    "A.ZoomBlur(p=1)",
    "A.ZoomBlur(max_factor=1.5, step_factor=(0.02, 0.05), p=0.75)",
    "A.ZoomBlur((1.1, 1.25), 0.02, 1)",
    # crops
    "A.RandomCrop(32, 40)",
    "A.RandomCrop(height=96, width=40, pad_if_needed=True, pad_position='random', border_mode=cv2.BORDER_REFLECT, fill=3, fill_mask=2, p=0.75)",
    "A.RandomCrop(80, 90, pad_if_needed=True, fill=(1, 2.0, 3), fill_mask=[4])",
    "A.CenterCrop(32, 40)",
    "A.CenterCrop(height=70, width=96, pad_if_needed=True, pad_position='top_left', border_mode=cv2.BORDER_REPLICATE, fill=9.0, fill_mask=1.0, p=0.75)",
    "A.CenterCrop(70, 96, True, 'bottom_right', fill=[5, 6, 7])",
    "A.Crop(x_max=40, y_max=32)",
    "A.Crop(x_min=5, y_min=6, x_max=100, y_max=90, pad_if_needed=True, pad_position='bottom_left', border_mode=cv2.BORDER_WRAP, fill=(1, 2, 3), fill_mask=7, p=0.75)",
    "A.Crop(1, 2, 70, 96, pad_if_needed=True, fill=4)",
    "A.CropNonEmptyMaskIfExists(24, 30)",
    "A.CropNonEmptyMaskIfExists(height=20, width=20, ignore_values=[1, 2], ignore_channels=[0], p=0.75)",
    "A.RandomSizedCrop((20, 40), (32, 32))",
    "A.RandomSizedCrop(min_max_height=[20, 60], size=[24, 36], w2h_ratio=1.5, interpolation=cv2.INTER_CUBIC, mask_interpolation=cv2.INTER_LINEAR, area_for_downscale='image', p=0.75)",
    "A.RandomResizedCrop((32, 32))",
    "A.RandomResizedCrop(size=[20, 30], scale=(0.25, 1), ratio=[1, 2], interpolation=cv2.INTER_NEAREST, mask_interpolation=cv2.INTER_AREA, area_for_downscale='image_mask', p=0.75)",
    "A.RandomCropNearBBox(0.2)",
    "A.RandomCropNearBBox(max_part_shift=(0.1, 0.5), cropping_bbox_key='near', p=0.75)",
    "A.RandomSizedBBoxSafeCrop(32, 40)",
    "A.RandomSizedBBoxSafeCrop(height=20, width=30, erosion_rate=0.25, interpolation=cv2.INTER_LANCZOS4, mask_interpolation=cv2.INTER_CUBIC, p=0.75)",
    "A.BBoxSafeRandomCrop()",
    "A.BBoxSafeRandomCrop(erosion_rate=0.5, p=0.75)",
    "A.AtLeastOneBBoxRandomCrop(24, 30)",
    "A.AtLeastOneBBoxRandomCrop(height=20, width=40, erosion_factor=0.5, p=0.75)",
    "A.RandomCropFromBorders()",
    "A.RandomCropFromBorders(crop_left=0.2, crop_right=0.3, crop_top=0, crop_bottom=0.25, p=0.75)",
    "A.CropAndPad(px=-4)",
    "A.CropAndPad(px=8, keep_size=False, border_mode=cv2.BORDER_REFLECT_101)",
    "A.CropAndPad(px=[1, -2, 3, -4], sample_independently=False, fill=(1, 2, 3), fill_mask=4)",
    "A.CropAndPad(px=((-5, 5), (0, 4), (-5, 0), (1, 2)), fill=[9.0, 8, 7])",
    "A.CropAndPad(px=(-8, 8), fill_mask=(3,))",
    "A.CropAndPad(percent=-0.1, interpolation=cv2.INTER_CUBIC, mask_interpolation=cv2.INTER_LINEAR)",
    "A.CropAndPad(percent=(-0.25, 0.25), keep_size=False, fill=5, p=0.75)",
    "A.CropAndPad(percent=[0.1, 0.0, -0.1, 0], fill=128.0)",
    "A.CropAndPad(percent=[(-0.1, 0.1), (0.2, 0.25), (0, 0.1), [-0.1, 0]])",
    # paddings and sizes
    "A.Pad(3)",
    "A.Pad(padding=(2, 4), fill=[1, 2, 3], fill_mask=5)",
    "A.Pad([1, 2, 3, 4], fill=7.5, fill_mask=(2.0,), border_mode=cv2.BORDER_REPLICATE, p=0.75)",
    "A.PadIfNeeded(80, 96)",
    "A.PadIfNeeded(min_height=90, min_width=100, position='random', border_mode=cv2.BORDER_WRAP, fill=(1, 2, 3), fill_mask=4, p=0.75)",
    "A.PadIfNeeded(min_height=None, min_width=None, pad_height_divisor=48, pad_width_divisor=64, position='top_right', fill=9)",
    "A.Resize(32, 40)",
    "A.Resize(height=100, width=30, interpolation=cv2.INTER_LINEAR_EXACT, mask_interpolation=cv2.INTER_NEAREST_EXACT, area_for_downscale='image', p=0.75)",
    "A.RandomScale(p=1)",
    "A.RandomScale(scale_limit=(0.25, 0.5), interpolation=cv2.INTER_AREA, mask_interpolation=cv2.INTER_CUBIC, area_for_downscale='image', p=0.75)",
    "A.RandomScale(0.5, p=1.0)",
    "A.LongestMaxSize(40)",
    "A.LongestMaxSize(max_size=[30, 50], interpolation=cv2.INTER_NEAREST, mask_interpolation=cv2.INTER_AREA, area_for_downscale='image_mask', p=0.75)",
    "A.LongestMaxSize(max_size_hw=(40, 40))",
    "A.LongestMaxSize(max_size_hw=(None, 50))",
    "A.SmallestMaxSize(max_size=40, interpolation=cv2.INTER_CUBIC, mask_interpolation=cv2.INTER_LINEAR, area_for_downscale='image', p=0.75)",
    "A.SmallestMaxSize((30, 50, 70))",
    "A.SmallestMaxSize(max_size_hw=[30, None])",
    # dropouts
    "A.ChannelDropout(p=1)",
    "A.ChannelDropout(channel_drop_range=(1, 2), fill=7, p=0.75)",
    "A.ChannelDropout(fill=0.5, p=1)",
    "A.CoarseDropout(p=1)",
    "A.CoarseDropout(num_holes_range=(2, 4), hole_height_range=(4, 8), hole_width_range=[5, 9], fill='random', fill_mask=3, p=0.75)",
    "A.CoarseDropout(hole_height_range=(0.25, 0.5), hole_width_range=(0.1, 0.4), fill='random_uniform', fill_mask=1.0, p=1)",
    "A.CoarseDropout(fill=9, p=1)",
    "A.CoarseDropout(fill=9.5, p=1)",
    "A.CoarseDropout(fill=(1, 2, 3), fill_mask=(4,), p=1)",
    "A.CoarseDropout(fill=[3, 2.5, 1], p=1)",
    "A.CoarseDropout(fill='inpaint_telea', p=1)",
    "A.CoarseDropout(fill='inpaint_ns', p=1.0)",
    "A.ConstrainedCoarseDropout(num_holes_range=(1, 3), hole_height_range=(0.25, 0.5), hole_width_range=(0.5, 0.75), fill='random', fill_mask=9, p=0.75, mask_indices=[1, 2])",
    "A.ConstrainedCoarseDropout(bbox_labels=['cat'], fill=(1, 2, 3), p=1)",
    "A.ConstrainedCoarseDropout(bbox_labels=[1, 3.0], fill=5, p=1)",
    "A.Erasing(p=1)",
    "A.Erasing(scale=(0.1, 0.2), ratio=[0.5, 2], fill='random_uniform', fill_mask=2, p=0.75)",
    "A.Erasing(fill=(1, 2, 3), fill_mask=(5,), p=1)",
    "A.GridDropout(p=1)",
    "A.GridDropout(ratio=0.25, random_offset=False, unit_size_range=(8, 16), shift_xy=(2, 3), fill=5, fill_mask=6, p=0.75)",
    "A.GridDropout(holes_number_xy=(3, 4), fill='random', p=1)",
    "A.MaskDropout(p=1)",
    "A.MaskDropout(max_objects=(1, 2), fill=9, fill_mask=3, p=0.75)",
    "A.MaskDropout(2, fill='inpaint_ns', fill_mask=1.0, p=1)",
    "A.PixelDropout(p=1)",
    "A.PixelDropout(dropout_prob=0.2, per_channel=True, drop_value=7, mask_drop_value=3, p=0.75)",
    "A.PixelDropout(0.5, drop_value=(1, 2, 3), p=1)",
    "A.PixelDropout(0.5, drop_value=None, mask_drop_value=0, p=1)",
    "A.XYMasking(num_masks_x=2, mask_x_length=5, p=1)",
    "A.XYMasking(num_masks_x=(1, 2), num_masks_y=3, mask_x_length=(3, 6), mask_y_length=4, fill='random', fill_mask=5, p=0.75)",
    "A.XYMasking(num_masks_y=(1, 3), mask_y_length=(2, 8), fill=(7, 8, 9), p=1)",
    "A.TimeMasking(p=1)",
    "A.TimeMasking(time_mask_param=25, p=0.75)",
    "A.FrequencyMasking(p=1)",
    "A.FrequencyMasking(freq_mask_param=12, p=0.75)",
    # geometry
    "A.Affine(p=1)",
    "A.Affine(scale=0.75, rotate=30, shear=10, p=1)",
    "A.Affine(scale=(0.5, 1.5), translate_percent=0.1, rotate=(-10, 45.5), shear=(-5, 10), keep_ratio=True, balanced_scale=True, p=0.75)",
    "A.Affine(scale={'x': 1.25, 'y': (0.5, 1)}, translate_px={'x': (-9, 9), 'y': 4}, shear={'x': (0, 10), 'y': 5}, p=1)",
    "A.Affine(translate_percent={'x': 0.2, 'y': (-0.1, 0.1)}, p=1)",
    "A.Affine(rotate=30, fit_output=True, p=1)",
    "A.Affine(translate_percent=(-0.25, 0.25), interpolation=cv2.INTER_CUBIC, mask_interpolation=cv2.INTER_LINEAR, fill=(1, 2, 3), fill_mask=4, p=1)",
    "A.Affine(translate_px=5, rotate=20, rotate_method='ellipse', border_mode=cv2.BORDER_REFLECT, p=1)",
    "A.Affine(translate_px=[-8, 8], fill=[9.0, 8, 7], fill_mask=2.0, p=1)",
    "A.Affine(scale=[0.5, 0.5], rotate=(0, 0), p=1)",
    "A.ShiftScaleRotate(p=1)",
    "A.ShiftScaleRotate(shift_limit=0.25, scale_limit=(0, 0.5), rotate_limit=30, interpolation=cv2.INTER_CUBIC, border_mode=cv2.BORDER_WRAP, rotate_method='ellipse', mask_interpolation=cv2.INTER_LINEAR, p=0.75)",
    "A.ShiftScaleRotate(scale_limit=0.5, rotate_limit=(10, 20), shift_limit_x=0.25, shift_limit_y=(0, 0.5), fill=(1, 2, 3), fill_mask=5, p=1)",
    "A.ShiftScaleRotate((-0.1, 0.2), fill=7, p=1)",
    "A.Rotate(p=1)",
    "A.Rotate(limit=30, interpolation=cv2.INTER_CUBIC, border_mode=cv2.BORDER_REPLICATE, rotate_method='ellipse', crop_border=True, mask_interpolation=cv2.INTER_LINEAR, p=0.75)",
    "A.Rotate((10, 20.5), fill=(4, 5, 6), fill_mask=1, p=1)",
    "A.SafeRotate(p=1)",
    "A.SafeRotate(limit=30, interpolation=cv2.INTER_NEAREST, border_mode=cv2.BORDER_REFLECT_101, rotate_method='ellipse', mask_interpolation=cv2.INTER_CUBIC, p=0.75)",
    "A.SafeRotate([10, 20], fill=3, fill_mask=2.0, p=1)",
    "A.Perspective(p=1)",
    "A.Perspective(scale=0.2, keep_size=False, interpolation=cv2.INTER_CUBIC, mask_interpolation=cv2.INTER_LINEAR, p=0.75)",
    "A.Perspective((0.1, 0.15), fit_output=True, border_mode=cv2.BORDER_REPLICATE, p=1)",
    "A.Perspective(0.3, fill=[1, 2, 3], fill_mask=4, p=1)",
    "A.ElasticTransform(p=1)",
    "A.ElasticTransform(alpha=100, sigma=5, interpolation=cv2.INTER_CUBIC, approximate=True, same_dxdy=True, mask_interpolation=cv2.INTER_LINEAR, noise_distribution='uniform', keypoint_remapping_method='direct', border_mode=cv2.BORDER_REFLECT, p=0.75)",
    "A.ElasticTransform(300.0, 8.0, fill=(1, 2, 3), fill_mask=4, p=1)",
    "A.GridDistortion(p=1)",
    "A.GridDistortion(num_steps=3, distort_limit=0.5, interpolation=cv2.INTER_AREA, normalized=False, mask_interpolation=cv2.INTER_CUBIC, keypoint_remapping_method='direct', p=0.75, border_mode=cv2.BORDER_WRAP)",
    "A.GridDistortion(distort_limit=(-0.1, 0.6), normalized=False, fill=9, fill_mask=3, p=1)",
    "A.OpticalDistortion(p=1)",
    "A.OpticalDistortion(distort_limit=0.5, interpolation=cv2.INTER_LANCZOS4, mask_interpolation=cv2.INTER_CUBIC, mode='fisheye', keypoint_remapping_method='direct', p=0.75, border_mode=cv2.BORDER_REPLICATE)",
    "A.OpticalDistortion((0.25, 0.75), fill=(1, 2, 3), fill_mask=(4,), p=1)",
    "A.PiecewiseAffine(p=1)",
    "A.PiecewiseAffine(scale=0.1, nb_rows=3, nb_cols=(3, 5), interpolation=cv2.INTER_CUBIC, mask_interpolation=cv2.INTER_LINEAR, absolute_scale=True, keypoint_remapping_method='direct', p=0.75, border_mode=cv2.BORDER_REFLECT)",
    "A.PiecewiseAffine((0.05, 0.1), nb_rows=(2, 4), nb_cols=3, fill=5, fill_mask=6, p=1)",
    "A.ThinPlateSpline(p=1)",
    "A.ThinPlateSpline(scale_range=(0.1, 0.3), num_control_points=3, interpolation=cv2.INTER_CUBIC, mask_interpolation=cv2.INTER_LINEAR, keypoint_remapping_method='direct', p=0.75, border_mode=cv2.BORDER_WRAP)",
    "A.ThinPlateSpline(fill=(1, 2, 3), fill_mask=4, p=1)",
    "A.GridElasticDeform((4, 4), 5)",
    "A.GridElasticDeform(num_grid_xy=[3, 5], magnitude=10, interpolation=cv2.INTER_CUBIC, mask_interpolation=cv2.INTER_LINEAR, p=0.75)",
    "A.RandomGridShuffle(p=1)",
    "A.RandomGridShuffle(grid=(2, 4), p=0.75)",
    "A.Morphological(p=1)",
    "A.Morphological(scale=(3, 5), operation='erosion', p=0.75)",
    "A.Morphological(4, p=1)",
    # mixes of several images
    "A.Mosaic(target_size=(64, 80), cell_shape=(48, 50), p=1)",
    "A.Mosaic(grid_yx=(1, 3), target_size=[60, 70], cell_shape=(60, 40), center_range=(0.25, 0.75), fit_mode='contain', interpolation=cv2.INTER_CUBIC, mask_interpolation=cv2.INTER_LINEAR, fill=(1, 2, 3), fill_mask=4, metadata_key='more', p=0.75)",
    "A.Mosaic(target_size=(50, 50), cell_shape=(40, 40), fit_mode='contain', fill=7, p=1)",
    "A.OverlayElements(p=1)",
    "A.OverlayElements(metadata_key='pieces', p=0.75)",
    # colours and noise
    "A.AdditiveNoise(p=1)",
    "A.AdditiveNoise(noise_type='gaussian', spatial_mode='per_pixel', noise_params={'mean_range': (0.0, 0.1), 'std_range': [0.1, 0.2]}, approximation=0.5, p=0.75)",
    "A.AdditiveNoise('laplace', 'shared', p=1)",
    "A.AdditiveNoise('beta', noise_params={'alpha_range': (0.5, 1), 'beta_range': (1, 2), 'scale_range': (0.1, 0.2)}, p=1)",
    "A.AdditiveNoise('uniform', noise_params={'ranges': [(-0.2, 0.2), (0, 0.5), [-0.5, 0]]}, p=1)",
    "A.AutoContrast(p=1)",
    "A.AutoContrast(cutoff=5, ignore=100, method='pil', p=0.75)",
    "A.AutoContrast(cutoff=10.0, p=1)",
    "A.CLAHE(p=1)",
    "A.CLAHE(clip_limit=(1, 8), tile_grid_size=(4, 6), p=0.75)",
    "A.CLAHE(2.5, [3, 3], p=1)",
    "A.ChromaticAberration(p=1)",
    "A.ChromaticAberration(primary_distortion_limit=0.1, secondary_distortion_limit=(0, 0.2), mode='random', interpolation=cv2.INTER_CUBIC, p=0.75)",
    "A.ChromaticAberration((0.05, 0.1), 0.2, 'red_blue', p=1)",
    "A.ColorJitter(p=1)",
    "A.ColorJitter(brightness=0.5, contrast=(0.5, 1), saturation=[1, 2], hue=0.25, p=0.75)",
    "A.ColorJitter((0.5, 0.5), 0, 0.0, (0, 0), p=1)",
    "A.Downscale(p=1)",
    "A.Downscale(scale_range=(0.25, 0.75), interpolation_pair={'downscale': cv2.INTER_AREA, 'upscale': cv2.INTER_CUBIC}, p=0.75)",
    "A.Emboss(p=1)",
    "A.Emboss(alpha=(0.5, 1), strength=(1, 2.0), p=0.75)",
    "A.Equalize(p=1)",
    "A.Equalize(mode='pil', by_channels=False, p=0.75)",
    "A.Equalize(mask_params=['mask'], p=1)",
    "A.FancyPCA(p=1)",
    "A.FancyPCA(alpha=0.5, p=0.75)",
    "A.FromFloat()",
    "A.FromFloat(dtype='uint16', max_value=1000, p=0.75)",
    "A.FromFloat('uint8', max_value=100.0)",
    "A.GaussNoise(p=1)",
    "A.GaussNoise(std_range=(0.1, 0.2), mean_range=(0.1, 0.3), per_channel=False, noise_scale_factor=0.5, p=0.75)",
    "A.HEStain(p=1)",
    "A.HEStain(method='preset', preset='dark', intensity_scale_range=(0.5, 0.75), intensity_shift_range=(-0.1, 0), augment_background=True, p=0.75)",
    "A.HEStain('macenko', p=1)",
    "A.HEStain('vahadane', p=1)",
    "A.HEStain('preset', p=1)",
    "A.HueSaturationValue(p=1)",
    "A.HueSaturationValue(hue_shift_limit=5, sat_shift_limit=(0, 50), val_shift_limit=[-9, 9.5], p=0.75)",
    "A.ISONoise(p=1)",
    "A.ISONoise(color_shift=(0.1, 0.2), intensity=(0.5, 1), p=0.75)",
    "A.Illumination(p=1)",
    "A.Illumination(mode='corner', intensity_range=(0.1, 0.15), effect_type='darken', p=0.75)",
    "A.Illumination('gaussian', center_range=(0.25, 0.5), sigma_range=(0.5, 1), p=1)",
    "A.Illumination('linear', effect_type='brighten', angle_range=(45, 90.5), p=1)",
    "A.ImageCompression(p=1)",
    "A.ImageCompression(compression_type='webp', quality_range=(10, 30), p=0.75)",
    "A.MultiplicativeNoise(p=1)",
    "A.MultiplicativeNoise(multiplier=(0.5, 1.5), per_channel=True, elementwise=True, p=0.75)",
    "A.Normalize()",
    "A.Normalize(mean=0.5, std=0.25, max_pixel_value=1.0, p=0.75)",
    "A.Normalize(mean=(0.5, 0, 1), std=[1, 2, 0.5], max_pixel_value=200)",
    "A.Normalize(normalization='image')",
    "A.Normalize(normalization='min_max_per_channel')",
    "A.PlanckianJitter(p=1)",
    "A.PlanckianJitter(mode='cied', temperature_limit=(5000, 9000), sampling_method='gaussian', p=0.75)",
    "A.PlasmaBrightnessContrast(p=1)",
    "A.PlasmaBrightnessContrast(brightness_range=(0.1, 0.5), contrast_range=(-0.5, 0), plasma_size=64, roughness=1.5, p=0.75)",
    "A.PlasmaShadow(p=1)",
    "A.PlasmaShadow(shadow_intensity_range=(0.5, 1), roughness=2, p=0.75)",
    "A.Posterize(p=1)",
    "A.Posterize(num_bits=2, p=0.75)",
    "A.Posterize((1, 5), p=1)",
    "A.Posterize([(1, 2), (3, 4), (5, 6)], p=1)",
    "A.RGBShift(p=1)",
    "A.RGBShift(r_shift_limit=40, g_shift_limit=(0, 30), b_shift_limit=(-0.5, 0.5), p=0.75)",
    "A.RandomBrightnessContrast(p=1)",
    "A.RandomBrightnessContrast(brightness_limit=0.5, contrast_limit=(0, 0.5), brightness_by_max=False, ensure_safe_range=True, p=0.75)",
    "A.RandomFog(p=1)",
    "A.RandomFog(alpha_coef=0.25, fog_coef_range=(0.5, 0.75), p=0.75)",
    "A.RandomGamma(p=1)",
    "A.RandomGamma(gamma_limit=(50, 150.5), p=0.75)",
    "A.RandomGamma(60, p=1)",
    "A.RandomGravel(p=1)",
    "A.RandomGravel(gravel_roi=(0, 0.1, 1, 0.9), number_of_patches=5, p=0.75)",
    "A.RandomRain(p=1)",
    "A.RandomRain(slant_range=(-5, 15), drop_length=9, drop_width=2, drop_color=(10, 20, 30), blur_value=3, brightness_coefficient=0.5, p=0.75)",
    "A.RandomRain(rain_type='heavy', p=1)",
    "A.RandomShadow(p=1)",
    "A.RandomShadow(shadow_roi=(0, 0, 1, 0.5), num_shadows_limit=(2, 3), shadow_dimension=4, shadow_intensity_range=(0.25, 0.75), p=0.75)",
    "A.RandomSnow(p=1)",
    "A.RandomSnow(brightness_coeff=1.5, snow_point_range=(0.5, 0.75), method='texture', p=0.75)",
    "A.RandomSunFlare(src_radius=20, p=1)",
    "A.RandomSunFlare(flare_roi=(0.1, 0.2, 0.8, 0.9), src_radius=30, src_color=(10, 100, 200), angle_range=(0.25, 0.5), num_flare_circles_range=(2, 4), method='physics_based', p=0.75)",
    "A.RandomToneCurve(p=1)",
    "A.RandomToneCurve(scale=0.5, per_channel=True, p=0.75)",
    "A.RingingOvershoot(p=1)",
    "A.RingingOvershoot(blur_limit=9, cutoff=(1, 2.5), p=0.75)",
    "A.RingingOvershoot((7, 11), p=1)",
    "A.SaltAndPepper(p=1)",
    "A.SaltAndPepper(amount=(0.1, 0.2), salt_vs_pepper=(0, 0.5), p=0.75)",
    "A.Sharpen(p=1)",
    "A.Sharpen(alpha=(0.5, 1), lightness=(1, 2), method='gaussian', kernel_size=7, sigma=2, p=0.75)",
    "A.ShotNoise(p=1)",
    "A.ShotNoise(scale_range=(0.5, 1), p=0.75)",
    "A.Solarize(p=1)",
    "A.Solarize(threshold_range=(0.25, 0.75), p=0.75)",
    "A.Spatter(p=1)",
    "A.Spatter(mean=0.5, std=(0.25, 0.5), gauss_sigma=1.5, cutout_threshold=(0.5, 0.75), intensity=0.5, mode='mud', color=(10, 20, 30), p=0.75)",
    "A.Spatter((0.5, 0.75), 0.25, (1, 3), 0.5, (0.25, 0.75), color=[1, 2, 3], p=1)",
    "A.Superpixels(n_segments=20, p=1)",
    "A.Superpixels(p_replace=0.5, n_segments=(10, 30), max_size=40, interpolation=cv2.INTER_NEAREST, p=0.75)",
    "A.Superpixels((0.5, 1), 15, max_size=None, p=1)",
    "A.ToFloat()",
    "A.ToFloat(max_value=100, p=0.75)",
    "A.ToGray(p=1)",
    "A.ToGray(num_output_channels=1, method='max', p=0.75)",
    "A.ToRGB()",
    "A.ToRGB(num_output_channels=4, p=0.75)",
    "A.ToTensorV2()",
    "A.ToTensorV2(transpose_mask=True, p=0.75)",
    "A.UnsharpMask(p=1)",
    "A.UnsharpMask(blur_limit=5, sigma_limit=(0.5, 2), alpha=0.75, threshold=3, p=0.75)",
    "A.UnsharpMask((3, 9), 1.5, (0.5, 1), p=1)",
    # volumes
    "A.CenterCrop3D((4, 8, 8))",
    "A.CenterCrop3D(size=[10, 8, 20], pad_if_needed=True, fill=5, fill_mask=2, p=0.75)",
    "A.RandomCrop3D((4, 8, 8))",
    "A.RandomCrop3D(size=(10, 8, 20), pad_if_needed=True, fill=5.0, fill_mask=(2,), p=0.75)",
    "A.Pad3D(2)",
    "A.Pad3D(padding=(1, 2, 3), fill=4, fill_mask=1, p=0.75)",
    "A.Pad3D([1, 2, 3, 4, 5, 6], fill=(7,))",
    "A.PadIfNeeded3D((10, 20, 20))",
    "A.PadIfNeeded3D(min_zyx=[9, 17, 18], position='random', fill=3, fill_mask=1.0, p=0.75)",
    "A.PadIfNeeded3D(pad_divisor_zyx=(5, 9, 7))",
    "A.CoarseDropout3D(p=1)",
    "A.CoarseDropout3D(num_holes_range=(2, 3), hole_depth_range=(0.25, 0.5), hole_height_range=(0.5, 0.75), hole_width_range=(0.1, 0.5), fill=9, fill_mask=1, p=0.75)",
    "A.CubicSymmetry(p=0.75)",
    "A.ToTensor3D()",
    "A.ToTensor3D(p=0.5)",
    # containers
    "A.OneOf([A.HorizontalFlip(p=1), A.InvertImg(p=0.5)])",
    "A.OneOf(transforms=[A.Blur(p=0.75), A.Sequential([A.Transpose(p=1), A.GaussNoise(p=1)], p=0.5)], p=1)",
    "A.OneOf((A.HorizontalFlip(p=1), A.VerticalFlip(p=1)), p=1.0)",
    "A.SomeOf([A.HorizontalFlip(p=1), A.VerticalFlip(p=1), A.InvertImg(p=1)], n=2)",
    "A.SomeOf(transforms=[A.InvertImg(p=1), A.Transpose(p=1)], n=3, replace=True, p=0.75)",
    "A.RandomOrder([A.Rotate(p=1), A.VerticalFlip(p=1), A.RandomScale(p=1)], n=2)",
    "A.RandomOrder(transforms=[A.Rotate(p=1), A.Transpose(p=1)], n=4, replace=True, p=0.75)",
    "A.OneOrOther(A.HorizontalFlip(p=1), A.VerticalFlip(p=1))",
    "A.OneOrOther(first=A.InvertImg(p=1), second=A.OneOf([A.Blur(p=1), A.Rotate(p=1)], p=1), p=0.75)",
    "A.OneOrOther(transforms=[A.Rotate(p=1), A.NoOp()], p=0.25)",
    "A.Sequential([A.HorizontalFlip(), A.RandomCrop(20, 20)])",
    "A.Sequential(transforms=[A.SomeOf([A.Rotate(), A.Blur()], n=1, p=1)], p=1)",
    "A.SelectiveChannelTransform([A.InvertImg(p=1)])",
    "A.SelectiveChannelTransform(transforms=[A.GaussNoise(p=1), A.Blur(p=1)], channels=(2, 0), p=0.75)",
    "A.SelectiveChannelTransform([A.InvertImg(p=1)], [1])",
    "A.Compose([])",
    "A.Compose([A.HorizontalFlip(), A.GaussNoise(p=1)])",
    "A.Compose([A.HorizontalFlip(), A.GaussNoise(p=1)], seed=7)",
    "A.Compose(transforms=[A.Rotate(p=1), A.RandomCrop(30, 30)], p=0.75, strict=True, seed=0, save_applied_params=True)",
    "A.Compose([A.Rotate(p=1, mask_interpolation=cv2.INTER_LINEAR), A.OneOf([A.RandomScale(p=1)], p=1)], mask_interpolation=cv2.INTER_CUBIC)",
    "A.Compose([A.Rotate(p=1), A.Perspective(p=1)], mask_interpolation=cv2.INTER_NEAREST, seed=123456789)",
    "A.Compose([A.Affine(scale=0.5, p=1)], additional_targets={'other': 'image', 'depth': 'mask'}, is_check_shapes=False)",
    "A.Compose([A.RandomCrop(40, 50)], bbox_params=A.BboxParams('pascal_voc', label_fields=['labels']))",
    "A.Compose([A.RandomCrop(40, 50)], A.BboxParams(format='coco', label_fields=['labels', 'ids'], min_area=9, min_visibility=0.25, min_width=2, min_height=3.0, check_each_transform=False, clip=True, filter_invalid_bboxes=True, max_accept_ratio=5), seed=1)",
    "A.Compose([A.HorizontalFlip(p=1)], bbox_params={'format': 'yolo', 'label_fields': ('labels',), 'min_area': 2.0, 'clip': True})",
    "A.Compose([A.Rotate(p=1)], bbox_params={'format': 'albumentations'}, keypoint_params={'format': 'xya', 'remove_invisible': False}, seed=5)",
    "A.Compose([A.SafeRotate(p=1), A.CenterCrop(30, 30)], keypoint_params=A.KeypointParams('xy'))",
    "A.Compose([A.RandomScale(p=1), A.Crop(x_max=30, y_max=30)], keypoint_params=A.KeypointParams(format='xyas', label_fields=['names'], remove_invisible=False, angle_in_degrees=False, check_each_transform=False))",
    "A.Compose([A.Compose([A.OneOf([A.Rotate(p=1), A.OneOrOther(A.Blur(p=1), A.InvertImg(p=1), p=0.5)], p=1)], p=0.75, seed=3), A.Transpose()], seed=9)",
    "A.Compose([A.Compose([A.Rotate(p=1)], additional_targets={'other': 'image'}), A.VerticalFlip(p=1)], additional_targets={'depth': 'mask'})",
    "A.ReplayCompose([A.HorizontalFlip(), A.Blur()])",
    "A.ReplayCompose(transforms=[A.OneOf([A.Rotate(p=1), A.RandomScale(p=1)], p=1)], bbox_params={'format': 'coco', 'label_fields': ['labels']}, keypoint_params=A.KeypointParams('xya'), additional_targets={'other': 'image'}, p=0.75, is_check_shapes=False, save_key='done')",
]

REFUSED = {
    "A.Lambda(image=lambda image, **kwargs: image, name='same')": "$.pipeline.type",
    "A.FDA([np.zeros((8, 8, 3), np.uint8)], read_fn=lambda image: image)": "$.pipeline.type",
    "A.FDA()": "$.pipeline.type",
    "A.HistogramMatching([np.zeros((8, 8, 3), np.uint8)], read_fn=lambda image: image)": "$.pipeline.type",
    "A.PixelDistributionAdaptation([np.zeros((8, 8, 3), np.uint8)], read_fn=lambda image: image)": "$.pipeline.type",
    "A.TextImage('font.ttf')": "$.pipeline.type",
    "A.Equalize(mask=lambda image: image[..., 0])": "$.pipeline.args.mask",
    "A.Equalize(mask=np.ones((64, 80), np.uint8))": "$.pipeline.args.mask",
    "A.Compose([A.NoOp(), A.Lambda(image=lambda image, **kwargs: image)])": "$.pipeline.children[1].type",
    "A.OneOf([A.Sequential([A.Lambda(name='nothing')])])": "$.pipeline.children[0].children[0].type",
}
"""Cases that no file can hold, and the place that the error must name."""

CHECKED = "A"
"""Whose classes' arguments the cases must give."""

CANNOT_DIFFER = {
    "Equalize.mask": "an array or a function, neither of which a file holds",
    "PlasmaShadow.plasma_size": "the host itself drops it",
}
"""Arguments that no case can give, and why."""

CANNOT_RUN = {
    "A.MaskDropout(2, fill='inpaint_ns', fill_mask=1.0, p=1)": "the host hands the word to OpenCV, which wants a number",
}
if find_spec("cv2") and not opencv_takes_booleans():
    CANNOT_RUN["A.AutoContrast(cutoff=5, ignore=100, method='pil', p=0.75)"] = "the host hands OpenCV a boolean mask"

UNCHANGED = {
    "A.Affine(p=1)": "is the identity",
    "A.NoOp()": "does nothing",
    "A.NoOp(p=0.25)": "does nothing",
    "A.HorizontalFlip(p=0)": "never flips",
    "A.Compose([])": "does nothing",
}
"""Cases that leave every sample as it is; all others must not."""

SEEDS = (2, 3, 4, 7, 9)
"""Of which the second one's draw is above the default p, and the first one's above 0.75."""


def names() -> dict[str, Any]:
    """What the expressions are written with."""
    import albumentations as A
    import cv2

    return {"A": A, "cv2": cv2, "np": np}


ABSTRACT = "BaseCompose BasicTransform DualTransform ImageOnlyTransform Transform3D".split()

BY_DESIGN = "FDA HistogramMatching Lambda PixelDistributionAdaptation TemplateTransform TextImage".split()
"""Take functions, images or files."""


def classes() -> dict[str, type]:
    """The host's public transforms by name, and the parameters of its targets."""
    import albumentations as A

    public = {name: value for name, value in vars(A).items() if isinstance(value, type) and name[0] != "_"}
    found = {name: cls for name, cls in public.items() if issubclass(cls, (A.BasicTransform, A.BaseCompose))}
    known = {name: cls for name, cls in found.items() if name not in (*ABSTRACT, *BY_DESIGN) and cls.is_serializable()}
    return known | {"BboxParams": A.BboxParams, "KeypointParams": A.KeypointParams}


def sample(transform: Any) -> dict[str, Any]:
    """A sample with all that a transform takes, and all that it needs."""
    name = type(transform).__name__
    known = _targets(transform)
    if name.endswith("3D") or name == "CubicSymmetry":
        return {"volume": _bytes(8, 16, 14, 2), "mask3d": _bytes(8, 16, 14) % 5}
    image = _bytes(64, 80) if name == "ToRGB" else _bytes(64, 80, 3)
    data = {"image": (image / 255).astype(np.float32) if name == "FromFloat" else image}
    if "mask" in known:
        data["mask"] = _blocks()
    if "bboxes" in known:
        data |= _boxes(transform)
    if "keypoints" in known:
        data |= _points(transform)
    for target, kind in getattr(transform, "additional_targets", {}).items():
        data[target] = data[kind][::-1].copy()
    return data | _extras(transform)


def play(transform: Any, seed: int) -> Any:
    """What a transform makes of its sample."""
    import albumentations as A

    data = sample(transform)
    if not isinstance(transform, A.Compose):
        boxes = A.BboxParams("pascal_voc", label_fields=["labels"]) if "bboxes" in data else None
        points = A.KeypointParams("xy", remove_invisible=False) if "keypoints" in data else None
        transform = A.Compose([transform], boxes, points, seed=seed)
    elif transform.seed is None:
        transform = copy.deepcopy(transform)  # whose seed the original does not get
        transform.set_random_seed(seed)
    return transform(**data)


def pictures(data: dict[str, Any]) -> dict[str, Any]:
    """What a transform that does nothing leaves to the bit; boxes and points are rounded on their way."""
    return {key: data[key] for key in ("image", "mask", "volume", "mask3d") if key in data}


def _targets(transform: Any) -> set[str]:
    """Names of what a transform takes; pipelines take boxes and points only where they declare their format."""
    import albumentations as A

    known = set(transform.available_keys) | set(getattr(transform, "targets_as_params", ()))
    if isinstance(transform, A.Compose):
        return known - {"bboxes", "keypoints"} | set(transform.processors)
    return known - {"bboxes", "keypoints"} if isinstance(transform, A.OverlayElements) else known


def _bytes(*shape: int) -> np.ndarray:
    """Blurry pictures, which compression and sharpening tell from noise."""
    coarse = np.random.default_rng(0).integers(20, 230, [-(-size // 5) for size in shape[:2]] + list(shape[2:]))
    return coarse.repeat(5, 0).repeat(5, 1)[: shape[0], : shape[1]].astype(np.uint8)


def _blocks() -> np.ndarray:
    mask = np.zeros((64, 80), np.uint8)
    mask[8:28, 12:40], mask[34:54, 50:70], mask[40:60, 5:20] = 1, 2, 3
    return mask


def _boxes(transform: Any) -> dict[str, Any]:
    """Boxes in the format that a pipeline declares, with a value for each of its label fields."""
    processor = getattr(transform, "processors", {}).get("bboxes")
    corners = np.array([[12, 8, 40, 28], [50, 34, 70, 54], [5, 40, 20, 60]], np.float64)
    if processor is None:
        return {"bboxes": corners, "labels": ["cat", "dog", "cat"]}
    low, high = corners[:, :2], corners[:, 2:]
    form = processor.params.format
    if form == "coco":
        corners = np.hstack([low, high - low])
    elif form == "yolo":
        corners = np.hstack([(low + high) / 2, high - low]) / [80, 64, 80, 64]
    elif form == "albumentations":
        corners = corners / [80, 64, 80, 64]
    return {"bboxes": corners} | {field: ["cat", "dog", "cat"] for field in processor.params.label_fields or ()}


def _points(transform: Any) -> dict[str, Any]:
    processor = getattr(transform, "processors", {}).get("keypoints")
    columns = {"xya": 3, "xyas": 4}.get(processor.params.format, 2) if processor else 2
    points = np.array([[20, 15, 0.5, 2], [60, 44, 1.5, 3], [10, 50, 3.0, 4]], np.float64)[:, :columns]
    fields = processor.params.label_fields or () if processor else ()
    return {"keypoints": points} | {field: ["nose", "tail", "nose"] for field in fields}


def _extras(transform: Any) -> dict[str, Any]:
    """What some transforms ask for by a name of their own."""
    name = type(transform).__name__
    if name == "RandomCropNearBBox":
        return {transform.cropping_bbox_key: [12, 8, 40, 28]}
    if name == "OverlayElements":
        return {
            transform.metadata_key: {
                "image": 255 - _bytes(20, 24, 3),
                "mask_id": 4,
                "mask": np.ones((20, 24), np.uint8),
            }
        }
    if name == "Mosaic":
        other = {
            "image": 255 - _bytes(50, 60, 3),
            "mask": np.full((50, 60), 4, np.uint8),
            "bboxes": [[5, 5, 30, 40]],
            "labels": ["dog"],
        }
        return {transform.metadata_key: [other | {"keypoints": [[9, 9]]}]}
    return {}
