# Owns: the Muon optimizer for matrices and convolutions.
# Must not know: networks, schedules.

from __future__ import annotations

from concurrent.futures import Executor
from functools import partial
from typing import Any, Iterable

import torch
from torch import Tensor

# Of the quintic iteration (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon).
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
STEPS = 4


class Muon(torch.optim.Optimizer):
    """Steps whose singular values are all alike, so that no direction of a weight runs ahead of the others: in a chain
    of convolutions without normalisation Adam's first steps, nearly of rank one, multiply up. torch's own takes
    matrices alone; here a kernel counts as a matrix, output channels by everything else. Scaled so that learning
    rates are those of Adam (Liu et al. 2025, arXiv 2502.16982)."""

    def __init__(self, params: Iterable[Any], lr: float, pool: Executor, momentum: float = 0.95) -> None:
        self.pool = pool
        super().__init__(params, {'lr': lr, 'momentum': momentum, 'weight_decay': 0.0})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        for group in self.param_groups:
            same_shape: dict[tuple[int, int], list[tuple[Tensor, Tensor]]] = {}
            for p in group['params']:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state['momentum'] = torch.zeros_like(p.grad)
                state['momentum'].lerp_(p.grad, 1 - group['momentum'])
                update = p.grad.lerp(state['momentum'], group['momentum']).flatten(1)
                same_shape.setdefault((update.shape[0], update.shape[1]), []).append((p, update))
            halves = [half for pairs in same_shape.values() for half in (pairs[::2], pairs[1::2]) if half]
            list(self.pool.map(partial(self.apply, group), halves))

    @torch.no_grad()
    def apply(self, group: dict[str, Any], pairs: list[tuple[Tensor, Tensor]]) -> None:
        updates = orthogonal(torch.stack([update for _, update in pairs]))
        rate = group['lr'] * 0.2 * max(updates.shape[1:]) ** 0.5
        for (p, _), update in zip(pairs, updates):
            p.mul_(1 - group['lr'] * group['weight_decay'])
            p.sub_(rate * update.view(p.shape))


def orthogonal(x: Tensor) -> Tensor:
    """[N, A, B]: each matrix with its singular values made about 1."""
    a, b, c = COEFFICIENTS
    tall = x.shape[1] > x.shape[2]
    x = (x.mT if tall else x).bfloat16()
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(STEPS):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return (x.mT if tall else x).float()
