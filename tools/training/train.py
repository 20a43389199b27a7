# Owns: the training loop: batches ahead of time, steps, moving average of the weights, checkpoints, log.
# Must not know: what a renderer draws, tensor names, files of the package.

from __future__ import annotations

import argparse
import copy
import json
import os
import queue
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

import torch
from torch import Tensor

import data
import schedule
from evaluate import evaluate, normalised
from export import restore
from losses import (
    INVARIANT_WEIGHT, TEMPORAL_WEIGHT, aligned_target, normalised_target, scale_shift_invariant, temporal_gradient_matching)
from model import PATCH, DepthNetwork, initialise
from muon import Muon
from norms import add_norms, hold_norms

EMA_DECAY = 0.998
CLIP_NORM = 5.0
HEAD_RATE = 0.5  # of the encoder's


def arguments() -> argparse.Namespace:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('--streams', type=Path, required=True, help='JSON file of streams, see README.md; read again at each checkpoint')
    p.add_argument('--out', type=Path, required=True, help='folder of checkpoints and logs; training goes on from its last checkpoint')
    p.add_argument('--init', type=Path, help="checkpoint of the package to train further, by the schedule FURTHER")
    p.add_argument('--minutes', type=float, default=85, help='minutes of training, those before a resume included')
    p.add_argument('--lr', type=float, default=1e-3)
    p.add_argument('--weight-decay', type=float, default=0.03)
    p.add_argument('--trim', type=float, default=0.0, help="share of an image's largest residuals that is left out")
    p.add_argument('--seed', type=int, default=1)
    p.add_argument('--threads', type=int, default=os.cpu_count() or 1)
    p.add_argument('--log-steps', type=int, default=50)
    p.add_argument('--save-minutes', type=float, default=4)
    p.add_argument('--evaluate-minutes', type=float, default=5)
    return p.parse_args()


class Log:
    def __init__(self, folder: Path) -> None:
        self.text = open(folder / 'train.log', 'a', buffering=1)
        self.lines = open(folder / 'train.jsonl', 'a', buffering=1)

    def say(self, text: str) -> None:
        line = f'{time.strftime("%H:%M:%S")} {text}'
        print(line, flush=True)
        print(line, file=self.text)

    def record(self, **values: Any) -> None:
        print(json.dumps({k: round(v, 6) if isinstance(v, float) else v for k, v in values.items()}), file=self.lines)
        self.say(' '.join(f'{k} {v:.4g}' if isinstance(v, float) else f'{k} {v}' for k, v in values.items()))


@dataclass
class Batch:
    video: bool
    cell: int
    parts: list[tuple[Tensor, Tensor]]  # one for each replica: RGB, disparity

    @property
    def frames(self) -> int:
        return sum(rgb.shape[0] * rgb.shape[1] for rgb, _ in self.parts)


class Batches:
    """Makes batches in a thread of its own, two ahead. The schedule is asked when a batch is made."""

    def __init__(self, streams: data.Streams, seed: int, parts: int, stage: Callable[[], schedule.Stage]) -> None:
        self.streams, self.rng, self.parts, self.stage = streams, random.Random(seed), parts, stage
        self.queue: queue.Queue[Any] = queue.Queue(2)
        threading.Thread(target=self.run, name='batches', daemon=True).start()

    def run(self) -> None:
        try:
            while True:
                self.queue.put(self.make(self.stage()))
        except Exception as e:
            self.queue.put(e)

    def make(self, stage: schedule.Stage) -> Batch:
        rng = self.rng
        if rng.random() < stage.clip_share and any(s.clips for s in self.streams.of('video')):
            length, size = rng.choice(stage.clip_frames), rng.choice(stage.clip_sizes)
            items, video = stage.frames // length, True
        else:
            length, size, items, video = 1, rng.choice(stage.sizes), stage.images, False
        items = max(1, items // self.parts)
        return Batch(video, stage.cell, [data.batch(self.streams, rng, video, items, length, size) for _ in range(self.parts)])

    def next(self) -> Batch:
        item = self.queue.get()
        if isinstance(item, Exception):
            raise item
        return item


class Optimizers:
    """Muon for matrices and kernels, AdamW for the rest; groups carry `part` for their rate."""

    def __init__(self, net: DepthNetwork, a: argparse.Namespace, pool: ThreadPoolExecutor) -> None:
        groups: dict[tuple[bool, str], list[torch.nn.Parameter]] = {}
        for name, p in net.named_parameters():
            part = 'temporal' if 'motion_modules' in name else 'head' if name.startswith('head.') else 'encoder'
            matrix = p.ndim >= 2 and not any(s in name for s in ('cls_', 'position_grid'))
            groups.setdefault((matrix, part), []).append(p)

        def of(wanted: bool) -> list[dict[str, Any]]:
            return [{'params': ps, 'part': part, 'weight_decay': a.weight_decay if matrix else 0.0}
                    for (matrix, part), ps in groups.items() if matrix == wanted]

        self.all: list[torch.optim.Optimizer] = [
            Muon(of(True), lr=a.lr, pool=pool), torch.optim.AdamW(of(False), lr=a.lr, betas=(0.9, 0.98), fused=True)]

    def step(self, rate: float, temporal: float) -> None:
        for optimizer in self.all:
            for group in optimizer.param_groups:
                group['lr'] = rate * {'encoder': 1.0, 'head': HEAD_RATE, 'temporal': temporal}[group['part']]
            optimizer.step()


def replica_of(net: DepthNetwork) -> DepthNetwork:
    """Same parameters in memory, gradients of its own."""
    replica = copy.deepcopy(net)
    for p, q in zip(replica.parameters(), net.parameters(), strict=True):
        p.data = q.data
    return replica


class Trainer:
    """One replica for each thread, and each thread computes alone: where other programs (the renderers) take
    processor time, two threads that meet once a step lose far less than two that meet in each operation."""

    def __init__(self, a: argparse.Namespace) -> None:
        self.a, self.log = a, Log(a.out)
        self.schedule = schedule.FURTHER if a.init else schedule.FROM_NOTHING
        self.net = DepthNetwork()
        if a.init:  # the normalisation is folded in; once trained, the head does without
            restore(self.net, a.init)
        else:
            initialise(self.net, a.seed)
            add_norms(self.net)
        self.net.to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.net)
        hold_norms(self.average, True)
        self.average.requires_grad_(False)
        self.pool = ThreadPoolExecutor(a.threads, initializer=lambda: torch.set_num_threads(1))
        self.optimizers = Optimizers(self.net, a, self.pool)
        self.replicas = [self.net, *(replica_of(self.net) for _ in range(a.threads - 1))]
        self.step, self.frames, self.elapsed, self.skipped = 0, 0, 0.0, 0
        self.checkpoint = a.out / 'checkpoint.pt'
        if self.checkpoint.exists():
            self.load()

    def load(self) -> None:
        state = torch.load(self.checkpoint, weights_only=True)
        self.net.load_state_dict(state['net'])
        for replica in self.replicas[1:]:  # parameters are shared, statistics are not
            for mine, theirs in zip(replica.buffers(), self.net.buffers(), strict=True):
                mine.copy_(theirs)
        self.average.load_state_dict(state['average'])
        for optimizer, saved in zip(self.optimizers.all, state['optimizers'], strict=True):
            optimizer.load_state_dict(saved)
        self.step, self.frames, self.elapsed = state['step'], state['frames'], state['elapsed']
        self.log.say(f'Goes on from step {self.step}, minute {self.elapsed / 60:.1f}')

    def save(self) -> None:
        temporary = self.checkpoint.with_suffix('.part')
        torch.save({
            'net': self.net.state_dict(), 'average': self.average.state_dict(),
            'optimizers': [o.state_dict() for o in self.optimizers.all],
            'step': self.step, 'frames': self.frames, 'elapsed': self.elapsed,
        }, temporary)
        os.replace(temporary, self.checkpoint)

    def progress(self) -> float:
        return min(1.0, self.elapsed / (60 * self.a.minutes))

    def gradients(self, net: DepthNetwork, batch: Batch, rgb: Tensor, disparity: Tensor) -> dict[str, float]:
        """Runs in one of the pool's threads; leaves its share of the gradient in `net`, returns the losses."""
        temporal = self.progress() >= self.schedule.video_start
        hold_norms(net, temporal)
        with torch.autocast('cpu', torch.bfloat16):
            prediction = net(normalised(rgb), temporal, batch.cell)
        if batch.cell != PATCH:
            disparity = torch.nn.functional.interpolate(disparity, size=prediction.shape[-2:], mode='nearest-exact')
        loss = normalised_target(prediction, disparity)
        losses = {'clip loss' if batch.video else 'loss': loss.item()}
        if self.a.init or self.progress() >= self.schedule.decay_start:  # by then predictions are no longer flat
            ssi = scale_shift_invariant(prediction, disparity, self.a.trim)
            loss, losses['ssi'] = loss + INVARIANT_WEIGHT * ssi, ssi.item()
        if self.a.init:
            aligned = aligned_target(prediction, disparity)
            loss, losses['aligned'] = loss + aligned, aligned.item()
        if batch.video:
            tgm = temporal_gradient_matching(prediction, disparity)
            loss, losses['tgm'] = loss + TEMPORAL_WEIGHT * tgm, tgm.item()
        (loss / len(batch.parts)).backward()
        return losses

    def update(self, batch: Batch) -> dict[str, float]:
        jobs = [self.pool.submit(self.gradients, net, batch, *part) for net, part in zip(self.replicas, batch.parts)]
        results = [job.result() for job in jobs]
        own, *others = ([p.grad for p in net.parameters() if p.grad is not None] for net in self.replicas)
        for other in others:
            torch._foreach_add_(own, other)
        norm = torch.nn.utils.clip_grad_norm_(self.net.parameters(), CLIP_NORM, foreach=True)
        if torch.isfinite(norm):
            rate, temporal = self.schedule.learning_rate(self.progress(), self.a.lr), self.schedule.temporal_rate(self.progress())
            self.optimizers.step(rate, temporal)
            self.follow()
        else:
            self.skipped += 1
        for net in self.replicas:
            net.zero_grad(set_to_none=True)
        losses = {k: sum(r[k] for r in results) / len(results) for k in results[0]}
        return {**losses, 'gradient': norm.item()} if torch.isfinite(norm) else {}

    @torch.no_grad()
    def follow(self) -> None:
        decay = min(EMA_DECAY, (1 + self.step) / (10 + self.step))
        torch._foreach_lerp_(list(self.average.parameters()), list(self.net.parameters()), 1 - decay)
        for mine, theirs in zip(self.average.buffers(), self.net.buffers(), strict=True):
            mine.copy_(theirs)

    def run(self, streams: data.Streams, validation: list[data.Clip]) -> None:
        a, start = self.a, time.monotonic() - self.elapsed
        batches = Batches(streams, a.seed + self.step, len(self.replicas), lambda: self.schedule.stage_at(self.progress()))
        saved = evaluated = self.elapsed
        sums: dict[str, list[float]] = {}
        mark, mark_frames = time.monotonic(), self.frames
        while self.progress() < 1:
            batch = batches.next()
            for name, value in self.update(batch).items():
                sums.setdefault(name, []).append(value)
            self.step += 1
            self.frames += batch.frames
            self.elapsed = time.monotonic() - start
            if self.step % a.log_steps == 0:
                rate = (self.frames - mark_frames) / (time.monotonic() - mark)
                self.log.record(minute=self.elapsed / 60, step=self.step, frames=self.frames, fps=rate,
                                lr=self.schedule.learning_rate(self.progress(), a.lr), skipped=self.skipped,
                                **{k: sum(v) / len(v) for k, v in sums.items()})
                sums, mark, mark_frames = {}, time.monotonic(), self.frames
            if self.elapsed - saved > 60 * a.save_minutes:
                self.save()
                streams.refresh()
                saved = self.elapsed
            if self.elapsed - evaluated > 60 * a.evaluate_minutes:
                self.evaluate(validation, streams)
                evaluated = self.elapsed = time.monotonic() - start
                mark, mark_frames = time.monotonic(), self.frames
        self.save()
        self.evaluate(validation, streams)

    def evaluate(self, validation: list[data.Clip], streams: data.Streams) -> None:
        temporal = self.progress() >= self.schedule.video_start
        if validation:
            self.log.record(minute=self.elapsed / 60, step=self.step, **evaluate(self.average, validation, temporal))
        self.log.say(streams.report())


def main() -> None:
    a = arguments()
    a.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(a.seed)
    torch.set_num_threads(a.threads)
    streams = data.Streams(a.streams)
    try:
        trainer = Trainer(a)
        streams.wait_warm()
        trainer.log.say(f'{json.dumps({k: str(v) for k, v in vars(a).items()})}; {streams.report()}')
        trainer.run(streams, [c for s in streams.of('validation') for c in s.clips])
    finally:
        streams.stop()


if __name__ == '__main__':
    main()
