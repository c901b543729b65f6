//! Procedures in Rust.

use std::path::Path;

use crate::build::Component;
use crate::new::TemplateFile;
use crate::report::Reporter;
use crate::{BuildError, BuildRequest};

/// Builds the component of a source file or a project.
pub(crate) fn build(
    request: &BuildRequest,
    _reporter: &dyn Reporter,
) -> Result<Component, BuildError> {
    Err(BuildError::source(&request.source, "Rust cannot be built yet"))
}

/// What a new project begins with: with the SDK where one is at hand, with plain WIT otherwise.
pub(crate) fn template(_sdk: Option<&Path>) -> &'static [TemplateFile] {
    &[]
}
