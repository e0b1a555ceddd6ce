"""A request put to a worker's loop on a stage, and its answer."""

from __future__ import annotations

import os
from typing import Any

from sync_queue import replies
from sync_queue.files import read_json
from tests.worker.steps import Stage
from worker.life import Life
from worker.loop import Loop


class Asked:
    """A worker's loop on a stage, and one request put to it."""

    def __init__(self, stage: Stage, operation: str, **args: str) -> None:
        self.stage, self.life = stage, Life("no manifest")
        self.loop = Loop(stage.session, self.life, stage.clock)
        self.progress: list[float] = []
        self.reply = replies.ask(stage.data_dir, operation, args)

    def content(self) -> Any:
        """What the reply file holds."""
        return read_json(os.path.join(self.stage.data_dir, replies.FOLDER, f"{self.reply}.json"))

    def answer(self, within_s: float = 900.0) -> dict[str, Any]:
        """Let the worker go on until it has answered."""
        until = self.stage.clock.now + within_s
        while self.stage.clock.now < until:
            self.stage.clock.now += min(1.0, self.loop.step(self.stage.clock.now)) + 0.01
            content = self.content() or {}
            self.progress.append(content.get("progress") or 0.0)
            if content.get("done"):
                return content.get("output") or content
        raise AssertionError(f"no answer within {within_s} s: {self.content()}, {self.stage.numbers()}")
