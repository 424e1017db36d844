import signal
from collections.abc import Iterator
from contextlib import suppress

import pytest

from har_keras.training.interrupt import Interrupt


@pytest.fixture(params=[signal.SIGINT, signal.SIGTERM])
def number(request: pytest.FixtureRequest) -> Iterator[int]:
    before = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(request.param, signal.default_int_handler)
    yield request.param
    for n, handler in before.items():
        signal.signal(n, handler)


def test_an_interrupt_that_was_swallowed_comes_again(number: int) -> None:
    callback = Interrupt()
    callback.on_train_batch_end(0)
    with suppress(BaseException):  # as Keras does
        signal.raise_signal(number)
    with pytest.raises(KeyboardInterrupt):
        callback.on_train_batch_end(1)


def test_a_signal_that_is_ignored_stays_so(number: int) -> None:
    signal.signal(number, signal.SIG_IGN)
    callback = Interrupt()
    signal.raise_signal(number)
    callback.on_train_batch_end(0)
    assert signal.getsignal(number) is signal.SIG_IGN
