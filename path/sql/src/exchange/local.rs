use crate::parse::Step;
use crate::session::answer_locally as answer;
use crate::visit::{After, Visit};

/// Answers a simple query that needs no server; `None`: it does need one.
pub(crate) async fn answer_locally(visit: &mut Visit<'_>) -> Option<After> {
    let text = visit.desk.local_query().filter(|text| visit.hold.is_none() && visit.guest.session.is_local(text))?;
    let mut bytes = Vec::new();
    Box::pin(answer(&mut visit.guest.session, &text, &mut bytes)).await;
    if text.steps.contains(&Step::DiscardAll) {
        visit.guest.names.clear();
    }
    // Postgres forgets it with every `Query`.
    visit.guest.names.drop_unnamed();
    visit.desk.drop_front();
    visit.desk.say(|out| out.extend_from_slice(&bytes));
    Some(visit.finish_telling().await)
}
