//! JSON to Lua's values.

use mlua::{Lua, Table, Value, Variadic};

use super::super::machine::text;
use super::super::raise::Raise;
use super::{Options, number};

/// What a text is made of; where it begins is kept beside it.
enum Token {
    ObjectBegin,
    ObjectEnd,
    ArrayBegin,
    ArrayEnd,
    Text(Vec<u8>),
    Number(f64),
    Bool(bool),
    Null,
    Colon,
    Comma,
    End,
    Fault(&'static str),
}

struct Parser<'p> {
    lua: &'p Lua,
    options: &'p Options,
    bytes: &'p [u8],
    at: usize,
    /// Where the last token began, or failed.
    began: usize,
    depth: i32,
}

/// Reads a value that is all of the text.
pub(super) fn value(lua: &Lua, given: &Value, options: &Options) -> Result<Value, Raise> {
    let given = text(lua, &Variadic::from_iter([given.clone()]), 1)?;
    let bytes = given.as_bytes();
    if bytes.len() >= 2 && (bytes[0] == 0 || bytes[1] == 0) {
        return Err(Raise::Text("JSON parser does not support UTF-16 or UTF-32".into()));
    }
    let mut parser = Parser { lua, options, bytes: &bytes, at: 0, began: 0, depth: 0 };
    let token = parser.next();
    let value = parser.value(token)?;
    match parser.next() {
        Token::End => Ok(value),
        other => Err(parser.unexpected("the end", &other)),
    }
}

impl Token {
    fn name(&self) -> &'static str {
        match self {
            Token::ObjectBegin => "T_OBJ_BEGIN",
            Token::ObjectEnd => "T_OBJ_END",
            Token::ArrayBegin => "T_ARR_BEGIN",
            Token::ArrayEnd => "T_ARR_END",
            Token::Text(_) => "T_STRING",
            Token::Number(_) => "T_NUMBER",
            Token::Bool(_) => "T_BOOLEAN",
            Token::Null => "T_NULL",
            Token::Colon => "T_COLON",
            Token::Comma => "T_COMMA",
            Token::End => "T_END",
            Token::Fault(why) => why,
        }
    }
}

impl Parser<'_> {
    /// 0 behind the end, as C has it.
    fn byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(0)
    }

    fn unexpected(&self, wanted: &str, found: &Token) -> Raise {
        Raise::Text(format!("Expected {wanted} but found {} at character {}", found.name(), self.began + 1))
    }

    fn fault(&mut self, why: &'static str) -> Token {
        self.began = self.at;
        Token::Fault(why)
    }

    fn next(&mut self) -> Token {
        while matches!(self.byte(self.at), b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
        }
        self.began = self.at;
        let single = match self.byte(self.at) {
            b'{' => Token::ObjectBegin,
            b'}' => Token::ObjectEnd,
            b'[' => Token::ArrayBegin,
            b']' => Token::ArrayEnd,
            b',' => Token::Comma,
            b':' => Token::Colon,
            0 => return Token::End,
            b'"' => return self.text(),
            b'-' | b'0'..=b'9' => return self.strict_number(),
            b'f' | b'i' | b'I' | b'n' | b'N' | b't' | b'+' => return self.word(),
            _ => return self.fault("invalid token"),
        };
        self.at += 1;
        single
    }

    fn word(&mut self) -> Token {
        let rest = &self.bytes[self.at..];
        for (word, token) in [("true", Token::Bool(true)), ("false", Token::Bool(false)), ("null", Token::Null)] {
            if rest.starts_with(word.as_bytes()) {
                self.at += word.len();
                return token;
            }
        }
        if self.options.decode_invalid.get() && self.is_invalid_number() { self.number() } else { self.fault("invalid token") }
    }

    fn strict_number(&mut self) -> Token {
        if !self.options.decode_invalid.get() && self.is_invalid_number() { self.fault("invalid number") } else { self.number() }
    }

    fn number(&mut self) -> Token {
        match number::read(&self.bytes[self.at..]) {
            (_, 0) => self.fault("invalid number"),
            (number, length) => {
                self.at += length;
                Token::Number(number)
            }
        }
    }

    /// Whether it is a number that C knows and JSON does not.
    fn is_invalid_number(&self) -> bool {
        let mut at = self.at;
        match self.byte(at) {
            b'+' => return true,
            b'-' => at += 1,
            _ => {}
        }
        match (self.byte(at), self.byte(at + 1)) {
            (b'0', next) => next | 0x20 == b'x' || next.is_ascii_digit(),
            (byte, _) if byte <= b'9' => false,
            _ => [&b"inf"[..], b"nan"].iter().any(|word| self.bytes.get(at..at + 3).is_some_and(|part| part.eq_ignore_ascii_case(word))),
        }
    }

    fn text(&mut self) -> Token {
        let mut text = Vec::new();
        self.at += 1;
        loop {
            match self.byte(self.at) {
                b'"' => break,
                0 => return self.fault("unexpected end of string"),
                b'\\' => {
                    let byte = match self.byte(self.at + 1) {
                        byte @ (b'"' | b'\\' | b'/') => byte,
                        b'b' => 8,
                        b't' => b'\t',
                        b'n' => b'\n',
                        b'f' => 12,
                        b'r' => b'\r',
                        b'u' => match self.code_point() {
                            Some((point, length)) => {
                                write_point(point, &mut text);
                                self.at += length;
                                continue;
                            }
                            None => return self.fault("invalid unicode escape code"),
                        },
                        _ => return self.fault("invalid escape code"),
                    };
                    text.push(byte);
                    self.at += 2;
                }
                byte => {
                    text.push(byte);
                    self.at += 1;
                }
            }
        }
        self.at += 1;
        Token::Text(text)
    }

    /// `\uXXXX`, or two that make one.
    fn code_point(&self) -> Option<(u32, usize)> {
        let first = self.hexadecimal(self.at + 2)?;
        if first & 0xF800 != 0xD800 {
            return Some((first, 6));
        }
        if first & 0x400 != 0 || self.byte(self.at + 6) != b'\\' || self.byte(self.at + 7) != b'u' {
            return None;
        }
        let second = self.hexadecimal(self.at + 8).filter(|second| second & 0xFC00 == 0xDC00)?;
        Some((((first & 0x3FF) << 10 | second & 0x3FF) + 0x1_0000, 12))
    }

    fn hexadecimal(&self, at: usize) -> Option<u32> {
        (at..at + 4).try_fold(0, |all, at| Some(all << 4 | char::from(self.byte(at)).to_digit(16)?))
    }

    fn value(&mut self, token: Token) -> Result<Value, Raise> {
        Ok(match token {
            Token::Text(text) => Value::String(self.lua.create_string(text)?),
            Token::Number(number) => Value::Number(number),
            Token::Bool(value) => Value::Boolean(value),
            Token::Null => Value::NULL,
            Token::ObjectBegin => Value::Table(self.object()?),
            Token::ArrayBegin => Value::Table(self.array()?),
            other => return Err(self.unexpected("value", &other)),
        })
    }

    fn descend(&mut self) -> Result<Table, Raise> {
        self.depth += 1;
        if self.depth > self.options.decode_depth.get() {
            return Err(Raise::Text(format!("Found too many nested data structures ({}) at character {}", self.depth, self.at)));
        }
        Ok(self.lua.create_table()?)
    }

    fn object(&mut self) -> Result<Table, Raise> {
        let table = self.descend()?;
        let mut token = self.next();
        if matches!(token, Token::ObjectEnd) {
            self.depth -= 1;
            return Ok(table);
        }
        loop {
            let Token::Text(key) = token else { return Err(self.unexpected("object key string", &token)) };
            match self.next() {
                Token::Colon => {}
                other => return Err(self.unexpected("colon", &other)),
            }
            let next = self.next();
            let value = self.value(next)?;
            table.raw_set(self.lua.create_string(key)?, value)?;
            match self.next() {
                Token::ObjectEnd => break,
                Token::Comma => token = self.next(),
                other => return Err(self.unexpected("comma or object end", &other)),
            }
        }
        self.depth -= 1;
        Ok(table)
    }

    fn array(&mut self) -> Result<Table, Raise> {
        let table = self.descend()?;
        let mut token = self.next();
        if matches!(token, Token::ArrayEnd) {
            self.depth -= 1;
            return Ok(table);
        }
        for place in 1.. {
            let value = self.value(token)?;
            table.raw_set(place, value)?;
            match self.next() {
                Token::ArrayEnd => break,
                Token::Comma => token = self.next(),
                other => return Err(self.unexpected("comma or array end", &other)),
            }
        }
        self.depth -= 1;
        Ok(table)
    }
}

/// As UTF-8, half of a pair, too.
fn write_point(point: u32, out: &mut Vec<u8>) {
    let part = |shift: u32| (point >> shift & 0x3F) as u8 | 0x80;
    match point {
        0..0x80 => out.push(point as u8),
        0x80..0x800 => out.extend_from_slice(&[(point >> 6) as u8 | 0xC0, part(0)]),
        0x800..0x1_0000 => out.extend_from_slice(&[(point >> 12) as u8 | 0xE0, part(6), part(0)]),
        _ => out.extend_from_slice(&[(point >> 18) as u8 | 0xF0, part(12), part(6), part(0)]),
    }
}
