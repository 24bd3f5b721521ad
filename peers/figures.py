"""What every peer script shares: stopwatches and one JSON object as the last line."""
import json
import time


class Stopwatch:
    """`with Stopwatch() as watch: ...`, then `watch.seconds`."""

    def __enter__(self):
        self._started = time.perf_counter()
        return self

    def __exit__(self, *_):
        self.seconds = time.perf_counter() - self._started


def report(figures):
    """Prints the figures as the last line."""
    print(json.dumps(figures), flush=True)


def median_us(call, runs, warm=20):
    """The median time of `call(i)` in microseconds."""
    import statistics

    for i in range(warm):
        call(i)
    times = []
    for i in range(runs):
        started = time.perf_counter_ns()
        call(i)
        times.append(time.perf_counter_ns() - started)
    return statistics.median(times) / 1e3
