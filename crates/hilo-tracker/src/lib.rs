//! hilo-tracker
