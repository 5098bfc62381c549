use super::*;

fn scrape(machine: &Machine) -> String {
    let mut out = Exposition::default();
    machine.collect(&mut out);
    out.finish()
}

fn value(text: &str, sample: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("{sample} is missing in\n{text}")).parse().unwrap()
}

#[test]
fn this_machine_and_this_process() {
    let folder = tempfile::tempdir().unwrap();
    let text = scrape(&Machine::new(folder.path(), std::process::id()));
    assert!(value(&text, "process_resident_memory_bytes") > 1e6);
    assert!(value(&text, "process_open_fds") >= 3.0);
    assert!(value(&text, "process_max_fds") > value(&text, "process_open_fds"));
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
    assert!((now - value(&text, "process_start_time_seconds")).abs() < 3600.0);
    assert!(value(&text, "process_tree_processes") >= 1.0);
    assert!(value(&text, "process_tree_cpu_seconds_total") >= value(&text, "process_cpu_seconds_total"));
    assert!(value(&text, "node_memory_MemTotal_bytes") > value(&text, "node_memory_MemAvailable_bytes"));
    assert!(text.contains("node_cpu_seconds_total{cpu=\"0\",mode=\"idle\"} "), "{text}");
    assert!(text.contains("node_network_receive_bytes_total{device=\"lo\"} "), "{text}");
    assert!(text.contains("node_filesystem_size_bytes{device="), "{text}");
}

#[test]
fn the_load_line_is_finite_and_has_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let machine = Machine::new(folder.path(), std::process::id());
    machine.measure();
    let load = machine.load();
    assert_eq!(load.tier, "machine");
    assert!(load.load.is_finite() && load.load > 0.0 && !load.reason.is_empty(), "{load:?}");
}

#[test]
fn a_state_folder_that_is_gone_costs_only_its_own_metrics() {
    let machine = Machine::new(Path::new("/no/such/folder"), 1);
    let text = scrape(&machine);
    assert!(!text.contains("node_filesystem_size_bytes") && text.contains("node_load1"));
}

#[tokio::test]
async fn a_host_is_scraped_and_has_a_load_line() {
    let folder = tempfile::tempdir().unwrap();
    let (registry, loads) = (Registry::default(), Loads::default());
    host(folder.path(), &registry, &loads);
    assert!(registry.render().contains("plimsoll_build_info{version=\"") && registry.render().contains("process_tree_processes"));
    assert_eq!(loads.now()[0].tier, "machine");
}
