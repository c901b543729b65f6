mod types {
    pub fn booleans(value: bool) -> bool {}
    pub fn characters(value: char) -> char {}
    pub fn texts(value: String) -> String {}
    pub fn whole(a: i8, b: i16, c: i32, d: i64) -> i64 {}
    pub fn natural(a: u8, b: u16, c: u32, d: u64) -> u64 {}
    pub fn real(a: f32, b: f64) -> f64 {}
    pub fn nothing() {}
    pub fn nothing_said() -> () {}
    pub fn numbers(values: Vec<f64>) -> Vec<f64> {}
    pub fn bytes(data: Vec<u8>) -> Vec<u8> {}
    pub fn matrix(rows: Vec<Vec<f32>>) -> std::vec::Vec<Vec<f32>> {}
    pub fn maybe(value: Option<i32>) -> Option<Option<i32>> {}
    pub fn tuples(pair: (String, f64)) -> (i32, (bool, char)) {}
    pub fn single(value: (u8,)) -> (u8,) {}
    pub fn map(values: HashMap<String, f64>) -> std::collections::BTreeMap<String, Vec<u32>> {}
    pub fn map_of_numbers(values: BTreeMap<u32, String>) {}
    pub fn fails_with_text() -> Result<f64, String> {}
    pub fn fails_with_fixed_text() -> Result<f64, &'static str> {}
    pub fn fails_or_not() -> Result<(), String> {}
    pub fn fails_without_reason() -> Result<u8, ()> {}
    pub fn yes_or_no() -> Result<(), ()> {}
    pub fn fails_for_the_caller() -> Result<(), Failure> {}
    pub fn results_inside(values: Vec<Result<u8, String>>) {}
    pub fn borrowed(text: &str, values: &[f64], list: &Vec<u8>, map: &HashMap<String, u8>) -> &'static str {}
    pub fn sets(values: HashSet<String>) -> std::collections::BTreeSet<u32> {}
    pub fn sizes(count: usize, shift: isize) -> Result<Vec<usize>, String> {}
    pub fn sizes_without_an_error_of_its_own(values: &[usize]) -> usize {}
    pub fn nothing_for_a_size(n: usize) {}
    pub fn arrays(vector: [f64; 3], matrix: &[[f64; N]; 2]) -> [u8; 32] {}
    pub fn array_given() -> [f64; 3] {}
    pub fn of_anyhow() -> anyhow::Result<f64> {}
    pub fn of_anyhow_without_a_value() -> anyhow::Result<()> {}
    pub fn boxed_error() -> Result<f64, Box<dyn std::error::Error>> {}
    pub fn some_error() -> Result<f64, impl std::fmt::Display> {}
    pub fn error_of_another_module() -> Result<f64, model::FitError> {}
    pub fn parenthesised(value: (Option<(u8)>)) {}
}
