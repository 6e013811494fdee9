"""Scoring on all cores of one machine."""

import multiprocessing
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice
from multiprocessing.process import BaseProcess

from pipeline.errors import UserError
from pipeline.scoring.parts import Outcome, Task, Work, score_part
from pipeline.scoring.score import Advance

_WAITING_A_WORKER = 4


@dataclass(frozen=True)
class Processes:
    """An `Engine` of so many processes; a single one is this process, which tells how far a recording has got."""

    workers: int

    def __call__(self, work: Work, tasks: Sequence[Task], advance: Advance) -> Iterator[Outcome]:
        """Yield an outcome for every task as it comes.

        Raises:
            UserError: a part cannot be written, or a worker was killed; parts that are written stay.
        """
        workers = min(self.workers, len(tasks))
        if workers <= 1:
            return (score_part(work, task, advance) for task in tasks)
        return _in_pool(work, tasks, workers)


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _in_pool(work: Work, tasks: Sequence[Task], workers: int) -> Iterator[Outcome]:
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, context, initializer=end_with_parent)
    remaining = iter(tasks)

    def submitted(most: int) -> set[Future[Outcome]]:
        return {pool.submit(score_part, work, task) for task in islice(remaining, most)}

    try:
        waiting = submitted(_WAITING_A_WORKER * workers)
        while waiting:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            waiting |= submitted(len(done))
            for future in done:
                yield future.result()
    except BrokenProcessPool as error:
        raise UserError(
            "a worker was killed, perhaps for want of memory; what is scored is kept: run the command again, "
            "with fewer --workers"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def end_with_parent() -> None:
    """A worker whose parent was killed would otherwise wait for tasks for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_after, args=(parent,), daemon=True).start()


def _end_after(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)
