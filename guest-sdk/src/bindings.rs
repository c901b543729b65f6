//! Generated from the WIT package `tarp:procedure`, all of it.
#![allow(missing_docs, unsafe_code, reason = "generated from WIT, documented there")]

wit_bindgen::generate!({
    path: "wit",
    world: "imports",
    generate_unused_types: true,
    additional_derives: [PartialEq, Eq],
});
