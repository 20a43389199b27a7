# Owns: a training checkpoint written as a checkpoint of the package.
# Must not know: training.

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from model import DepthNetwork
from norms import add_norms, fold_norms


def tensors(net: DepthNetwork) -> dict[str, Tensor]:
    """The names and shapes of lib/model/layout.ts; the position table enlarged to its stored grid."""
    state = dict(net.state_dict())
    grid = net.pretrained.position_table().detach().flatten(2).transpose(1, 2)
    del state['pretrained.position_grid']
    state['pretrained.pos_embed'] = torch.cat([state.pop('pretrained.cls_position'), grid], dim=1)
    return state


def main() -> None:
    p = argparse.ArgumentParser()
    p.add_argument('checkpoint', type=Path, help="train.py's checkpoint.pt")
    p.add_argument('output', type=Path, help='.safetensors')
    p.add_argument('--float32', action='store_true', help='instead of float16')
    p.add_argument('--last', action='store_true', help='the last weights, not their moving average')
    a = p.parse_args()
    net = add_norms(DepthNetwork())
    net.load_state_dict(torch.load(a.checkpoint, weights_only=True)['net' if a.last else 'average'])
    state = tensors(fold_norms(net))
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
