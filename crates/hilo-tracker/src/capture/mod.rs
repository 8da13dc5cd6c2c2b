//! What is captured without the site's own calls: one file per kind.
//!
//! Each kind reads what the platform says happened and answers drafts, purely; who listens in the document is the
//! platform. `page` and `track` calls need no file: they are drafts already.

pub mod forms;
pub mod pages;
