//! What somebody may do: commands, on keys, with channels. A user has one of these, and selectors are further ones.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::elsewhere;
use super::flaw::Flaw;
use crate::command::{Categories, Command, Flags, Touch, find, ruled};
use crate::frame::Args;
use crate::glob;

/// Commands that are allowed, by their number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Set(Vec<u64>);

/// What somebody may do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Rights {
    pub(super) commands: Set,
    /// All commands, without a look at the set.
    pub(super) all_commands: bool,
    /// Commands that come later, too: it began with all of them.
    pub(super) is_open: bool,
    /// Commands that are not allowed but with one of these words behind them.
    pub(super) first_words: BTreeMap<usize, Vec<Box<[u8]>>>,
    all_keys: bool,
    keys: Vec<Keys>,
    all_channels: bool,
    pub(super) channels: Vec<Box<[u8]>>,
}

/// Keys of a pattern, and what may be done to them.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Keys {
    pattern: Box<[u8]>,
    touch: Touch,
}

/// Why something may not be done. Later ones come nearer to being allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Denied {
    Command,
    /// The word that is a key.
    Key(usize),
    /// The word that is a channel.
    Channel(usize),
}

impl Set {
    pub(super) fn has(&self, number: usize) -> bool {
        self.0.get(number / 64).is_some_and(|bits| bits >> (number % 64) & 1 == 1)
    }

    pub(super) fn put(&mut self, number: usize, is_in: bool) {
        let (place, bit) = (number / 64, 1 << (number % 64));
        if self.0.len() <= place {
            self.0.resize(place + 1, 0);
        }
        self.0[place] = if is_in { self.0[place] | bit } else { self.0[place] & !bit };
    }
}

impl Rights {
    /// None, or to hear all channels.
    pub(super) fn none(hears_all: bool) -> Rights {
        Rights { all_channels: hears_all, ..Rights::default() }
    }

    /// All of them.
    pub(super) fn all() -> Rights {
        let mut rights = Rights { all_keys: true, all_channels: true, ..Rights::default() };
        rights.open();
        rights
    }

    /// Whether nothing need be looked at.
    pub(super) fn are_all(&self) -> bool {
        self.all_commands && self.all_keys && self.all_channels
    }

    /// Changes them as one word of the rules says.
    ///
    /// # Errors
    /// It is no such word; nothing is changed.
    pub(super) fn apply(&mut self, word: &[u8]) -> Result<(), Flaw> {
        match &*word.to_ascii_lowercase() {
            b"allkeys" | b"~*" => (self.all_keys, self.keys) = (true, Vec::new()),
            b"resetkeys" => (self.all_keys, self.keys) = (false, Vec::new()),
            b"allchannels" | b"&*" => (self.all_channels, self.channels) = (true, Vec::new()),
            b"resetchannels" => (self.all_channels, self.channels) = (false, Vec::new()),
            b"allcommands" | b"+@all" => self.open(),
            b"nocommands" | b"-@all" => self.close(),
            _ => match word {
                [b'~', pattern @ ..] => self.add_keys(Touch::BOTH, pattern)?,
                [b'%', rest @ ..] => {
                    let (touch, pattern) = touch(rest)?;
                    self.add_keys(touch, pattern)?;
                }
                [b'&', pattern @ ..] => self.add_channel(pattern)?,
                [sign @ (b'+' | b'-'), b'@', category @ ..] => {
                    let category = Categories::named(category).ok_or(Flaw::Unknown)?;
                    self.put_category(category, *sign == b'+');
                }
                [b'+' | b'-', name @ ..] if elsewhere::has(name) => {}
                [b'+', name @ ..] => self.allow(name)?,
                [b'-', name @ ..] => self.put(lookup(name)?, false),
                _ => return Err(Flaw::Syntax),
            },
        }
        Ok(())
    }

    fn open(&mut self) {
        ruled().for_each(|(number, _)| self.commands.put(number, true));
        (self.all_commands, self.is_open) = (true, true);
        self.first_words.clear();
    }

    fn close(&mut self) {
        self.commands = Set::default();
        (self.all_commands, self.is_open) = (false, false);
        self.first_words.clear();
    }

    fn add_keys(&mut self, touch: Touch, pattern: &[u8]) -> Result<(), Flaw> {
        if self.all_keys {
            return Err(Flaw::KeysAfterAll);
        }
        check_pattern(pattern)?;
        match self.keys.iter_mut().find(|keys| *keys.pattern == *pattern) {
            Some(keys) => keys.touch = keys.touch.and(touch),
            None => self.keys.push(Keys { pattern: pattern.into(), touch }),
        }
        Ok(())
    }

    fn add_channel(&mut self, pattern: &[u8]) -> Result<(), Flaw> {
        if self.all_channels {
            return Err(Flaw::ChannelsAfterAll);
        }
        check_pattern(pattern)?;
        if self.channels.iter().all(|known| **known != *pattern) {
            self.channels.push(pattern.into());
        }
        Ok(())
    }

    /// `+command`, `+container|sub`, or `+command|word`.
    fn allow(&mut self, name: &[u8]) -> Result<(), Flaw> {
        let Some(bar) = name.iter().rposition(|byte| *byte == b'|') else {
            self.put(lookup(name)?, true);
            return Ok(());
        };
        let (container, sub) = (lookup(&name[..bar])?, &name[bar + 1..]);
        if container.name.contains('|') {
            return Err(Flaw::WordOfPart);
        }
        if sub.is_empty() {
            return Err(Flaw::Syntax);
        }
        if container.has_parts() {
            self.put(lookup(name)?, true);
            return Ok(());
        }
        let words = self.first_words.entry(container.number()).or_default();
        if !words.iter().any(|known| known.eq_ignore_ascii_case(sub)) {
            words.push(sub.into());
        }
        Ok(())
    }

    /// A command, with those that are part of it.
    pub(super) fn put(&mut self, command: &Command, is_allowed: bool) {
        self.all_commands &= is_allowed;
        self.first_words.remove(&command.number());
        self.commands.put(command.number(), is_allowed);
        for (number, _) in ruled().filter(|(_, part)| command.is_container_of(part)) {
            self.commands.put(number, is_allowed);
        }
    }

    pub(super) fn put_category(&mut self, category: Categories, is_allowed: bool) {
        for (_, command) in ruled().filter(|(_, command)| command.categories().has(category)) {
            self.put(command, is_allowed);
        }
    }

    /// Whether `command` may be done with these words; `keys` are those that are keys, and what is done to each.
    pub(super) fn check(&self, command: &Command, args: Args<'_>, keys: &[(usize, Touch)]) -> Result<(), Denied> {
        if !command.flags.has(Flags::NO_AUTH) && !self.allows(command, args) {
            return Err(Denied::Command);
        }
        let denied = keys.iter().find(|(place, touch)| !self.has_key(args.at(*place), *touch));
        if let Some((place, _)) = denied {
            return Err(Denied::Key(*place));
        }
        let channels = command.channels(args);
        let denied = channels.clone().find(|place| !self.has_channel(args.at(*place), command.channels_are_patterns()));
        denied.map_or(Ok(()), |place| Err(Denied::Channel(place)))
    }

    fn allows(&self, command: &Command, args: Args<'_>) -> bool {
        self.all_commands || self.commands.has(command.number()) || {
            let words = self.first_words.get(&command.number());
            let word = args.get(1);
            words.is_some_and(|words| words.iter().any(|known| word.is_some_and(|word| word.eq_ignore_ascii_case(known))))
        }
    }

    fn has_key(&self, key: &[u8], touch: Touch) -> bool {
        self.all_keys || self.keys.iter().any(|keys| keys.touch.has(touch) && glob::matches(&keys.pattern, key, false))
    }

    /// Whether any key may be read.
    pub(super) fn reads_all_keys(&self) -> bool {
        self.all_keys || self.keys.iter().any(|keys| keys.touch.has(Touch::READ) && *keys.pattern == *b"*")
    }

    /// Whether a channel is open to it; a pattern must be among them as it is.
    pub(super) fn has_channel(&self, channel: &[u8], is_pattern: bool) -> bool {
        let matches = |known: &[u8]| if is_pattern { known == channel } else { glob::matches(known, channel, false) };
        self.all_channels || self.channels.iter().any(|known| matches(known))
    }

    /// Patterns of keys, as rules say them.
    pub(crate) fn keys_said(&self) -> Vec<u8> {
        if self.all_keys {
            return b"~*".into();
        }
        let said = self.keys.iter().map(|keys| [keys.touch.sign(), &keys.pattern].concat());
        said.collect::<Vec<_>>().join(&b' ')
    }

    /// Patterns of channels, as rules say them.
    pub(crate) fn channels_said(&self) -> Vec<u8> {
        if self.all_channels {
            return b"&*".into();
        }
        self.channels.iter().map(|channel| [b"&", &**channel].concat()).collect::<Vec<_>>().join(&b' ')
    }

    /// All of them, as rules say them.
    pub(super) fn said(&self) -> Vec<u8> {
        let mut said = self.keys_said();
        let mut add = |words: &[u8]| {
            if !said.is_empty() && !words.is_empty() {
                said.push(b' ');
            }
            said.extend_from_slice(words);
        };
        if !self.all_channels {
            add(b"resetchannels");
        }
        add(&self.channels_said());
        add(self.commands_said().as_bytes());
        said
    }

    /// Commands with words behind them, as rules say them.
    pub(super) fn first_words_of(&self, command: &Command, said: &mut String) {
        for word in self.first_words.get(&command.number()).into_iter().flatten() {
            write!(said, "+{}|{} ", command.name, String::from_utf8_lossy(word)).expect("a string can be written to");
        }
    }
}

/// `R~pattern`, `W~pattern` or `RW~pattern`.
fn touch(rest: &[u8]) -> Result<(Touch, &[u8]), Flaw> {
    let end = rest.iter().position(|byte| *byte == b'~').ok_or(Flaw::Syntax)?;
    let touch = match &*rest[..end].to_ascii_lowercase() {
        b"r" => Touch::READ,
        b"w" => Touch::WRITE,
        b"rw" | b"wr" => Touch::BOTH,
        _ => return Err(Flaw::Syntax),
    };
    Ok((touch, &rest[end + 1..]))
}

/// The command that rules mean.
fn lookup(name: &[u8]) -> Result<&'static Command, Flaw> {
    find(name).filter(|command| std::ptr::eq(command.ruled(), *command)).ok_or(Flaw::Unknown)
}

/// Rules are parted by blanks.
pub(super) fn is_plain(text: &[u8]) -> bool {
    !text.iter().any(|byte| matches!(byte, 0 | b' ' | b'\t'..=b'\r'))
}

fn check_pattern(pattern: &[u8]) -> Result<(), Flaw> {
    if is_plain(pattern) { Ok(()) } else { Err(Flaw::Syntax) }
}
