//! `cargo xtask connect NAME`: a person grants a destination access to an account, in the browser.
//! In: the destination's name, the collector's address, and the admin token in `HILO_ADMIN_TOKEN`. Out: the address to open, and whether
//! the destination is connected. `js/connect.ts` talks to the collector, because this program has no HTTPS.

use crate::flags::Flags;
use crate::shell::{Problem, Workspace};
use crate::tools;

/// Runs the dialogue.
pub(crate) fn run(workspace: &Workspace, flags: &Flags) -> Result<bool, Problem> {
    let [_, name] = flags.words.as_slice() else {
        return Err(Problem(
            "write `cargo xtask connect NAME`, with the destination's name in hilo.toml."
                .to_owned(),
        ));
    };
    tools::npm_packages(workspace)?;
    let mut node = workspace.command("node");
    node.arg("js/connect.ts").arg(name).arg(&flags.url).args(&flags.redirect);
    Ok(node.status()?.success())
}
