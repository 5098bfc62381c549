use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use rustix::io::{Errno, ReadWriteFlags, preadv2};

/// The most that one call makes warm: what a loop may hand to one `sendfile` without holding up others.
pub const PIECE: u64 = 256 << 10;

/// Makes the next piece of `file` sendable without waiting for a disk; returns its length, `min(length, PIECE)`.
///
/// In memory already (the usual case): two system calls that do not block. Otherwise a thread of the blocking pool
/// reads the piece, so that `sendfile` finds it in the page cache.
///
/// # Errors
/// The disk's.
pub async fn warm(file: &Arc<File>, offset: u64, length: u64) -> io::Result<u64> {
    let piece = length.min(PIECE);
    if piece == 0 || (in_memory(file, offset) && in_memory(file, offset + piece - 1)) {
        return Ok(piece);
    }
    let file = file.clone();
    let read = tokio::task::spawn_blocking(move || touch(&file, offset, piece)).await;
    read.map_err(io::Error::other)??;
    Ok(piece)
}

/// Whether one byte can be read at once. A file system that cannot tell counts as memory.
fn in_memory(file: &File, offset: u64) -> bool {
    let mut byte = [0u8; 1];
    let mut parts = [io::IoSliceMut::new(&mut byte)];
    preadv2(file, &mut parts, offset, ReadWriteFlags::NOWAIT) != Err(Errno::AGAIN)
}

fn touch(file: &File, mut offset: u64, mut length: u64) -> io::Result<()> {
    let mut scratch = vec![0u8; 64 << 10];
    while length > 0 {
        let wanted = length.min(scratch.len() as u64) as usize;
        let read = file.read_at(&mut scratch[..wanted], offset)? as u64;
        if read == 0 {
            break;
        }
        offset += read;
        length -= read;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[tokio::test]
    async fn pieces_are_bounded_and_a_short_file_is_no_error() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&vec![7u8; 300 << 10]).unwrap();
        let file = Arc::new(file);
        assert_eq!(warm(&file, 0, 300 << 10).await.unwrap(), PIECE);
        assert_eq!(warm(&file, PIECE, (300 << 10) - PIECE).await.unwrap(), (300 << 10) - PIECE);
        assert_eq!(warm(&file, 1 << 30, 10).await.unwrap(), 10);
        touch(&file, 0, 1 << 20).unwrap();
    }
}
