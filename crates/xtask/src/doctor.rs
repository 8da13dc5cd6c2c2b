//! `cargo xtask doctor URL`: looks at a deployment from outside, and says what to do.
//! In: the collector's address with its prefix, and the name of the variable with the admin token. Out: the findings, and whether nothing
//! failed. `js/doctor.ts` asks the collector, because this program has no HTTPS.

use crate::flags::Flags;
use crate::shell::{Problem, Workspace};
use crate::tools;

/// Runs the checks.
pub(crate) fn run(workspace: &Workspace, flags: &Flags) -> Result<bool, Problem> {
    let [_, url] = flags.words.as_slice() else {
        return Err(Problem(
            "write `cargo xtask doctor https://shop.example/_h`: the collector's address with its prefix."
                .to_owned(),
        ));
    };
    tools::npm_packages(workspace)?;
    let mut node = workspace.command("node");
    node.arg("js/doctor.ts").arg(url).arg(&flags.admin_token_env);
    node.arg(flags.origin.as_deref().unwrap_or_default());
    node.arg(flags.key.as_deref().unwrap_or_default());
    // hilo's crates share one version with this program.
    node.arg(env!("CARGO_PKG_VERSION"));
    Ok(node.status()?.success())
}
