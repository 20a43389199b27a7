# Owns: a training checkpoint written as a checkpoint of the package, and one of the package read again.
# Must not know: training.

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from model import DepthNetwork
from norms import add_norms, fold_norms, has_norms


def tensors(net: DepthNetwork) -> dict[str, Tensor]:
    """The names and shapes of lib/prepare/checkpoint/layout.ts; the position table enlarged to its stored grid."""
    state = dict(net.state_dict())
    grid = net.pretrained.position_table().detach().flatten(2).transpose(1, 2)
    del state['pretrained.position_grid']
    state['pretrained.pos_embed'] = torch.cat([state.pop('pretrained.cls_position'), grid], dim=1)
    return state


def restore(net: DepthNetwork, path: Path) -> None:
    """The weights of such a checkpoint; of its position table the grid that it was enlarged from."""
    state = {k: v.float() for k, v in load_file(path).items()}
    positions = state.pop('pretrained.pos_embed')
    state['pretrained.cls_position'] = positions[:, :1]
    enlarging = net.pretrained.enlarging().flatten(2)[0].T
    grid = torch.linalg.lstsq(enlarging, positions[0, 1:]).solution
    state['pretrained.position_grid'] = grid.T.reshape(net.pretrained.position_grid.shape)
    net.load_state_dict(state)


def main() -> None:
    p = argparse.ArgumentParser()
    p.add_argument('checkpoint', type=Path, help="train.py's checkpoint.pt")
    p.add_argument('output', type=Path, help='.safetensors')
    p.add_argument('--float32', action='store_true', help='instead of float16')
    p.add_argument('--last', action='store_true', help='the last weights, not their moving average')
    a = p.parse_args()
    trained = torch.load(a.checkpoint, weights_only=True)['net' if a.last else 'average']
    net = DepthNetwork()
    if has_norms(trained):
        add_norms(net).load_state_dict(trained)
        fold_norms(net)
    else:
        net.load_state_dict(trained)
    state = tensors(net)
    if not a.float32:
        # The temporal position tables are formulas; exact, they can be extended to longer windows.
        state = {k: v if k.endswith('.pe') else v.half() for k, v in state.items()}
    for name, tensor in state.items():
        if not torch.isfinite(tensor).all():
            raise SystemExit(f'{name} is not finite')
    save_file({k: v.contiguous() for k, v in state.items()}, a.output)
    print(f'{a.output}: {a.output.stat().st_size:,} bytes, {len(state)} tensors')


if __name__ == '__main__':
    main()
