//! `[[admin]]` and `[access]`: who may make admin calls, by which proof, and in which role.
//!
//! Reads and checks the tables. Which call needs which role stands in the collector (`admin/roles.rs`).

use serde::Serialize;

use super::key::{Presented, digest};
use super::reader::{Reader, Section};
use super::{ProblemCode, source};
use crate::identity::access::AccessRules;

/// What somebody does for the company. A role opens admin calls, and each call lists its roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Looks at what arrives and where it goes, and at no person.
    Marketer,
    /// Looks at persons who call or write.
    Agent,
    /// Is responsible for the data: every call.
    Owner,
    /// Runs the deployment, and looks at no person.
    Operator,
}

impl Role {
    /// Every role.
    pub const ALL: [Role; 4] = [Role::Marketer, Role::Agent, Role::Owner, Role::Operator];

    /// The role's word in `hilo.toml`.
    pub const fn name(self) -> &'static str {
        match self {
            Role::Marketer => "marketer",
            Role::Agent => "agent",
            Role::Owner => "owner",
            Role::Operator => "operator",
        }
    }
}

/// Somebody who may make admin calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Admin {
    /// The name, as the log has it.
    pub name: String,
    /// The role.
    pub role: Role,
    /// SHA-256 of the token.
    #[serde(skip)]
    pub sha256: Option<[u8; 32]>,
    /// The address by which Cloudflare Access knows the person, in lower case.
    #[serde(skip)]
    pub email: Option<String>,
}

/// The admin to whom `token` belongs. Digests are compared in constant time.
pub(super) fn by_token<'a>(admins: &'a [Admin], token: &str) -> Option<&'a Admin> {
    let presented = Presented::new(token);
    admins.iter().find(|admin| admin.sha256.is_some_and(|stored| presented.has_digest(&stored)))
}

/// Reads every `[[admin]]`.
pub(super) fn read_all(reader: &Reader<'_>, root: &Section<'_>) -> Vec<Admin> {
    let mut admins: Vec<Admin> = Vec::new();
    for section in reader.sections(root, "admin") {
        reader.only(&section, &["name", "role", "sha256", "email"]);
        let taken: Vec<_> = admins.iter().map(|admin| admin.name.as_str()).collect();
        let name = source::name(reader, &section, &taken);
        if !section.has("role") {
            let message =
                "say what this person or program does: marketer, agent, owner or operator";
            reader.report_missing(&section, "role", message);
        }
        if !section.has("sha256") && !section.has("email") {
            let message = "give the SHA-256 of a token, from `printf %s TOKEN | sha256sum`, or the `email` that Cloudflare Access knows";
            reader.report_missing(&section, "sha256", message);
        }
        let word = reader.word(&section, "role", &Role::ALL.map(Role::name));
        let Some(role) = Role::ALL.into_iter().find(|role| Some(role.name()) == word) else {
            continue;
        };
        let (sha256, email) = (token(reader, &section, &admins), email(reader, &section, &admins));
        admins.push(Admin { name, role, sha256, email });
    }
    admins
}

fn token(reader: &Reader<'_>, section: &Section<'_>, admins: &[Admin]) -> Option<[u8; 32]> {
    let (hex, span) = reader.text_at(section, "sha256")?;
    let field = section.path_of("sha256");
    let Some(read) = digest(&hex) else {
        let message = "write the SHA-256 of the token as 64 hexadecimal digits, from `printf %s TOKEN | sha256sum`: the token itself must not stand here";
        reader.report(span, &field, ProblemCode::BadValue, message);
        return None;
    };
    if admins.iter().any(|admin| admin.sha256 == Some(read)) {
        let message = "this token is another admin's: make one for each";
        reader.report(span, &field, ProblemCode::Duplicate, message);
    }
    Some(read)
}

fn email(reader: &Reader<'_>, section: &Section<'_>, admins: &[Admin]) -> Option<String> {
    let (text, span) = reader.text_at(section, "email")?;
    let field = section.path_of("email");
    let email = text.trim().to_lowercase();
    if !email.contains('@') {
        let message = "write the whole address, such as \"ana@shop.example\"";
        reader.report(span, &field, ProblemCode::BadValue, message);
        return None;
    }
    if admins.iter().any(|admin| admin.email.as_ref() == Some(&email)) {
        reader.report(span, &field, ProblemCode::Duplicate, "this address is another admin's");
    }
    Some(email)
}

/// Reads `[access]`.
pub(super) fn access(reader: &Reader<'_>, root: &Section<'_>) -> Option<AccessRules> {
    let section = reader.section(root, "access")?;
    reader.only(&section, &["team", "audience", "required"]);
    for (field, message) in [
        ("team", "name your team: the first part of <team>.cloudflareaccess.com"),
        ("audience", "copy the AUD tag of the Access application that protects /_h/admin"),
    ] {
        if !section.has(field) {
            reader.report_missing(&section, field, message);
        }
    }
    let (team, span) = reader.text_at(&section, "team")?;
    let is_label = team.len() <= 63
        && team.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !is_label {
        let message = "write the team's label alone, such as \"shop\" of shop.cloudflareaccess.com";
        reader.report(span, &section.path_of("team"), ProblemCode::BadValue, message);
        return None;
    }
    Some(AccessRules {
        team,
        audience: reader.text(&section, "audience")?,
        required: reader.flag(&section, "required").unwrap_or(false),
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Config, parse};
    use super::*;

    const HEAD: &str = "[project]\ncontroller = \"Shop\"\n[[source]]\nname = \"shop\"\nkind = \"browser\"\n\
        keys = [\"wk_shop\"]\norigins = [\"https://shop.example\"]\n";
    /// SHA-256 of `ana-token`.
    const DIGEST: &str = "1dc6d6a7f9c1bd0e8d4b2b0f8d7e6c5a4b3c2d1e0f9a8b7c6d5e4f3a2b1c0d9e";

    fn read(more: &str) -> Result<Config, Vec<String>> {
        parse(&format!("{HEAD}{more}"))
            .map_err(|problems| problems.iter().map(ToString::to_string).collect())
    }

    #[track_caller]
    fn check(more: &str, expected: &str) {
        let problems = read(more).unwrap_err();
        assert!(problems.iter().any(|one| one.contains(expected)), "{problems:?}");
    }

    #[test]
    fn an_admin_is_found_by_its_token_alone() {
        use sha2::{Digest, Sha256};
        let hex: String =
            Sha256::digest("ana-token").iter().map(|byte| format!("{byte:02x}")).collect();
        let config = read(&format!(
            "[[admin]]\nname = \"ana\"\nrole = \"marketer\"\nsha256 = \"{hex}\"\n\
             [[admin]]\nname = \"luis\"\nrole = \"owner\"\nemail = \"Luis@shop.example\"\n"
        ))
        .unwrap();
        let found = |token| config.admin_by_token(token).map(|admin| admin.name.as_str());
        assert_eq!((found("ana-token"), found("ana-toke"), found("")), (Some("ana"), None, None));
        let luis = config.admin_by_email("luis@shop.example").map(|admin| admin.role);
        assert_eq!(luis, Some(Role::Owner));
        let shown = serde_json::to_string(&config).unwrap();
        assert!(!shown.contains(&hex) && !shown.contains("luis@"), "{shown}");
    }

    #[test]
    fn an_admin_without_a_role_or_a_proof_is_explained() {
        check("[[admin]]\nname = \"ana\"\n", "admin.role: say what this person or program does");
        check("[[admin]]\nname = \"ana\"\nrole = \"owner\"\n", "admin.sha256: give the SHA-256");
        check(
            "[[admin]]\nname = \"ana\"\nrole = \"root\"\nemail = \"a@shop.example\"\n",
            "admin.role: `root` is not known here",
        );
        let clear = "[[admin]]\nname = \"ana\"\nrole = \"owner\"\nsha256 = \"clear-token\"\n";
        check(clear, "the token itself must not stand here");
        assert!(!read(clear).unwrap_err().concat().contains("clear-token"));
        let one = |name| {
            format!("[[admin]]\nname = \"{name}\"\nrole = \"owner\"\nsha256 = \"{DIGEST}\"\n")
        };
        check(&format!("{}{}", one("ana"), one("luis")), "this token is another admin's");
        check(&format!("{}{}", one("ana"), one("ana")), "`ana` is taken");
    }

    #[test]
    fn access_needs_its_team_and_its_application() {
        check("[access]\naudience = \"a\"\n", "access.team: name your team");
        check("[access]\nteam = \"shop\"\n", "access.audience: copy the AUD tag");
        check("[access]\nteam = \"evil.example/x\"\naudience = \"a\"\n", "the team's label alone");
        let access = read("[access]\nteam = \"shop\"\naudience = \"a\"\nrequired = true\n");
        assert_eq!(access.unwrap().access.map(|rules| rules.required), Some(true));
    }
}
