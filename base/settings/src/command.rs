//! Commands of the file: split as a shell would, expanded by us, everything else of a shell refused.

use crate::Fault;

/// Splits a command into words as a POSIX shell would; quotes and backslashes are understood.
///
/// `$NAME` and `${NAME}` stay as written for [`expand`]; a `$` that a shell would not expand comes out as `$$`.
///
/// # Errors
/// Other shell syntax, with what to write instead; an open quote; no words.
pub fn split(text: &str) -> Result<Vec<String>, Fault> {
    let mut splitter = Splitter { rest: text, words: Vec::new(), word: None };
    while let Some(c) = splitter.next() {
        splitter.take(c, text)?;
    }
    splitter.end_word();
    match splitter.words.first() {
        None => Err(Fault::new("the command is empty")),
        Some(first) if is_assignment(first) => {
            Err(Fault::new(format!("`{first}` before the program is shell syntax")).hint(format!("put it into `env`: {}", as_env(first))))
        }
        Some(_) => Ok(splitter.words),
    }
}

/// Words that are passed as they are, made safe for [`expand`].
pub fn verbatim(word: &str) -> String {
    word.replace('$', "$$")
}

/// Replaces `$NAME` and `${NAME}` in one word of a checked command; `$$` is a plain `$`. The result stays one word.
///
/// `lookup` gives a variable's value. A variable that is not set becomes nothing, as a shell would have it; the
/// file's check has refused those that could be known.
pub fn expand(word: &str, lookup: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(word.len());
    let mut rest = word;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some((name, after)) = variable(rest) {
            out.push_str(&lookup(name).unwrap_or_default());
            rest = after;
        } else {
            out.push('$');
        }
    }
    out.push_str(rest);
    out
}

/// The variables that [`expand`] would look up in `word`.
pub fn variables(word: &str) -> Vec<String> {
    let names = std::cell::RefCell::new(Vec::new());
    expand(word, |name| {
        names.borrow_mut().push(name.to_string());
        None
    });
    names.into_inner()
}

struct Splitter<'a> {
    rest: &'a str,
    words: Vec<String>,
    word: Option<String>,
}

impl Splitter<'_> {
    fn next(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = &self.rest[c.len_utf8()..];
        Some(c)
    }

    fn push(&mut self, text: &str) {
        self.word.get_or_insert_default().push_str(text);
    }

    fn end_word(&mut self) {
        self.words.extend(self.word.take());
    }

    fn take(&mut self, c: char, text: &str) -> Result<(), Fault> {
        match c {
            ' ' | '\t' | '\n' | '\r' => self.end_word(),
            '\'' => self.single_quoted()?,
            '"' => self.double_quoted()?,
            '\\' => match self.next() {
                Some('\n') => {}
                Some(next) => self.push(&literal(next)),
                None => return Err(Fault::new("the command ends with a backslash")),
            },
            '$' => self.dollar()?,
            _ => match refused(c, self.word.is_none(), self.rest, text) {
                Some(fault) => return Err(fault),
                None => self.push(c.encode_utf8(&mut [0; 4])),
            },
        }
        Ok(())
    }

    fn single_quoted(&mut self) -> Result<(), Fault> {
        let (inner, after) = self.rest.split_once('\'').ok_or_else(|| Fault::new("a ' is never closed"))?;
        self.rest = after;
        self.push(&verbatim(inner));
        Ok(())
    }

    fn double_quoted(&mut self) -> Result<(), Fault> {
        self.push("");
        while let Some(c) = self.next() {
            match c {
                '"' => return Ok(()),
                '$' => self.dollar()?,
                '`' => return Err(substitution()),
                '\\' if self.rest.starts_with(['"', '\\', '$', '`']) => {
                    let next = self.next().expect("it was just seen");
                    self.push(&literal(next));
                }
                _ => self.push(c.encode_utf8(&mut [0; 4])),
            }
        }
        Err(Fault::new("a \" is never closed"))
    }

    fn dollar(&mut self) -> Result<(), Fault> {
        if self.rest.starts_with('(') {
            return Err(substitution());
        }
        if let Some((name, after)) = variable(self.rest) {
            let name = format!("${{{name}}}");
            self.rest = after;
            self.push(&name);
            return Ok(());
        }
        if self.rest.starts_with('{') {
            let end = self.rest.find('}').map_or(self.rest.len(), |at| at + 1);
            return Err(Fault::new(format!("`${}` is shell syntax", &self.rest[..end])).hint("only $NAME and ${NAME} are expanded"));
        }
        if self.rest.starts_with(|c: char| c.is_ascii_digit() || "@*#?!-$".contains(c)) {
            let shown: String = self.rest.chars().take(1).collect();
            return Err(
                Fault::new(format!("`${shown}` is shell syntax")).hint("only $NAME and ${NAME} are expanded; a plain dollar is '$'")
            );
        }
        self.push("$$");
        Ok(())
    }
}

/// Why a character outside quotes needs a shell; `None` when it does not.
fn refused(c: char, at_start: bool, rest: &str, text: &str) -> Option<Fault> {
    let script = "put the line into a script of its own and run that, or write `run = [\"sh\", \"-c\", \"…\"]`";
    let (what, hint) = match c {
        '|' if rest.starts_with('|') => ("`||`", script),
        '|' => ("a pipe `|`", script),
        '&' if rest.starts_with('&') => {
            ("`&&`", "use `build` or `release` for what comes before, or put the line into a script of its own")
        }
        '&' => ("`&`", "Plimsoll runs it in the background anyway: remove the `&`"),
        ';' => ("`;`", "use `build` or `release` for what comes before, or put the line into a script of its own"),
        '>' => ("a redirection `>`", "remove it: output goes to the log (`plimsoll logs`)"),
        '<' => ("a redirection `<`", script),
        '`' => return Some(substitution()),
        '(' | ')' => ("a parenthesis", "quote it, or put the line into a script of its own"),
        '*' | '?' | '[' => ("a file pattern", "list the files, or quote the word if it is meant as it is"),
        '~' if at_start => ("`~`", "write the folder, or $HOME"),
        '#' if at_start => ("a comment `#`", "put it behind the value, outside the quotes"),
        '{' if rest.split_once('}').is_some_and(|(inner, _)| inner.contains([',', '.'])) => {
            ("a `{…}` list", "write the words out, or quote them")
        }
        '!' if at_start && text.starts_with('!') => ("`!`", script),
        _ => return None,
    };
    Some(Fault::new(format!("{what} is shell syntax, and commands run without a shell")).hint(hint))
}

fn substitution() -> Fault {
    Fault::new("a command inside a command is shell syntax, and commands run without a shell")
        .hint("put the line into a script of its own and run that; a secret can be { command = \"…\" } in `env`")
}

fn literal(c: char) -> String {
    verbatim(c.encode_utf8(&mut [0; 4]))
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| variable(name).is_some_and(|(_, after)| after.is_empty() && !name.starts_with('{')))
}

fn as_env(assignment: &str) -> String {
    let (name, value) = assignment.split_once('=').unwrap_or((assignment, ""));
    format!("env = {{ {name} = \"{}\" }}", value.replace("$$", "$"))
}

/// The name of a variable at the start of `text`, after its `$`, and what follows it.
fn variable(text: &str) -> Option<(&str, &str)> {
    let is_name = |name: &str| !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit());
    if let Some(inner) = text.strip_prefix('{') {
        let (name, after) = inner.split_once('}')?;
        return (is_name(name) && name.bytes().all(is_name_byte)).then_some((name, after));
    }
    let end = text.bytes().position(|b| !is_name_byte(b)).unwrap_or(text.len());
    is_name(&text[..end]).then_some((&text[..end], &text[end..]))
}

fn is_name_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_expand_inside_a_word() {
        let lookup = |name: &str| (name == "PORT").then(|| "3000".to_string());
        assert_eq!(expand("--bind=$HOST:${PORT}", lookup), "--bind=:3000");
        assert_eq!(expand("$$PORT costs $5", lookup), "$PORT costs $5");
        assert_eq!(expand("${PORT}0/$PORT/", lookup), "30000/3000/");
        assert_eq!(variables("$A-${B}$$C"), ["A", "B"]);
    }

    #[test]
    fn words_are_split_as_a_shell_would() {
        let split = |text| split(text).unwrap();
        assert_eq!(split("node  server.js\t--port $PORT"), ["node", "server.js", "--port", "${PORT}"]);
        assert_eq!(split(r#"a 'b c' "d $E" f\ g "" h"i"j"#), ["a", "b c", "d ${E}", "f g", "", "hij"]);
        assert_eq!(split(r#"sh -c 'a | b > $C'"#), ["sh", "-c", "a | b > $$C"]);
        assert_eq!(split(r#"a "\$B \n" \$C 5$"#), ["a", "$$B \\n", "$$C", "5$$"]);
        assert_eq!(split("bundle exec puma -b tcp://${HOST}:$PORT"), ["bundle", "exec", "puma", "-b", "tcp://${HOST}:${PORT}"]);
        assert_eq!(split("a --x=y#z"), ["a", "--x=y#z"]);
    }

    #[test]
    fn what_needs_a_shell_is_refused_with_the_fix() {
        for (text, word) in [
            ("a | b", "pipe"),
            ("a && b", "&&"),
            ("a; b", ";"),
            ("a > b", ">"),
            ("a `b`", "inside a command"),
            ("a $(b)", "inside a command"),
            ("a *.py", "pattern"),
            ("A=1 b", "before the program"),
            ("a ${B:-c}", "${B:-c}"),
            ("a $1", "$1"),
            ("a 'b", "never closed"),
            ("a ~/b", "~"),
            ("a &", "&"),
            ("  ", "empty"),
        ] {
            let fault = split(text).expect_err(text);
            assert!(fault.reason.contains(word), "{text}: {}", fault.reason);
        }
        assert_eq!(split("RAILS_ENV=test b").unwrap_err().suggestion.unwrap(), "put it into `env`: env = { RAILS_ENV = \"test\" }");
    }

    #[test]
    fn a_quoted_dollar_survives_expansion() {
        let words = split("a '$B' $B").unwrap();
        let expanded: Vec<String> = words.iter().map(|word| expand(word, |_| Some("x".into()))).collect();
        assert_eq!(expanded, ["a", "$B", "x"]);
    }
}
