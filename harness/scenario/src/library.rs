/*! Where scenarios come from: the ones built in, files and folders.

Takes a folder (or the files compiled into the program), gives checked
scenarios in a stable order together with every complaint. A template is a file
below `common/`; every other `.yaml` file is a scenario whose id is its path
without the ending.
*/

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::lang::check::check;
use crate::lang::decode;
use crate::lang::diag::{Diagnostic, Problems, Source, Span};
use crate::lang::expand::{Templates, expand};
use crate::lang::grammar::{SCENARIO, Shape, TEMPLATE};
use crate::lang::yaml::{self, MAX_BYTES, Node};
use crate::plan::Scenario;

include!(concat!(env!("OUT_DIR"), "/built_in.rs"));

/// Scenarios and templates.
#[derive(Debug, Default)]
pub struct Library {
    /// All scenarios that can be played, by id.
    pub scenarios: Vec<Arc<Scenario>>,
    /// Everything wrong with the files.
    pub problems: Problems,
    templates: Templates,
}

impl Library {
    /// The scenarios that are part of the program.
    pub fn built_in() -> Library {
        let mut library = Library::default();
        let files = BUILT_IN
            .iter()
            .map(|(path, text)| {
                (
                    path.to_string(),
                    Source::new(format!("scenarios/{path}"), *text),
                )
            })
            .collect();
        library.add(files);
        library
    }

    /// All files below a folder; ids are relative to it. Templates that are built in are
    /// there as well, unless the folder has its own of that name.
    pub fn folder(root: &Path) -> Result<Library, Problems> {
        let mut library = Library::default();
        library.built_in_templates();
        let mut found = Vec::new();
        walk(root, &mut found, 0).map_err(|e| unreadable(root, &e))?;
        found.sort();
        let mut files = Vec::new();
        for path in found {
            let relative = path.strip_prefix(root).unwrap_or(&path);
            files.push((slashes(relative), read(&path)?));
        }
        library.add(files);
        Ok(library)
    }

    /// One file; its id is its path without the ending. Templates are looked for in the
    /// nearest folder above it that has a `common` folder, and among the built-in ones.
    pub fn file(path: &Path) -> Result<Library, Problems> {
        let mut library = Library::default();
        library.built_in_templates();
        let source = read(path)?;
        let mut files = Vec::new();
        let mut id = slashes(path.file_name().map(Path::new).unwrap_or(path));
        for folder in path.ancestors().skip(1).take(8) {
            if folder.join("common").is_dir() {
                let mut found = Vec::new();
                walk(&folder.join("common"), &mut found, 0).map_err(|e| unreadable(folder, &e))?;
                found.sort();
                for template in found {
                    let relative = template.strip_prefix(folder).unwrap_or(&template);
                    files.push((slashes(relative), read(&template)?));
                }
                if let Ok(relative) = path.strip_prefix(folder) {
                    id = slashes(relative);
                }
                break;
            }
        }
        files.retain(|(name, _)| *name != id);
        files.push((id, source));
        library.add(files);
        Ok(library)
    }

    /// The scenario with this id.
    pub fn get(&self, id: &str) -> Option<&Arc<Scenario>> {
        self.scenarios.iter().find(|s| s.id == id)
    }

    /// A scenario from text, with this library's templates (tests, editors).
    pub fn parse(&self, id: &str, source: &Arc<Source>) -> Result<Scenario, Problems> {
        let mut problems = Vec::new();
        let scenario = self.scenario(id.to_owned(), source, &mut problems);
        match scenario {
            Some(scenario) if !problems.iter().any(|p| p.fatal) => Ok(scenario),
            _ => Err(Problems(problems)),
        }
    }

    fn built_in_templates(&mut self) {
        let files = BUILT_IN
            .iter()
            .filter(|(path, _)| path.starts_with("common/"))
            .map(|(path, text)| {
                (
                    path.to_string(),
                    Source::new(format!("scenarios/{path}"), *text),
                )
            })
            .collect();
        self.add(files);
    }

    /// Templates first, then scenarios.
    fn add(&mut self, files: Vec<(String, Arc<Source>)>) {
        let mut problems = std::mem::take(&mut self.problems.0);
        let (templates, scenarios): (Vec<_>, Vec<_>) = files
            .into_iter()
            .partition(|(path, _)| path.starts_with("common/"));
        for (path, source) in templates {
            match yaml::parse(&source) {
                Ok(node) => {
                    check(&node, &Shape::Record(&TEMPLATE), &source, &mut problems);
                    self.templates.insert(without_ending(&path), (source, node));
                }
                Err(problem) => problems.push(problem),
            }
        }
        for (path, source) in scenarios {
            if let Some(scenario) = self.scenario(without_ending(&path), &source, &mut problems) {
                self.scenarios.push(Arc::new(scenario));
            }
        }
        self.scenarios.sort_by(|a, b| a.id.cmp(&b.id));
        // A template's fault shows wherever it is used; once is enough.
        let mut told = Vec::new();
        for problem in problems {
            if !told.contains(&problem) {
                told.push(problem);
            }
        }
        self.problems.0 = told;
    }

    fn scenario(
        &self,
        id: String,
        source: &Arc<Source>,
        problems: &mut Vec<Diagnostic>,
    ) -> Option<Scenario> {
        let root = match yaml::parse(source) {
            Ok(root) => root,
            Err(problem) => {
                problems.push(problem);
                return None;
            }
        };
        let before = problems.len();
        check(&root, &Shape::Record(&SCENARIO), source, problems);
        let steps = root.get("steps").map(Node::items).unwrap_or_default();
        let steps = expand(steps, source, &self.templates, problems);
        if problems.iter().skip(before).any(|p| p.fatal) {
            // Meaning is only looked for in what fits the grammar.
            return None;
        }
        let scenario = decode::scenario(id, source, &root, &steps, problems);
        (!problems.iter().skip(before).any(|p| p.fatal)).then_some(scenario)
    }
}

fn without_ending(path: &str) -> String {
    path.strip_suffix(".yaml")
        .or_else(|| path.strip_suffix(".yml"))
        .unwrap_or(path)
        .to_owned()
}

fn slashes(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}

/// Reads a file of bounded size.
pub fn read(path: &Path) -> Result<Arc<Source>, Problems> {
    let name = slashes(path);
    let fail = |message: String| {
        Problems::from(Diagnostic::error(
            &Source::new(name.clone(), ""),
            Span::default(),
            message,
        ))
    };
    let length = std::fs::metadata(path)
        .map_err(|e| fail(format!("cannot be read: {e}")))?
        .len();
    if length > MAX_BYTES as u64 {
        return Err(fail(format!("is longer than {MAX_BYTES} bytes")));
    }
    let bytes = std::fs::read(path).map_err(|e| fail(format!("cannot be read: {e}")))?;
    let text = String::from_utf8(bytes).map_err(|e| {
        fail(format!(
            "is not UTF-8 at byte {}",
            e.utf8_error().valid_up_to()
        ))
    })?;
    Ok(Source::new(name, text))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Problems {
    Problems::from(Diagnostic::error(
        &Source::new(slashes(path), ""),
        Span::default(),
        format!("cannot be read: {error}"),
    ))
}

fn walk(folder: &Path, out: &mut Vec<PathBuf>, depth: usize) -> std::io::Result<()> {
    if depth > 16 {
        return Ok(());
    }
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            walk(&path, out, depth + 1)?;
        } else if path.extension().is_some_and(|e| e == "yaml" || e == "yml") {
            out.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_file_is_in_order() {
        let library = Library::built_in();
        assert!(
            library.problems.0.is_empty(),
            "{}",
            library.problems.render(false)
        );
        assert!(!library.scenarios.is_empty());
    }

    #[test]
    fn everything_wrong_with_a_file_is_told_at_once() {
        let text = "title: x\ntarget: servr\nneeds: { users: [alice] }\nendpoints: { alice: { user: alice } }\nsteps:\n  - exepct: { at: alice }\n  - send: { from: alice, cmd:join: { data: { chanid: { key: { a: } } } }, as: 3, invalide: x }\n  - dial: { to: lookup, from: alice, within: 10 }\n    send: {}\n";
        let library = Library::built_in();
        let problems = library
            .parse("x", &Source::new("x.yaml", text))
            .unwrap_err();
        insta::assert_snapshot!(problems.to_string(), @r"
        x.yaml:2:9: `servr` is not known here (did you mean `server`?)
        x.yaml:6:5: unknown key `exepct` in a step (did you mean `expect`?)
        x.yaml:7:82: unknown key `invalide` in a send (did you mean `invalid`?)
        x.yaml:8:46: a duration like 300ms, 10s or 1m is wanted here, not a number
        x.yaml:9:5: a step does one thing: `dial` and `send` are two
        ");
        let text = "title: x\ntarget: server\nneeds: { users: [alice] }\nendpoints: { alice: { user: bob } }\nsteps:\n  - send: { from: alcie, grpchat: { \"@chanUri\": \"${rooms.lobby.uri}\", chat: \"${users.alice.uir}\" } }\n  - expect: { at: alice, answers: nobody, rpl:join: { resp: { \"@code\": { integer: \">> 3\" } } } }\n  - do: { at: alice, join: { rooms: [] } }\n  - expect: { at: alice, grpchat: { chat: \"${later}\" } }\n  - expect: { at: alice, grpchat: { \"@chatId\": { save: later } } }\n";
        let problems = library
            .parse("x", &Source::new("x.yaml", text))
            .unwrap_err();
        insta::assert_snapshot!(problems.to_string(), @r#"
        x.yaml:4:29: user `bob` is not among the users this scenario needs (known here: alice)
        x.yaml:6:19: there is no endpoint `alcie` (did you mean `alice`?)
        x.yaml:6:49: `lobby` is not among the rooms this scenario needs
        x.yaml:6:77: users have no `uir` (did you mean `uri`?)
        x.yaml:7:35: no step before this one is named `nobody`
        x.yaml:7:83: `>> 3` compares with no number: write `any`, `3` or `">= 3"`
        x.yaml:8:5: only a client under test has a user to act for (target: client)
        x.yaml:9:43: `later` has no value here: no step before this one gives it (known here: users, rooms, categories, domain, lookup_uri, server_uri)
        "#);
    }
}
