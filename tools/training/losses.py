# Owns: the training losses and the held-out error, on disparity in float32.
# Must not know: networks, files, optimizers.

from __future__ import annotations

import torch
from torch import Tensor

GRADIENT_WEIGHT = 0.5  # of the multi-scale gradient term (arXiv 1907.01341, equation 12)
GRADIENT_SCALES = 4
INVARIANT_WEIGHT = 0.2  # of the invariant loss, beside the normalised target's
LARGEST = 8.0  # of the target over its mean
TEMPORAL_WEIGHT = 10.0  # arXiv 2501.12375
FARTHEST = 80.0  # metres that count
STILL = 0.05  # of the range: larger changes of a pixel are motion or occlusion, and are left out


def scale_shift_invariant(prediction: Tensor, target: Tensor, trim: float = 0.0) -> Tensor:
    """Both [N, F, H, W]: each of the N items has one shift (median) and one scale (mean absolute deviation) over
    all its F frames; F = 1 for single images. `trim`: the share of the largest residuals that is left out.

    Residuals are in units of the target's deviation, or of a tenth of its range where that is more: else an image
    with little but sky would outweigh all others.
    """
    p, _ = normalise(prediction, least=0.1, fixed=True)
    t, t_scale = normalise(target, least=1e-6)
    span = target.flatten(1).amax(1) - target.flatten(1).amin(1)
    weight = (t_scale / (0.1 * span).clamp(min=1e-6)).clamp(max=1)
    weight = torch.where(t_scale > 1e-4, weight, 0)
    residual = p - t
    return (weight * (trimmed_mean(residual.abs().flatten(1), trim) + GRADIENT_WEIGHT * gradients(residual))).mean()


def normalise(x: Tensor, least: float, fixed: bool = False) -> tuple[Tensor, Tensor]:
    """`least`: bound of the scale, so that a prediction that is nearly flat gets no huge gradients. `fixed`: shift and
    scale are taken as constants, so that no gradient grows with the inverse of a prediction's own spread."""
    flat = x.flatten(1)
    median = flat.median(dim=1, keepdim=True).values
    flat = flat - (median.detach() if fixed else median)
    scale = flat.abs().mean(dim=1)
    scale = scale.detach() if fixed else scale
    return (flat / scale.clamp(min=least)[:, None]).view_as(x), scale


def normalised_target(prediction: Tensor, target: Tensor) -> Tensor:
    """Both [N, F, H, W]: L1 and multi-scale gradients of the difference to the target over its mean, relative to what is
    true there: what is far away is a small difference in disparity and a large one in depth.

    Not in the paper, whose encoder and head were trained before. A network that starts from nothing learns hardly
    anything from the invariant loss: after 26,000 frames the weighted difference below was 0.82, where the median picture
    of all targets has 0.38; with this loss it is 0.26 after 4,800 frames.
    """
    mean = target.flatten(1).mean(1).clamp(min=1e-4)[:, None, None, None]
    true = (target / mean).clamp(max=LARGEST)
    residual = 0.75 * (prediction - true) / (true + 0.25)
    return residual.abs().mean() + GRADIENT_WEIGHT * gradients(residual).mean()


def aligned_target(prediction: Tensor, target: Tensor) -> Tensor:
    """Both [N, F, H, W]: what AbsRel after a least-squares alignment asks for. Each item's prediction gets the scale and shift
    that fit it best within FARTHEST; then L1 relative to what is true there, in units of the item's mean disparity. Beyond
    FARTHEST, where nothing is measured, errors count less.

    For a network that sees already: while a prediction is nearly flat, its best scale and shift hide what is wrong.
    """
    near = target > 1 / FARTHEST
    seen = near.flatten(1).float().mean(1) > 0.02
    if not seen.any():
        return prediction.sum() * 0
    prediction, target, near = prediction[seen], target[seen], near[seen]
    flat, mask = target.flatten(1), near.flatten(1)
    aligned = align(prediction.flatten(1), flat, mask).view_as(target)
    mean = ((flat * mask).sum(1) / mask.sum(1))[:, None, None, None]
    true = target / mean
    return ((aligned / mean - true).abs() / (true.clamp(max=LARGEST) + torch.where(near, 0.1, 0.5))).mean()


def trimmed_mean(x: Tensor, trim: float) -> Tensor:  # [N, P] -> [N]
    if trim == 0:
        return x.mean(dim=1)
    kept = max(1, round(x.shape[1] * (1 - trim)))
    limit = x.detach().kthvalue(kept, dim=1, keepdim=True).values
    return torch.where(x <= limit, x, 0).sum(dim=1) / kept


def gradients(residual: Tensor) -> Tensor:  # [N, F, H, W] -> [N]
    total = residual.new_zeros(residual.shape[0])
    for i in range(GRADIENT_SCALES):
        r = residual[..., :: 2**i, :: 2**i]
        total = total + (r[..., 1:] - r[..., :-1]).abs().flatten(1).mean(1)
        total = total + (r[..., 1:, :] - r[..., :-1, :]).abs().flatten(1).mean(1)
    return total


def align(prediction: Tensor, target: Tensor, mask: Tensor | None = None) -> Tensor:
    """[N, P] each: the prediction with each row's least-squares scale and shift to the target."""
    m = torch.ones_like(target) if mask is None else mask.to(target.dtype)
    n = m.sum(1).clamp(min=1)
    mean_p, mean_t = (prediction * m).sum(1) / n, (target * m).sum(1) / n
    p, t = prediction - mean_p[:, None], target - mean_t[:, None]
    scale = (p * t * m).sum(1) / ((p * p * m).sum(1) + n * 1e-8)
    return scale[:, None] * p + mean_t[:, None]


def temporal_gradient_matching(prediction: Tensor, target: Tensor) -> Tensor:
    """Both [N, T, H, W], T > 1. A pixel that hardly changes from frame to frame shall change by the same amount in the
    prediction, which is aligned to the target once for the whole clip. In units of the target's range."""
    p = align(prediction.flatten(1), target.flatten(1)).view_as(target)
    span = (target.flatten(1).amax(1) - target.flatten(1).amin(1)).clamp(min=1e-6)[:, None, None, None]
    p, t = p / span, target / span
    p, t = (p[:, 1:] - p[:, :-1]).abs(), (t[:, 1:] - t[:, :-1]).abs()
    still = t < STILL
    return torch.where(still, (p - t).abs(), 0).sum() / still.sum().clamp(min=1)


def depth_errors(prediction: Tensor, target: Tensor, farthest: float = FARTHEST) -> tuple[Tensor, Tensor]:
    """Both [N, P] disparity: AbsRel and the share of depths within a factor 1.25, of rows that see anything nearer
    than `farthest` metres, after each row's least-squares alignment there."""
    mask = target > 1 / farthest
    seen = mask.sum(1) > 0.02 * target.shape[1]
    prediction, target, mask = prediction[seen], target[seen], mask[seen]
    depth = 1 / align(prediction, target, mask).clamp(min=1 / farthest)
    truth = 1 / target.clamp(min=1 / farthest)
    n = mask.sum(1)
    relative = torch.where(mask, (depth - truth).abs() / truth, 0).sum(1) / n
    close = (torch.maximum(depth / truth, truth / depth) < 1.25) & mask
    return relative, close.sum(1) / n
