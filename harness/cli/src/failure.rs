/*! Why a command could not do its work, and the exit code that follows.

The one place where errors of the libraries become exit codes; the codes
themselves are [`judge::exit`]'s.
*/

use std::fmt;

use judge::exit;

/// A command that ended without doing what it was asked.
#[derive(Debug)]
pub struct Failure {
    code: u8,
    message: String,
}

impl Failure {
    /// A file, flag, filter or schema that cannot be used.
    pub fn usage(message: impl fmt::Display) -> Failure {
        Failure {
            code: exit::USAGE,
            message: message.to_string(),
        }
    }

    /// Network, disk, certificates: nothing the user typed is wrong in form.
    pub fn environment(message: impl fmt::Display) -> Failure {
        Failure {
            code: exit::ENVIRONMENT,
            message: message.to_string(),
        }
    }

    /// Nothing to do.
    pub fn nothing(message: impl fmt::Display) -> Failure {
        Failure {
            code: exit::NOTHING_RAN,
            message: message.to_string(),
        }
    }

    /// Our own fault.
    pub fn bug(message: impl fmt::Display) -> Failure {
        Failure {
            code: exit::HARNESS_BUG,
            message: message.to_string(),
        }
    }

    /// Process exit code.
    pub fn code(&self) -> u8 {
        self.code
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// What a command gives: its exit code.
pub type Done = Result<u8, Failure>;
