"""Threads that share one piece of work: none is left behind, whatever is raised, and wherever a process ends."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from mixtransforms.kernels import threads
from mixtransforms.kernels.threads import shared_out, thread_count


def test_all_tasks_are_done_at_the_same_time() -> None:
    meeting = threading.Barrier(2, timeout=30)  # which is broken where one task waits for the other to end
    assert sorted(shared_out([lambda: meeting.wait() * 0, lambda: meeting.wait() * 0 + 1])) == [0, 1]


def test_more_tasks_than_processors() -> None:
    assert sorted(shared_out([lambda number=number: number for number in range(99)])) == list(range(99))


@pytest.mark.parametrize("bad", [0, 1])
def test_what_a_task_raises_is_raised_when_all_have_ended(bad: int) -> None:
    ended = []

    def slow() -> None:
        time.sleep(0.05)
        ended.append(True)

    def fails() -> None:
        raise KeyboardInterrupt

    tasks = [slow, slow]
    tasks[bad] = fails
    with pytest.raises(KeyboardInterrupt):
        shared_out(tasks)
    assert ended == [True]


def test_threads_of_users_share_out_at_the_same_time() -> None:
    def work(number: int) -> list[int]:
        return shared_out([lambda: number] * 3)

    with ThreadPoolExecutor(8) as users:
        assert list(users.map(work, range(64))) == [[number] * 3 for number in range(64)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes do not fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_no_thread_is_left_when_a_process_forks() -> None:
    assert shared_out([int, int]) == [0, 0]
    child = os.fork()
    if not child:
        fine = shared_out([int, int]) == [0, 0] and threading.active_count() <= 2
        os._exit(0 if fine else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("mixtransforms")]
    assert shared_out([int, int]) == [0, 0]


FORKS = """
import os, signal, threading
from mixtransforms.kernels.threads import shared_out
others = []

def meddle():  # hooks run from the last to the first: between the end of all threads and the fork
    others.append(threading.Thread(target=shared_out, args=([int, int],)))
    others[-1].start()
    others[-1].join(0.2)

os.register_at_fork(before=meddle)
shared_out([int, int])
child = os.fork()
if not child:
    signal.alarm(10)
    os._exit(shared_out([int, int]) != [0, 0])
others[0].join()
print(os.waitpid(child, 0)[1], shared_out([int, int]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes do not fork here")
def test_no_thread_starts_while_a_process_forks() -> None:
    done = subprocess.run([sys.executable, "-c", FORKS], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "0 [0, 0]"


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there are no timers that interrupt")
def test_what_a_signal_raises_while_others_work_is_raised_when_all_have_ended() -> None:
    started, ended = threading.Event(), []

    def slow() -> None:
        started.set()
        time.sleep(0.2)
        ended.append(True)

    def interrupts() -> None:
        started.wait(30)
        signal.setitimer(signal.ITIMER_REAL, 0.05)

    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            shared_out([interrupts, slow])
    finally:
        signal.signal(signal.SIGALRM, before)
    assert ended == [True]


def test_work_that_comes_while_threads_end_is_done_by_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = ThreadPoolExecutor(1)
    ended.shutdown()
    monkeypatch.setattr(threads._pool, "opened", lambda: ended)
    seen = []
    assert shared_out([lambda: seen.append(threading.get_ident())] * 3) == [None] * 3
    assert seen == [threading.get_ident()] * 3


LAST = """
import atexit
from mixtransforms.kernels.threads import shared_out
shared_out([int, int])
atexit.register(lambda: print(shared_out([int, int])))
"""


def test_an_interpreter_that_ends_is_not_held_up() -> None:
    done = subprocess.run([sys.executable, "-c", LAST], capture_output=True, text=True, timeout=60, check=True)
    assert (done.stdout.strip(), done.stderr) == ("[0, 0]", "")


COUNT = """
from mixtransforms.kernels.threads import thread_count
first = thread_count()
import torch
torch.set_num_threads(3)
print(first, thread_count())
"""


def test_there_are_as_many_as_torch_is_set_to_and_one_without_it() -> None:
    pytest.importorskip("torch", reason="torch is not installed")
    done = subprocess.run([sys.executable, "-c", COUNT], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.split() == ["1", "3"]


def counted(samples: list[int]) -> int:
    return thread_count()


def test_workers_of_loaders_have_one() -> None:
    data = pytest.importorskip("torch.utils.data", reason="torch is not installed")
    assert list(data.DataLoader([0], num_workers=1, collate_fn=counted)) == [1]
