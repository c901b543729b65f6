//! Calls of the example guests, without HTTP: what comes back, and what an observer sees meanwhile.

mod bounds;
mod fuel;
mod host;
mod lifted;
mod recorder;
mod running;
mod seen;
mod stopping;
mod store;
mod unobserved;
