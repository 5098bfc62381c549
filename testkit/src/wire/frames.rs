//! Messages of a client, as bytes.

use super::Login;

/// A message with its length.
pub fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).expect("a message is shorter than 4 GB");
    [&[tag], &length.to_be_bytes()[..], body].concat()
}

fn strings(all: &[&str]) -> Vec<u8> {
    all.iter().flat_map(|text| text.bytes().chain([0])).collect()
}

fn untagged(code: u32, body: &[u8]) -> Vec<u8> {
    message(0, &[&code.to_be_bytes(), body].concat()).split_off(1)
}

/// Protocol 3.0.
pub fn startup(login: &Login) -> Vec<u8> {
    let mut body = strings(&["user", &login.user, "database", &login.database]);
    login.parameters.iter().for_each(|(name, value)| body.extend(strings(&[name, value])));
    body.push(0);
    untagged(3 << 16, &body)
}

/// The one message of a cancel's connection.
pub fn cancel(process: u32, secret: &[u8]) -> Vec<u8> {
    untagged(80_877_102, &[&process.to_be_bytes(), secret].concat())
}

pub(super) fn sasl_first(mechanism: &str, data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).expect("a nonce is short");
    message(b'p', &[&strings(&[mechanism]), &length.to_be_bytes()[..], data].concat())
}

/// A simple query.
pub fn query(sql: &str) -> Vec<u8> {
    message(b'Q', &strings(&[sql]))
}

/// Parameter types are left to the server.
pub fn parse(name: &str, sql: &str) -> Vec<u8> {
    message(b'P', &[&strings(&[name, sql])[..], &[0, 0]].concat())
}

/// Text parameters, text results.
pub fn bind(portal: &str, statement: &str, parameters: &[&str]) -> Vec<u8> {
    let mut body = strings(&[portal, statement]);
    body.extend([0, 0]);
    body.extend(u16::try_from(parameters.len()).expect("few parameters").to_be_bytes());
    for value in parameters {
        body.extend(u32::try_from(value.len()).expect("a short value").to_be_bytes());
        body.extend(value.bytes());
    }
    body.extend([0, 0]);
    message(b'B', &body)
}

/// What a portal returns.
pub fn describe_portal(name: &str) -> Vec<u8> {
    message(b'D', &[b"P", &strings(&[name])[..]].concat())
}

/// What a statement takes and returns.
pub fn describe_statement(name: &str) -> Vec<u8> {
    message(b'D', &[b"S", &strings(&[name])[..]].concat())
}

/// At most `rows`; 0: all.
pub fn execute(portal: &str, rows: u32) -> Vec<u8> {
    message(b'E', &[&strings(&[portal])[..], &rows.to_be_bytes()].concat())
}

/// Forgets a statement.
pub fn close_statement(name: &str) -> Vec<u8> {
    message(b'C', &[b"S", &strings(&[name])[..]].concat())
}

/// Forgets a portal.
pub fn close_portal(name: &str) -> Vec<u8> {
    message(b'C', &[b"P", &strings(&[name])[..]].concat())
}

/// The end of a batch.
pub fn sync() -> Vec<u8> {
    message(b'S', b"")
}

/// Asks for the answers so far.
pub fn flush() -> Vec<u8> {
    message(b'H', b"")
}

/// A piece of COPY.
pub fn copy_data(data: &[u8]) -> Vec<u8> {
    message(b'd', data)
}

/// The end of COPY.
pub fn copy_done() -> Vec<u8> {
    message(b'c', b"")
}

/// Gives COPY up.
pub fn copy_fail(reason: &str) -> Vec<u8> {
    message(b'f', &strings(&[reason]))
}
