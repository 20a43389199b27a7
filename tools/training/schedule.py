# Owns: what is trained when, as shares of the time budget: stages, learning rates.
# Must not know: the network, data.

from __future__ import annotations

import math
from dataclasses import dataclass

WARM_UP = 0.015
FLOOR = 0.02


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


@dataclass(frozen=True)
class Schedule:
    stages: tuple[Stage, ...]
    decay_start: float

    def stage_at(self, progress: float) -> Stage:
        return next(s for s in self.stages if progress < s.until)

    @property
    def video_start(self) -> float:
        """When clips, and with them the temporal modules, come in."""
        starts = (0.0, *(s.until for s in self.stages))
        return next(start for start, stage in zip(starts, self.stages) if stage.clip_share > 0)

    def learning_rate(self, progress: float, peak: float) -> float:
        """Warm-up, constant, then down along a cosine to FLOOR."""
        rising = min(1.0, progress / WARM_UP)
        falling = max(0.0, progress - self.decay_start) / (1 - self.decay_start)
        return peak * rising * (FLOOR + (1 - FLOOR) * 0.5 * (1 + math.cos(math.pi * min(1.0, falling))))

    def temporal_rate(self, progress: float) -> float:
        """Factor of the temporal modules, which warm up when the clips come in."""
        return min(1.0, max(0.0, progress - self.video_start) / WARM_UP)


FROM_NOTHING = Schedule((
    Stage(0.38, ((84, 84), (84, 98), (70, 98), (70, 112)), 48, 8),
    Stage(0.62, ((112, 112), (98, 126), (98, 140), (84, 154)), 40, 8),
    Stage(0.70, ((126, 126), (126, 168), (112, 196)), 24, 14),
    Stage(0.90, ((126, 126), (112, 154), (112, 196)), 24, 14, 0.6, ((98, 98), (98, 126), (84, 154)), (8, 12, 16), 64),
    Stage(1.01, ((126, 126), (126, 168), (126, 224)), 24, 14, 0.6, ((126, 126), (112, 154), (112, 196)), (16,), 32),
), decay_start=0.45)

FURTHER = Schedule((
    Stage(0.60, ((126, 126), (126, 154), (126, 168), (112, 154)), 40, 8, 0.1, ((126, 126), (126, 154)), (8,), 48),
    Stage(0.80, ((126, 126), (126, 168), (126, 196)), 32, 14, 0.4, ((126, 126), (112, 154), (126, 168)), (8, 12), 48),
    Stage(1.01, ((126, 126), (126, 168), (126, 224)), 32, 14, 0.6, ((126, 126), (126, 168), (112, 196)), (16,), 64),
), decay_start=0.3)
