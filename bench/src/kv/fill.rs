//! Keys that are there before anything is measured.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::command::Command;

/// Commands that are sent at once.
const BATCH: u64 = 500;
const PATIENCE: Duration = Duration::from_secs(20);

/// Sends `command` once for each of `count` numbers; its answer is one line, and no error.
pub fn fill(address: SocketAddr, command: &Command, count: u64) -> Result<(), String> {
    let fault = |error: std::io::Error| format!("keys could not be written: {error}");
    let mut stream = TcpStream::connect(address).map_err(fault)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(fault)?;
    let mut space = vec![0; 64 << 10];
    for first in (0..count).step_by(BATCH as usize) {
        let numbers = first..count.min(first + BATCH);
        let mut awaited = (numbers.end - numbers.start) as usize;
        let mut bytes = command.bytes.repeat(awaited);
        bytes.chunks_exact_mut(command.bytes.len()).zip(numbers).for_each(|(bytes, number)| command.fix(bytes, number));
        stream.write_all(&bytes).map_err(fault)?;
        while awaited > 0 {
            let read = stream.read(&mut space).map_err(fault)?;
            let answers = &space[..read];
            if read == 0 || answers.contains(&b'-') {
                return Err(format!("keys could not be written: {}", answers[..read.min(200)].escape_ascii()));
            }
            awaited = awaited.saturating_sub(memchr::memchr_iter(b'\n', answers).count());
        }
    }
    Ok(())
}
