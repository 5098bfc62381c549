//! A WebSocket client of few words (RFC 6455): text and binary frames up to 64 KiB, not fragmented.

use std::io::{self, Error, ErrorKind};

use crate::{Answer, Client};

/// An open WebSocket.
pub struct WebSocket {
    client: Client,
    answer: Answer,
}

/// One frame as it came.
#[derive(Debug, PartialEq, Eq)]
pub struct Frame {
    /// 1 text, 2 binary, 8 close, 9 ping, 10 pong.
    pub opcode: u8,
    /// The payload.
    pub payload: Vec<u8>,
}

impl WebSocket {
    /// Connects and upgrades; anything but 101 is an error that holds the answer's head.
    pub fn open(address: &str, path: &str) -> io::Result<WebSocket> {
        let mut client = Client::connect(address)?;
        client.send(format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        ))?;
        let answer = client.head()?;
        // the accept value of the RFC's own sample key
        if answer.status != 101 || answer.header("sec-websocket-accept") != Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") {
            return Err(Error::new(ErrorKind::InvalidData, answer.head));
        }
        Ok(WebSocket { client, answer })
    }

    /// The answer that upgraded it.
    pub fn answer(&self) -> &Answer {
        &self.answer
    }

    /// The connection under it.
    pub fn client(&mut self) -> &mut Client {
        &mut self.client
    }

    /// Sends a text frame, masked as a client must.
    pub fn send(&mut self, text: &str) -> io::Result<()> {
        self.send_frame(1, text.as_bytes())
    }

    /// Sends one frame of at most 65,535 bytes.
    pub fn send_frame(&mut self, opcode: u8, payload: &[u8]) -> io::Result<()> {
        let mask = [0x37, 0xfa, 0x21, 0x3d];
        let mut frame = vec![0x80 | opcode];
        match u16::try_from(payload.len()).map_err(|_| ErrorKind::InvalidInput)? {
            short @ 0..=125 => frame.push(0x80 | short as u8),
            long => {
                frame.push(0x80 | 126);
                frame.extend(long.to_be_bytes());
            }
        }
        frame.extend(mask);
        frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        self.client.send(frame)
    }

    /// The next frame that is neither ping nor pong.
    pub fn receive(&mut self) -> io::Result<Frame> {
        loop {
            let head = self.client.read_exact(2)?;
            let length = match head[1] & 0x7f {
                126 => self.client.read_exact(2)?.iter().fold(0, |sum, &byte| sum << 8 | usize::from(byte)),
                127 => self.client.read_exact(8)?.iter().fold(0, |sum, &byte| sum << 8 | usize::from(byte)),
                short => usize::from(short),
            };
            // a server does not mask; a fake app that echoes bytes as they came does
            let mask = if head[1] & 0x80 == 0 { vec![0; 4] } else { self.client.read_exact(4)? };
            let payload = self.client.read_exact(length)?;
            let payload = payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
            let frame = Frame { opcode: head[0] & 0x0f, payload };
            if !matches!(frame.opcode, 9 | 10) {
                return Ok(frame);
            }
        }
    }

    /// The next frame's payload as text; a close frame is an error.
    pub fn text(&mut self) -> io::Result<String> {
        let frame = self.receive()?;
        match frame.opcode {
            8 => Err(Error::new(ErrorKind::ConnectionAborted, "the peer closed the WebSocket")),
            _ => String::from_utf8(frame.payload).map_err(|_| ErrorKind::InvalidData.into()),
        }
    }
}
