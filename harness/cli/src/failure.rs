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
    /// The message is a block with carets of its own.
    rendered: bool,
}

impl Failure {
    fn new(code: u8, message: impl fmt::Display) -> Failure {
        Failure {
            code,
            message: message.to_string(),
            rendered: false,
        }
    }

    /// A file, flag, filter or schema that cannot be used.
    pub fn usage(message: impl fmt::Display) -> Failure {
        Failure::new(exit::USAGE, message)
    }

    /// Network, disk, certificates: nothing the user typed is wrong in form.
    pub fn environment(message: impl fmt::Display) -> Failure {
        Failure::new(exit::ENVIRONMENT, message)
    }

    /// Nothing to do.
    pub fn nothing(message: impl fmt::Display) -> Failure {
        Failure::new(exit::NOTHING_RAN, message)
    }

    /// Our own fault.
    pub fn bug(message: impl fmt::Display) -> Failure {
        Failure::new(exit::HARNESS_BUG, message)
    }

    /// Complaints that a library has already rendered, carets and all.
    pub fn rendered(code: u8, message: impl fmt::Display) -> Failure {
        Failure {
            rendered: true,
            ..Failure::new(code, message)
        }
    }

    /// Process exit code.
    pub fn code(&self) -> u8 {
        self.code
    }

    /// Tells the user.
    pub fn print(&self) {
        let message = self.message.trim_end();
        if self.rendered {
            anstream::eprintln!("{message}");
        } else {
            let style = anstyle::AnsiColor::Red.on_default().bold();
            anstream::eprintln!("{style}error{style:#}: {message}");
        }
    }
}

/// What a connection that could not be had means: a wrong setting is 2, all else 3.
impl From<sip::net::NetError> for Failure {
    fn from(error: sip::net::NetError) -> Failure {
        let words = crate::site::words(&error);
        match error.kind {
            sip::net::NetErrorKind::Settings => Failure::usage(words),
            _ => Failure::environment(words),
        }
    }
}

/// What a command gives: its exit code.
pub type Done = Result<u8, Failure>;
