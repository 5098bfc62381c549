"""Celery with Redis as broker and for results: `celery -A tasks worker` works, `python tasks.py` sends and tells."""

import os

from celery import Celery, chain, chord, group

app = Celery("tasks", broker=os.environ["REDIS_URL"], backend=os.environ["REDIS_URL"])
app.conf.update(broker_connection_retry_on_startup=True, result_expires=1000)


@app.task
def add(a, b):
    return a + b


@app.task
def total(numbers):
    return sum(numbers)


@app.task(bind=True, max_retries=3)
def third_time(self):
    if self.request.retries < 2:
        raise self.retry(countdown=0)
    return self.request.retries


@app.task
def fails():
    raise ValueError("on purpose")


def main():
    sent = group(add.s(number, number) for number in range(200)).apply_async()
    print("group:", sum(sent.get(timeout=50)))
    print("chord:", chord((add.s(number, 1) for number in range(50)), total.s()).apply_async().get(timeout=50))
    print("chain:", chain(add.s(1, 2), add.s(3), add.s(4)).apply_async().get(timeout=50))
    print("retried:", third_time.delay().get(timeout=50))
    print("later:", add.apply_async((1, 1), countdown=0.5).get(timeout=50))
    failed = fails.delay()
    print("failed:", repr(failed.get(timeout=50, propagate=False)), failed.state)
    print("the end")


if __name__ == "__main__":
    main()
