//! What the class of a key is called.

use super::super::class::TtlClass;
use crate::glob;

/// Bytes of a name.
pub(crate) const LONGEST: usize = 48;
/// Bytes of a key that are looked at.
const LOOKED_AT: usize = 96;
/// Parts that may be numbers before the one that says what a key is about.
const PARTS: usize = 4;
/// What ends a part, the first that a key has.
const SEPARATORS: [u8; 4] = [b':', b'/', b'|', b'.'];
/// Letters and digits from which on a word that looks like chance is an id.
const HEX: usize = 8;
const TOKEN: usize = 12;

/// The name of a class: a pattern of the file, or how its keys begin. In it `#` stands for a number, a UUID or a hash, and `*` at
/// the end for anything.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Name {
    bytes: [u8; LONGEST],
    length: u8,
    is_cut: bool,
}

impl Name {
    pub(crate) const NONE: Name = Name { bytes: [0; LONGEST], length: 0, is_cut: false };

    /// Of the class of `key`: the first pattern of the file that matches it, unless that matches everything; else its first part
    /// that is no id, and those before it.
    pub(crate) fn of(rules: &[TtlClass], key: &[u8]) -> Name {
        let rule = rules.iter().find(|rule| glob::matches(rule.pattern.as_bytes(), key, false));
        match rule.map(|rule| rule.pattern.as_bytes()).filter(|pattern| pattern.iter().any(|letter| *letter != b'*')) {
            Some(pattern) => Name::NONE.with(pattern).ended(),
            None => Name::by_prefix(key),
        }
    }

    fn by_prefix(key: &[u8]) -> Name {
        let (mut name, mut rest) = (Name::NONE, &key[..key.len().min(LOOKED_AT)]);
        for _ in 0..PARTS {
            let Some(at) = SEPARATORS.iter().find_map(|separator| memchr::memchr(*separator, rest)) else { break };
            let is_id = name.fold(&rest[..at]);
            name.push(rest[at]);
            rest = &rest[at + 1..];
            if !is_id {
                name.push(b'*');
                return name.ended();
            }
        }
        name.fold(rest);
        if key.len() > LOOKED_AT {
            name.push(b'*');
        }
        name.ended()
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    /// Adds a part with its ids folded; whether it is nothing else.
    fn fold(&mut self, part: &[u8]) -> bool {
        let (start, mut at, mut is_id) = (usize::from(self.length), 0, true);
        while let Some(first) = part.get(at) {
            if !is_letter(*first) {
                is_id &= matches!(first, b'-' | b'_');
                self.push(*first);
                at += 1;
                continue;
            }
            let word = &part[at..][..part[at..].iter().take_while(|letter| is_letter(**letter)).count()];
            if is_uuid(&part[at..]) {
                self.push_id(start);
                at += UUID.len();
            } else if looks_like_id(word) {
                self.push_id(start);
                at += word.len();
            } else {
                is_id = false;
                self.push_word(word);
                at += word.len();
            }
        }
        is_id
    }

    /// Several ids that belong together (`2026-12-01`) are one.
    fn push_id(&mut self, start: usize) {
        match self.bytes().get(start..) {
            Some([.., b'#', b'-' | b'_']) => self.length -= 1,
            Some([.., b'#']) => {}
            _ => self.push(b'#'),
        }
    }

    /// A word with its numbers folded: `user42` is `user#`.
    fn push_word(&mut self, word: &[u8]) {
        let mut was_digit = false;
        for letter in word {
            let is_digit = letter.is_ascii_digit();
            if !is_digit {
                self.push(*letter);
            } else if !was_digit {
                self.push(b'#');
            }
            was_digit = is_digit;
        }
    }

    fn with(mut self, text: &[u8]) -> Name {
        text.iter().for_each(|letter| self.push(*letter));
        self
    }

    fn push(&mut self, letter: u8) {
        if usize::from(self.length) == LONGEST {
            self.is_cut = true;
            return;
        }
        self.bytes[usize::from(self.length)] = letter;
        self.length += 1;
    }

    /// One that was too long ends in `*`, between two characters.
    fn ended(mut self) -> Name {
        if self.is_cut {
            self.length -= 1;
            while self.length > 0 && self.bytes[usize::from(self.length)] & 0xc0 == 0x80 {
                self.length -= 1;
            }
            self.is_cut = false;
            self.bytes[usize::from(self.length)] = b'*';
            self.bytes[usize::from(self.length) + 1..].fill(0);
            self.length += 1;
        }
        self
    }
}

impl std::fmt::Debug for Name {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Name({})", self.bytes().escape_ascii())
    }
}

/// Lengths of the parts of a UUID, with a `-` behind each but the last: 36 bytes.
const UUID: [u8; 36] = *b"xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

fn is_uuid(text: &[u8]) -> bool {
    let fits = |(letter, form): (&u8, &u8)| if *form == b'x' { letter.is_ascii_hexdigit() } else { letter == form };
    text.len() >= UUID.len() && text.iter().zip(&UUID).all(fits) && !text.get(UUID.len()).is_some_and(|next| is_letter(*next))
}

/// Part of a word: of a letter beyond ASCII, too.
fn is_letter(letter: u8) -> bool {
    letter.is_ascii_alphanumeric() || letter >= 0x80
}

/// A number, a hash in hexadecimal digits, or letters and digits that change as often as chance has them.
fn looks_like_id(word: &[u8]) -> bool {
    let digits = word.iter().filter(|letter| letter.is_ascii_digit()).count();
    let is_hex = || word.iter().all(u8::is_ascii_hexdigit);
    let changes = || word.windows(2).filter(|two| two[0].is_ascii_digit() != two[1].is_ascii_digit()).count();
    digits == word.len()
        || word.len() >= HEX && (digits > 0 || word.len() >= 2 * HEX) && is_hex()
        || word.len() >= TOKEN && digits > 0 && changes() >= 3
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn named(key: &str) -> String {
        String::from_utf8(Name::of(&[], key.as_bytes()).bytes().to_vec()).unwrap()
    }

    #[test]
    fn keys_are_grouped_by_how_they_begin() {
        for (key, class) in [
            ("user:123", "user:*"),
            ("user:123:cart", "user:*"),
            ("user:", "user:*"),
            ("user.profile:9", "user.profile:*"),
            ("cache/page/1", "cache/*"),
            ("sess|abc", "sess|*"),
            ("_kombu.binding.celery", "_kombu.*"),
            ("rate_limit_42", "rate_limit_#"),
            ("user42", "user#"),
            ("visits", "visits"),
            ("", ""),
            (":", ":"),
            ("42", "#"),
            ("42:cart", "#:cart"),
            ("42:cart:3", "#:cart:*"),
            (":1:views.decorators.cache", ":#:views.*"),
            ("{user1000}.following", "{user#}.*"),
            ("2026-12-01:visits:de", "#:visits:*"),
            ("550e8400-e29b-41d4-a716-446655440000", "#"),
            ("550e8400-e29b-41d4-a716-446655440000:cart:1", "#:cart:*"),
            ("celery-task-meta-550e8400-e29b-41d4-a716-446655440000", "celery-task-meta-#"),
            ("page-d41d8cd98f00b204e9800998ecf8427e", "page-#"),
            ("tok_V1StGXR8Z5jdHi6B", "tok_#"),
            ("01ARZ3NDEKTSV4RRFFQ69G5FAV", "#"),
            ("facade", "facade"),
            ("größe:5", "größe:*"),
            ("1:2:3:4:5:6", "#:#:#:#:#:#"),
        ] {
            assert_eq!(named(key), class, "{key}");
        }
    }

    #[test]
    fn a_pattern_of_the_file_comes_first_unless_it_is_for_all() {
        let rules = ["shop:session:*", "*"].map(|pattern| TtlClass { pattern: pattern.into(), ttl: None });
        let named = |key: &[u8]| Name::of(&rules, key).bytes().escape_ascii().to_string();
        assert_eq!((named(b"shop:session:1"), named(b"shop:cart:1")), ("shop:session:*".into(), "shop:*".into()));
    }

    #[test]
    fn long_keys_and_letters_that_are_cut_have_a_name_that_can_be_said() {
        let long = "ö".repeat(40);
        let name = Name::of(&[], long.as_bytes());
        let text = std::str::from_utf8(name.bytes()).unwrap();
        assert!(text.ends_with("ö*") && text.len() <= LONGEST, "{text}");
        let rule = [TtlClass { pattern: format!("{}*", "a".repeat(60)).into(), ttl: None }];
        assert_eq!(Name::of(&rule, "a".repeat(99).as_bytes()).bytes(), format!("{}*", "a".repeat(LONGEST - 1)).as_bytes());
    }

    proptest! {
        #[test]
        fn any_key_has_a_name(key in proptest::collection::vec(any::<u8>(), 0..200)) {
            let name = Name::of(&[], &key);
            prop_assert!(name.bytes().len() <= LONGEST && !name.bytes().iter().any(u8::is_ascii_digit));
            prop_assert_eq!(name, Name::of(&[], &key));
        }

        #[test]
        fn ids_do_not_make_classes(prefix in "[a-z]{1,9}[:/|.]", one in any::<u64>(), other in any::<u128>()) {
            let named = |id: String| Name::of(&[], format!("{prefix}{id}").as_bytes());
            prop_assert_eq!(named(one.to_string()), named(format!("{other:032x}")));
        }

        #[test]
        fn words_joined_with_numbers_are_one_class(word in "[g-z]{1,9}[-_]", one in any::<u64>(), other in any::<u64>()) {
            let named = |id: u64| Name::of(&[], format!("{word}{id}").as_bytes());
            prop_assert_eq!(named(one), named(other));
        }
    }
}
