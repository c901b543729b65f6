//! What types become, as tables; needs Node, and the TypeScript compiler from npm.

use std::fs;
use std::path::Path;

use crate::BuildError;
use crate::report::{Silent, Step};
use crate::tools::Tools;

use tarp_schema::procedure::AuthorSignature;

use super::source::Source;
use super::world::Described;
use super::{PACKAGES, Work, analyse, world};

fn describe(file: &str, text: &str) -> Result<Described, BuildError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(file);
    fs::write(&path, text).unwrap();
    let source = Source::of(&path)?;
    let prefix = Tools::of_user()?.npm("javascript", &PACKAGES, &Silent)?;
    let analysis = analyse(&source, &prefix, &Work::new()?, &Step::begin(&Silent, ""))?;
    world::describe("sample", &analysis).map_err(BuildError::Diagnostics)
}

/// The faults, with their lines.
fn faults(file: &str, text: &str) -> Vec<String> {
    match describe(file, text).unwrap_err() {
        BuildError::Diagnostics(faults) => {
            assert!(faults.iter().all(|fault| fault.file.ends_with(file)), "{faults:?}");
            let line = |line: Option<usize>| line.map_or(String::new(), |line| line.to_string());
            faults.iter().map(|it| format!("{}: {}", line(it.line), it.message)).collect()
        }
        error => panic!("{error}"),
    }
}

const TYPES: &str = "\
/** How it looks. */
export type Colour = 'red' | 'darkBlue';
export enum Speed { Slow, VeryFast }
export enum Unit { Metre = 'm', Foot = 'ft' }
/** A place. */
export interface Point {
  /** To the right. */
  x: number;
  yOffset?: number;
}
/** Whether it went well. */
type Outcome = { ok: true; value: number } | { ok: false; error: string; at?: Point };
type Pair<T> = { first: T; second: T };
type Line = [Point, Point];
const WIDTH = 5;
";

#[test]
fn every_type_has_its_counterpart() {
    let table = [
        ("number", "f64"),
        ("1 | 2", "f64"),
        ("bigint", "s64"),
        ("boolean", "bool"),
        ("string", "string"),
        ("`a${string}`", "string"),
        ("Uint8Array", "list<u8>"),
        ("Float64Array", "list<f64>"),
        ("Float32Array", "list<f32>"),
        ("Int16Array", "list<s16>"),
        ("BigUint64Array", "list<u64>"),
        ("number[]", "list<f64>"),
        ("Array<string>", "list<string>"),
        ("readonly number[][]", "list<list<f64>>"),
        ("Set<string>", "list<string>"),
        ("[string, boolean]", "tuple<string, bool>"),
        ("readonly [number]", "tuple<f64>"),
        ("Line", "tuple<point, point>"),
        ("Record<string, number>", "list<tuple<string, f64>>"),
        ("{ [key: string]: Point }", "list<tuple<string, point>>"),
        ("Map<string, bigint>", "list<tuple<string, s64>>"),
        ("Map<number, string>", "list<tuple<f64, string>>"),
        ("number | undefined", "option<f64>"),
        ("string | null", "option<string>"),
        ("boolean | null | undefined", "option<bool>"),
        ("Colour", "colour"),
        ("Colour | null", "option<colour>"),
        ("'a' | 'b'", "f-x"),
        ("'on'", "f-x"),
        ("Speed", "speed"),
        ("Speed | undefined", "option<speed>"),
        ("Unit", "unit"),
        ("Point", "point"),
        ("Point[] | null", "option<list<point>>"),
        ("{ a: number }", "f-x"),
        ("Partial<Point>", "f-x"),
        ("Pair<number>", "pair-number"),
        ("Point & { z: number }", "f-x"),
        ("{ kind: 'a'; x: number } | { kind: 'b' }", "f-x"),
        ("Outcome", "outcome"),
        ("Outcome | null", "option<outcome>"),
    ];
    let mut text = TYPES.to_owned();
    for (index, (ty, _)) in table.iter().enumerate() {
        text += &format!("namespace n{index} {{ export function f(x: {ty}): void {{}} }}\n");
        text += &format!("export const f{index} = n{index}.f;\n");
    }
    let described = describe("sample.ts", &text).unwrap();
    for (index, (ty, expected)) in table.iter().enumerate() {
        let name = format!("f{index}");
        let function = described.world.functions.iter().find(|it| it.name == name).unwrap();
        let expected = expected.replace("f-x", &format!("{name}-x"));
        assert_eq!(function.parameters[0].ty.to_string(), expected, "{ty}");
    }
}

#[test]
fn a_module_is_a_world() {
    let text = format!(
        "{TYPES}
/**
 * Moves a place.
 *
 * @param at - where it is
 * @param by how far
 * @returns where it is then
 */
export function movePoint(at: Point, by: number = WIDTH, colour?: Colour): Point {{ return at }}
export async function slowly(speed = Speed.VeryFast): Promise<void> {{}}
/** A function and a type may have one name. */
export function point(...numbers: number[]) {{ return {{ sum: 1, unit: Unit.Metre }} }}
const helper = () => 1;
export const arrow = (n: bigint): boolean => n > 0n;
export const notAFunction = 5;
export function _private() {{}}
"
    );
    let described = describe("sample.ts", &text).unwrap();
    let expected = "\
package local:sample;

world sample {
  use sample-types.{point-record, colour, speed, unit, point-result};

  /// Moves a place.
  ///
  /// at: where it is
  /// by: how far
  /// Returns where it is then
  export move-point: func(at: point-record, by: f64, colour: option<colour>) -> result<point-record, string>;

  export slowly: async func(speed: speed) -> result<_, string>;

  /// A function and a type may have one name.
  export point: func(numbers: list<f64>) -> result<point-result, string>;

  export arrow: func(n: s64) -> result<bool, string>;
}

interface sample-types {
  /// A place.
  record point-record {
    /// To the right.
    x: f64,
    y-offset: option<f64>,
  }

  /// How it looks.
  enum colour {
    red,
    dark-blue,
  }

  enum speed {
    slow,
    very-fast,
  }

  enum unit {
    m,
    ft,
  }

  record point-result {
    sum: f64,
    unit: unit,
  }
}
";
    assert_eq!(described.world.with_types_apart(), expected);
    assert!(described.docs["move_point"].starts_with("Moves a place.\n\nat: where"));
}

#[test]
fn jsdoc_says_as_much_as_typescript() {
    let text = "
/**
 * @typedef {object} Summary
 * @property {number} mean the middle
 * @property {number} [spread]
 */
/**
 * Summarises.
 * @param {number[]} values
 * @param {number} [trim=0.1]
 * @param {'mean' | 'median'=} kind
 * @returns {Summary | undefined}
 */
export function summarise(values, trim = 0.1, kind) { return undefined; }
/** @type {(text: string, bytes: Uint8Array) => Promise<Object<string, number>>} */
export const count = async (text, bytes) => ({});
/** @param {string} name */
export function greet(name, greeting = 'Hello') { return `${greeting}, ${name}!`; }
";
    let described = describe("sample.js", text).unwrap();
    let signature = |index: usize| {
        let function: &crate::wit::Function = &described.world.functions[index];
        let parameters: Vec<_> = function.parameters.iter().map(ToString::to_string).collect();
        let result = function.result.as_ref().unwrap();
        format!("{} {}({}) -> {result}", function.is_async, function.name, parameters.join(", "))
    };
    assert_eq!(
        [signature(0), signature(1), signature(2)],
        [
            "false summarise(values: list<f64>, trim: f64, kind: option<summarise-kind>) -> result<option<summary>, string>",
            "true count(text: string, bytes: list<u8>) -> result<list<tuple<string, f64>>, string>",
            "false greet(name: string, greeting: string) -> result<string, string>",
        ]
    );
    assert_eq!(described.tables["greet"].defaults["greeting"], "Hello");
    assert_eq!(described.tables["summarise"].defaults["trim"], 0.1);
}

#[test]
fn tags_give_further_names_and_arrays() {
    let text = "/**\n * Spaced.\n * @alias rpcExample\n * @alias old/range\n * @arrays numpy\n */\n\
                export function spaced(n: number): number[] { return [n]; }\n";
    let described = describe("sample.ts", text).unwrap();
    assert_eq!(described.tables["spaced"].aliases, ["rpcExample", "old/range"]);
    assert_eq!(
        described.tables["spaced"].arrays,
        Some(tarp_schema::procedure::ArrayReplies::Numpy)
    );
    assert_eq!(described.docs["spaced"], "Spaced.");
    for (tag, words) in [
        ("@alias to-day", "`to-day` cannot be a name"),
        ("@arrays pandas", "`auto`, `numpy` or `list`"),
    ] {
        let text = format!("/** {tag} */\nexport function f(n: number): number {{ return n; }}\n");
        let found = faults("sample.ts", &text);
        assert!(found[0].contains("`f`") && found[0].contains(words), "{found:?}");
    }
}

#[test]
fn defaults_are_what_a_caller_would_write() {
    let table = [
        ("= 10", "f64", "10"),
        ("= -0.5", "f64", "-0.5"),
        ("= WIDTH", "f64", "5"),
        ("= 12n", "s64", "12"),
        ("= 9007199254740993n", "s64", "9007199254740993"),
        ("= true", "bool", "true"),
        ("= 'text'", "string", "\"text\""),
        ("= [1, 2]", "list<f64>", "[1,2]"),
        (": Colour = 'darkBlue'", "colour", "\"darkBlue\""),
        ("= Speed.VeryFast", "speed", "\"VeryFast\""),
        (": Point = { x: 1, yOffset: 2 }", "point", r#"{"x":1,"yOffset":2}"#),
        (": number | null = null", "option<f64>", "null"),
        (": Outcome = { ok: true, value: 1 }", "outcome", r#"{"true":{"value":1}}"#),
        (": [string, Colour] = ['a', 'red']", "tuple<string, colour>", r#"["a","red"]"#),
        // Only a call could tell these; the parameter may be left out all the same.
        ("= Math.PI", "option<f64>", ""),
        ("= new Uint8Array(2)", "option<list<u8>>", ""),
    ];
    let mut text = TYPES.to_owned();
    for (index, (parameter, _, _)) in table.iter().enumerate() {
        text += &format!("export function f{index}(x{parameter}): void {{}}\n");
    }
    let described = describe("sample.ts", &text).unwrap();
    for (index, (parameter, ty, default)) in table.into_iter().enumerate() {
        let function = &described.world.functions[index];
        assert_eq!(function.parameters[0].ty.to_string(), ty, "{parameter}");
        let found = described.tables[&function.name].defaults.get("x").map(ToString::to_string);
        assert_eq!(found.unwrap_or_default(), default, "{parameter}");
    }
}

#[test]
fn what_cannot_be_a_procedure_says_so_with_its_line_and_a_cure() {
    let text = "\
export function any(x: any) {}
export function untyped(x) {}
export function unknown(x: Matrix) {}
export function date(x: Date) {}
export function either(x: string | number) {}
export function call(x: () => void) {}
export function apart({ a }: { a: number }) {}
interface Tree { children: Tree[] }
export function tree(x: Tree) {}
export function generic<T>(x: T) {}
export class Point { constructor(public x: number) {} }
export function instance(x: Point) {}
export function result(): Date { return new Date() }
export function rest(x: [number, ...string[]]) {}
export default function () {}
";
    let expected = [
        "1: `any`: the parameter `x`: `any` does not say what it is",
        "2: `untyped`: the parameter `x`: no type is known for it; write `x: number`, or whatever it is",
        "3: `unknown`: the parameter `x`: `Matrix` is no type that is known here",
        "4: `date`: the parameter `x`: a `Date` cannot travel; a text in ISO 8601 or a number of seconds does",
        "5: `either`: the parameter `x`: `string | number` is one of several types; there are unions with `undefined` or `null`, of texts such as `\"linear\" | \"cubic\"`, and of objects that a field tells apart, as in `{ kind: \"circle\", radius: number } | { kind: \"point\" }`",
        "6: `call`: the parameter `x`: a function cannot travel",
        "7: `apart`: a parameter is taken apart where it is declared and has no name; give it one, and take it apart inside",
        "9: `tree`: the parameter `x`: the field `children` of `Tree`: `Tree` contains itself, which has no end",
        "10: `generic`: the parameter `x`: the type parameter `T` could be anything; name a type",
        "12: `instance`: the parameter `x`: `Point` is a class, of which only the fields would travel; say what they are in an interface or a typedef",
        "13: `result`: the result: a `Date` cannot travel; a text in ISO 8601 or a number of seconds does",
        "14: `rest`: the parameter `x`: the tuple `[number, ...string[]]` has no fixed length",
        "15: a default export without a name cannot be called by one; write `export function NAME`",
    ];
    let mut found = faults("sample.ts", text);
    found.sort_by_key(|fault| fault.split(':').next().unwrap().parse::<usize>().unwrap());
    assert_eq!(found, expected);
}

#[test]
fn a_union_of_objects_is_a_variant() {
    let text = format!(
        "{TYPES}
type Figure = {{ kind: 'circle'; radius: number }} | {{ kind: 'bigBox'; pW: number; at?: Point }} | {{ kind: 'point' }};
export function f(figure: Figure): Outcome {{ return {{ ok: false, error: '' }} }}
export function g(switched: {{ on: true }} | {{ on: false }}): void {{}}
"
    );
    let described = describe("sample.ts", &text).unwrap();
    let wit = described.world.with_types_apart();
    let variant = "  variant figure {\n    circle(figure-circle),\n    big-box(figure-big-box),\n    point,\n  }\n";
    assert!(wit.contains(variant), "{wit}");
    assert!(
        wit.contains("  record figure-big-box {\n    p-w: f64,\n    at: option<point>,\n  }\n"),
        "{wit}"
    );
    assert!(
        wit.contains("  /// Whether it went well.\n  variant outcome {\n    true(outcome-true),"),
        "{wit}"
    );
    assert!(wit.contains("  enum g-switched {\n    true,\n    false,\n  }\n"), "{wit}");
    let told = described.tables["f"].signature.clone().unwrap();
    let author: AuthorSignature = serde_json::from_value(told).unwrap();
    assert_eq!(
        author.parameters[0].ty.to_string(),
        "variant { circle(record { radius: f64 }), bigBox(record { pW: f64, at: option<record { x: f64, yOffset: option<f64> }> }), point }"
    );
}

#[test]
fn what_differs_when_a_call_runs_is_warned_of_at_its_line() {
    let text = "\
const seed = Math.random();
const makeId = () => crypto.randomUUID();
const id = makeId();
const begun = (() => new Date())();
const fixed = new Date(0), twice = (x: number) => x + Math.random();
export function f(x: number): number { return x + seed + Math.random() + twice(x) }
export function g(): boolean { return typeof window === 'undefined' && ({ document: 1 }).document === 1 }
export function h(): string { return document.title + begun + id + fixed }
export function i(): string { return process.env.HOME }
export class Counter { static n = Math.random(); own = Math.random(); }
";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sample.ts");
    fs::write(&path, text).unwrap();
    let prefix = Tools::of_user().unwrap().npm("javascript", &PACKAGES, &Silent).unwrap();
    let source = Source::of(&path).unwrap();
    let analysis =
        analyse(&source, &prefix, &Work::new().unwrap(), &Step::begin(&Silent, "")).unwrap();
    let told: Vec<_> = analysis
        .warnings
        .iter()
        .map(|it| format!("{} {}", it.line.unwrap(), it.message.split('`').nth(1).unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            "1 Math.random",
            "3 crypto.randomUUID",
            "4 new Date",
            "8 document",
            "9 process",
            "10 Math.random",
        ]
    );
}

#[test]
fn packages_are_taken_as_browsers_take_them() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    };
    let of_node = "export { Readable as a } from 'node:stream';";
    let plain = "export const a = 1;";
    // A file in place of another one, another main file, and a condition of exports.
    write(
        "node_modules/mapped/package.json",
        r#"{"main": "./node.js", "browser": {"./node.js": "./plain.js"}}"#,
    );
    write("node_modules/main/package.json", r#"{"main": "./node.js", "browser": "./plain.js"}"#);
    write(
        "node_modules/exported/package.json",
        r#"{"exports": {".": {"browser": "./plain.js", "default": "./node.js"}}}"#,
    );
    for package in ["mapped", "main", "exported"] {
        write(&format!("node_modules/{package}/node.js"), of_node);
        write(&format!("node_modules/{package}/plain.js"), plain);
    }
    let own = "\
import { a } from 'mapped'; import { a as b } from 'main'; import { a as c } from 'exported';
export function f(): string { return Buffer.from([a, b, c]).toString('hex') }
";
    write("sample.ts", own);
    let source = Source::of(&folder.path().join("sample.ts")).unwrap();
    let prefix = Tools::of_user().unwrap().npm("javascript", &PACKAGES, &Silent).unwrap();
    let work = Work::new().unwrap();
    let (step, file) = (Step::begin(&Silent, ""), fs::canonicalize(&source.file).unwrap());
    let analysis = analyse(&source, &prefix, &work, &step).unwrap();
    let entry = super::entry::entry(&analysis, &file, &work.folder.join("guest/runtime.mjs"));
    work.write("entry.mjs", &entry).unwrap();
    let bundle = super::bundle(&source, &prefix, &work, &step).unwrap();
    let has = |name: &str| bundle.inputs.iter().any(|file| file.ends_with(name));
    for package in ["mapped", "main", "exported"] {
        assert!(
            has(&format!("{package}/plain.js")) && !has(&format!("{package}/node.js")),
            "{package}"
        );
    }
    assert!(has("buffer/index.js"));
}

#[test]
fn an_authors_names_are_kept_and_those_of_wit_differ() {
    let text = "
type Unit = 'm' | 'M' | '2d' | 'log-log' | '';
export function init(T: number, t: number, größe: Unit, $x: { pKa: number, 'p-ka': boolean }): void {}
export function aB(by: Map<bigint, Set<string>>, at: Map<number, string>): Record<string, Unit> { return {} }
export function a_b(x: number): number { return x }
export function plain(x: number, y_z: [Set<number[]>]): void {}
";
    let described = describe("sample.ts", text).unwrap();
    let shown: Vec<_> = described
        .world
        .functions
        .iter()
        .map(|function| {
            let table = &described.tables[&function.name.replace('-', "_")];
            let author = table.signature.clone().map(|told| {
                let author: AuthorSignature = serde_json::from_value(told).unwrap();
                let parameters: Vec<_> =
                    author.parameters.iter().map(ToString::to_string).collect();
                format!("({}) -> {}", parameters.join(", "), author.result.unwrap())
            });
            let parameters: Vec<_> =
                function.parameters.iter().map(|it| it.name.as_str()).collect();
            let name = table.name.clone().unwrap_or_default();
            (function.name.as_str(), parameters.join(" "), name, author.unwrap_or_default())
        })
        .collect();
    let unit = "enum { , m, M, 2d, log-log }";
    let of = |wit, parameters: &str, name: &str, author: &str| {
        (wit, parameters.to_owned(), name.to_owned(), author.to_owned())
    };
    assert_eq!(
        shown,
        [
            of(
                "init-2",
                "t t-2 gre x",
                "init",
                &format!(
                    "(T: f64, t: f64, größe: {unit}, $x: record {{ pKa: f64, p-ka: bool }}) -> result<_, string>"
                )
            ),
            of(
                "a-b",
                "by at",
                "aB",
                &format!(
                    "(by: map<s64, set<string>>, at: list<tuple<f64, string>>) -> result<map<string, {unit}>, string>"
                )
            ),
            of("a-b-2", "x", "a_b", ""),
            of("plain", "x y-z", "", ""),
        ]
    );
}

#[test]
fn what_cannot_be_a_name_says_so() {
    let table = [
        ("export function größe(): void {}", "1: `größe`: this cannot be the name of a procedure"),
        ("export function $f(): void {}", "rename the function (parameters and fields"),
        (
            "enum E { a = 'x', b = 'y' }\nexport function f(e: E | 'x'): void {}",
            "two cases of `f-e` are called `x`",
        ),
        ("export const x = 5;", "no function is exported"),
        ("export function f( {", "expected"),
    ];
    for (text, expected) in table {
        let found = faults("sample.ts", text).join("\n");
        assert!(found.contains(expected), "{found}");
    }
}

#[test]
fn a_script_without_types_is_told_how_to_write_them_in_javascript() {
    let found = faults("sample.js", "export function f(x) {}");
    let expected = "1: `f`: the parameter `x`: no type is known for it; write `@param {number} x`, or whatever it is, in a /** comment */ above";
    assert_eq!(found, [expected]);
}

#[test]
fn older_modules_are_modules_too() {
    let text = "
/** @param {number} x */
function twice(x) { return 2 * x; }
/** Shouts. @param {string} s */
exports.loud = function (s) { return s.toUpperCase(); };
exports.twice = twice;";
    let described = describe("sample.js", text).unwrap();
    let names: Vec<_> = described.world.functions.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["twice", "loud"]);
    assert_eq!(described.world.functions[1].docs.as_deref(), Some("Shouts."));
    let text = "module.exports = { three: () => 3 };";
    assert_eq!(describe("sample.js", text).unwrap().world.functions.len(), 1);
}

#[test]
fn a_module_imports_what_there_is_and_nothing_else() {
    let source = Source::of(Path::new("sample.ts")).unwrap();
    let there =
        ["tarp:procedure/job@0.1.0", "tarp:procedure/http@0.1.0", "wasi:cli/environment@0.2.0"];
    super::check_imports(&source, &there.map(String::from)).unwrap();
    let Err(BuildError::Diagnostics(faults)) =
        super::check_imports(&source, &[there[0].into(), "wasi:sockets/tcp@0.2.0".into()])
    else {
        panic!("it is taken");
    };
    assert_eq!(faults.len(), 1);
    let message = &faults[0].message;
    assert!(message.starts_with("`wasi:sockets/tcp@0.2.0` is no interface"), "{message}");
    assert!(message.contains(there[0]), "{message}");
}

#[test]
fn a_path_may_be_relative_or_not() {
    assert_eq!(Source::of(Path::new("a.ts")).unwrap().folder, Path::new("."));
    assert_eq!(Source::of(Path::new("/x/a.ts")).unwrap().folder, Path::new("/x"));
}
