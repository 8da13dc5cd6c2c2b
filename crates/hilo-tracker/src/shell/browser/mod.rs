//! The browser's shell: the page behind the platform's traits, and one JavaScript face a module.
//!
//! The only folder that imports `web_sys`.

#[cfg(feature = "cart")]
pub mod cart_face;
#[cfg(any(feature = "more", feature = "shop"))]
mod copied;
#[cfg(feature = "page")]
pub mod face;
#[cfg(feature = "more")]
pub mod more_face;
#[cfg(feature = "page")]
mod page;
#[cfg(feature = "shop")]
pub mod shop_face;

#[global_allocator]
static ALLOCATOR: lol_alloc::LockedAllocator<lol_alloc::FreeListAllocator> =
    lol_alloc::LockedAllocator::new(lol_alloc::FreeListAllocator::new());
