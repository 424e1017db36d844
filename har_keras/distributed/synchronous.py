"""Gradients averaged over all workers at each update, by the backend's own process group."""

import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras

from har_keras.distributed.ring import Ring


def join(number: int, count: int, host: str, exchange: Callable[[str], Sequence[str]]) -> None:
    """Start the process group of `count` workers; before the backend computes anything.

    `exchange` gives all workers' texts for this one's own; the first worker's host is met at.
    """
    with socket.create_server((host, 0)) as free:
        own = f"{host}:{free.getsockname()[1]}"
    meeting = exchange(own)[0]
    if keras.backend.backend() == "jax":
        import jax

        jax.config.update("jax_cpu_collectives_implementation", "gloo")
        jax.distributed.initialize(meeting, count, number)
    else:
        from torch import distributed

        distributed.init_process_group(
            "gloo", init_method=f"tcp://{meeting}", rank=number, world_size=count
        )


def share_gradients(model: Any, ring: Ring) -> None:
    """Have a compiled model's optimizer apply the means of all workers' gradients.

    `ring.seconds` counts the time this takes.
    """
    {"jax": _jax, "torch": _torch}[keras.backend.backend()](model, ring)


@contextmanager
def _lost_told() -> Iterator[None]:
    """Raise `ConnectionError` where the process group has lost a worker."""
    try:
        yield
    except RuntimeError as error:
        raise ConnectionError("a worker beside this one is gone") from error


def _torch(model: Any, ring: Ring) -> None:
    import torch
    from torch import distributed

    apply = model.optimizer.apply

    def apply_means(gradients: list[Any], variables: list[Any]) -> None:
        began = time.perf_counter()
        flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
        with _lost_told():
            distributed.all_reduce(flat)
        parts = (flat / ring.count).split([gradient.numel() for gradient in gradients])
        means = [p.view_as(g) for p, g in zip(parts, gradients, strict=True)]
        ring.seconds += time.perf_counter() - began
        apply(means, variables)

    model.optimizer.apply = apply_means


def _jax(model: Any, ring: Ring) -> None:
    """Cut Keras's training step in two, where the gradients are: between them they travel.

    The step's own computation stays on this process: what spans processes must run on all of them.
    """
    import jax
    import numpy as np
    from jax.sharding import Mesh, NamedSharding, PartitionSpec

    optimizer = model.optimizer
    apply = optimizer.stateless_apply
    optimizer.stateless_apply = lambda variables, gradients, _: (gradients, variables)
    differentiate = jax.jit(model.train_step)
    change = jax.jit(apply, donate_argnums=(0, 2))
    workers = Mesh(np.array(jax.devices()), "workers")
    rows, same = (NamedSharding(workers, PartitionSpec(*p)) for p in (("workers",), ()))
    over_all = jax.jit(lambda parts: [p.mean(0) for p in parts], out_shardings=same)

    def means(gradients: list[Any]) -> list[Any]:
        began = time.perf_counter()
        parts = [jax.make_array_from_process_local_data(rows, g[None]) for g in gradients]
        with _lost_told():
            found = [mean.addressable_data(0) for mean in jax.block_until_ready(over_all(parts))]
        ring.seconds += time.perf_counter() - began
        return found

    def step(state: Any, iterator: Any) -> tuple[Any, Any]:
        logs, (gradients, fixed, slots, metrics) = differentiate(state, next(iterator))
        gradients = means(jax.block_until_ready(gradients))
        weights, slots = change(slots, gradients, state[0])
        return logs, (weights, fixed, slots, metrics)

    model.train_function = step
