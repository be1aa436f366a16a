//! Colours by meaning; without colour, the text alone must say everything.

use anstyle::{AnsiColor, Effects, Style};
use judge::Outcome;

/// Paints or leaves plain, as the caller decided.
#[derive(Debug, Clone, Copy)]
pub struct Paint(pub bool);

impl Paint {
    /// The text in a style.
    pub fn with(self, style: Style, text: &str) -> String {
        if self.0 && !text.is_empty() {
            format!("{}{text}{}", style.render(), style.render_reset())
        } else {
            text.to_owned()
        }
    }

    /// Names, headings.
    pub fn bold(self, text: &str) -> String {
        self.with(Style::new().effects(Effects::BOLD), text)
    }

    /// What matters less.
    pub fn dim(self, text: &str) -> String {
        self.with(Style::new().effects(Effects::DIMMED), text)
    }

    /// Line numbers, arrows, ids.
    pub fn blue(self, text: &str) -> String {
        self.with(
            AnsiColor::BrightBlue.on_default().effects(Effects::BOLD),
            text,
        )
    }

    /// What broke.
    pub fn red(self, text: &str) -> String {
        self.with(AnsiColor::Red.on_default().effects(Effects::BOLD), text)
    }

    /// What should be better.
    pub fn yellow(self, text: &str) -> String {
        self.with(AnsiColor::Yellow.on_default().effects(Effects::BOLD), text)
    }

    /// What held.
    pub fn green(self, text: &str) -> String {
        self.with(AnsiColor::Green.on_default().effects(Effects::BOLD), text)
    }

    /// A word in the colour of an outcome; none stands for unfinished.
    pub fn outcome(self, outcome: Option<Outcome>, text: &str) -> String {
        match outcome {
            Some(Outcome::Pass) => self.green(text),
            Some(Outcome::Fail | Outcome::Error) | None => self.red(text),
            Some(Outcome::Warn | Outcome::Inconclusive) => self.yellow(text),
            Some(Outcome::Skip) => self.dim(text),
        }
    }
}
