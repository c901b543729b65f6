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
    pub fn parenthesised(value: (Option<(u8)>)) {}
}
