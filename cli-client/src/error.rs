//! Every way in which a command ends without its result, with its exit code and what it says.

use std::io;
use std::process::ExitCode;

use serde_json::json;

use crate::error_reply::ErrorReply;
use crate::style;

pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a command ends without its result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The command line asks for something that there is not, or that cannot be.
    #[error("{0}")]
    Usage(String),
    /// Nobody answers, or somebody who is no TARP host.
    #[error("{0}")]
    Unreachable(String),
    /// The host answered with a failure.
    #[error("{}", .0.message)]
    Failed(Box<ErrorReply>),
    /// A job that has no result yet.
    #[error("{0}")]
    Pending(String),
    /// Ctrl-C.
    #[error("{0}")]
    Interrupted(String),
    /// What came cannot be written where it was to go.
    #[error("cannot write {0}: {1}")]
    Output(String, io::Error),
    /// A web procedure's own status of failure.
    #[error("{0}")]
    Answered(String),
    /// A result that came but does not fit the file that it was to go to.
    #[error("{0}")]
    Unfit(String),
}

impl From<ErrorReply> for Error {
    fn from(failure: ErrorReply) -> Self {
        Self::Failed(Box::new(failure))
    }
}

impl Error {
    /// The exit code, as `--help` lists them.
    fn code(&self) -> u8 {
        match self {
            Self::Failed(failure) => failure.exit_code(),
            Self::Output(..) | Self::Unfit(_) | Self::Answered(_) => 1,
            Self::Usage(_) => 2,
            Self::Unreachable(_) => 3,
            Self::Pending(_) => 4,
            Self::Interrupted(_) => 130,
        }
    }

    /// Says what it is, to people on standard error or to programs on standard output.
    pub(crate) fn report(&self, json: bool) -> ExitCode {
        let kind = match self {
            // Whoever reads has read enough: `tarp call … | head`.
            Self::Output(_, error) if error.kind() == io::ErrorKind::BrokenPipe => {
                return ExitCode::SUCCESS;
            }
            Self::Failed(failure) => {
                if json {
                    anstream::println!("{}", failure.document);
                } else {
                    failure.print();
                }
                return self.code().into();
            }
            Self::Usage(_) => "Usage",
            Self::Unreachable(_) => "Unreachable",
            Self::Pending(_) => "OperationInProgress",
            Self::Interrupted(_) => "KeyboardInterrupt",
            Self::Output(..) | Self::Unfit(_) => "Output",
            // What it answered is printed.
            Self::Answered(_) if json => return self.code().into(),
            Self::Answered(_) => "ProcedureError",
        };
        let message = self.to_string();
        if json {
            anstream::println!("{}", json!({"status": "error", "type": kind, "message": message}));
        } else {
            anstream::eprintln!("tarp: {}", style::printable(&message));
        }
        self.code().into()
    }
}

/// Something on standard output that could not be written.
pub(crate) fn stdout(error: io::Error) -> Error {
    Error::Output("to standard output".into(), error)
}
