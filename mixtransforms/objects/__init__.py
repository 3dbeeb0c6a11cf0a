"""Objects of images: boxes, keypoints and instance masks, and everything told of them."""
