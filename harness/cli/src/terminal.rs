/*! What the terminal can do and how much the user wants to read. */

use std::io::IsTerminal;

use report::console::{Options, Verbosity};

use crate::args::{Color, Console};

/// See the module.
#[derive(Debug, Clone, Copy)]
pub struct Terminal {
    /// Colour on stderr.
    pub color: bool,
    /// Columns.
    pub width: usize,
    pub verbosity: Verbosity,
    /// Whether a progress line may be drawn.
    pub progress: bool,
    /// Whether somebody can be asked.
    pub interactive: bool,
}

impl Terminal {
    /// As the flags and the environment say.
    pub fn new(console: &Console) -> Terminal {
        let err = std::io::stderr();
        let color = |choice: anstream::ColorChoice| match console.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => choice != anstream::ColorChoice::Never,
        };
        let verbosity = match (console.quiet, console.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, 0) => Verbosity::Normal,
            (false, 1) => Verbosity::Verbose,
            (false, _) => Verbosity::Wire,
        };
        let width = std::env::var("COLUMNS")
            .ok()
            .and_then(|c| c.parse().ok())
            .or_else(|| terminal_size::terminal_size_of(&err).map(|(w, _)| usize::from(w.0)))
            .unwrap_or(100);
        let tame = set("CI") || std::env::var("TERM").is_ok_and(|t| t == "dumb");
        Terminal {
            color: color(anstream::AutoStream::choice(&err)),
            width: width.clamp(40, 200),
            verbosity,
            interactive: err.is_terminal() && std::io::stdin().is_terminal() && !tame,
            progress: err.is_terminal() && !tame && !console.no_progress && !console.quiet,
        }
    }

    /// For the console report.
    pub fn options(&self) -> Options {
        Options {
            color: self.color,
            width: self.width,
            verbosity: self.verbosity,
            progress: self.progress,
            github: set("GITHUB_ACTIONS"),
        }
    }

    /// Whether less than the usual is wanted.
    pub fn is_quiet(&self) -> bool {
        self.verbosity == Verbosity::Quiet
    }
}

/// Whether an environment variable is set to something that does not mean no.
pub fn set(name: &str) -> bool {
    std::env::var(name).is_ok_and(|v| !matches!(v.as_str(), "" | "0" | "false"))
}
