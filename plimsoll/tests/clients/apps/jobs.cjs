// BullMQ: `worker` works, `add COUNT` adds so many jobs at once, `told` says how the queue is.
const { Queue, Worker } = require("bullmq");
const Redis = require("ioredis");

const connection = new Redis(process.env.REDIS_URL, { maxRetriesPerRequest: null });
const [what, count] = process.argv.slice(2);

const acts = {
  // a worker that is killed has said nothing: its jobs are found when their locks are over
  async worker() {
    const store = connection.duplicate();
    const work = async (job) => {
      await store.sadd("done", job.data.number);
      return job.data.number * 2;
    };
    new Worker("jobs", work, { connection, concurrency: 100, lockDuration: 3000, stalledInterval: 1000, maxStalledCount: 5 });
    await store.sadd("workers", process.pid);
  },
  async add() {
    const queue = new Queue("jobs", { connection });
    const jobs = Array.from({ length: Number(count) }, (_, number) => ({ name: "job", data: { number }, opts: { attempts: 3, priority: number % 10 === 0 ? 1 : 0 } }));
    for (let from = 0; from < jobs.length; from += 1000) await queue.addBulk(jobs.slice(from, from + 1000));
    process.exit(0);
  },
  async told() {
    const queue = new Queue("jobs", { connection });
    const job = await queue.getJob("7777");
    console.log(JSON.stringify({ counts: await queue.getJobCounts(), returned: job?.returnvalue === job?.data.number * 2 }));
    process.exit(0);
  },
};
acts[what]();
