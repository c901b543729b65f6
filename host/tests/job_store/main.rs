//! Stores of jobs keep their promises, through their methods, crashes and disks that fail; and so do the
//! channels by which jobs are followed.

mod channel;
mod common;
mod memory;
mod sqlite;
