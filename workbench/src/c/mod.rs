//! Procedures in C.

use crate::build::Component;
use crate::new::TemplateFile;
use crate::report::Reporter;
use crate::{BuildError, BuildRequest};

/// Builds the component of a source file or a project.
pub(crate) fn build(
    request: &BuildRequest,
    _reporter: &dyn Reporter,
) -> Result<Component, BuildError> {
    Err(BuildError::source(&request.source, "C cannot be built yet"))
}

/// What a new project begins with.
pub(crate) const TEMPLATE: &[TemplateFile] = &[];
