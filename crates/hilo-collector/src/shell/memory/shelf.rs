//! The texts of a deployment in memory: KV, and the copy of the configuration in the data center's cache.

use super::Memory;
use crate::shell::config::{Found, Shelf};

impl Shelf for Memory {
    async fn read(&self, key: &str) -> Found {
        match self.0.texts.borrow().as_ref() {
            Some(texts) => texts.get(key).cloned().map_or(Found::Nothing, Found::Text),
            None => Found::Failed("KV does not answer".to_owned()),
        }
    }

    async fn copy(&self) -> Option<String> {
        self.0.copy.borrow().clone()
    }

    fn keep_copy(&self, text: &str) {
        self.0.copy.replace(Some(text.to_owned()));
    }
}
