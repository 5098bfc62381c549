//! What `INFO` says of commands and of errors.

use std::fmt::{Result, Write};

use crate::command::Here;
use crate::config::percentiles;
use crate::store::View;

/// Only when asked for.
pub(super) fn commandstats(here: &Here<'_>, _: &View<'_>, out: &mut String) -> Result {
    for (command, sum) in here.common.events.tally().commands() {
        write!(
            out,
            "cmdstat_{}:calls={},usec={},usec_per_call={:.2},rejected_calls={},failed_calls={}\r\n",
            command.name,
            sum.calls,
            sum.micros(),
            sum.micros_per_call(),
            sum.rejected,
            sum.failed
        )?;
    }
    Ok(())
}

pub(super) fn errorstats(here: &Here<'_>, _: &View<'_>, out: &mut String) -> Result {
    here.common.events.tally().errors().try_for_each(|(kind, count)| write!(out, "errorstat_{kind}:count={count}\r\n"))
}

/// Only when asked for, and when all commands are timed.
pub(super) fn latencystats(here: &Here<'_>, _: &View<'_>, out: &mut String) -> Result {
    if !here.common.config.tracks_latency() {
        return Ok(());
    }
    let wanted = percentiles::parse(&here.common.config.text("latency-tracking-info-percentiles")).unwrap_or_default();
    for (command, sum) in here.common.events.tally().commands().filter(|(_, sum)| sum.timed > 0) {
        let each = wanted.iter().map(|percent| format!("p{percent}={:.3}", sum.quantile(percent / 100.0) as f64));
        write!(out, "latency_percentiles_usec_{}:{}\r\n", command.name, each.collect::<Vec<_>>().join(","))?;
    }
    Ok(())
}
