use std::sync::Arc;

/// Whose connections these are: they are lent to clients of the same user and database only.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    /// The user, at the door and at the server.
    pub(crate) user: Arc<str>,
    /// The database.
    pub(crate) database: Arc<str>,
}
