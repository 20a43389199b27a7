# Owns: clips from renderers' standard output, kept in memory, and augmented batches of them.
# Must not know: networks, losses, what a renderer draws.

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
import torch
from torch import Tensor

cv2.setNumThreads(1)  # the processors are busy

MAGIC = 0x31434456
HEADER = np.dtype('<i4')


@dataclass
class Clip:
    rgb: np.ndarray  # [T, H, W, 3] uint8
    disparity: np.ndarray  # [T, H, W] float16, 1/m, 0 = infinitely far
    kind: int
    seed: int

    @property
    def bytes(self) -> int:
        return self.rgb.nbytes + self.disparity.nbytes


@dataclass(frozen=True)
class StreamSpec:
    """One entry of the streams file; camel case there."""

    name: str
    kind: str  # 'image', 'video' or 'validation'
    command: str  # its standard output is the stream; run by the shell
    nice: int = 10
    warmFrames: int = 1000  # read as fast as they come, before training starts; for 'validation', all that is read
    framesPerSecond: float = 1e9  # afterwards
    capacityMiB: int = 2048  # then the oldest clips go
    weight: float = 1.0  # of a clip's chance, relative to clips of other streams


def read_clip(pipe: BinaryIO) -> Clip | None:
    """Next clip, None at the end. Raises on anything else."""
    head = pipe.read(32)
    if len(head) == 0:
        return None
    magic, t, h, w, kind, seed, _, _ = np.frombuffer(head, HEADER).tolist() if len(head) == 32 else [0] * 8
    if magic != MAGIC or not (0 < t <= 256 and 0 < h <= 4096 and 0 < w <= 4096):
        raise ValueError(f'Expected a clip header, received {head.hex()}')
    rgb = np.frombuffer(bytearray(exactly(pipe, t * h * w * 3)), np.uint8).reshape(t, h, w, 3)
    disparity = np.frombuffer(exactly(pipe, t * h * w * 4), '<f4').reshape(t, h, w)
    if not np.isfinite(disparity).all() or disparity.min() < 0:
        raise ValueError(f'Expected finite disparity of at least 0 in the clip with seed {seed}')
    return Clip(rgb, disparity.clip(max=6e4).astype(np.float16), kind, seed)


def exactly(pipe: BinaryIO, size: int) -> bytes:
    data = pipe.read(size)
    if len(data) != size:
        raise ValueError(f'Expected {size} bytes, received {len(data)}: the stream ended inside a clip')
    return data


@dataclass
class Stream:
    """A renderer process and the thread that reads it. `clips` grows and then turns over; readers take `lock`."""

    spec: StreamSpec
    clips: list[Clip] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    frames: int = 0  # read so far
    error: str | None = None
    warm: threading.Event = field(default_factory=threading.Event)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = f'exec nice -n {self.spec.nice} sh -c {quote(self.spec.command)}'
        self.process = subprocess.Popen(command, shell=True, stdout=subprocess.PIPE, bufsize=1 << 20)
        threading.Thread(target=self.run, name=f'stream {self.spec.name}', daemon=True).start()

    def run(self) -> None:
        try:
            self.read_all()
        except Exception as e:  # reported by the log; training goes on with what there is
            self.error = str(e)
        finally:
            self.warm.set()

    def read_all(self) -> None:
        assert self.process is not None and self.process.stdout is not None
        spec, oldest, held = self.spec, 0, 0
        due = 0.0
        while (clip := read_clip(self.process.stdout)) is not None:
            with self.lock:
                held += clip.bytes
                if held > spec.capacityMiB << 20 and self.clips:
                    oldest %= len(self.clips)
                    held -= self.clips[oldest].bytes
                    self.clips[oldest] = clip
                    oldest += 1
                else:
                    self.clips.append(clip)
            self.frames += len(clip.rgb)
            if self.frames < spec.warmFrames:
                continue
            self.warm.set()
            if spec.kind == 'validation':
                self.process.terminate()
                return
            due = max(due, time.monotonic()) + len(clip.rgb) / spec.framesPerSecond
            time.sleep(max(0.0, due - time.monotonic()))

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()


def quote(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


class Streams:
    """All streams of a streams file, which may gain entries while training runs: `refresh` starts them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.streams: dict[str, Stream] = {}
        self.refresh()

    def refresh(self) -> None:
        try:
            specs = [StreamSpec(**entry) for entry in json.loads(self.path.read_text())]
        except (OSError, ValueError, TypeError) as e:  # gone or half-written: the next call reads it again
            print(f'{self.path}: {e}', file=sys.stderr)
            return
        for spec in specs:
            if spec.name not in self.streams:
                self.streams[spec.name] = stream = Stream(spec)
                stream.start()

    def of(self, *kinds: str) -> list[Stream]:
        return [s for s in self.streams.values() if s.spec.kind in kinds]

    def wait_warm(self) -> None:
        for s in list(self.streams.values()):
            s.warm.wait()
            if not s.clips:
                raise RuntimeError(f'Stream {s.spec.name} gave no clip: {s.error or "it ended"}')

    def pick(self, rng: random.Random, *kinds: str) -> Clip:
        streams = [s for s in self.of(*kinds) if s.clips]
        frames = [s.spec.weight * len(s.clips) for s in streams]
        stream = rng.choices(streams, frames)[0]
        with stream.lock:
            return rng.choice(stream.clips)

    def report(self) -> str:
        return ', '.join(
            f'{s.spec.name} {s.frames} read, {sum(len(c.rgb) for c in list(s.clips))} held'
            + (f', ended: {s.error}' if s.error else '')
            for s in self.streams.values()
        )

    def stop(self) -> None:
        for s in self.streams.values():
            s.stop()


def sample(streams: Streams, rng: random.Random, video: bool, length: int, size: tuple[int, int],
           augment: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """One item: RGB [T, h, w, 3] uint8 and disparity [T, h, w] float32."""
    if video:
        clip = streams.pick(rng, 'video')
        for _ in range(8):
            if len(clip.rgb) >= length:
                break
            clip = streams.pick(rng, 'video')
        frames = pick_frames(rng, len(clip.rgb), length)
    else:
        # Clips of a video stream count as one image each: their frames are alike.
        clip = streams.pick(rng, 'image', 'video')
        frames = [rng.randrange(len(clip.rgb))]
    rgb, disparity = crop(rng, clip.rgb[frames], clip.disparity[frames], size)
    return (recolour(rng, rgb) if augment else rgb), disparity


def pick_frames(rng: random.Random, available: int, length: int) -> list[int]:
    """Random stride and start, sometimes backwards; a clip that is too short is played to and fro."""
    stride = rng.randint(1, max(1, min(3, (available - 1) // max(1, length - 1))))
    span = (length - 1) * stride + 1
    start = rng.randint(0, max(0, available - span))
    period = max(1, 2 * (available - 1))
    frames = [(start + i * stride) % period for i in range(length)]
    frames = [i if i < available else period - i for i in frames]
    return frames[::-1] if rng.random() < 0.3 else frames


def crop(rng: random.Random, rgb: np.ndarray, disparity: np.ndarray,
         size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """The same random window of the wanted aspect in all frames, enlarged by at most 1.25, resized; flipped or not."""
    (h, w), (out_h, out_w) = rgb.shape[1:3], size
    largest = min(h / out_h, w / out_w)
    step = rng.uniform(min(largest, max(0.8, 0.55 * largest)), largest)
    win_h, win_w = min(h, round(step * out_h)), min(w, round(step * out_w))
    y, x = rng.randint(0, h - win_h), rng.randint(0, w - win_w)
    flip = rng.random() < 0.5
    how = cv2.INTER_AREA if step > 1 else cv2.INTER_LINEAR
    out_rgb = np.empty((len(rgb), out_h, out_w, 3), np.uint8)
    out_disparity = np.empty((len(rgb), out_h, out_w), np.float32)
    for i in range(len(rgb)):
        a = cv2.resize(rgb[i, y : y + win_h, x : x + win_w], (out_w, out_h), interpolation=how)
        d = disparity[i, y : y + win_h, x : x + win_w].astype(np.float32)
        d = cv2.resize(d, (out_w, out_h), interpolation=cv2.INTER_NEAREST)
        out_rgb[i], out_disparity[i] = (a[:, ::-1], d[:, ::-1]) if flip else (a, d)
    return out_rgb, out_disparity


# NTSC luminance and chrominance, to turn hue and scale saturation with one matrix.
YIQ = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])


def recolour(rng: random.Random, rgb: np.ndarray) -> np.ndarray:
    """Colour, gamma, blur, noise and compression; all frames of a clip with the same settings."""
    if rng.random() < 0.85:
        hue, saturation = rng.gauss(0, 0.25), (0.0 if rng.random() < 0.08 else rng.uniform(0.5, 1.5))
        c, s = saturation * np.cos(hue), saturation * np.sin(hue)
        matrix = np.linalg.inv(YIQ) @ np.array([[1, 0, 0], [0, c, -s], [0, s, c]]) @ YIQ
        gain, offset = rng.uniform(0.65, 1.35), rng.uniform(-25, 25)
        matrix = np.hstack([matrix * gain, np.full((3, 1), 128 * (1 - gain) + offset)])
        gamma = np.exp(rng.gauss(0, 0.3))
        table = (255 * (np.arange(256) / 255) ** gamma).round().astype(np.uint8)
        t, h, w, _ = rgb.shape
        rgb = cv2.LUT(cv2.transform(rgb.reshape(t * h, w, 3), matrix), table).reshape(t, h, w, 3)
    sigma = rng.uniform(0.3, 1.3) if rng.random() < 0.2 else 0.0
    noise = abs(rng.gauss(0, 6)) if rng.random() < 0.4 else 0.0
    quality = rng.randint(25, 90) if rng.random() < 0.1 else 0
    if sigma == noise == quality == 0:
        return rgb
    return np.stack([degrade(rng, frame, sigma, noise, quality) for frame in rgb])


NOISE = np.random.default_rng(0).standard_normal(1 << 20, dtype=np.float32)


def degrade(rng: random.Random, frame: np.ndarray, sigma: float, noise: float, quality: int) -> np.ndarray:
    if sigma > 0:
        frame = cv2.GaussianBlur(frame, (0, 0), sigma)
    if noise > 0:
        start = rng.randrange(len(NOISE) - frame.size)
        grain = NOISE[start : start + frame.size].reshape(frame.shape)
        frame = cv2.add(frame, grain * noise, dtype=cv2.CV_8U)
    if quality > 0:
        frame = cv2.imdecode(cv2.imencode('.jpg', frame, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)
    return frame


def batch(streams: Streams, rng: random.Random, video: bool, items: int, length: int,
          size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """RGB [B, T, h, w, 3] uint8 and disparity [B, T, h, w] float32."""
    pairs = [sample(streams, rng, video, length, size) for _ in range(items)]
    return torch.from_numpy(np.stack([p[0] for p in pairs])), torch.from_numpy(np.stack([p[1] for p in pairs]))
