//! The browser's shell: the page behind the platform's traits, and one JavaScript face a module.
//!
//! The only folder that imports `web_sys`.

#[cfg(feature = "cart")]
pub mod cart_face;
#[cfg(feature = "page")]
pub mod face;
#[cfg(feature = "more")]
pub mod more_face;
#[cfg(feature = "page")]
mod page;

#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();
