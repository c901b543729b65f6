//! What tests find in their environment. Knows where everything is, and not who tests what.

use std::process::Command;

use crate::project::Project;
use crate::{nginx, node, projects};

/// Tells a test where to find what it needs.
pub(crate) fn tell(project: &Project, test: &mut Command) {
    project.point_at_sysroot(test);
    test.env("TARP_BIN", project.host());
    test.env("TARP_GUESTS", project.test_guests());
    test.env("TARP_TOOLS", projects::tools(project));
    test.env("TARP_TEST_PYTHON", project.venv_program("python"));
    test.env("TARP_TEST_NODE", node::folder(project));
    test.env("TARP_TEST_NGINX", nginx::program(project));
}
