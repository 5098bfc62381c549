use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use crate::{Collect, Exposition};

/// Lines waiting for the writing thread; beyond it they are counted and dropped.
const QUEUE: usize = 8192;

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// What somebody who looks would want to know.
    Info,
    /// Works, but somebody should look.
    Warning,
    /// Something failed.
    Error,
}

/// Where lines go. The writing thread owns it.
pub trait Sink: Send {
    /// Writes whole lines, each ending in a newline; `stream` is `""` for Plimsoll's own lines, `"access"` for the access log, or an app's name.
    fn write(&mut self, stream: &str, lines: &[u8]);
    /// Called when the queue is empty.
    fn flush(&mut self);
}

/// The cheap, cloned end that everybody writes lines to. Never blocks.
#[derive(Debug, Clone)]
pub struct Log {
    queue: SyncSender<Item>,
    dropped: Arc<AtomicU64>,
}

#[derive(Debug)]
enum Item {
    Lines { stream: Arc<str>, bytes: Vec<u8> },
    End,
}

/// The thread that writes; [`LogWriter::finish`] writes what is queued and ends it.
#[derive(Debug)]
pub struct LogWriter {
    queue: SyncSender<Item>,
    thread: JoinHandle<()>,
}

impl Log {
    /// Starts the writing thread over `sink`.
    pub fn start(sink: Box<dyn Sink>) -> (Log, LogWriter) {
        let (queue, items) = sync_channel(QUEUE);
        let thread = std::thread::Builder::new().name("log".into()).spawn(move || write_all(items, sink)).expect("a thread can be started");
        (Log { queue: queue.clone(), dropped: Arc::default() }, LogWriter { queue, thread })
    }

    /// A log that goes nowhere, for tests.
    pub fn nowhere() -> Log {
        let (queue, _) = sync_channel(1);
        Log { queue, dropped: Arc::default() }
    }

    /// One line of Plimsoll's own: `level tier: text`.
    pub fn line(&self, level: Level, tier: &str, text: &str) {
        let level = match level {
            Level::Info => "info",
            Level::Warning => "warning",
            Level::Error => "error",
        };
        // A line stays a line, whatever text from outside it quotes.
        let text = text.replace(['\n', '\r'], " ");
        self.raw(&Arc::from(""), format!("{level} {tier}: {text}\n").into_bytes());
    }

    /// See [`Log::line`].
    pub fn info(&self, tier: &str, text: &str) {
        self.line(Level::Info, tier, text);
    }

    /// See [`Log::line`].
    pub fn warning(&self, tier: &str, text: &str) {
        self.line(Level::Warning, tier, text);
    }

    /// See [`Log::line`].
    pub fn error(&self, tier: &str, text: &str) {
        self.line(Level::Error, tier, text);
    }

    /// Whole lines of another stream (`"access"` or an app's name), each ending in a newline.
    pub fn raw(&self, stream: &Arc<str>, bytes: Vec<u8>) {
        if self.queue.try_send(Item::Lines { stream: stream.clone(), bytes }).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Writes that were dropped because the queue was full.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

impl Collect for Log {
    fn collect(&self, out: &mut Exposition) {
        let help = "Writes to the log that were dropped because its thread could not keep up.";
        out.counter("log_dropped_total", help, &[], self.dropped());
    }
}

impl LogWriter {
    /// Waits until all that was queued before is written.
    pub fn finish(self) {
        if self.queue.send(Item::End).is_ok() {
            // The thread's panic, if any, was printed by the panic hook.
            let _ = self.thread.join();
        }
    }
}

fn write_all(items: Receiver<Item>, mut sink: Box<dyn Sink>) {
    loop {
        let item = match items.try_recv() {
            Ok(item) => item,
            Err(_) => {
                sink.flush();
                let Ok(item) = items.recv() else { return };
                item
            }
        };
        match item {
            Item::Lines { stream, bytes } => sink.write(&stream, &bytes),
            Item::End => return sink.flush(),
        }
    }
}

/// Plimsoll's own lines and nothing else, straight to stderr.
impl Sink for std::io::Stderr {
    fn write(&mut self, _stream: &str, lines: &[u8]) {
        // Nobody is left to tell when stderr is gone.
        let _ = self.write_all(lines);
    }
    fn flush(&mut self) {
        let _ = Write::flush(self);
    }
}
