# Owns: the network in PyTorch, with the tensor names and shapes of lib/prepare/checkpoint/layout.ts, and its initialisation.
# Must not know: data, losses, optimizers, files.

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

PATCH = 14
TEMPORAL_HEADS = 8
TEMPORAL_GROUPS = 32
OUTPUT_CHANNELS = 32
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Dimensions:
    embed_width: int = 192
    depth: int = 8
    taps: tuple[int, ...] = (1, 3, 5, 7)
    features: int = 32
    out_channels: tuple[int, ...] = (32, 64, 128, 128)
    grid_size: int = 37
    temporal_length: int = 32
    # Side of the grid that is learned. The stored table is its bicubic enlargement: smooth, so that grids
    # which training never saw read sensible values from it.
    learned_grid: int = 12

    @property
    def heads(self) -> int:
        return self.embed_width // 64


def attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Spelled out: on CPUs in bfloat16 the backward pass is three times as fast as the fused function's."""
    scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
    return scores.softmax(dim=-1, dtype=q.dtype) @ v


class Attention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:  # [B, N, C]
        b, n, c = x.shape
        q, k, v = self.qkv(x).view(b, n, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        return self.proj(attend(q, k, v).transpose(1, 2).reshape(b, n, c))


class Scale(nn.Module):
    """LayerScale. Trained from scratch at this depth it starts at one."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gamma


class Mlp(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.fc1(x)))


class Block(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=1e-6)
        self.attn = Attention(width, heads)
        self.ls1 = Scale(width)
        self.norm2 = nn.LayerNorm(width, eps=1e-6)
        self.mlp = Mlp(width)
        self.ls2 = Scale(width)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.ls1(self.attn(self.norm1(x)))
        return x + self.ls2(self.mlp(self.norm2(x)))


class PatchEmbed(nn.Module):
    """The patch convolution, as one matrix product."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, width, PATCH, PATCH)

    def forward(self, x: Tensor) -> Tensor:  # [B, 3, H, W] -> [B, N, C]
        b, _, h, w = x.shape
        x = x.reshape(b, 3, h // PATCH, PATCH, w // PATCH, PATCH).permute(0, 2, 4, 1, 3, 5)
        return F.linear(x.reshape(b, -1, 3 * PATCH * PATCH), self.proj.weight.flatten(1), self.proj.bias)


class Encoder(nn.Module):
    def __init__(self, d: Dimensions) -> None:
        super().__init__()
        self.d = d
        self.cls_token = nn.Parameter(torch.zeros(1, 1, d.embed_width))
        self.cls_position = nn.Parameter(torch.zeros(1, 1, d.embed_width))
        self.position_grid = nn.Parameter(torch.zeros(1, d.embed_width, d.learned_grid, d.learned_grid))
        self.register_buffer('mask_token', torch.zeros(1, d.embed_width))
        self.patch_embed = PatchEmbed(d.embed_width)
        self.blocks = nn.ModuleList(Block(d.embed_width, d.heads) for _ in range(d.depth))
        self.norm = nn.LayerNorm(d.embed_width, eps=1e-6)
        self.resizing: dict[tuple[int, int], Tensor] = {}  # [rows * cols, learned_grid²]

    def position_table(self) -> Tensor:
        """[1, C, grid, grid]: what a checkpoint stores, unflattened."""
        return self.enlarge(self.position_grid)

    def enlarge(self, grid: Tensor) -> Tensor:
        side = self.d.grid_size
        if self.d.learned_grid == side:
            return grid
        return F.interpolate(grid, size=(side, side), mode='bicubic', align_corners=False)

    def enlarging(self) -> Tensor:
        """[1, learned_grid², grid, grid]: what each learned cell adds to the stored table."""
        n = self.d.learned_grid
        return self.enlarge(torch.eye(n * n).view(1, n * n, n, n))

    def positions(self, rows: int, cols: int) -> Tensor:  # [1, rows * cols, C]
        """The table resized as upstream does: linear in the table, so the resizing of each grid is computed once."""
        if (rows, cols) not in self.resizing:
            table, side = self.enlarging(), self.d.grid_size
            if (rows, cols) != (side, side):
                scale = ((rows + 0.1) / side, (cols + 0.1) / side)
                table = F.interpolate(table, scale_factor=scale, mode='bicubic', align_corners=False)
            self.resizing[rows, cols] = table.flatten(2)[0].T.contiguous()
        with torch.autocast('cpu', enabled=False):
            return (self.resizing[rows, cols] @ self.position_grid.flatten(2)[0].T)[None]

    def forward(self, x: Tensor) -> list[Tensor]:  # [B, 3, H, W] -> four [B, C, rows, cols]
        b, _, h, w = x.shape
        rows, cols = h // PATCH, w // PATCH
        tokens = self.patch_embed(x) + self.positions(rows, cols)
        x = torch.cat([(self.cls_token + self.cls_position).expand(b, -1, -1), tokens], dim=1)
        maps = []
        for i, block in enumerate(self.blocks):
            x = block(x)
            if i in self.d.taps:
                maps.append(self.norm(x[:, 1:]).transpose(1, 2).unflatten(2, (rows, cols)))
        return maps


class TemporalAttention(nn.Module):
    def __init__(self, width: int, length: int) -> None:
        super().__init__()
        self.to_q = nn.Linear(width, width, bias=False)
        self.to_k = nn.Linear(width, width, bias=False)
        self.to_v = nn.Linear(width, width, bias=False)
        self.to_out = nn.Sequential(nn.Linear(width, width))
        self.pos_encoder = nn.Module()
        self.pos_encoder.register_buffer('pe', sinusoids(length, width)[None])

    def forward(self, x: Tensor) -> Tensor:  # [N, T, C], attention over T
        n, t, c = x.shape
        x = x + self.pos_encoder.pe[:, :t].to(x.dtype)
        if t == 1:  # one frame attends to itself alone
            return self.to_out(self.to_v(x))
        weight = torch.cat([self.to_q.weight, self.to_k.weight, self.to_v.weight])
        q, k, v = F.linear(x, weight).view(n, t, 3, TEMPORAL_HEADS, c // TEMPORAL_HEADS).permute(2, 0, 3, 1, 4)
        return self.to_out(attend(q, k, v).transpose(1, 2).reshape(n, t, c))


class GatedGelu(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj = nn.Linear(width, 8 * width)

    def forward(self, x: Tensor) -> Tensor:
        value, gate = self.proj(x).chunk(2, dim=-1)
        return value * F.gelu(gate)


class TemporalBlock(nn.Module):
    def __init__(self, width: int, length: int) -> None:
        super().__init__()
        self.attention_blocks = nn.ModuleList(TemporalAttention(width, length) for _ in range(2))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.ff = nn.Module()
        self.ff.net = nn.ModuleList([GatedGelu(width), nn.Identity(), nn.Linear(4 * width, width)])
        self.ff_norm = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:  # [N, T, C]
        for attention, norm in zip(self.attention_blocks, self.norms):
            x = x + attention(norm(x))
        return x + self.ff.net[2](self.ff.net[0](self.ff_norm(x)))


class TemporalModule(nn.Module):
    def __init__(self, width: int, length: int) -> None:
        super().__init__()
        inner = self.temporal_transformer = nn.Module()
        inner.norm = nn.GroupNorm(TEMPORAL_GROUPS, width, eps=1e-6)
        inner.proj_in = nn.Linear(width, width)
        inner.transformer_blocks = nn.ModuleList([TemporalBlock(width, length)])
        inner.proj_out = nn.Linear(width, width)

    def forward(self, x: Tensor, frames: int) -> Tensor:  # [B * T, C, H, W]
        bt, c, h, w = x.shape
        inner = self.temporal_transformer
        y = inner.norm(x).view(bt // frames, frames, c, h * w).permute(0, 3, 1, 2).reshape(-1, frames, c)
        y = inner.proj_out(inner.transformer_blocks[0](inner.proj_in(y)))
        y = y.view(bt // frames, h * w, frames, c).permute(0, 2, 3, 1).reshape(bt, c, h, w)
        return x + y


class ResidualUnit(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(F.relu(self.conv1(F.relu(x))))


class Fusion(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.resConfUnit1 = ResidualUnit(width)
        self.resConfUnit2 = ResidualUnit(width)
        self.out_conv = nn.Conv2d(width, width, 1)

    def forward(self, x: Tensor, size: tuple[int, int], lateral: Tensor | None = None) -> Tensor:
        if lateral is not None:
            x = x + self.resConfUnit1(lateral)
        # The 1x1 convolution commutes with the interpolation, whose weights sum to one; before it, it is cheaper.
        return resize(self.out_conv(self.resConfUnit2(x)), size)


class Head(nn.Module):
    def __init__(self, d: Dimensions) -> None:
        super().__init__()
        out = d.out_channels
        self.projects = nn.ModuleList(nn.Conv2d(d.embed_width, c, 1) for c in out)
        self.resize_layers = nn.ModuleList([
            nn.ConvTranspose2d(out[0], out[0], 4, 4),
            nn.ConvTranspose2d(out[1], out[1], 2, 2),
            nn.Identity(),
            nn.Conv2d(out[3], out[3], 3, 2, 1),
        ])
        s = self.scratch = nn.Module()
        for i, c in enumerate(out, start=1):
            setattr(s, f'layer{i}_rn', nn.Conv2d(c, d.features, 3, padding=1, bias=False))
            setattr(s, f'refinenet{i}', Fusion(d.features))
        s.output_conv1 = nn.Conv2d(d.features, d.features // 2, 3, padding=1)
        s.output_conv2 = nn.Sequential(
            nn.Conv2d(d.features // 2, OUTPUT_CHANNELS, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(OUTPUT_CHANNELS, 1, 1),
        )
        widths = (out[2], out[3], d.features, d.features)
        self.motion_modules = nn.ModuleList(TemporalModule(w, d.temporal_length) for w in widths)

    def forward(self, maps: list[Tensor], frames: int, temporal: bool, cell: int) -> Tensor:
        """Four [B * T, C, rows, cols] -> [B * T, rows * cell, cols * cell], before the last ReLU."""
        rows, cols = maps[0].shape[-2:]
        s = self.scratch
        layers = [resize_layer(project(m.contiguous(memory_format=torch.channels_last)))
                  for m, project, resize_layer in zip(maps, self.projects, self.resize_layers)]
        move = (lambda i, x: self.motion_modules[i](x, frames)) if temporal else (lambda i, x: x)
        layers[2], layers[3] = move(0, layers[2]), move(1, layers[3])
        l1, l2, l3, l4 = (getattr(s, f'layer{i}_rn')(x) for i, x in enumerate(layers, start=1))
        x = move(2, s.refinenet4(l4, l3.shape[-2:]))
        x = move(3, s.refinenet3(x, l2.shape[-2:], l3))
        x = s.refinenet2(x, l1.shape[-2:], l2)
        x = s.refinenet1(x, (rows * 8, cols * 8), l1)
        x = resize(s.output_conv1(x), (rows * cell, cols * cell))
        x = F.relu(s.output_conv2[0](x))
        return last_convolution(s.output_conv2[2], x)


class DepthNetwork(nn.Module):
    def __init__(self, d: Dimensions = Dimensions()) -> None:
        super().__init__()
        self.d = d
        self.pretrained = Encoder(d)
        self.head = Head(d)

    def forward(self, frames: Tensor, temporal: bool = True, cell: int = PATCH) -> Tensor:
        """Normalised [B, T, 3, H, W] -> disparity [B, T, H, W], before the last ReLU, so that no gradient is lost below zero.

        Without `temporal`, frames are independent (the same, while proj_out is zero). `cell` is the side of a
        patch's square in the output: below 14 the result is smaller and cheaper, for training only.
        """
        b, t, _, h, w = frames.shape
        maps = self.pretrained(frames.flatten(0, 1))
        return self.head(maps, t, temporal, cell).unflatten(0, (b, t))


def last_convolution(conv: nn.Conv2d, x: Tensor) -> Tensor:
    """[N, C, H, W] -> [N, H, W] in float32. As a product: PyTorch has no fast convolution for a single output channel on CPUs,
    and its slow one took a seventh of a training step."""
    with torch.autocast('cpu', enabled=False):
        return F.linear(x.permute(0, 2, 3, 1).float(), conv.weight.flatten(1), conv.bias)[..., 0]


def resize(x: Tensor, size: tuple[int, int]) -> Tensor:
    return F.interpolate(x, size=tuple(size), mode='bilinear', align_corners=True)


def sinusoids(length: int, width: int) -> Tensor:
    """[length, width]: sine and cosine in turn, wavelengths from 2 pi to 10,000 times that."""
    angle = torch.arange(length)[:, None] * torch.exp(torch.arange(0, width, 2) * (-math.log(10000.0) / width))
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)


def initialise(net: DepthNetwork, seed: int) -> None:
    """Truncated normal by fan-in; He for convolutions before a ReLU; residual branches damped by depth."""
    generator = torch.Generator().manual_seed(seed)

    def normal(p: Tensor, std: float) -> None:
        nn.init.trunc_normal_(p, std=std, a=-3 * std, b=3 * std, generator=generator)

    damp = 1 / math.sqrt(2 * net.d.depth)
    for name, m in net.named_modules():
        if not isinstance(m, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
            continue
        # A ConvTranspose whose stride is its kernel sums over input channels only.
        fan_in = m.weight.shape[0] if isinstance(m, nn.ConvTranspose2d) else m.weight[0].numel()
        gain = 1.0
        if name.endswith(('attn.proj', 'mlp.fc2')):
            gain = damp
        elif 'resConfUnit' in name:
            gain = math.sqrt(2) if name.endswith('conv1') else 0.5
        elif name.endswith('output_conv2.0'):
            gain = math.sqrt(2)
        normal(m.weight, gain / math.sqrt(fan_in))
        if m.bias is not None:
            nn.init.zeros_(m.bias)
    encoder = net.pretrained
    for p in (encoder.cls_token, encoder.cls_position):
        normal(p.data, 0.02)
    normal(encoder.position_grid.data, 0.2)
    for module in net.head.motion_modules:  # identity at the start
        nn.init.zeros_(module.temporal_transformer.proj_out.weight)
    nn.init.ones_(net.head.scratch.output_conv2[2].bias)  # away from the ReLU's flat half
