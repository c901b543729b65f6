//! The test component `shapes`: every shape that a value can have, in and out.
//!
//! Most of its procedures give back what they get, so that a caller sees what becomes of a value
//! on its way through the host. What they do not do is anything useful; [`mod@geometry`] does.
#![expect(
    clippy::too_many_arguments,
    reason = "some take more than fit into registers, on purpose"
)]

mod geometry;

#[expect(unsafe_code, reason = "generated bindings cross the boundary of the component")]
mod bindings {
    //! Generated from `wit/shapes.wit`.
    wit_bindgen::generate!({ path: "wit", world: "shapes" });
    export!(Shapes with_types_in self);
    use super::Shapes;
}

use bindings::{Bits, Color, Guest, Marks, Measurement, Months, Point, Sample};

tarp_guest::embed_wit!("wit/shapes.wit");

struct Shapes;

/// Functions that give back their argument.
macro_rules! echo {
    ($($name:ident: $value:ty,)+) => {$(
        fn $name(value: $value) -> $value {
            value
        }
    )+};
}

impl Guest for Shapes {
    echo! {
        echo_bool: bool,
        echo_s8: i8,
        echo_s16: i16,
        echo_s32: i32,
        echo_s64: i64,
        echo_u8: u8,
        echo_u16: u16,
        echo_u32: u32,
        echo_u64: u64,
        echo_f32: f32,
        echo_f64: f64,
        echo_char: char,
        echo_string: String,
        echo_bytes: Vec<u8>,
        echo_list_s8: Vec<i8>,
        echo_list_s16: Vec<i16>,
        echo_list_s32: Vec<i32>,
        echo_list_s64: Vec<i64>,
        echo_list_u16: Vec<u16>,
        echo_list_u32: Vec<u32>,
        echo_list_u64: Vec<u64>,
        echo_list_f32: Vec<f32>,
        echo_list_f64: Vec<f64>,
        echo_list_bool: Vec<bool>,
        echo_list_char: Vec<char>,
        echo_list_string: Vec<String>,
        echo_list_point: Vec<Point>,
        echo_list_option: Vec<Option<i32>>,
        echo_list_measurement: Vec<Measurement>,
        echo_list_result: Vec<Result<i32, String>>,
        echo_list_bare_result: Vec<Result<(), ()>>,
        echo_matrix: Vec<Vec<f64>>,
        echo_matrix_s32: Vec<Vec<i32>>,
        echo_chunks: Vec<Vec<u8>>,
        echo_cube: Vec<Vec<Vec<f32>>>,
        echo_pairs: Vec<(String, f64)>,
        echo_pairs_of_lists: Vec<(String, Vec<i64>)>,
        echo_tuple: (i32, String, bool),
        echo_point: Point,
        echo_sample: Sample,
        echo_option: Option<i32>,
        echo_option_point: Option<Point>,
        echo_option_list: Option<Vec<f64>>,
        echo_nested_option: Option<Option<i32>>,
        echo_color: Color,
        echo_measurement: Measurement,
        echo_marks: Marks,
        echo_months: Months,
        echo_bits: Bits,
    }

    fn answer() -> u32 {
        42
    }

    fn ignore(_value: String) {}

    fn nothing() {}

    fn attempt(succeed: bool) -> Result<(), ()> {
        if succeed { Ok(()) } else { Err(()) }
    }

    fn attempt_or_explain(succeed: bool) -> Result<(), String> {
        Self::attempt(succeed).map_err(|()| "it was told to fail".into())
    }

    fn attempt_number(succeed: bool) -> Result<u32, ()> {
        Self::attempt(succeed).map(|()| 42)
    }

    fn attempt_option(value: Option<i32>, succeed: bool) -> Result<Option<i32>, String> {
        Self::attempt_or_explain(succeed).map(|()| value)
    }

    fn join_many(
        a: u8,
        b: i16,
        c: u32,
        d: i64,
        e: f32,
        f: f64,
        g: bool,
        h: char,
        i: String,
        j: Vec<f64>,
        k: Point,
        l: Color,
        m: Measurement,
        n: Marks,
        o: Option<u8>,
        p: (i8, u16),
        q: String,
    ) -> String {
        let Point { x, y } = k;
        format!(
            "{a} {b} {c} {d} {e} {f} {g} {h} {i} {j:?} ({x}, {y}) {l:?} {m:?} {n:?} {o:?} {p:?} {q}"
        )
    }

    fn sum_many(
        a: i32,
        b: i32,
        c: i32,
        d: i32,
        e: i32,
        f: i32,
        g: i32,
        h: i32,
        i: i32,
        j: i32,
        k: i32,
        l: i32,
        m: i32,
        n: i32,
        o: i32,
        p: i32,
        q: i32,
    ) -> i64 {
        [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q].into_iter().map(i64::from).sum()
    }
}
