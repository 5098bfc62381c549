//! `DATABASE_URL`: where an app finds its database, as every client library reads it.

use std::fmt::Write;

use crate::orders::Entrance;

/// `postgresql://USER:PASSWORD@HOST:PORT/DATABASE`. The long scheme: SQLAlchemy knows no other, everybody knows this one.
pub fn database_url(entrance: &Entrance) -> String {
    let Entrance { user, password, address, database, .. } = entrance;
    format!("postgresql://{}:{}@{address}/{}", encoded(user), encoded(password), encoded(database))
}

/// All but what RFC 3986 leaves alone everywhere.
pub(crate) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(byte as char),
            // Writing to a String cannot fail.
            _ => drop(write!(out, "%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entrance(address: &str) -> Entrance {
        Entrance {
            name: "main".into(),
            address: address.parse().unwrap(),
            user: "app".into(),
            password: "p@ss/w:%rd?é".into(),
            database: "shop".into(),
            programs: None,
            major: None,
        }
    }

    #[test]
    fn whatever_a_password_holds_stays_in_its_place() {
        let url = database_url(&entrance("127.0.0.1:6432"));
        assert_eq!(url, "postgresql://app:p%40ss%2Fw%3A%25rd%3F%C3%A9@127.0.0.1:6432/shop");
        assert!(database_url(&entrance("[::1]:1")).contains("@[::1]:1/"));
        assert!(!format!("{:?}", entrance("[::1]:1")).contains("p@ss"), "a password is never printed");
    }
}
