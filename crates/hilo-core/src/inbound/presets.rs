//! The presets of webhooks: for each vendor how its calls are verified and what they become, as a file that a deployer may copy.
//!
//! A name → the text of its file below `presets/`. `config` reads a text as it reads `hilo.toml`.

/// Every preset with its text, by name.
pub const ALL: [(&str, &str); 24] = [
    ("3cx", include_str!("../../presets/3cx.toml")),
    ("aircall", include_str!("../../presets/aircall.toml")),
    ("brevo", include_str!("../../presets/brevo.toml")),
    ("calendly", include_str!("../../presets/calendly.toml")),
    ("freshdesk", include_str!("../../presets/freshdesk.toml")),
    ("intercom", include_str!("../../presets/intercom.toml")),
    ("klaviyo", include_str!("../../presets/klaviyo.toml")),
    ("lightspeed", include_str!("../../presets/lightspeed.toml")),
    ("mailchimp", include_str!("../../presets/mailchimp.toml")),
    ("mandrill", include_str!("../../presets/mandrill.toml")),
    ("meta", include_str!("../../presets/meta.toml")),
    ("paypal", include_str!("../../presets/paypal.toml")),
    ("postmark", include_str!("../../presets/postmark.toml")),
    ("ringcentral", include_str!("../../presets/ringcentral.toml")),
    ("sendgrid", include_str!("../../presets/sendgrid.toml")),
    ("ses", include_str!("../../presets/ses.toml")),
    ("shopify", include_str!("../../presets/shopify.toml")),
    ("square", include_str!("../../presets/square.toml")),
    ("standard", include_str!("../../presets/standard.toml")),
    ("stripe", include_str!("../../presets/stripe.toml")),
    ("sumup", include_str!("../../presets/sumup.toml")),
    ("twilio", include_str!("../../presets/twilio.toml")),
    ("woocommerce", include_str!("../../presets/woocommerce.toml")),
    ("zendesk", include_str!("../../presets/zendesk.toml")),
];

/// The text of a preset.
pub fn text(name: &str) -> Option<&'static str> {
    ALL.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// The rules of a preset as a deployer may put them below a source: the text without the table by which calls are verified.
pub fn as_rules(text: &str) -> String {
    let mut rules = String::new();
    let mut is_verify = false;
    for line in text.lines() {
        if line.starts_with('[') {
            is_verify = line.starts_with("[verify");
        }
        if !is_verify {
            let line = line.replace("[[map]]", "[[source.map]]").replace("[map.", "[source.map.");
            rules.push_str(&line);
            rules.push('\n');
        }
    }
    rules
}
