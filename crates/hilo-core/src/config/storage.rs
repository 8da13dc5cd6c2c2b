//! `[storage]`: the jurisdiction in which Durable Objects run and keep what they store.
//!
//! Reads and checks the table. The table decides nothing: a variable of the deployment does, because an object of another jurisdiction
//! is another object, and a file that is uploaded would reach the isolates one after another. The collector loads no file that
//! disagrees with the variable.

use serde::Serialize;

use super::reader::{Reader, Section};

/// A jurisdiction as Cloudflare names it (<https://developers.cloudflare.com/durable-objects/reference/data-location/>).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Jurisdiction {
    /// The European Union.
    Eu,
    /// The United States.
    Us,
    /// Data centers with an authorization of FedRAMP.
    FedRamp,
}

impl Jurisdiction {
    /// Every jurisdiction.
    pub const ALL: [Jurisdiction; 3] = [Jurisdiction::Eu, Jurisdiction::Us, Jurisdiction::FedRamp];

    /// The name at Cloudflare.
    pub const fn name(self) -> &'static str {
        match self {
            Jurisdiction::Eu => "eu",
            Jurisdiction::Us => "us",
            Jurisdiction::FedRamp => "fedramp",
        }
    }
}

/// Where objects are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Storage {
    /// The jurisdiction that was chosen at installation. Without one an object is near its first caller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jurisdiction: Option<Jurisdiction>,
}

impl Storage {
    /// Whether nothing is configured.
    pub const fn is_empty(&self) -> bool {
        self.jurisdiction.is_none()
    }

    /// The name of the jurisdiction; empty for none.
    pub fn name(&self) -> &'static str {
        self.jurisdiction.map_or("", Jurisdiction::name)
    }

    /// Why a file may not follow the one in force on a deployment of the jurisdiction `deployed`. `None` if it may.
    pub fn refusal(&self, in_force: Option<Storage>, deployed: &str) -> Option<String> {
        let shown =
            |name: &str| if name.is_empty() { "none".to_owned() } else { format!("\"{name}\"") };
        if let Some(before) = in_force.filter(|before| before != self) {
            return Some(format!(
                "[storage] jurisdiction: the hilo.toml in force has {}, and this one has {}. It is chosen at installation and never \
                 changes, because objects of another jurisdiction are others and know nobody: write it as it was. To begin anew beside \
                 what is stored, give the Worker another name in wrangler.jsonc.",
                shown(before.name()),
                shown(self.name())
            ));
        }
        (self.name() != deployed).then(|| {
            format!(
                "[storage] jurisdiction: hilo.toml has {}, and HILO_JURISDICTION of wrangler.jsonc has {}. Write the same in both, before \
                 the first deployment; later, write in both what they had then.",
                shown(self.name()),
                shown(deployed)
            )
        })
    }
}

/// Reads `[storage]`.
pub(super) fn read(reader: &Reader<'_>, root: &Section<'_>) -> Storage {
    let Some(section) = reader.section(root, "storage") else { return Storage::default() };
    reader.only(&section, &["jurisdiction"]);
    let named = reader.word(&section, "jurisdiction", &Jurisdiction::ALL.map(Jurisdiction::name));
    let known = |name| Jurisdiction::ALL.into_iter().find(|one| one.name() == name);
    Storage { jurisdiction: named.and_then(known) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_follows_another_of_the_same_jurisdiction_on_a_deployment_of_the_same_only() {
        let [none, eu, us] = [None, Some(Jurisdiction::Eu), Some(Jurisdiction::Us)]
            .map(|jurisdiction| Storage { jurisdiction });
        for (file, in_force, deployed) in
            [(none, None, ""), (none, Some(none), ""), (eu, None, "eu"), (eu, Some(eu), "eu")]
        {
            assert_eq!(file.refusal(in_force, deployed), None, "{file:?} {in_force:?} {deployed}");
        }
        for (file, in_force, deployed, part) in [
            (eu, None, "", "HILO_JURISDICTION of wrangler.jsonc has none"),
            (none, None, "eu", "hilo.toml has none"),
            (none, Some(eu), "eu", "in force has \"eu\", and this one has none"),
            (eu, Some(none), "eu", "in force has none, and this one has \"eu\""),
            (us, Some(eu), "us", "in force has \"eu\", and this one has \"us\""),
        ] {
            let why = file.refusal(in_force, deployed).unwrap_or_default();
            assert!(why.contains(part), "{file:?} {in_force:?} {deployed}: {why}");
        }
    }
}
