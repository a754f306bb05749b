"""What the Ray scheduler hands to Ray."""

import threading

from ray import cloudpickle, tune

from vdbench.experiment.on_ray import tune_callback


class Terminal:
    """A listener that holds what cannot be pickled, as a live display does."""

    def __init__(self) -> None:
        self.lock = threading.RLock()


def test_a_listener_that_holds_a_terminal_can_be_used() -> None:
    callback = tune_callback(Terminal(), {}, set())  # type: ignore[arg-type]
    assert type(cloudpickle.loads(cloudpickle.dumps(callback))) is tune.Callback
