//! The test component `asynchronous`: procedures declared as `async func`.
//!
//! The stable toolchain builds them for wasm32-wasip2; the host that runs them needs the
//! component model's async support.

#[expect(unsafe_code, reason = "generated bindings cross the boundary of the component")]
mod bindings {
    //! Generated from `wit/asynchronous.wit`.
    wit_bindgen::generate!({ path: "wit", world: "asynchronous" });
    export!(Asynchronous with_types_in self);
    use super::Asynchronous;
}

use wit_bindgen::yield_async;

tarp_guest::embed_wit!("wit/asynchronous.wit");

struct Asynchronous;

impl bindings::Guest for Asynchronous {
    async fn step_aside(turns: u32) -> u32 {
        for _ in 0..turns {
            yield_async().await;
        }
        turns
    }

    async fn patient_mean(values: Vec<f64>) -> Result<f64, String> {
        if values.is_empty() {
            return Err("the mean needs 1 or more values; got 0".into());
        }
        let mut total = 0.0;
        for value in &values {
            total += value;
            yield_async().await;
        }
        Ok(total / values.len() as f64)
    }
}
