//! What WIT cannot say about procedures, as the host reads it from the section `tarp:procedures`.

use serde_json::{Map, Value, json};

use crate::module::Module;
use crate::procedure::Procedure;

/// The JSON text of the section; none where there is nothing to say.
pub(crate) fn text(module: &Module) -> Option<String> {
    let entry = |procedure: &Procedure| {
        let table = table(procedure);
        (!table.is_empty()).then(|| (procedure.name.snake(), Value::Object(table)))
    };
    let procedures: Map<_, _> = module.procedures.iter().filter_map(entry).collect();
    (!procedures.is_empty()).then(|| json!({ "procedures": procedures }).to_string())
}

fn table(procedure: &Procedure) -> Map<String, Value> {
    let mut table = Map::new();
    let options = &procedure.options;
    if options.asynchronous.is_some() || procedure.is_async {
        table.insert("mode".into(), "async".into());
    }
    if let Some((seconds, _)) = options.suggested_wait {
        table.insert("suggested_wait".into(), seconds.into());
    }
    if let Some((methods, _)) = &options.methods {
        table.insert("methods".into(), json!(methods));
    }
    if let Some((aliases, _)) = &options.aliases {
        table.insert("aliases".into(), json!(aliases));
    }
    if let Some((arrays, _)) = &options.arrays {
        table.insert("arrays".into(), json!(arrays));
    }
    let defaults = procedure.parameters().filter_map(|parameter| {
        let value = parameter.default.clone()?;
        Some((parameter.name.snake(), value))
    });
    let defaults: Map<_, _> = defaults.collect();
    if !defaults.is_empty() {
        table.insert("defaults".into(), defaults.into());
    }
    table
}
