"""Owns: the same arithmetic as Video Depth Anything's window of 32 frames, in PyTorch under FP16 autocast, timed.
Must not know: checkpoints, our engines. Weights are random: speed does not depend on their values.

    python3 torch_baseline.py --size S --input 518x518 [--repeat 20] [--json FILE]

A whole window is run, as upstream does it: all 32 frames are encoded though only 22 of them are new.
"""
import argparse
import json
import time

import torch
from torch import nn
from torch.nn import functional as F

WINDOW, NEW, PATCH, TEMPORAL_HEADS = 32, 22, 14, 8
SIZES = {
    "S": dict(width=384, depth=12, features=64, out=(48, 96, 192, 384), taps=(2, 5, 8, 11)),
    "B": dict(width=768, depth=12, features=128, out=(96, 192, 384, 768), taps=(2, 5, 8, 11)),
    "L": dict(width=1024, depth=24, features=256, out=(256, 512, 1024, 1024), taps=(4, 11, 17, 23)),
}


class SelfAttention(nn.Module):
    def __init__(self, width, heads, bias):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width, bias=bias)
        self.out = nn.Linear(width, width)

    def forward(self, x):
        batch, length, width = x.shape
        q, k, v = self.qkv(x).reshape(batch, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v)
        return self.out(mixed.transpose(1, 2).reshape(batch, length, width))


class EncoderBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=1e-6), nn.LayerNorm(width, eps=1e-6)
        self.attention = SelfAttention(width, width // 64, bias=True)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.scale1, self.scale2 = (nn.Parameter(torch.ones(width)) for _ in range(2))

    def forward(self, x):
        x = x + self.scale1 * self.attention(self.norm1(x))
        return x + self.scale2 * self.mlp(self.norm2(x))


class TemporalModule(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.group = nn.GroupNorm(32, width, eps=1e-6)
        self.proj_in, self.proj_out = nn.Linear(width, width), nn.Linear(width, width)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))
        self.attentions = nn.ModuleList(SelfAttention(width, TEMPORAL_HEADS, bias=False) for _ in range(2))
        self.positions = nn.Parameter(torch.zeros(1, WINDOW, width))
        self.gate, self.out = nn.Linear(width, 8 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        frames, width, rows, cols = x.shape
        y = self.group(x).permute(2, 3, 0, 1).reshape(rows * cols, frames, width)
        y = self.proj_in(y)
        for norm, attention in zip(self.norms, self.attentions):
            y = y + attention(norm(y) + self.positions)
        value, gate = self.gate(self.norms[2](y)).chunk(2, dim=-1)
        y = y + self.out(value * F.gelu(gate))
        return x + self.proj_out(y).reshape(rows, cols, frames, width).permute(2, 3, 0, 1)


class Residual(nn.Module):
    def __init__(self, features):
        super().__init__()
        self.conv1, self.conv2 = (nn.Conv2d(features, features, 3, padding=1) for _ in range(2))

    def forward(self, x):
        return x + self.conv2(F.relu(self.conv1(F.relu(x))))


class Fusion(nn.Module):
    def __init__(self, features):
        super().__init__()
        self.unit1, self.unit2 = Residual(features), Residual(features)
        self.out = nn.Conv2d(features, features, 1)

    def forward(self, x, skip, size):
        if skip is not None:
            x = x + self.unit1(skip)
        return self.out(F.interpolate(self.unit2(x), size=size, mode="bilinear", align_corners=True))


class Network(nn.Module):
    def __init__(self, width, depth, features, out, taps):
        super().__init__()
        self.taps = taps
        self.patch = nn.Conv2d(3, width, PATCH, stride=PATCH)
        self.blocks = nn.ModuleList(EncoderBlock(width) for _ in range(depth))
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.projects = nn.ModuleList(nn.Conv2d(width, channels, 1) for channels in out)
        self.up4 = nn.ConvTranspose2d(out[0], out[0], 4, stride=4)
        self.up2 = nn.ConvTranspose2d(out[1], out[1], 2, stride=2)
        self.down = nn.Conv2d(out[3], out[3], 3, stride=2, padding=1)
        self.rn = nn.ModuleList(nn.Conv2d(channels, features, 3, padding=1, bias=False) for channels in out)
        self.temporal = nn.ModuleList(TemporalModule(w) for w in (out[2], out[3], features, features))
        self.fusions = nn.ModuleList(Fusion(features) for _ in range(4))
        self.conv1 = nn.Conv2d(features, features // 2, 3, padding=1)
        self.conv2 = nn.Sequential(nn.Conv2d(features // 2, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 1, 1), nn.ReLU())

    def encode(self, pixels):
        frames, _, height, width = pixels.shape
        rows, cols = height // PATCH, width // PATCH
        x = self.patch(pixels).flatten(2).transpose(1, 2)
        x = torch.cat([torch.zeros_like(x[:, :1]), x], dim=1)
        maps = []
        for i, block in enumerate(self.blocks):
            x = block(x)
            if i in self.taps:
                maps.append(self.norm(x)[:, 1:].transpose(1, 2).reshape(frames, -1, rows, cols))
        return maps

    def forward(self, pixels):
        height, width = pixels.shape[2:]
        maps = [project(m) for project, m in zip(self.projects, self.encode(pixels))]
        maps = [self.up4(maps[0]), self.up2(maps[1]), self.temporal[0](maps[2]), self.temporal[1](self.down(maps[3]))]
        rn = [conv(m) for conv, m in zip(self.rn, maps)]
        path = self.temporal[2](self.fusions[3](rn[3], None, rn[2].shape[2:]))
        path = self.temporal[3](self.fusions[2](path, rn[2], rn[1].shape[2:]))
        path = self.fusions[1](path, rn[1], rn[0].shape[2:])
        path = self.fusions[0](path, rn[0], tuple(2 * side for side in rn[0].shape[2:]))
        out = F.interpolate(self.conv1(path), size=(height, width), mode="bilinear", align_corners=True)
        with torch.autocast("cuda", enabled=False):
            return self.conv2(out.float())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="S")
    parser.add_argument("--input", default="518x518", help="width x height of the network's input")
    parser.add_argument("--repeat", type=int, default=20)
    parser.add_argument("--json")
    options = parser.parse_args()
    width, height = (int(side) for side in options.input.split("x"))
    network = Network(**SIZES[options.size]).cuda().eval()
    pixels = torch.randn(WINDOW, 3, height, width, device="cuda")
    milliseconds = []
    with torch.inference_mode(), torch.autocast("cuda", torch.float16):
        for i in range(options.repeat + 5):
            torch.cuda.synchronize()
            started = time.perf_counter()
            depth = network(pixels)
            torch.cuda.synchronize()
            if i >= 5:
                milliseconds.append(1000 * (time.perf_counter() - started))
    assert depth.shape == (WINDOW, 1, height, width)
    milliseconds.sort()
    at = lambda percent: milliseconds[min(len(milliseconds) - 1, len(milliseconds) * percent // 100)]
    report = dict(
        size=options.size, input=options.input, torch=torch.__version__, gpu=torch.cuda.get_device_name(),
        windowMs=dict(p50=at(50), p95=at(95), p99=at(99)),
        perWindowFrameMs=at(50) / WINDOW, perNewFrameMs=at(50) / NEW,
        memoryMiB=torch.cuda.max_memory_allocated() / 2**20,
    )
    print(f"PyTorch {report['torch']} FP16 {options.size} {options.input}: window p50 {at(50):.2f} ms, "
          f"{report['perNewFrameMs']:.2f} ms a new frame, {report['memoryMiB']:.0f} MiB")
    if options.json:
        with open(options.json, "w") as file:
            json.dump(report, file)


main()
