"""RQ: `work` forks for each job, as `rq worker` does; `main` sends and tells."""

import os
import time

from redis import Redis
from rq import Queue, Retry, Worker


def double(number):
    return number * 2


def second_time(key):
    """Fails once."""
    if Redis.from_url(os.environ["REDIS_URL"]).incr(key) < 2:
        raise ValueError("on purpose")
    return "done"


def results(jobs):
    while not all(job.get_status(refresh=True) in ("finished", "failed") for job in jobs):
        time.sleep(0.02)
    return [job.return_value() for job in jobs]


def work():
    Worker(["jobs"], connection=Redis.from_url(os.environ["REDIS_URL"])).work()


def main():
    queue = Queue("jobs", connection=Redis.from_url(os.environ["REDIS_URL"]))
    with queue.connection.pipeline() as pipe:
        many = queue.enqueue_many([Queue.prepare_data(double, (number,)) for number in range(20)], pipeline=pipe)
        pipe.execute()
    retried = queue.enqueue(second_time, "tries", retry=Retry(max=2))
    after = queue.enqueue(double, 50, depends_on=[many[-1], retried])
    print("many:", sum(results(many)))
    print("retried:", results([retried]))
    print("after:", results([after]))
    print("left:", queue.count, queue.finished_job_registry.count, queue.failed_job_registry.count)
    print("the end")
