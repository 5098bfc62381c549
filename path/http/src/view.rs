//! The plan made ready for requests: hosts, routes by longest prefix, each app's group. A reload makes a new one.

use std::rc::Rc;
use std::sync::Arc;

use crate::accept::HeadBounds;
use crate::answer::SiteFiles;
use crate::balance::Group;
use crate::events::RouteCounts;
use crate::plan::Plan;

/// What all loops share.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) plan: Plan,
    pub(crate) bounds: HeadBounds,
    /// Longest prefix first.
    pub(crate) routes: Vec<Route>,
    /// Counts of the site, and of what no route took.
    pub(crate) site: Arc<RouteCounts>,
    pub(crate) nowhere: Arc<RouteCounts>,
}

/// One prefix of one app.
#[derive(Debug)]
pub(crate) struct Route {
    /// Without a slash at its end; empty for `/`.
    pub(crate) prefix: Box<[u8]>,
    pub(crate) group: Arc<Group>,
    pub(crate) counts: Arc<RouteCounts>,
}

/// One loop's look at a shape.
pub(crate) struct View {
    pub(crate) shape: Arc<Shape>,
    pub(crate) site: Option<Rc<SiteFiles>>,
}

impl Shape {
    /// The index of the route that takes `path` (plain, see `accept::target`), matched at `/` boundaries.
    pub(crate) fn route(&self, path: &[u8]) -> Option<usize> {
        self.routes.iter().position(|route| {
            let rest = path.strip_prefix(&*route.prefix);
            rest.is_some_and(|rest| rest.is_empty() || rest[0] == b'/' || route.prefix.is_empty())
        })
    }

    /// Whether `authority` (`Host`, with or without port) is served.
    pub(crate) fn serves(&self, authority: &[u8]) -> bool {
        let hosts = &self.plan.hosts;
        if hosts.is_empty() {
            return true;
        }
        let host = host_of(authority);
        hosts.iter().any(|served| match served.strip_prefix("*.") {
            None => served.as_bytes().eq_ignore_ascii_case(host),
            Some(parent) => {
                let cut = host.len().checked_sub(parent.len() + 1);
                cut.is_some_and(|cut| cut > 0 && host[cut] == b'.' && host[cut + 1..].eq_ignore_ascii_case(parent.as_bytes()))
            }
        })
    }
}

impl View {
    /// The files of the site are those of the view `before` as long as their folder is the same: what is remembered stays.
    pub(crate) fn new(shape: Arc<Shape>, loops: usize, before: Option<&View>) -> Rc<View> {
        let known = before.and_then(|view| view.site.as_ref());
        let site = shape.plan.site.as_ref().map(|site| match known.filter(|files| files.dir() == site.dir) {
            Some(files) => files.clone(),
            None => Rc::new(SiteFiles::new(site.dir.clone(), loops)),
        });
        Rc::new(View { shape, site })
    }

    /// The same without the site's files, for a connection that needs the plan only and may last for days.
    pub(crate) fn without_site(&self) -> Rc<View> {
        Rc::new(View { shape: self.shape.clone(), site: None })
    }
}

/// The host without its port and without the root's dot.
pub(crate) fn host_of(authority: &[u8]) -> &[u8] {
    let end = match authority.iter().rposition(|byte| *byte == b':') {
        Some(colon) if !authority[colon..].contains(&b']') => colon,
        _ => authority.len(),
    };
    authority[..end].strip_suffix(b".").unwrap_or(&authority[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_without_port_and_last_dot() {
        assert_eq!(host_of(b"example.com:8080"), b"example.com");
        assert_eq!(host_of(b"example.com."), b"example.com");
        assert_eq!(host_of(b"[::1]:80"), b"[::1]");
        assert_eq!(host_of(b"[::1]"), b"[::1]");
    }
}
