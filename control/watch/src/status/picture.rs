use std::fmt::Write;

use super::{AppState, InstanceState, Snapshot, TierState};

/// Cells of a load bar; it spans what the tier can do, and the line stands at the safe share of it.
const CELLS: usize = 20;
const LINE: usize = (CELLS as f64 * contract::SAFE_SHARE) as usize;

const RED: &str = "31";
const YELLOW: &str = "33";
const GREEN: &str = "32";
const BOLD: &str = "1";
const DIM: &str = "2";

/// Draws the path as it runs now: each tier with its load line, the door with its rates, each app with its instances.
///
/// `colour` is for terminals; without it the text is plain. Ends in a newline.
pub fn picture(snapshot: &Snapshot, colour: bool) -> String {
    let mut drawing = Drawing { text: String::new(), colour };
    drawing.head(snapshot);
    drawing.door(snapshot);
    drawing.apps(snapshot);
    drawing.databases(snapshot);
    drawing.stores(snapshot);
    drawing.beside(snapshot);
    drawing.text
}

struct Drawing {
    text: String,
    colour: bool,
}

impl Drawing {
    fn head(&mut self, snapshot: &Snapshot) {
        let name = self.paint(BOLD, &snapshot.name);
        let Snapshot { stage, version, pid, .. } = snapshot;
        self.line(&format!("{name}   stage {stage}   up {}   plimsoll {version}   pid {pid}", span(snapshot.uptime_seconds)));
        if let Some(reason) = &snapshot.differs {
            let told = self.paint(YELLOW, &format!("! the file differs from what runs: {}", one_line(reason)));
            self.line(&told);
        }
    }

    fn door(&mut self, snapshot: &Snapshot) {
        let http = &snapshot.http;
        let share = if http.requests == 0 { 0.0 } else { http.errors as f64 * 100.0 / http.requests as f64 };
        self.line("");
        self.line(&format!("clients    {}", counted(http.connections, "connection")));
        self.line(&format!(
            "   |       {} requests/s   p50 {}   p95 {}   p99 {}   errors {share:.1} %   {} in all",
            rate(http.requests_per_second),
            wait(http.p50),
            wait(http.p95),
            wait(http.p99),
            http.requests
        ));
        self.line("   v");
        match snapshot.tiers.iter().find(|tier| tier.tier == "http") {
            Some(tier) => self.tier("", "http", tier, &http.listen.join(" ")),
            None => self.line(&format!("http       {}", http.listen.join(" "))),
        }
    }

    fn apps(&mut self, snapshot: &Snapshot) {
        let site = snapshot.http.site.as_ref();
        let last = snapshot.apps.len();
        for (index, app) in snapshot.apps.iter().enumerate() {
            self.line("   |");
            let more = index + 1 < last || site.is_some();
            self.app(app, snapshot, more);
        }
        if let Some(dir) = site {
            self.line("   |");
            self.line(&format!("   +- site      {dir}"));
        }
    }

    fn app(&mut self, app: &AppState, snapshot: &Snapshot, more: bool) {
        let name = format!("app.{}", app.app);
        let routes = if app.routes.is_empty() { "worker".to_string() } else { app.routes.join(" ") };
        match snapshot.tiers.iter().find(|tier| tier.tier == name) {
            Some(tier) => self.tier("   +- ", &name, tier, &routes),
            None => self.line(&format!("   +- {name:<10} {routes}")),
        }
        let trunk = if more { "   |" } else { "    " };
        if app.instances.is_empty() {
            self.line(&format!("{trunk}       no instance"));
        }
        let widths = Widths::of(&app.instances);
        for instance in &app.instances {
            let row = self.instance(instance, &widths);
            self.line(&format!("{trunk}       {row}"));
        }
    }

    fn instance(&self, instance: &InstanceState, widths: &Widths) -> String {
        let colour = match instance.state.as_str() {
            "healthy" | "outside" | "up" => GREEN,
            "failed" | "down" => RED,
            _ => YELLOW,
        };
        let state = self.paint(colour, &format!("{:<1$}", instance.state, widths.state));
        let endpoint = instance.endpoint.as_deref().unwrap_or("-");
        let mut row =
            format!("{:<2$}  {state}  {endpoint:<3$}  {:>3} open", instance.instance, instance.in_flight, widths.name, widths.endpoint);
        if instance.upgraded > 0 {
            let _ = write!(row, "  {} upgraded", instance.upgraded);
        }
        if let Some(seconds) = instance.uptime_seconds {
            let _ = write!(row, "  up {}", span(seconds));
        }
        if let Some(pid) = instance.pid {
            let _ = write!(row, "  pid {pid}");
        }
        if instance.restarts > 0 {
            let _ = write!(row, "  {}", counted(instance.restarts, "restart"));
        }
        row
    }

    /// The SQL doors, and what is behind them.
    fn databases(&mut self, snapshot: &Snapshot) {
        for door in &snapshot.sql {
            self.line("");
            self.entrance(snapshot, "sql", &door.name, &door.listen);
            self.line(&format!(
                "   |       {} queries/s   p50 {}   p95 {}   p99 {}   {}   {} waiting   {} pinned",
                rate(door.queries_per_second),
                wait(door.p50),
                wait(door.p95),
                wait(door.p99),
                counted(door.clients, "client"),
                door.waiting,
                door.pins.len()
            ));
            let colour = match door.state.as_str() {
                "up" => GREEN,
                "down" | "failing" => RED,
                _ => YELLOW,
            };
            let state = self.paint(colour, &door.state);
            self.line(&format!("   +- {}  {state}  {} busy  {} idle  of {}", door.server, door.busy, door.idle, door.most));
        }
    }

    /// The KV doors, and what their stores hold.
    fn stores(&mut self, snapshot: &Snapshot) {
        for door in &snapshot.kv {
            self.line("");
            self.entrance(snapshot, "kv", &door.name, &door.listen);
            let hits = door.hit_percent().map_or_else(|| "-".into(), |percent| format!("{percent:.1} %"));
            self.line(&format!(
                "   +- {} commands/s   hits {hits}   {}   {}   {} evicted   {} expired",
                rate(door.commands_per_second),
                counted(door.clients, "client"),
                counted(door.keys, "key"),
                door.evicted,
                door.expired
            ));
        }
    }

    /// A door of a section that names its doors.
    fn entrance(&mut self, snapshot: &Snapshot, section: &str, name: &str, listen: &str) {
        match snapshot.tiers.iter().find(|tier| is_door(&tier.tier, section, name)) {
            Some(tier) => self.tier("", &tier.tier, tier, listen),
            None => self.line(&format!("{:<10} {listen}", format!("{section}.{name}"))),
        }
    }

    /// Tiers that are neither a door nor an app of the list.
    fn beside(&mut self, snapshot: &Snapshot) {
        let app = |tier: &TierState| snapshot.apps.iter().any(|app| tier.tier == format!("app.{}", app.app));
        let sql = |tier: &TierState| snapshot.sql.iter().any(|door| is_door(&tier.tier, "sql", &door.name));
        let kv = |tier: &TierState| snapshot.kv.iter().any(|door| is_door(&tier.tier, "kv", &door.name));
        let drawn = |tier: &TierState| tier.tier == "http" || app(tier) || sql(tier) || kv(tier);
        let mut first = true;
        for tier in snapshot.tiers.iter().filter(|tier| !drawn(tier)) {
            if std::mem::take(&mut first) {
                self.line("");
            }
            self.tier("", &tier.tier, tier, "");
        }
    }

    fn tier(&mut self, branch: &str, name: &str, tier: &TierState, note: &str) {
        let colour = if tier.load >= 1.0 {
            RED
        } else if tier.load >= 0.8 {
            YELLOW
        } else {
            GREEN
        };
        let bar = self.paint(colour, &bar(tier.load));
        let reason = self.paint(DIM, &one_line(&tier.reason));
        let gap = if note.is_empty() { "" } else { "   " };
        let line = format!("{branch}{name:<10} {bar} {:>4.2}   {reason}{gap}{note}", tier.load);
        self.line(&line);
    }

    fn paint(&self, colour: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.to_string() }
    }

    fn line(&mut self, text: &str) {
        self.text.push_str(text.trim_end());
        self.text.push('\n');
    }
}

/// Whether a tier is that door: `sql` when it is the only one of its section.
fn is_door(tier: &str, section: &str, name: &str) -> bool {
    let rest = tier.strip_prefix(section);
    rest.is_some_and(|rest| rest.is_empty() || rest.strip_prefix('.') == Some(name))
}

/// Widths of a table's columns.
struct Widths {
    name: usize,
    state: usize,
    endpoint: usize,
}

impl Widths {
    fn of(instances: &[InstanceState]) -> Widths {
        let widest = |length: fn(&InstanceState) -> usize| instances.iter().map(length).max().unwrap_or(0);
        Widths {
            name: widest(|instance| instance.instance.chars().count()),
            state: widest(|instance| instance.state.chars().count()),
            endpoint: widest(|instance| instance.endpoint.as_ref().map_or(1, |text| text.chars().count())),
        }
    }
}

/// `[#####.......|........]`: filled up to the load, with the line where 1.0 is.
fn bar(load: f64) -> String {
    let filled = ((load * LINE as f64).ceil() as usize).min(CELLS);
    let mut bar = String::from("[");
    for cell in 0..CELLS {
        if cell == LINE {
            bar.push('|');
        }
        bar.push(if cell < filled { '#' } else { '.' });
    }
    bar + "]"
}

/// Seconds as people say them, the two largest units.
pub(super) fn span(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, _, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

/// A latency in seconds with the unit that suits it.
pub(super) fn wait(seconds: f64) -> String {
    if seconds <= 0.0 {
        "-".to_string()
    } else if seconds < 0.001 {
        format!("{:.0} us", seconds * 1e6)
    } else if seconds < 1.0 {
        let text = format!("{:.1}", seconds * 1e3);
        format!("{} ms", text.strip_suffix(".0").unwrap_or(&text))
    } else {
        let text = format!("{seconds:.1}");
        format!("{} s", text.strip_suffix(".0").unwrap_or(&text))
    }
}

pub(super) fn rate(per_second: f64) -> String {
    if per_second > 0.0 && per_second < 10.0 { format!("{per_second:.1}") } else { format!("{per_second:.0}") }
}

/// `1 query`, `2 queries`, `2 keys`.
pub(super) fn counted(count: u64, word: &str) -> String {
    match word.strip_suffix('y').filter(|stem| !stem.ends_with('e')) {
        _ if count == 1 => format!("1 {word}"),
        Some(stem) => format!("{count} {stem}ies"),
        None => format!("{count} {word}s"),
    }
}

/// A reason may quote text from outside: it stays on its line and sends nothing to the terminal.
pub(super) fn one_line(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}
