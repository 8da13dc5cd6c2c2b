//! The page about webhooks names every preset.

use hilo_core::inbound::presets;

#[test]
fn the_page_about_webhooks_names_every_preset() {
    let page = include_str!("../../crates/hilo-collector/docs/webhooks.md");
    for (name, _) in presets::ALL {
        assert!(page.contains(&format!("`{name}`")), "{name}");
    }
}
