//! The settings on the pages of `docs/destinations` are read as a deployer's would be.

use super::super::destinations::CATALOGUE;
use super::super::destinations::testing::HEAD;
use super::*;

#[test]
fn the_settings_on_every_page_are_right() {
    for kind in CATALOGUE {
        let page = format!("{}/docs/destinations/{}.md", env!("CARGO_MANIFEST_DIR"), kind.name);
        let Ok(page) = std::fs::read_to_string(page) else { continue };
        let block = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next());
        let text = format!("{HEAD}{}", block.unwrap());
        let config = parse(&text).unwrap();
        let problems: Vec<_> =
            config.destinations.iter().filter_map(|entry| Loaded::of(entry).err()).collect();
        assert_eq!(problems, [], "{}", kind.name);
        assert!(config.destinations.iter().all(|entry| entry.kind == kind.name));
        assert!(!config.destinations.is_empty(), "{}", kind.name);
    }
}
