// Reads a module's exported functions with the TypeScript compiler, which understands the types of
// TypeScript and those in JSDoc alike, and writes them as JSON (see analysis.rs).
//
//     node analyse.mjs NODE_MODULES GLOBALS SOURCE
//
// GLOBALS declares what the runtime gives to a module.
//
// It knows neither WIT nor how the module is run. What cannot become a procedure is a fault, with the
// line and the cure; all of them are told at once.

import { createRequire } from "node:module";
import path from "node:path";

const [modules, globals, source] = process.argv.slice(2);
const ts = createRequire(path.join(modules, "x.js"))("typescript");

const program = ts.createProgram([globals, source], {
  allowJs: true,
  lib: ["lib.esnext.d.ts"],
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  noEmit: true,
  resolveJsonModule: true,
  skipLibCheck: true,
  strict: true,
  target: ts.ScriptTarget.ESNext,
  // What happens to be installed beside the source must not decide what a name means.
  types: [],
});
const checker = program.getTypeChecker();
const faults = [];

/** Typed arrays, by the type of WIT that their elements have. */
const TYPED_ARRAYS = new Set([
  "Int8Array", "Uint8Array", "Uint8ClampedArray", "Int16Array", "Uint16Array", "Int32Array",
  "Uint32Array", "Float32Array", "Float64Array", "BigInt64Array", "BigUint64Array",
]);

/** Thrown where a type has no counterpart; caught where its place is known. */
class NoCounterpart extends Error {}

/** Thrown where there is no type at all. */
class Unknown extends NoCounterpart {
  constructor() {
    super("no type is known for it");
  }
}

function fault(node, message) {
  const file = node.getSourceFile();
  const { line } = file.getLineAndCharacterOfPosition(node.getStart());
  faults.push({ file: path.relative(process.cwd(), file.fileName), line: line + 1, message });
}

const has = (type, flag) => (type.flags & flag) !== 0;
const isAbsent = (type) =>
  has(type, ts.TypeFlags.Undefined | ts.TypeFlags.Null | ts.TypeFlags.Void);
const isBuiltIn = (symbol) =>
  symbol?.declarations?.some((it) => program.isSourceFileDefaultLibrary(it.getSourceFile()));
const docsOf = (symbol) =>
  ts.displayPartsToString(symbol.getDocumentationComment(checker)).trim() || null;
const textOf = (type) => checker.typeToString(type, undefined, ts.TypeFormatFlags.NoTruncation);

/** A type as data. `context` names it if it has no name; `outer` are the records that it is part of. */
function describe(type, context, outer = []) {
  const flags = ts.TypeFlags;
  if (has(type, flags.TypeParameter)) {
    throw new NoCounterpart(`the type parameter \`${textOf(type)}\` could be anything; name a type`);
  }
  if (has(type, flags.Any)) throw new Unknown();
  if (has(type, flags.Union) && !has(type, flags.Boolean)) return describeUnion(type, context, outer);
  if (has(type, flags.EnumLiteral | flags.StringLiteral)) return describeChoice([type], undefined, context);
  if (has(type, flags.BooleanLike)) return "boolean";
  if (has(type, flags.NumberLike)) return "number";
  if (has(type, flags.BigIntLike)) return "bigint";
  if (has(type, flags.StringLike)) return "string";
  if (has(type, flags.Object | flags.Intersection)) return describeObject(type, context, outer);
  throw new NoCounterpart(`a value of type \`${textOf(type)}\` cannot travel`);
}

function describeUnion(type, context, outer) {
  const absent = type.types.filter(isAbsent);
  if (absent.length > 0) {
    const present = checker.getNonNullableType(type);
    if (has(present, ts.TypeFlags.Never)) throw new NoCounterpart(`\`${textOf(type)}\` has no value`);
    const undefinedIsFine = absent.some((it) => !has(it, ts.TypeFlags.Null));
    return { option: { of: describe(withoutVoid(present), context, outer), null: !undefinedIsFine } };
  }
  const all = (flag) => type.types.every((it) => has(it, flag));
  if (all(ts.TypeFlags.BooleanLike)) return "boolean";
  if (all(ts.TypeFlags.EnumLiteral) || all(ts.TypeFlags.StringLiteral)) {
    return describeChoice(type.types, type, context);
  }
  for (const [flag, name] of [["NumberLike", "number"], ["BigIntLike", "bigint"], ["StringLike", "string"]]) {
    if (all(ts.TypeFlags[flag])) return name;
  }
  const union = describeTagged(type, context, outer);
  if (union) return union;
  throw new NoCounterpart(
    `\`${textOf(type)}\` is one of several types; there are unions with \`undefined\` or \`null\`, of texts such as \`"linear" | "cubic"\`, and of objects that a field tells apart, as in \`{ kind: "circle", radius: number } | { kind: "point" }\``,
  );
}

/** A union of objects which one field tells apart, whose type in each is another literal; nothing for others. */
function describeTagged(type, context, outer) {
  const members = type.types.map((member) => checker.getPropertiesOfType(member));
  if (!type.types.every((it) => has(it, ts.TypeFlags.Object | ts.TypeFlags.Intersection))) return undefined;
  const valuesOf = (name) =>
    members.map((properties) => {
      const property = properties.find((it) => it.name === name);
      return property && literalOf(checker.getTypeOfSymbol(property));
    });
  const tells = ({ name }) => {
    const values = valuesOf(name);
    return !values.includes(undefined) && new Set(values).size === values.length;
  };
  const tag = members[0].find(tells)?.name;
  if (tag === undefined) return undefined;
  const named = type.aliasSymbol;
  const name = (named?.name ?? context) + argumentsOf(type);
  const cases = valuesOf(tag).map((value, index) => {
    const rest = members[index].filter((property) => property.name !== tag);
    const record = describeRecord(type.types[index], rest, `${name}-${value}`, outer).record;
    return { name: String(value), value, docs: record.docs, fields: record.fields };
  });
  return { union: { name, docs: named ? docsOf(named) : null, tag, cases } };
}

/** The value of a type that has but one. */
function literalOf(type) {
  if (type.isStringLiteral() || type.isNumberLiteral()) return type.value;
  if (has(type, ts.TypeFlags.BooleanLiteral)) return type.intrinsicName === "true";
  return undefined;
}

/** `void` stays when `undefined` and `null` are taken away. */
function withoutVoid(type) {
  if (!type.isUnion()) return type;
  const rest = type.types.filter((it) => !has(it, ts.TypeFlags.Void));
  return rest.length === 1 ? rest[0] : type;
}

function describeChoice(members, type, context) {
  const named = type?.aliasSymbol ?? (type && has(type, ts.TypeFlags.EnumLiteral) ? type.symbol : undefined);
  const cases = members.map((member) => {
    const value = member.value;
    const ownName = has(member, ts.TypeFlags.EnumLiteral) ? member.symbol : undefined;
    const name = typeof value === "string" ? value : ownName?.name;
    if (name === undefined) throw new NoCounterpart(`the cases of \`${textOf(member)}\` are computed`);
    return { name, value, docs: ownName ? docsOf(ownName) : null };
  });
  return { enum: { name: named?.name ?? context, docs: named ? docsOf(named) : null, cases } };
}

function describeObject(type, context, outer) {
  if (checker.isTupleType(type)) {
    const { elementFlags } = type.target;
    if (elementFlags.some((it) => it !== ts.ElementFlags.Required)) {
      throw new NoCounterpart(`the tuple \`${textOf(type)}\` has no fixed length`);
    }
    const elements = checker.getTypeArguments(type);
    if (elements.length === 0) throw new NoCounterpart("an empty tuple holds nothing");
    return { tuple: elements.map((it, index) => describe(it, `${context}-${index}`, outer)) };
  }
  if (checker.isArrayType(type)) {
    return { array: describe(checker.getTypeArguments(type)[0], `${context}-item`, outer) };
  }
  const symbol = type.symbol;
  if (isBuiltIn(symbol)) return describeBuiltIn(type, symbol.name, context, outer);
  if (type.getCallSignatures().length > 0 || type.getConstructSignatures().length > 0) {
    throw new NoCounterpart("a function cannot travel");
  }
  const properties = checker.getPropertiesOfType(type);
  const index = checker.getIndexTypeOfType(type, ts.IndexKind.String);
  if (index && properties.length === 0) return { dict: describe(index, `${context}-item`, outer) };
  if (index) throw new NoCounterpart(`\`${textOf(type)}\` has both fields and any other`);
  if (symbol && symbol.flags & ts.SymbolFlags.Class) {
    throw new NoCounterpart(`\`${symbol.name}\` is a class, of which only the fields would travel; say what they are in an interface or a typedef`);
  }
  if (properties.length === 0) throw new NoCounterpart(`\`${textOf(type)}\` has no fields that are known`);
  return describeRecord(type, properties, context, outer);
}

function describeBuiltIn(type, name, context, outer) {
  const argument = (index) => checker.getTypeArguments(type)[index];
  if (TYPED_ARRAYS.has(name)) return { typed: name };
  if (name === "Map" || name === "ReadonlyMap") {
    return { map: [describe(argument(0), `${context}-key`, outer), describe(argument(1), `${context}-value`, outer)] };
  }
  if (name === "Set" || name === "ReadonlySet") {
    return { set: describe(argument(0), `${context}-item`, outer) };
  }
  if (type.aliasSymbol && isBuiltIn(type.aliasSymbol)) {
    // Record<string, T>, Partial<T> and their like are objects after all.
    const index = checker.getIndexTypeOfType(type, ts.IndexKind.String);
    const properties = checker.getPropertiesOfType(type);
    if (index && properties.length === 0) return { dict: describe(index, `${context}-item`, outer) };
    if (properties.length > 0) return describeRecord(type, properties, context, outer);
  }
  const cure = {
    Date: "a text in ISO 8601 or a number of seconds does",
    ArrayBuffer: "a Uint8Array does",
    Object: "say which fields it has",
    Promise: "only a function's result can be one",
  }[name];
  throw new NoCounterpart(`a \`${name}\` cannot travel${cure ? `; ${cure}` : ""}`);
}

function describeRecord(type, properties, context, outer) {
  const named = recordSymbol(type);
  const name = (named?.name ?? context) + argumentsOf(type);
  const key = named ?? type;
  if (outer.includes(key)) throw new NoCounterpart(`\`${name}\` contains itself, which has no end`);
  const fields = properties.map((property) => {
    const at = property.valueDeclaration ?? property.declarations?.[0];
    const of = at ? checker.getTypeOfSymbolAtLocation(property, at) : checker.getTypeOfSymbol(property);
    try {
      const described = describe(of, `${name}-${property.name}`, [...outer, key]);
      return { name: property.name, type: described, docs: docsOf(property) };
    } catch (error) {
      if (error instanceof NoCounterpart) error.message = `the field \`${property.name}\` of \`${name}\`: ${error.message}`;
      throw error;
    }
  });
  return { record: { name, docs: named ? docsOf(named) : null, fields } };
}

/** What a record is called by its author, if at all. */
function recordSymbol(type) {
  const symbol = type.aliasSymbol ?? type.symbol;
  const nameless = !symbol || symbol.name.startsWith("__") || isBuiltIn(symbol);
  return nameless ? undefined : symbol;
}

/** Tells the instances of a generic type apart: `Pair<number>` is `Pair-number`. */
function argumentsOf(type) {
  const given = type.aliasSymbol ? type.aliasTypeArguments : type.target ? checker.getTypeArguments(type) : [];
  const words = (given ?? []).filter((it) => !it.isThisType).map(textOf);
  if (isBuiltIn(type.aliasSymbol) || words.length === 0) return "";
  return "-" + words.join("-").replace(/[^A-Za-z0-9]+/g, "-").replace(/^-|-$/g, "");
}

/** The value of an expression that is always the same, as `{ value }`. */
function constant(node) {
  const parts = (nodes) => {
    const values = nodes.map(constant);
    return values.every(Boolean) ? { value: values.map((it) => it.value) } : undefined;
  };
  if (ts.isParenthesizedExpression(node) || ts.isAsExpression(node) || ts.isSatisfiesExpression?.(node)) {
    return constant(node.expression);
  }
  if (ts.isArrayLiteralExpression(node)) return parts([...node.elements]);
  if (ts.isObjectLiteralExpression(node)) {
    if (!node.properties.every((it) => ts.isPropertyAssignment(it) && (ts.isIdentifier(it.name) || ts.isStringLiteral(it.name)))) return undefined;
    const values = parts(node.properties.map((it) => it.initializer));
    return values && { value: Object.fromEntries(node.properties.map((it, i) => [it.name.text, values.value[i]])) };
  }
  if (node.kind === ts.SyntaxKind.NullKeyword) return { value: null };
  if (ts.isIdentifier(node) && node.text === "undefined") return { value: null };
  const type = checker.getTypeAtLocation(node);
  if (has(type, ts.TypeFlags.BooleanLiteral)) return { value: type.intrinsicName === "true" };
  if (type.isStringLiteral() || type.isNumberLiteral()) {
    return Number.isFinite(type.value) || typeof type.value === "string" ? { value: type.value } : undefined;
  }
  if (has(type, ts.TypeFlags.BigIntLiteral)) {
    const { negative, base10Value } = type.value;
    return { value: (negative ? "-" : "") + base10Value };
  }
  return undefined;
}

/** What its author wrote about a function: the text, then a line for each tag that says something. */
function documentation(symbol, declaration) {
  const of = docsOf(symbol) ?? docsOf(checker.getSymbolAtLocation(declaration.name ?? declaration) ?? symbol);
  const lines = [];
  const tags = symbol.getJsDocTags(checker);
  for (const tag of tags) {
    const text = ts.displayPartsToString(tag.text).trim();
    if (!text) continue;
    if (tag.name === "param") {
      const [, name, about] = /^(\S+)\s*(?:-\s*)?(.*)$/s.exec(text) ?? [];
      if (about && !name.includes(".")) lines.push(`${name}: ${about}`);
    } else if (tag.name === "returns" || tag.name === "return") {
      lines.push(`Returns ${text}`);
    } else if (tag.name === "throws") {
      lines.push(`Fails with ${text}`);
    }
  }
  return [of, lines.join("\n")].filter(Boolean).join("\n\n") || null;
}

/** What tags of this name say, such as `@alias otherName`. */
function tagged(symbol, name) {
  const tags = symbol.getJsDocTags(checker).filter((tag) => tag.name === name);
  return tags.map((tag) => ts.displayPartsToString(tag.text).trim());
}

function describeParameter(symbol, functionName) {
  const declaration = symbol.valueDeclaration ?? symbol.declarations?.[0];
  if (ts.isParameter(declaration) && !ts.isIdentifier(declaration.name)) {
    fault(declaration, `\`${functionName}\`: a parameter is taken apart where it is declared and has no name; give it one, and take it apart inside`);
    return null;
  }
  const name = symbol.name;
  const rest = Boolean(declaration.dotDotDotToken);
  const described = { name, rest, type: null };
  try {
    let type = checker.getTypeOfSymbolAtLocation(symbol, declaration);
    const initializer = ts.isParameter(declaration) ? declaration.initializer : undefined;
    const value = initializer && constant(initializer);
    const optional = initializer ? !value : checker.isOptionalParameter(declaration);
    // With a default, the author's code never sees that the argument was left out.
    if (initializer) type = withoutUndefined(type);
    described.type = describe(type, `${functionName}-${name}`);
    if (optional && !described.type.option) described.type = { option: { of: described.type, null: false } };
    if (value) described.default = value.value;
  } catch (error) {
    if (!(error instanceof NoCounterpart)) throw error;
    const script = /\.[mc]?js$/.test(declaration.getSourceFile().fileName);
    const typed = declaration.type ?? ts.getJSDocType(declaration);
    const cure = typed ? "" : script ? `; write \`@param {number} ${name}\`, or whatever it is, in a /** comment */ above` : `; write \`${name}: number\`, or whatever it is`;
    fault(declaration, `\`${functionName}\`: the parameter \`${name}\`: ${reason(error, typed)}${cure}`);
  }
  return described;
}

/** Why a type has no counterpart, where `typed` is the author's own word for it, if there is one. */
function reason(error, typed) {
  if (!(error instanceof Unknown) || !typed) return error.message;
  const word = typed.getText();
  return word === "any" || word === "*" ? "`any` does not say what it is" : `\`${word}\` is no type that is known here`;
}

/** The type without `undefined`, with which a default value makes up for a missing argument. */
function withoutUndefined(type) {
  if (!type.isUnion() || !type.types.some((it) => has(it, ts.TypeFlags.Undefined))) return type;
  if (type.types.some((it) => has(it, ts.TypeFlags.Null))) return type;
  return checker.getNonNullableType(type);
}

function describeFunction(symbol) {
  const resolved = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  const declaration = resolved.valueDeclaration ?? resolved.declarations?.[0];
  if (!declaration || !(resolved.flags & ts.SymbolFlags.Value)) return null;
  const type = checker.getTypeOfSymbolAtLocation(resolved, declaration);
  const signatures = type.getCallSignatures();
  if (signatures.length === 0 || symbol.name.startsWith("_")) return null;
  let name = symbol.name;
  if (name === "default") {
    name = declaration.name?.text;
    if (!name) {
      fault(declaration, "a default export without a name cannot be called by one; write `export function NAME`");
      return null;
    }
  }
  if (signatures.length > 1) {
    fault(declaration, `\`${name}\`: it has several signatures, of which a caller could not choose one; leave one, or give them different names`);
    return null;
  }
  const [signature] = signatures;
  const file = declaration.getSourceFile();
  const described = {
    name,
    export: symbol.name,
    file: path.relative(process.cwd(), file.fileName),
    line: file.getLineAndCharacterOfPosition(declaration.getStart()).line + 1,
    async: false,
    docs: documentation(resolved, declaration),
    aliases: tagged(resolved, "alias"),
    arrays: tagged(resolved, "arrays"),
    parameters: signature.getParameters().map((it) => describeParameter(it, name)).filter(Boolean),
    result: null,
  };
  let result = signature.getReturnType();
  if (result.symbol?.name === "Promise" && isBuiltIn(result.symbol)) {
    described.async = true;
    [result] = checker.getTypeArguments(result);
  }
  if (!isAbsent(result) && !has(result, ts.TypeFlags.Never)) {
    try {
      described.result = describe(result, `${name}-result`);
    } catch (error) {
      if (!(error instanceof NoCounterpart)) throw error;
      const typed = signature.declaration && (signature.declaration.type ?? ts.getJSDocReturnType(signature.declaration));
      fault(declaration, `\`${name}\`: the result: ${reason(error, typed)}`);
    }
  }
  return described;
}

/** What runs once, when the component is built, and what that means for the calls. */
const ONCE = {
  "Math.random": "every call gets the same number",
  "crypto.randomUUID": "every call gets the same one",
  "crypto.getRandomValues": "every call gets the same bytes",
  "Date.now": "every call gets the time of the build",
  "performance.now": "every call gets the time of the build",
  "new Date": "every call gets the time of the build",
};

/** What Node or a browser has without an import, and a procedure has not. */
const LACKING = {
  process: '`import process from "node:process"` has `env`',
  XMLHttpRequest: "use `fetch`",
  WebSocket: "there are requests by `fetch` alone",
  EventSource: "there are requests by `fetch` alone",
  Worker: "there are no threads",
  SharedArrayBuffer: "there are no threads",
  window: "`globalThis` has what there is",
  global: "`globalThis` has what there is",
  document: "there is no page; give the caller a text, such as SVG or HTML",
  localStorage: "a call keeps nothing for the next one; a granted folder does, by `node:fs`",
  sessionStorage: "a call keeps nothing for the next one; a granted folder does, by `node:fs`",
  __dirname: "the project's files are not there when a call runs; `import` a module or JSON, or read from a granted folder",
  __filename: "the project's files are not there when a call runs; `import` a module or JSON, or read from a granted folder",
  Deno: "there are `node:fs`, `node:process` and `fetch`",
  Bun: "there are `node:fs`, `node:process` and `fetch`",
  WebAssembly: "the module is interpreted; take a package of JavaScript alone, or write the procedure in Rust or C",
};

/** What the author's own modules had better not do. */
function describeWarnings() {
  const warnings = [];
  const warn = (node, message) => {
    const file = node.getSourceFile();
    const { line } = file.getLineAndCharacterOfPosition(node.getStart());
    warnings.push({ file: path.relative(process.cwd(), file.fileName), line: line + 1, message });
  };
  const own = program.getSourceFiles().filter(
    (file) => !file.isDeclarationFile && !file.fileName.includes("/node_modules/"),
  );
  for (const file of own) {
    for (const statement of file.statements) {
      eachOnce(statement, (node) => {
        const name = onceIn(node, new Set());
        if (name) warn(node, `\`${name}\` runs once, when the component is built: ${ONCE[name]}; use it inside the function`);
      });
    }
    const look = (node) => {
      if (ts.isTypeOfExpression(node)) return;
      if (ts.isIdentifier(node) && Object.hasOwn(LACKING, node.text) && isUnbound(node)) {
        warn(node, `there is no \`${node.text}\` in a procedure; ${LACKING[node.text]}`);
      }
      ts.forEachChild(node, look);
    };
    look(file);
  }
  return warnings.sort((a, b) => (a.file === b.file ? a.line - b.line : 0));
}

/** Whether nothing declares what an expression names. */
function isUnbound(node) {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent) && parent.name === node) return false;
  const isName = (ts.isPropertyAssignment(parent) || ts.isMethodDeclaration(parent) || ts.isTypeReferenceNode(parent)) && parent.initializer !== node;
  if (isName) return false;
  const symbol = checker.getSymbolAtLocation(node);
  return !symbol || isBuiltIn(symbol) || symbol.escapedName === "unknown";
}

/** Calls `visit` for all that runs when the module starts, and not only when one of its functions is called. */
function eachOnce(node, visit) {
  visit(node);
  const isCalled = ts.isFunctionLike(node) && ts.isCallExpression(ts.walkUpParenthesizedExpressions(node.parent));
  const isArgument = isCalled && ts.walkUpParenthesizedExpressions(node.parent).arguments.includes(node);
  if (ts.isFunctionLike(node) && !(isCalled && !isArgument)) return;
  // An own field of a class is made with each of its objects.
  if (ts.isPropertyDeclaration(node) && !ts.hasStaticModifier(node)) return;
  ts.forEachChild(node, (child) => eachOnce(child, visit));
}

/** What of `ONCE` a call or a `new` comes to, by itself or by a function that it calls. */
function onceIn(node, seen) {
  if (ts.isNewExpression(node)) {
    return node.expression.getText() === "Date" && !node.arguments?.length ? "new Date" : undefined;
  }
  if (!ts.isCallExpression(node)) return undefined;
  const name = node.expression.getText().replace(/^globalThis\./, "");
  if (Object.hasOwn(ONCE, name)) return name;
  let symbol = checker.getSymbolAtLocation(node.expression);
  if (symbol && symbol.flags & ts.SymbolFlags.Alias) symbol = checker.getAliasedSymbol(symbol);
  const declaration = symbol?.valueDeclaration;
  const called = declaration?.initializer ?? declaration;
  if (!called || !ts.isFunctionLike(called) || seen.has(called) || isBuiltIn(symbol)) return undefined;
  seen.add(called);
  let found;
  const look = (inner) => {
    found ??= onceIn(inner, seen);
    if (!found) ts.forEachChild(inner, look);
  };
  if (called.body) look(called.body);
  return found;
}

function analyse() {
  const file = program.getSourceFile(source);
  const errors = program.getSyntacticDiagnostics();
  for (const error of errors) {
    const { line } = error.file.getLineAndCharacterOfPosition(error.start);
    const message = ts.flattenDiagnosticMessageText(error.messageText, "\n");
    faults.push({ file: path.relative(process.cwd(), error.file.fileName), line: line + 1, message });
  }
  // The compiler only answers for modules of ECMAScript; those of CommonJS have a symbol all the same.
  const module = checker.getSymbolAtLocation(file) ?? file.symbol;
  const exported = module && errors.length === 0 ? checker.getExportsAndPropertiesOfModule(module) : [];
  const functions = exported.map(describeFunction).filter(Boolean);
  // In the author's order, not in that in which declarations come to life.
  functions.sort((a, b) => (a.file === b.file ? a.line - b.line : 0));
  if (functions.length === 0 && faults.length === 0) {
    faults.push({
      file: path.relative(process.cwd(), file.fileName),
      line: null,
      message: "no function is exported; write `export` in front of those that are to be procedures",
    });
  }
  return faults.length > 0 ? { faults, functions: [] } : { faults, warnings: describeWarnings(), functions };
}

process.stdout.write(JSON.stringify(analyse()));
