//! The only test utilities: one `check` helper per feature.
//! In: a name and an input. Out: an assertion. Holds no product logic.
