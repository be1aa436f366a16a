"use strict";
// Asks for what is new and shows it. Everything from the wire is set as text, never as markup.
const MOST = 2000;
const byId = (id) => document.getElementById(id);
const make = (tag, name, text) => {
  const node = document.createElement(tag);
  if (name) node.className = name;
  if (text !== undefined) node.textContent = text;
  return node;
};
const count = (n, noun) => `${n} ${noun}${n === 1 ? "" : "s"}`;
const total = { messages: 0, fails: 0, warns: 0 };
let next = 0;

function verdict(row) {
  if (!row.judged || row.kind === "link") return row.refusal ?? "";
  if (row.fails) return count(row.fails, "violation");
  return row.warns ? `accepted, ${count(row.warns, "warning")}` : "accepted";
}

function finding(shown) {
  const out = make("div", shown.fail ? "fail" : "warn");
  const head = make("div", "finding");
  head.append(make("span", "id", shown.id), ` ${shown.level}${shown.own ? " (our own fault)" : ""}: ${shown.message}`);
  out.append(head);
  if (shown.about) out.append(make("div", "finding", `about ${shown.about}`));
  if (shown.place) {
    const number = String(shown.place.line);
    const blank = " ".repeat(number.length);
    out.append(make("pre", "caret", `${blank} :: ${shown.place.path}\n${number} | ${shown.place.source}\n${blank} | ${shown.place.caret}`));
  }
  return out;
}

function line(row) {
  const item = make("li", row.kind);
  if (row.fails) item.classList.add("fail");
  else if (row.warns) item.classList.add("warn");
  if (!row.judged) item.classList.add("ours");
  const arrow = row.from === "client" ? "→ " : row.from === "server" ? "← " : "";
  const button = make("button");
  button.type = "button";
  const word = make("span", "verdict", verdict(row));
  if (row.judged && !row.fails && !row.warns && row.kind === "message") word.classList.add("accepted");
  button.append(make("span", "time", row.time), make("span", "who", `#${row.conn} ${row.user}`), make("span", "what", arrow + row.what), word);
  item.append(button);
  for (const shown of row.findings) item.append(finding(shown));
  button.setAttribute("aria-expanded", "false");
  button.addEventListener("click", () => {
    const open = item.querySelector("pre.message");
    if (open) open.remove();
    else item.append(make("pre", "message", row.text || "(no bytes)"));
    button.setAttribute("aria-expanded", String(!open));
  });
  item.words = `${row.user} ${row.what} ${row.refusal ?? ""} ${row.findings.map((f) => f.id).join(" ")}`.toLowerCase();
  item.wrong = row.fails + row.warns > 0;
  return item;
}

function sift(item) {
  const words = byId("words").value.toLowerCase().trim();
  item.hidden = (words && !item.words.includes(words)) || (byId("wrong").checked && !item.wrong);
}

function room(r) {
  const out = make("article");
  out.append(make("h2", "", r.name));
  const kind = [r.behavior, r.visibility, r.disabled ? "disabled" : ""].filter(Boolean).join(", ");
  out.append(make("p", "", `${kind}; ${count(r.chats, "chat")}`));
  const more = r.here > r.users.length ? ` and ${r.here - r.users.length} more` : "";
  out.append(make("p", "here", r.here ? `Here: ${r.users.join(", ")}${more}` : "Nobody is here"));
  if (r.last) out.append(make("p", "", `${r.last.by}: ${r.last.text}`));
  out.title = r.uri;
  return out;
}

function show(news) {
  byId("title").textContent = news.title;
  const rows = byId("rows");
  if (news.missed) rows.append(make("li", "link", `${count(news.missed, "row")} forgotten`));
  for (const row of news.rows) {
    const item = line(row);
    sift(item);
    rows.append(item);
    total.messages += row.kind === "message" ? 1 : 0;
    total.fails += row.fails;
    total.warns += row.warns;
  }
  while (rows.childElementCount > MOST) rows.firstElementChild.remove();
  byId("counts").textContent = `${count(total.messages, "message")}, ${count(total.fails, "violation")}, ${count(total.warns, "warning")}`;
  const state = byId("state");
  state.classList.remove("lost");
  if (news.state) {
    state.textContent = `${count(news.state.connections, "connection")}, ${count(news.state.users, "user")}`;
    const list = news.state.rooms.map(room);
    if (news.state.more) list.push(make("p", "", `and ${count(news.state.more, "room")} more`));
    byId("rooms").replaceChildren(...list);
  }
  if (news.rows.length && byId("follow").checked) window.scrollTo(0, document.body.scrollHeight);
}

async function watch() {
  for (;;) {
    try {
      const answer = await fetch(`news?after=${next}`);
      if (!answer.ok) throw new Error(String(answer.status));
      const news = await answer.json();
      if (news.from < next) byId("rows").replaceChildren(); // another mock by now
      next = news.next;
      show(news);
    } catch {
      const state = byId("state");
      state.textContent = "the mock does not answer";
      state.classList.add("lost");
      await new Promise((done) => setTimeout(done, 1000));
    }
  }
}

for (const id of ["words", "wrong"]) {
  byId(id).addEventListener("input", () => { for (const item of byId("rows").children) if (item.words !== undefined) sift(item); });
}
byId("filter").addEventListener("submit", (event) => event.preventDefault());
watch();
