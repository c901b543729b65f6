//! The embedded job store keeps its promises: through its methods, through crashes, through disks that
//! fail, and against files that are not its own.

mod common;
mod content;
mod crash;
mod disk;
mod faults;
mod keys;
mod listing;
mod methods;
mod opening;
mod owners;
mod power;
mod retention;
mod together;
