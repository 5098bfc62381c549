//! What a server says of its parameters by itself (`ParameterStatus`), and what a client was told of it.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::frame;

/// Names and values of `ParameterStatus` as they were last told, in the order of their first telling.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Reported(Vec<(Box<str>, Box<[u8]>)>);

impl Reported {
    /// The value of `name`, which is as the server writes it: `DateStyle`, `client_encoding`.
    pub(crate) fn get(&self, name: &str) -> Option<&[u8]> {
        self.0.iter().find(|(known, _)| **known == *name).map(|(_, value)| &**value)
    }

    /// What the client calls itself, empty if it does not.
    pub(crate) fn application(&self) -> String {
        self.get("application_name").map(String::from_utf8_lossy).unwrap_or_default().into_owned()
    }

    /// Notes what the server told.
    pub(crate) fn set(self: &mut Arc<Reported>, name: &str, value: &[u8]) {
        if self.get(name) == Some(value) {
            return;
        }
        let pairs = &mut Arc::make_mut(self).0;
        match pairs.iter_mut().find(|(known, _)| **known == *name) {
            Some((_, known)) => *known = value.into(),
            None => pairs.push((name.into(), value.into())),
        }
    }

    /// Notes a whole body of `ParameterStatus`; a malformed one is nothing.
    pub(crate) fn read(self: &mut Arc<Reported>, body: &[u8]) {
        let Some((name, rest)) = frame::split_text(body) else { return };
        let Some((value, _)) = frame::split_text(rest) else { return };
        if let Ok(name) = std::str::from_utf8(name) {
            self.set(name, value);
        }
    }

    /// Appends a `ParameterStatus` for each.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        self.0.iter().for_each(|(name, value)| status(out, name, value));
    }

    /// Appends a `ParameterStatus` for each that differs from what was `told`.
    pub(super) fn write_news(&self, told: &Reported, out: &mut Vec<u8>) {
        let news = self.0.iter().filter(|(name, value)| told.get(name) != Some(value));
        news.for_each(|(name, value)| status(out, name, value));
    }

    pub(super) fn hash(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        Hash::hash(self, &mut hasher);
        hasher.finish()
    }
}

fn status(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    frame::message(out, b'S', |out| {
        frame::text(out, name.as_bytes());
        frame::text(out, value);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_news_are_told() {
        let mut told = Arc::new(Reported::default());
        told.read(b"TimeZone\0UTC\0");
        told.read(b"DateStyle\0ISO, MDY\0");
        let (mut said, mut out) = (told.clone(), Vec::new());
        said.read(b"TimeZone\0UTC\0");
        assert!(Arc::ptr_eq(&told, &said));
        said.read(b"TimeZone\0Asia/Tokyo\0");
        said.read(b"broken");
        assert_eq!((told.get("TimeZone"), said.get("TimeZone")), (Some(&b"UTC"[..]), Some(&b"Asia/Tokyo"[..])));
        said.write_news(&told, &mut out);
        assert_eq!(out, b"S\0\0\0\x18TimeZone\0Asia/Tokyo\0");
    }
}
