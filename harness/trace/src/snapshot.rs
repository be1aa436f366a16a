/*! Accepted exchanges and how a new one differs.

Takes the canonical form of a scenario's exchange; compares it with the text
accepted under `fixtures/snapshots/<target>/<scenario>.snap`, message by
message. What may be written is the caller's [`Policy`]; nothing is ever
written under [`Policy::Frozen`], which is the one for CI.

A difference that waits for review lies beside the accepted file with `.new`
behind its name.
*/

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use similar::{ChangeTag, TextDiff};

use crate::canon::{Block, from_text, to_text};

/// How long one diff may take before it gets coarse.
const DEADLINE: Duration = Duration::from_millis(500);

/// Unchanged lines around a change.
const CONTEXT: usize = 3;

/// Paths that the heading of one hunk names.
const PATHS: usize = 4;

/// First line of every snapshot file.
const MARK: &str = "# Parlance snapshot 1";

/// What comparing may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// Nothing (CI).
    Frozen,
    /// What is new or changed, as a pending file for `snapshot accept`.
    Pending,
    /// What has no accepted form yet, as accepted; changes stay pending.
    Missing,
    /// Everything, as accepted (`--update-snapshots`).
    Update,
}

/// What comparing found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Compared {
    /// Equal to the accepted exchange.
    Match,
    /// There is no accepted exchange.
    New,
    /// Different; the diff is for people, one hunk per place, each under its message and path.
    Changed {
        /// Unified diff with `@@ title, path @@` headings.
        diff: String,
    },
}

/// The snapshots of one target.
#[derive(Debug, Clone)]
pub struct Store {
    dir: PathBuf,
    target: String,
}

impl Store {
    /// The store below `root` (usually `fixtures/snapshots`) for the target of that name.
    pub fn new(root: &Path, target: &str) -> Store {
        Store {
            dir: root.join(safe_name(target)),
            target: target.to_owned(),
        }
    }

    /// Where a scenario's accepted exchange lies.
    pub fn path(&self, scenario: &str) -> PathBuf {
        self.dir.join(format!("{}.snap", safe_path(scenario)))
    }

    fn pending_path(&self, scenario: &str) -> PathBuf {
        self.dir.join(format!("{}.snap.new", safe_path(scenario)))
    }

    /// Compares an exchange with the accepted one and writes what the policy lets it.
    pub fn compare(
        &self,
        scenario: &str,
        blocks: &[Block],
        policy: Policy,
    ) -> io::Result<Compared> {
        let accepted = self.accepted(scenario)?;
        let compared = match &accepted {
            None => Compared::New,
            Some(old) => match diff(old, blocks) {
                None => Compared::Match,
                Some(diff) => Compared::Changed { diff },
            },
        };
        let write = match (policy, &compared) {
            (Policy::Frozen, _) => None,
            (_, Compared::Match) => {
                self.drop_pending(scenario)?;
                None
            }
            (Policy::Update, _) | (Policy::Missing, Compared::New) => {
                self.drop_pending(scenario)?;
                Some(self.path(scenario))
            }
            (Policy::Pending | Policy::Missing, _) => Some(self.pending_path(scenario)),
        };
        if let Some(path) = write {
            self.write(&path, scenario, blocks)?;
        }
        Ok(compared)
    }

    /// The accepted exchange of a scenario, if there is one.
    pub fn accepted(&self, scenario: &str) -> io::Result<Option<Vec<Block>>> {
        read(&self.path(scenario))
    }

    /// The pending exchange of a scenario, if there is one.
    pub fn pending_of(&self, scenario: &str) -> io::Result<Option<Vec<Block>>> {
        read(&self.pending_path(scenario))
    }

    /// Scenarios with a pending exchange, sorted.
    pub fn pending(&self) -> io::Result<Vec<String>> {
        self.list(".snap.new")
    }

    /// Scenarios with an accepted exchange, sorted.
    pub fn scenarios(&self) -> io::Result<Vec<String>> {
        self.list(".snap")
    }

    /// The difference that waits for review; none when nothing is pending.
    pub fn pending_diff(&self, scenario: &str) -> io::Result<Option<String>> {
        let Some(new) = self.pending_of(scenario)? else {
            return Ok(None);
        };
        let old = self.accepted(scenario)?.unwrap_or_default();
        Ok(diff(&old, &new))
    }

    /// Makes the pending exchange the accepted one; false when nothing is pending.
    pub fn accept(&self, scenario: &str) -> io::Result<bool> {
        match fs::rename(self.pending_path(scenario), self.path(scenario)) {
            Ok(()) => Ok(true),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(e) => Err(named(&self.pending_path(scenario), e)),
        }
    }

    /// Forgets the pending exchange; false when nothing is pending.
    pub fn reject(&self, scenario: &str) -> io::Result<bool> {
        self.drop_pending(scenario)
    }

    /// Accepted exchanges of scenarios that do not exist, as paths.
    pub fn orphans<'a>(
        &self,
        existing: impl IntoIterator<Item = &'a str>,
    ) -> io::Result<Vec<PathBuf>> {
        let known: std::collections::HashSet<PathBuf> =
            existing.into_iter().map(|id| self.path(id)).collect();
        Ok(self
            .scenarios()?
            .iter()
            .map(|id| self.path(id))
            .filter(|path| !known.contains(path))
            .collect())
    }

    fn drop_pending(&self, scenario: &str) -> io::Result<bool> {
        let path = self.pending_path(scenario);
        match fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(e) => Err(named(&path, e)),
        }
    }

    fn write(&self, path: &Path, scenario: &str, blocks: &[Block]) -> io::Result<()> {
        let one = |text: &str| text.replace(char::is_control, " ");
        let text = format!(
            "{MARK}\n# scenario {}\n# target {}\n\n{}",
            one(scenario),
            one(&self.target),
            to_text(blocks)
        );
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|e| named(parent, e))?;
        }
        fs::write(path, text).map_err(|e| named(path, e))
    }

    fn list(&self, ending: &str) -> io::Result<Vec<String>> {
        let mut found = Vec::new();
        let mut open = vec![(self.dir.clone(), String::new())];
        while let Some((dir, prefix)) = open.pop() {
            let entries = match fs::read_dir(&dir) {
                Ok(entries) => entries,
                Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
                Err(e) => return Err(named(&dir, e)),
            };
            for entry in entries {
                let entry = entry.map_err(|e| named(&dir, e))?;
                let name = entry.file_name().to_string_lossy().into_owned();
                if entry.file_type().map_err(|e| named(&dir, e))?.is_dir() {
                    open.push((entry.path(), format!("{prefix}{name}/")));
                } else if let Some(id) = name.strip_suffix(ending) {
                    found.push(format!("{prefix}{id}"));
                }
            }
        }
        found.sort();
        Ok(found)
    }
}

fn named(path: &Path, e: io::Error) -> io::Error {
    io::Error::new(e.kind(), format!("{}: {e}", path.display()))
}

fn read(path: &Path) -> io::Result<Option<Vec<Block>>> {
    let text = match fs::read(path) {
        Ok(bytes) => String::from_utf8(bytes).map_err(|_| {
            named(
                path,
                io::Error::new(io::ErrorKind::InvalidData, "not UTF-8"),
            )
        })?,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(named(path, e)),
    };
    if text.lines().next().map(str::trim_end) != Some(MARK) {
        return Err(named(
            path,
            io::Error::new(
                io::ErrorKind::InvalidData,
                format!("not a snapshot: its first line is not {MARK:?}"),
            ),
        ));
    }
    Ok(Some(from_text(&text)))
}

/// An id as a relative path that stays below its directory and is the same on every system.
pub fn safe_path(id: &str) -> String {
    let parts: Vec<String> = id
        .split('/')
        .filter(|p| !p.is_empty())
        .map(safe_name)
        .collect();
    if parts.is_empty() {
        return "-".to_owned();
    }
    parts.join("/")
}

fn safe_name(part: &str) -> String {
    let safe: String = part
        .chars()
        .take(120)
        .map(|c| match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' | '.' => c,
            _ => '-',
        })
        .collect();
    match safe.trim_matches('.') {
        "" => "-".to_owned(),
        _ => safe,
    }
}

/// How two exchanges differ, message by message; none when they are equal.
pub fn diff(old: &[Block], new: &[Block]) -> Option<String> {
    if old == new {
        return None;
    }
    let titles =
        |blocks: &[Block]| -> Vec<String> { blocks.iter().map(|b| b.title.clone()).collect() };
    let (old_titles, new_titles) = (titles(old), titles(new));
    let (a, b): (Vec<&str>, Vec<&str>) = (
        old_titles.iter().map(String::as_str).collect(),
        new_titles.iter().map(String::as_str).collect(),
    );
    let mut out = String::from("--- accepted\n+++ this run\n");
    let pairs = TextDiff::configure().timeout(DEADLINE).diff_slices(&a, &b);
    for change in pairs.iter_all_changes() {
        let at = |i: Option<usize>, blocks: &'_ [Block]| -> Option<Block> {
            i.and_then(|i| blocks.get(i).cloned())
        };
        let (was, is) = (at(change.old_index(), old), at(change.new_index(), new));
        match (change.tag(), was, is) {
            (ChangeTag::Equal, Some(was), Some(is)) if was != is => {
                lines(&mut out, &was, &is);
            }
            (ChangeTag::Delete, Some(was), _) => whole(&mut out, &was, '-', "gone"),
            (ChangeTag::Insert, _, Some(is)) => whole(&mut out, &is, '+', "new"),
            _ => {}
        }
    }
    Some(out)
}

fn whole(out: &mut String, block: &Block, sign: char, word: &str) {
    out.push_str(&format!("@@ {} ({word}) @@\n", block.title));
    for line in &block.lines {
        out.push_str(&format!("{sign}{line}\n"));
    }
}

/// The hunks of one message, each under the paths of its changes.
fn lines(out: &mut String, was: &Block, is: &Block) {
    let (a, b): (Vec<&str>, Vec<&str>) = (
        was.lines.iter().map(String::as_str).collect(),
        is.lines.iter().map(String::as_str).collect(),
    );
    let diff = TextDiff::configure().timeout(DEADLINE).diff_slices(&a, &b);
    for group in diff.grouped_ops(CONTEXT) {
        let changes: Vec<_> = group.iter().flat_map(|op| diff.iter_changes(op)).collect();
        let mut paths: Vec<String> = Vec::new();
        for change in changes.iter().filter(|c| c.tag() != ChangeTag::Equal) {
            let path = match (change.old_index(), change.new_index()) {
                (_, Some(i)) => path_of(&b, i),
                (Some(i), None) => path_of(&a, i),
                _ => None,
            };
            paths.extend(path.filter(|p| !paths.contains(p)));
        }
        let more = paths.len().saturating_sub(PATHS);
        paths.truncate(PATHS);
        if more > 0 {
            paths.push(format!("and {more} more"));
        }
        out.push_str(&format!("@@ {}, {} @@\n", is.title, paths.join(", ")));
        for change in changes {
            let sign = match change.tag() {
                ChangeTag::Equal => ' ',
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
            };
            out.push_str(&format!("{sign}{}\n", change.value()));
        }
    }
}

/// What a line of a canonical message is: a header's name, or the path of an element or attribute.
fn path_of(lines: &[&str], at: usize) -> Option<String> {
    let body = lines.iter().position(|l| l.is_empty());
    if body.is_none_or(|body| at < body) {
        return if at == 0 {
            Some("start line".to_owned())
        } else {
            lines
                .get(at)?
                .split_once(':')
                .map(|(name, _)| name.to_owned())
        };
    }
    let line = lines.get(at)?;
    let own = line.len() - line.trim_start().len();
    let mut path: Vec<String> = Vec::new();
    let text = line.trim_start();
    if !text.starts_with('<')
        && let Some((name, _)) = text.split_once('=')
    {
        path.push(format!("@{name}"));
    }
    // Each ancestor's start tag is the nearest line above with less indentation.
    let mut depth = own + usize::from(text.starts_with('<'));
    for above in lines[..=at].iter().rev() {
        let indent = above.len() - above.trim_start().len();
        let text = above.trim_start();
        if above.is_empty() {
            break;
        }
        if indent < depth && text.starts_with('<') && !text.starts_with("</") {
            let name: String = text[1..]
                .chars()
                .take_while(|c| !c.is_whitespace() && !matches!(c, '>' | '/'))
                .collect();
            path.push(name);
            depth = indent;
        }
    }
    path.reverse();
    (!path.is_empty()).then(|| format!("/{}", path.join("/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(title: &str, lines: &[&str]) -> Block {
        Block {
            title: title.into(),
            lines: lines.iter().map(|l| (*l).to_owned()).collect(),
        }
    }

    fn two() -> (Vec<Block>, Vec<Block>) {
        let old = vec![
            block(
                "alice → server INFO cmd:join",
                &["INFO sip:x SIP/2.0", "CSeq: [cseq:1] INFO"],
            ),
            block(
                "server → alice INFO rpl:join",
                &[
                    "INFO sip:a SIP/2.0",
                    "CSeq: [cseq:2] INFO",
                    "",
                    "<xccos>",
                    "  <rpl id=\"rpl:join\">",
                    "    <resp code=\"200\">SUCCESS_OK</resp>",
                    "    <data>",
                    "      <chanib",
                    "          name=\"Lobby\"",
                    "          uri=\"ma-chan://x\"/>",
                    "    </data>",
                    "  </rpl>",
                    "</xccos>",
                ],
            ),
        ];
        let mut new = old.clone();
        new[1].lines[1] = "CSeq: [cseq:2] INVITE".into();
        new[1].lines[8] = "          name=\"Hall\"".into();
        new.push(block(
            "server → alice INFO ntc:join",
            &["INFO sip:a SIP/2.0"],
        ));
        (old, new)
    }

    #[test]
    fn differences_name_their_message_and_path() {
        let (old, new) = two();
        let diff = diff(&old, &new).unwrap();
        insta::assert_snapshot!(diff);
        assert_eq!(super::diff(&new, &new), None);
    }

    #[test]
    fn a_store_writes_what_its_policy_lets_it() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::new(dir.path(), "contoso/../chat");
        let (old, new) = two();
        let id = "server/join/one";
        assert_eq!(
            store.compare(id, &old, Policy::Frozen).unwrap(),
            Compared::New
        );
        assert!(
            fs::read_dir(dir.path()).unwrap().next().is_none(),
            "nothing is written in CI"
        );
        assert_eq!(
            store.compare(id, &old, Policy::Pending).unwrap(),
            Compared::New
        );
        assert_eq!(store.pending().unwrap(), [id]);
        assert!(store.pending_diff(id).unwrap().unwrap().contains("(new)"));
        assert!(store.accept(id).unwrap());
        assert!(!store.accept(id).unwrap());
        assert_eq!(
            store.compare(id, &old, Policy::Pending).unwrap(),
            Compared::Match
        );
        assert!(matches!(
            store.compare(id, &new, Policy::Frozen).unwrap(),
            Compared::Changed { .. }
        ));
        assert!(store.pending().unwrap().is_empty());
        assert!(matches!(
            store.compare(id, &new, Policy::Missing).unwrap(),
            Compared::Changed { .. }
        ));
        assert_eq!(store.pending().unwrap(), [id]);
        assert!(matches!(
            store.compare(id, &new, Policy::Update).unwrap(),
            Compared::Changed { .. }
        ));
        assert!(store.pending().unwrap().is_empty());
        assert_eq!(
            store.compare(id, &new, Policy::Frozen).unwrap(),
            Compared::Match
        );
        store.compare("server/gone", &new, Policy::Missing).unwrap();
        let orphans = store.orphans([id]).unwrap();
        assert_eq!(orphans, [store.path("server/gone")]);
        assert!(
            store
                .path(id)
                .starts_with(dir.path().join("contoso-..-chat"))
        );
        assert!(
            store
                .path("../../x")
                .starts_with(dir.path().join("contoso-..-chat"))
        );
        fs::write(store.path(id), "something else\n").unwrap();
        let error = store.compare(id, &new, Policy::Frozen).unwrap_err();
        assert!(error.to_string().contains("not a snapshot"), "{error}");
    }
}
