//! Queues: BullMQ, Celery and RQ, their workers run by Plimsoll.

use std::path::Path;

use testkit::{Plimsoll, kill, until};

use super::{beside, node, store, up, words};
use crate::installed::PYTHON_WITH_CLIENTS;
use crate::scripts::without;

const JOBS: usize = 10_000;

/// One of two workers is killed when some of the jobs are done; it is started again, and what it had in hand is done.
#[test]
fn no_job_of_bullmq_is_lost() {
    if without("node") {
        return;
    }
    let plimsoll = up(&node(&["jobs.cjs", "worker"]), "routes = []\n");
    let mut store = store(&plimsoll);
    let mut size = |key: &str| store.ask(&format!("SCARD {key}")).unwrap().parse::<usize>().unwrap();
    until("both workers work", || size("workers") == 2);
    beside(&plimsoll, Path::new("node"), &["jobs.cjs", "add", &JOBS.to_string()]);
    until("a tenth is done", || size("done") > JOBS / 10);
    kill(worker(&plimsoll));
    for tenths in [4, 6, 8, 10] {
        until("more of the jobs are done", || size("done") >= JOBS * tenths / 10);
    }
    until("another worker came", || size("workers") == 3);
    let told = || beside(&plimsoll, Path::new("node"), &["jobs.cjs", "told"]);
    let complete = format!("\"completed\":{JOBS},");
    until("none waits or is in hand", || told().contains(&complete));
    let told = told();
    for wanted in ["\"active\":0", "\"waiting\":0", "\"failed\":0", "\"prioritized\":0", "\"returned\":true"] {
        assert!(told.contains(wanted), "{wanted}: {told}");
    }
}

/// The process of one of the workers.
fn worker(plimsoll: &Plimsoll) -> u32 {
    let workers = store(plimsoll).ask("SMEMBERS workers").unwrap();
    workers.trim_matches(['[', ']']).split(", ").next().unwrap().parse().unwrap()
}

#[test]
fn tasks_of_celery() {
    if without("python") {
        return;
    }
    let worker = ["-m", "celery", "-A", "tasks", "worker", "--concurrency", "2", "--loglevel", "WARNING"];
    let plimsoll = up(&words(&PYTHON_WITH_CLIENTS, &worker), "routes = []\n");
    let told = beside(&plimsoll, &PYTHON_WITH_CLIENTS, &["tasks.py"]);
    let wanted = "group: 39800\nchord: 1275\nchain: 10\nretried: 2\nlater: 2\nfailed: ValueError('on purpose') FAILURE\nthe end\n";
    assert!(told.starts_with(wanted), "{told}");
}

#[test]
fn jobs_of_rq() {
    if without("python") {
        return;
    }
    let worker = ["-c", "import rq_jobs; rq_jobs.work()"];
    let plimsoll = up(&words(&PYTHON_WITH_CLIENTS, &worker), "routes = []\n");
    let told = beside(&plimsoll, &PYTHON_WITH_CLIENTS, &["-c", "import rq_jobs; rq_jobs.main()"]);
    assert!(told.starts_with("many: 380\nretried: ['done']\nafter: [100]\nleft: 0 22 0\nthe end\n"), "{told}");
}
