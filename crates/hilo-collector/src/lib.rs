//! hilo-collector
