# Owns: batch normalisation in the head while it is trained, and folding it away.
# Must not know: losses, schedules, files.

from __future__ import annotations

from typing import Iterator

import torch
from torch import Tensor, nn

from model import DepthNetwork, Head


def normalised_convolutions(head: Head) -> Iterator[tuple[nn.Module, str]]:
    """The module that holds each, and its name there: all that have a bias for a normalisation to go into."""
    for projects in (head.projects, head.resize_layers):
        yield from ((projects, str(i)) for i, m in enumerate(projects) if not isinstance(m, nn.Identity))
    for i in (1, 2, 3, 4):
        fusion = getattr(head.scratch, f'refinenet{i}')
        yield from ((unit, conv) for unit in (fusion.resConfUnit1, fusion.resConfUnit2) for conv in ('conv1', 'conv2'))
        yield fusion, 'out_conv'
    yield head.scratch, 'output_conv1'
    yield head.scratch.output_conv2, '0'


def add_norms(net: DepthNetwork) -> DepthNetwork:
    """Batch normalisation behind the head's convolutions, for training alone. Without it a chain of a dozen runs away:
    gradients grew a thousandfold within 200 steps, with Adam, Muon or normalised weights alike."""
    for holder, name in list(normalised_convolutions(net.head)):
        conv = getattr(holder, name)
        norm = nn.BatchNorm2d(conv.out_channels, momentum=0.02)
        if name == 'conv2':
            nn.init.constant_(norm.weight, 0.5)
        setattr(holder, name, nn.Sequential(conv, norm))
    return net


def has_norms(state: dict[str, Tensor]) -> bool:
    return any(name.endswith('.running_mean') for name in state)


@torch.no_grad()
def fold_norms(net: DepthNetwork) -> DepthNetwork:
    """Into the convolutions before them, with the statistics that training saw: the network that is exported."""
    for holder, name in list(normalised_convolutions(net.head)):
        conv, norm = getattr(holder, name)
        gain = norm.weight / (norm.running_var + norm.eps).sqrt()
        shape = (1, -1, 1, 1) if isinstance(conv, nn.ConvTranspose2d) else (-1, 1, 1, 1)
        conv.weight.mul_(gain.view(shape))
        conv.bias.copy_((conv.bias - norm.running_mean) * gain + norm.bias)
        setattr(holder, name, conv)
    return net


def hold_norms(net: DepthNetwork, held: bool) -> None:
    """Held: as folded. Else by the batch, which is remembered."""
    for m in net.modules():
        if isinstance(m, nn.BatchNorm2d):
            m.train(not held)
