use serde::Serialize;

/// One app as it is now.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AppStatus {
    /// Its name in the file.
    pub name: String,
    /// Whether Plimsoll runs it; the instances of an outside app have only a name and an address.
    pub run: bool,
    /// Its instances, those on their way out included.
    pub instances: Vec<InstanceStatus>,
}

/// One instance as it is now.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InstanceStatus {
    /// `shop.1`, or the address of an outside one.
    pub name: String,
    /// `building`, `starting`, `healthy`, `waiting` (before the next try), `draining`, `stopping`, `failed`, `outside`.
    pub state: &'static str,
    /// Process id of its first process, while it runs.
    pub pid: Option<u32>,
    /// The port it was given.
    pub port: Option<u16>,
    /// How often it was started again.
    pub restarts: u64,
    /// Seconds since it was healthy; 0 before.
    pub uptime_seconds: u64,
    /// Processor time it uses, 1.0 = one core.
    pub cpu: f64,
    /// Memory of its process group, bytes.
    pub memory: u64,
}
