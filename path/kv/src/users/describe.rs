//! Which commands somebody may do, said in as few rules as are easily found.

use super::rights::Rights;
use crate::command::{Categories, Command, ruled};

impl Rights {
    /// From all or none, the category that says most at a time, and then single commands.
    pub(crate) fn commands_said(&self) -> String {
        let (mut said, mut reached, mut rest) = (String::new(), Rights::default(), self.clone());
        let adds = !self.is_open;
        let (begin, sign) = if adds { ("-@all ", '+') } else { ("+@all ", '-') };
        said += begin;
        reached.apply(begin.trim_end().as_bytes()).expect("it is a rule");
        let mut applied = Vec::new();
        while let Some((name, category)) = best(&rest, adds, &applied) {
            said.extend([sign, '@']);
            said.extend([name, " "]);
            reached.put_category(category, adds);
            rest.put_category(category, !adds);
            applied.push(name);
        }
        // A container before its parts.
        for (_, command) in ruled().filter(|(_, command)| !command.name.contains('|')) {
            self.single(command, &mut reached, &mut said);
            ruled().filter(|(_, part)| command.is_container_of(part)).for_each(|(_, part)| self.single(part, &mut reached, &mut said));
        }
        said.truncate(said.trim_end().len());
        said
    }

    fn single(&self, command: &Command, reached: &mut Rights, said: &mut String) {
        let is_allowed = self.commands.has(command.number());
        if is_allowed != reached.commands.has(command.number()) {
            said.push(if is_allowed { '+' } else { '-' });
            said.extend([command.name, " "]);
            reached.put(command, is_allowed);
        }
        if !is_allowed {
            self.first_words_of(command, said);
        }
    }
}

/// The category of which more is wanted than not, and the least is not; of several the one of which the most is.
fn best(rest: &Rights, adds: bool, applied: &[&str]) -> Option<(&'static str, Categories)> {
    let mut best = None;
    let (mut least, mut most) = (usize::MAX, 0);
    for (name, category) in Categories::all().filter(|(name, _)| !applied.contains(name)) {
        let of = ruled().filter(|(_, command)| command.categories().has(category));
        let (allowed, denied): (Vec<_>, Vec<_>) = of.partition(|(number, _)| rest.commands.has(*number));
        let (same, different) = if adds { (allowed.len(), denied.len()) } else { (denied.len(), allowed.len()) };
        if same > different && (different < least || different == least && same > most) {
            (least, most) = (different, same);
            best = Some((name, category));
        }
    }
    best
}
