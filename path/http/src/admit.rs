//! Second stage: whether a request is let in, for which route, and who its client is.

pub(crate) mod origin;
pub(crate) mod per_address;

use crate::accept::{Framing, Known, target};
use crate::plan::AccessLog;
use crate::visit::Visit;

/// The route of the request, or the status that refuses it.
///
/// # Errors
/// 400 for a path with two readings, 413, 421.
pub(crate) fn admit(visit: &mut Visit<'_>) -> Result<Option<usize>, u16> {
    let desk = &mut *visit.desk;
    let Some(input) = &desk.input else { return Err(400) };
    let (head, buffer, facts, shape) = (&desk.request, input.unread(), &mut desk.facts, &visit.view.shape);
    (facts.method, facts.version, facts.framing) = (head.method, head.version, head.framing);
    (facts.keep_alive, facts.websocket, facts.expects_continue) = (head.keep_alive, head.websocket, head.expect_continue);
    facts.accept.extend_from_slice(head.value(Known::Accept, buffer).unwrap_or_default());
    if head.host.is_empty() {
        origin::write_local(&mut facts.local, &visit.client.stream);
    }
    if shape.plan.log != AccessLog::Off {
        facts.method_text.extend_from_slice(head.method_text.of_buffer(buffer));
        facts.host.extend_from_slice(head.host.of_buffer(buffer));
        facts.path.extend_from_slice(head.path(buffer));
    }
    origin::identify(facts, head, buffer, visit.client.address.ip(), &shape.plan.trust, visit.door);
    let path = target::plain(head.path(buffer), &mut desk.plain_path).map_err(|refusal| refusal.status)?;
    if path.text != head.path(buffer) {
        target::normal(head.path(buffer), &mut facts.normal_path);
    }
    let path = if path.text == b"*" { b"/" } else { path.text };
    if visit.view.site.is_some() {
        desk.site_path.clear();
        desk.site_path.extend_from_slice(path);
    }
    let route = shape.route(path);
    if !shape.serves(facts.authority(head, buffer)) {
        return Err(421);
    }
    if matches!(head.framing, Framing::Length(length) if length > shape.plan.max.body) {
        return Err(413);
    }
    Ok(route)
}
