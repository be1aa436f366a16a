//! A small driver of Chromium: the DevTools protocol over two pipes, no sockets, no extra crates.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// The longest a browser may take for any one answer.
const PATIENCE: Duration = Duration::from_secs(30);

pub struct Browser {
    child: Child,
    to: ChildStdin,
    from: Receiver<Value>,
    next: u64,
    session: Option<String>,
    /// Events that came while waiting for answers.
    pub events: VecDeque<Value>,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts the first Chromium that is there; none when there is none.
    pub fn start() -> Option<Browser> {
        let wanted = std::env::var("PARLANCE_CHROMIUM").ok();
        let program = wanted
            .iter()
            .map(String::as_str)
            .chain(["chromium", "chromium-browser", "google-chrome"])
            .find(|p| {
                Command::new(p)
                    .arg("--version")
                    .stdout(Stdio::null())
                    .stderr(Stdio::null())
                    .status()
                    .is_ok_and(|s| s.success())
            })?
            .to_owned();
        let profile = tempfile::tempdir().expect("a profile directory");
        // The pipes of the protocol are descriptors 3 and 4; the shell puts them there.
        let script = format!(
            "exec '{program}' --headless --no-sandbox --disable-gpu --no-first-run --disable-extensions --disable-dev-shm-usage --user-data-dir='{}' --remote-debugging-pipe about:blank 3<&0 4>&1 </dev/null >/dev/null 2>&1",
            profile.path().display()
        );
        let mut child = Command::new("sh")
            .args(["-c", &script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .ok()?;
        let to = child.stdin.take()?;
        let output = child.stdout.take()?;
        let (send, from) = channel();
        std::thread::spawn(move || {
            let mut reader = BufReader::new(output);
            let mut message = Vec::new();
            while reader.read_until(0, &mut message).is_ok_and(|n| n > 0) {
                message.pop();
                if let Ok(value) = serde_json::from_slice(&message)
                    && send.send(value).is_err()
                {
                    return;
                }
                message.clear();
            }
        });
        let mut browser = Browser {
            child,
            to,
            from,
            next: 0,
            session: None,
            events: VecDeque::new(),
            _profile: profile,
        };
        let target = browser.call("Target.createTarget", json!({"url": "about:blank"}));
        let attached = browser.call(
            "Target.attachToTarget",
            json!({"targetId": target["targetId"], "flatten": true}),
        );
        browser.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log", "Network", "Accessibility"] {
            browser.call(&format!("{domain}.enable"), json!({}));
        }
        Some(browser)
    }

    /// One command and its answer.
    pub fn call(&mut self, method: &str, params: Value) -> Value {
        self.next += 1;
        let id = self.next;
        let mut message = json!({"id": id, "method": method, "params": params});
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        let mut line = serde_json::to_vec(&message).expect("JSON");
        line.push(0);
        self.to.write_all(&line).expect("the browser listens");
        let end = Instant::now() + PATIENCE;
        loop {
            let message = self
                .from
                .recv_timeout(end.saturating_duration_since(Instant::now()))
                .unwrap_or_else(|e| panic!("no answer to {method}: {e}"));
            if message["id"] == json!(id) {
                assert!(message.get("error").is_none(), "{method}: {message}");
                return message["result"].clone();
            }
            self.events.push_back(message);
        }
    }

    /// Goes to an address and waits until the browser says that it is loaded, which works without
    /// scripts as well.
    pub fn go(&mut self, url: &str) {
        let loaded = |event: &Value| event["method"] == "Page.loadEventFired";
        self.call("Runtime.evaluate", json!({"expression": "0"}));
        self.events.retain(|e| !loaded(e));
        self.call("Page.navigate", json!({"url": url}));
        let end = Instant::now() + PATIENCE;
        while !self.events.iter().any(loaded) {
            let message = self
                .from
                .recv_timeout(end.saturating_duration_since(Instant::now()))
                .unwrap_or_else(|e| panic!("{url} is never loaded: {e}"));
            self.events.push_back(message);
        }
    }

    /// The value of an expression; promises are awaited.
    pub fn eval(&mut self, expression: &str) -> Value {
        let result = self.call(
            "Runtime.evaluate",
            json!({"expression": expression, "awaitPromise": true, "returnByValue": true, "userGesture": true}),
        );
        assert!(
            result.get("exceptionDetails").is_none(),
            "{expression}: {result}"
        );
        result["result"]["value"].clone()
    }

    /// Waits until an expression is true, looking again whenever the page has drawn a frame.
    pub fn until(&mut self, expression: &str) {
        let looked = format!(
            "new Promise((yes, no) => {{ const end = performance.now() + 10000; const look = () => {{ let r = false; try {{ r = {expression}; }} catch (e) {{}} if (r) yes(true); else if (performance.now() > end) yes(false); else setTimeout(look, 20); }}; look(); }})"
        );
        assert_eq!(self.eval(&looked), json!(true), "never true: {expression}");
    }

    /// Opens a page of that size and waits until it is loaded.
    pub fn open(&mut self, url: &str, width: u32, height: u32) {
        self.call(
            "Emulation.setDeviceMetricsOverride",
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}),
        );
        // From elsewhere, so that an address that differs in its fragment only is loaded as well.
        self.go("about:blank");
        self.go(url);
    }

    /// A real click in the middle of what a selector's nth match shows.
    pub fn click(&mut self, element: &str) {
        let at = self.eval(&format!(
            "(() => {{ const e = {element}; e.scrollIntoView({{block: 'center', behavior: 'instant'}}); const b = e.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; }})()"
        ));
        for kind in ["mousePressed", "mouseReleased"] {
            self.call(
                "Input.dispatchMouseEvent",
                json!({"type": kind, "x": at[0], "y": at[1], "button": "left", "clickCount": 1}),
            );
        }
    }

    /// A key as a person presses it.
    pub fn press(&mut self, key: &str, text: &str) {
        self.call(
            "Input.dispatchKeyEvent",
            json!({"type": "keyDown", "key": key, "text": text, "windowsVirtualKeyCode": if key == "Enter" { 13 } else { 0 }}),
        );
        self.call(
            "Input.dispatchKeyEvent",
            json!({"type": "keyUp", "key": key}),
        );
    }

    /// Text typed into what has the focus.
    pub fn type_text(&mut self, text: &str) {
        self.call("Input.insertText", json!({"text": text}));
    }

    /// Saves what the window shows.
    pub fn picture(&mut self, name: &str) {
        let Ok(dir) = std::env::var("PARLANCE_KEEP_PAGES") else {
            return;
        };
        let shot = self.call("Page.captureScreenshot", json!({"format": "png"}));
        let data = shot["data"].as_str().expect("a picture");
        let bytes = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, data)
            .expect("base64");
        std::fs::write(std::path::Path::new(&dir).join(name), bytes).expect("written");
    }

    /// What went wrong in the page so far: exceptions, console errors, refused or foreign loads.
    pub fn complaints(&mut self) -> Vec<String> {
        // Whatever is on its way arrives before the answer to this.
        self.call("Runtime.evaluate", json!({"expression": "0"}));
        self.events
            .drain(..)
            .filter_map(|event| {
                let params = &event["params"];
                match event["method"].as_str()? {
                    "Runtime.exceptionThrown" => Some(params["exceptionDetails"].to_string()),
                    "Runtime.consoleAPICalled" if params["type"] == "error" => {
                        Some(params["args"].to_string())
                    }
                    "Log.entryAdded" if params["entry"]["level"] == "error" => {
                        Some(params["entry"]["text"].to_string())
                    }
                    "Network.requestWillBeSent" => {
                        let url = params["request"]["url"].as_str()?;
                        let ours = url.starts_with("file:")
                            || url.starts_with("data:")
                            || url == "about:blank";
                        (!ours).then(|| format!("loads {url}"))
                    }
                    _ => None,
                }
            })
            .collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
