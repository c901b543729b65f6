//! What the macro refuses, and where it says so: at the author's own line, as the `.stderr` files
//! show. `TRYBUILD=overwrite` writes them anew.

#[test]
fn errors_point_at_the_authors_line() {
    trybuild::TestCases::new().compile_fail("tests/compile-fail/*.rs");
}
