"""Scoring on a Ray cluster: the same work for each recording, on whichever machine has a free core."""

import logging
import multiprocessing
import os
import socket
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from multiprocessing.connection import Connection
from typing import Any, Final

from pipeline.errors import UserError
from pipeline.scoring.parts import Outcome, Task, Work, part_name, score_part
from pipeline.scoring.processes import end_with_parent
from pipeline.scoring.score import Advance

_BATCHES_A_CORE: Final = 8
_MOST_A_BATCH: Final = 32
_WAITING_A_CORE: Final = 2
_RETRIES: Final = 5
_ANSWER_S: Final = 10.0


@dataclass(frozen=True)
class RayCluster:
    """An `Engine` on the cluster at an address that `ray.init` knows; every machine has heartbeat and sees the files.

    A machine that is lost costs the recordings it was at: Ray gives them to another one.
    """

    address: str

    def __call__(self, work: Work, tasks: Sequence[Task], advance: Advance) -> Iterator[Outcome]:
        """Yield an outcome for every task as it comes.

        Ray ends a process whose cluster is gone without a word to Python, so it runs in one of its own.

        Raises:
            UserError: there is no such cluster, or it is gone, or a part cannot be written; parts that are written
                stay.
        """
        if not tasks:
            return
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe(duplex=False)
        driver = context.Process(target=_drive, args=(self.address, work, tasks, theirs))
        driver.start()
        theirs.close()
        try:
            while (told := ours.recv()) is not None:
                if isinstance(told, Exception):
                    raise told
                yield told
        except EOFError as error:
            raise _gone(self.address) from error
        finally:
            driver.terminate()
            driver.join()


def _drive(address: str, work: Work, tasks: Sequence[Task], to: Connection) -> None:
    """Send every outcome, then None; or the error that ended it."""
    end_with_parent()
    # Ray's processes write dozens of lines there when one of them is lost.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    try:
        for outcome in _on_cluster(_connected(address), work, tasks):
            to.send(outcome)
        to.send(None)
    except UserError as error:
        to.send(error)
    except Exception:
        to.send(RuntimeError(traceback.format_exc()))


def _connected(address: str) -> Any:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        import ray
    except ImportError as error:
        raise UserError("--engine ray: Ray is not installed; run pip install '.[ray]' in the checkout") from error
    host, _, port = address.rpartition(":")
    try:
        if host and port.isdecimal():  # Ray itself tries for minutes.
            socket.create_connection((host, int(port)), _ANSWER_S).close()
        ray.init(address=address, log_to_driver=False, logging_level=logging.CRITICAL)
    except (OSError, RuntimeError, ValueError) as error:
        raise _gone(address) from error
    return ray


def _gone(address: str) -> UserError:
    return UserError(
        f"Ray cluster {address}: cannot be reached; start it (ray start --head) or name it with --ray-address. "
        "What is scored is kept: the same command goes on"
    )


def _on_cluster(ray: Any, work: Work, tasks: Sequence[Task]) -> Iterator[Outcome]:
    cores = max(int(ray.cluster_resources().get("CPU", 1)) // work.threads, 1)
    size = min(max(len(tasks) // (_BATCHES_A_CORE * cores), 1), _MOST_A_BATCH)
    batches = (tasks[start : start + size] for start in range(0, len(tasks), size))
    remote = ray.remote(num_cpus=work.threads, max_retries=_RETRIES)(_score_batch)
    shared = ray.put(work)
    waiting: dict[Any, Sequence[Task]] = {}

    def submit(most: int) -> None:
        waiting.update({remote.remote(shared, batch): batch for batch in islice(batches, most)})

    submit(_WAITING_A_CORE * cores)
    while waiting:
        done, _ = ray.wait(list(waiting))
        for reference in done:
            yield from _outcomes(ray, reference, work, waiting.pop(reference))
        submit(len(done))


def _score_batch(work: Work, batch: Sequence[Task]) -> list[Outcome]:
    return [score_part(work, task) for task in batch]


def _outcomes(ray: Any, reference: Any, work: Work, batch: Sequence[Task]) -> list[Outcome]:
    try:
        outcomes: list[Outcome] = ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        raise error.cause if isinstance(error.cause, UserError) else error from None
    except (ray.exceptions.WorkerCrashedError, ray.exceptions.OutOfMemoryError, ray.exceptions.NodeDiedError):
        reason = f"its worker ended {_RETRIES + 1} times, perhaps for want of memory"
        lost = [task for task in batch if not (work.out / part_name(task.record)).is_file()]
        return [Outcome(task.record, 0, f"{task.record}: set aside", reason) for task in lost]
    return outcomes
