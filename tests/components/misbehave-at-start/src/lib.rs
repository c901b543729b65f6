//! The test component `misbehave-at-start`: a component that traps while it is instantiated.
//!
//! It is valid and its types are fine, so only an attempt to run it shows that it is broken.

#[expect(unsafe_code, reason = "generated bindings cross the boundary of the component")]
mod bindings {
    //! Generated from `wit/misbehave-at-start.wit`.
    wit_bindgen::generate!({ path: "wit", world: "misbehave-at-start" });
    export!(MisbehaveAtStart with_types_in self);
    use super::MisbehaveAtStart;
}

tarp_guest::embed_wit!("wit/misbehave-at-start.wit");

struct MisbehaveAtStart;

impl bindings::Guest for MisbehaveAtStart {
    fn answer_at_start() -> u32 {
        42
    }
}

/// The component encoder has the core module's `_initialize` called when it is instantiated.
#[cfg(target_family = "wasm")]
#[expect(unsafe_code, reason = "the encoder looks for a function of exactly this name")]
#[unsafe(no_mangle)]
extern "C" fn _initialize() {
    panic!("this component cannot start");
}
