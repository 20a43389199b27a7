# Owns: the held-out figures of a network on clips.
# Must not know: training, files.

from __future__ import annotations

import torch
from torch import Tensor

from data import Clip
from losses import align, depth_errors
from model import MEAN, PATCH, STD, DepthNetwork

LONGEST = 32


def normalised(rgb: Tensor) -> Tensor:
    """uint8 [B, T, H, W, 3] -> float32 [B, T, 3, H, W]."""
    mean, std = torch.tensor(MEAN) * 255, torch.tensor(STD) * 255
    return ((rgb - mean) / std).permute(0, 1, 4, 2, 3)


@torch.no_grad()
def predict(net: DepthNetwork, rgb: Tensor, temporal: bool) -> Tensor:
    """uint8 [T, H, W, 3], cut to whole patches -> float32 [T, H, W]."""
    with torch.autocast('cpu', torch.bfloat16):
        return net(normalised(rgb[None]), temporal)[0].clamp(min=0)


def evaluate(net: DepthNetwork, clips: list[Clip], temporal: bool) -> dict[str, float]:
    """Means over frames: AbsRel and the 1.25 share, each frame aligned by itself; the same with one alignment for each
    clip; `flicker`: mean change of the aligned disparity from frame to frame beyond the true one, of the clip's range."""
    sums: dict[str, list[Tensor]] = {}

    def add(name: str, values: Tensor) -> None:
        sums.setdefault(name, []).append(values.flatten())

    for clip in clips:
        t, h, w = clip.disparity.shape
        t, h, w = min(t, LONGEST), h // PATCH * PATCH, w // PATCH * PATCH
        target = torch.from_numpy(clip.disparity[:t, :h, :w]).float()
        prediction = predict(net, torch.from_numpy(clip.rgb[:t, :h, :w]), temporal)
        relative, close = depth_errors(prediction.flatten(1), target.flatten(1))
        add('AbsRel', relative), add('delta1', close)
        if t > 1:
            relative, close = depth_errors(prediction.view(1, -1), target.view(1, -1))
            add('clip AbsRel', relative), add('clip delta1', close)
            p = align(prediction.view(1, -1), target.view(1, -1)).view_as(target)
            change = ((p[1:] - p[:-1]) - (target[1:] - target[:-1])).abs().mean()
            add('flicker', change / (target.max() - target.min()).clamp(min=1e-6))
    return {f'held-out {name}': torch.cat(values).mean().item() for name, values in sums.items()}
