# Owns: what is trained when, as shares of the time budget: stages, learning rates.
# Must not know: the network, data.

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Stage:
    until: float  # share of the budget
    sizes: tuple[tuple[int, int], ...]  # of single images, height and width; one is drawn for each batch
    images: int  # in a batch
    cell: int  # side of a patch's square in the output: 14, or 8 while details do not matter yet
    clip_share: float = 0.0  # of the batches, rounded to whole ones by chance
    clip_sizes: tuple[tuple[int, int], ...] = ()
    clip_frames: tuple[int, ...] = ()  # one is drawn for each batch
    frames: int = 0  # in a batch of clips


STAGES = (
    Stage(0.38, ((84, 84), (84, 98), (70, 98), (70, 112)), 48, 8),
    Stage(0.62, ((112, 112), (98, 126), (98, 140), (84, 154)), 40, 8),
    Stage(0.70, ((126, 126), (126, 168), (112, 196)), 24, 14),
    Stage(0.90, ((126, 126), (112, 154), (112, 196)), 24, 14, 0.6, ((98, 98), (98, 126), (84, 154)), (8, 12, 16), 64),
    Stage(1.01, ((126, 126), (126, 168), (126, 224)), 24, 14, 0.6, ((126, 126), (112, 154), (112, 196)), (16,), 32),
)
VIDEO_START = next(before.until for before, stage in zip(STAGES, STAGES[1:]) if stage.clip_share > 0)
WARM_UP = 0.015
DECAY_START = 0.45
FLOOR = 0.02


def stage_at(progress: float) -> Stage:
    return next(s for s in STAGES if progress < s.until)


def learning_rate(progress: float, peak: float) -> float:
    """Warm-up, constant, then down along a cosine to FLOOR."""
    rising = min(1.0, progress / WARM_UP)
    falling = max(0.0, progress - DECAY_START) / (1 - DECAY_START)
    return peak * rising * (FLOOR + (1 - FLOOR) * 0.5 * (1 + math.cos(math.pi * min(1.0, falling))))


def temporal_rate(progress: float) -> float:
    """Factor of the temporal modules, which warm up when the clips come in."""
    return min(1.0, max(0.0, progress - VIDEO_START) / WARM_UP)
