//! What WIT cannot say about procedures, as the host reads it from the section `tarp:procedures`.

use tarp_schema::procedure::{MetadataMap, Mode, ProcedureMetadata, to_record};

use crate::module::Module;
use crate::procedure::Procedure;

/// The JSON text of the section; none where there is nothing to say.
pub(crate) fn text(module: &Module) -> Option<String> {
    let entry = |procedure: &Procedure| (procedure.name.snake(), metadata(procedure));
    to_record(module.procedures.iter().map(entry).collect::<MetadataMap>())
}

fn metadata(procedure: &Procedure) -> ProcedureMetadata {
    let options = &procedure.options;
    let is_async = options.asynchronous.is_some() || procedure.is_async;
    let defaults = procedure.parameters().filter_map(|parameter| {
        let value = parameter.default.clone()?;
        Some((parameter.name.snake(), value))
    });
    ProcedureMetadata {
        description: None,
        mode: is_async.then_some(Mode::Async),
        suggested_wait: options.suggested_wait.map(|(seconds, _)| seconds),
        methods: options.methods.as_ref().map(|(methods, _)| methods.clone()),
        aliases: options.aliases.as_ref().map(|(aliases, _)| aliases.clone()).unwrap_or_default(),
        arrays: options.arrays.map(|(arrays, _)| arrays),
        defaults: defaults.collect(),
    }
}
