"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const data = JSON.parse($("data").textContent);
  const items = [...document.querySelectorAll(".item")];
  const sections = [...document.querySelectorAll(".sect")];
  const filter = $("filter");
  const tiles = [...document.querySelectorAll(".tile")];

  /* Bodies that are packed: gzip in base64, unfolded when first opened. */
  const unpack = async (index) => {
    const packed = data.packed[index];
    if (packed === undefined) return null;
    delete data.packed[index];
    const bytes = Uint8Array.from(atob(packed), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).text();
  };
  const loading = new Map();
  const fill = (item) => {
    const body = item.querySelector(".body");
    if (body.firstElementChild) return Promise.resolve();
    if (!loading.has(item)) {
      loading.set(item, unpack(item.dataset.i).then((html) => {
        if (html === null) {
          const hint = document.createElement("p");
          hint.className = "hint";
          hint.textContent = "Left out to keep this file small; the stored trace has it.";
          body.append(hint);
        } else {
          /* Escaped when the report was written; scripts in it would not run, and the page's policy forbids them. */
          body.innerHTML = html;
          dress(body);
        }
      }).catch((error) => {
        body.textContent = "This browser cannot unpack the exchange: " + error;
      }));
    }
    return loading.get(item);
  };
  for (const item of items) {
    const details = item.firstElementChild;
    details.addEventListener("toggle", () => { if (details.open) fill(item); });
  }

  /* Copy buttons. */
  const dress = (root) => {
    for (const button of root.querySelectorAll(".copy")) {
      button.hidden = false;
      button.addEventListener("click", async () => {
        const code = button.parentElement.querySelector("code");
        try {
          await navigator.clipboard.writeText(code.textContent);
          button.textContent = "Copied";
        } catch {
          getSelection().selectAllChildren(code);
          button.textContent = "Selected";
        }
        setTimeout(() => { button.textContent = "Copy"; }, 1500);
      });
    }
  };
  dress(document);

  /* The filter: words and key:value pairs, all of which have to fit. */
  const KEYS = ["verdict", "tag", "section", "req", "status", "is"];
  const parse = (text) => {
    const terms = [];
    for (const [, key, quoted, word] of text.matchAll(/(?:(\w+):)?(?:"([^"]*)"|(\S+))/g)) {
      const value = quoted ?? word;
      if (key && KEYS.includes(key.toLowerCase())) terms.push([key.toLowerCase(), value]);
      else terms.push(["text", ((key ? key + ":" : "") + value).toLowerCase()]);
    }
    return terms;
  };
  const inSection = (section, wanted) => section === wanted || section.startsWith(wanted + ".");
  const fits = (id, pattern) => {
    if (!pattern.includes("*")) return id.toLowerCase().includes(pattern.toLowerCase());
    const parts = pattern.split("*").map((p) => p.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    return new RegExp("^" + parts.join(".*") + "$", "i").test(id);
  };
  const hasBit = (bits, i) => {
    const digit = bits.charCodeAt(i >> 2);
    return digit === digit && (parseInt(bits[i >> 2], 16) >> (i & 3)) & 1;
  };
  const exercising = (test) => Object.entries(data.requirements).filter(([id, [section]]) => test(id, section)).map(([, [, bits]]) => bits);
  const apply = () => {
    const terms = parse(filter.value);
    const verdicts = terms.filter(([key]) => key === "verdict").flatMap(([, v]) => v.toLowerCase().split(","));
    const masks = terms.filter(([key]) => key === "req" || key === "section").map(([key, value]) =>
      exercising((id, section) => key === "req" ? fits(id, value) : inSection(section, value)));
    let shown = 0;
    for (const item of items) {
      const d = item.dataset;
      const tags = d.t.split("\n");
      const ok = (verdicts.length === 0 || verdicts.includes(d.v))
        && masks.every((bits) => bits.some((b) => hasBit(b, +d.i)))
        && terms.every(([key, value]) => {
          if (key === "text") return d.s.includes(value);
          if (key === "tag") return tags.includes(value);
          if (key === "is") return d[value.toLowerCase()] === "1";
          return true;
        });
      item.hidden = !ok;
      shown += ok;
    }
    const narrow = terms.filter(([key]) => key === "req" || key === "section" || key === "status");
    for (const section of sections) {
      let any = 0;
      for (const entry of section.querySelectorAll("li")) {
        const ok = narrow.every(([key, value]) =>
          key === "req" ? fits(entry.dataset.r, value)
            : key === "section" ? inSection(section.dataset.sec, value)
              : entry.dataset.st.startsWith(value.toLowerCase()));
        entry.hidden = !ok;
        any += ok;
      }
      section.hidden = any === 0;
    }
    $("shown").textContent = shown === items.length ? `${shown} scenarios` : `${shown} of ${items.length} scenarios`;
    $("nothing").hidden = shown > 0 || items.length === 0;
    for (const tile of tiles) tile.setAttribute("aria-pressed", verdicts.includes(tile.dataset.verdict));
  };
  const setFilter = (text) => { filter.value = text; apply(); };
  filter.addEventListener("input", apply);
  for (const tile of tiles) {
    tile.addEventListener("click", () => {
      const on = tile.getAttribute("aria-pressed") === "true";
      const rest = filter.value.replace(/(^|\s)verdict:\S*/gi, " ").trim();
      setFilter((on ? "" : "verdict:" + tile.dataset.verdict + " ") + rest);
    });
  }
  $("bar").hidden = false;
  $("unfold").addEventListener("click", () => {
    for (const item of items.filter((i) => !i.hidden).slice(0, 50)) item.firstElementChild.open = true;
  });
  $("fold").addEventListener("click", () => { for (const item of items) item.firstElementChild.open = false; });

  /* Addresses. Ids may hold anything, so they are looked up, never used as selectors. */
  const follow = async () => {
    let hash;
    try { hash = decodeURIComponent(location.hash.slice(1)); } catch { return; }
    if (hash.startsWith("filter=")) {
      setFilter(hash.slice(7));
      $("scenarios").scrollIntoView();
      return;
    }
    if (hash.startsWith("message=")) {
      const id = hash.slice(8).replace(/:\d+$/, "");
      const details = $("scenario=" + id);
      if (details) await fill(details.parentElement);
    }
    const target = hash && $(hash);
    if (!target) return;
    for (let at = target; at; at = at.parentElement) {
      if (at.tagName === "DETAILS") at.open = true;
      if (at.hidden) setFilter("");
    }
    const item = target.closest(".item");
    if (item) await fill(item);
    for (const old of document.querySelectorAll(".hit")) old.classList.remove("hit");
    if (hash.startsWith("req=") || hash.startsWith("message=")) target.classList.add("hit");
    target.scrollIntoView({ block: "start", behavior: "instant" });
    const focus = target.tagName === "DETAILS" ? target.firstElementChild : target;
    if (focus.tagName !== "SUMMARY") focus.tabIndex = -1;
    focus.focus({ preventScroll: true });
  };
  addEventListener("hashchange", follow);
  document.addEventListener("click", (event) => {
    const link = event.target.closest && event.target.closest("a[href^='#']");
    if (link && link.getAttribute("href") === location.hash) follow();
  });

  /* Keys. */
  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
    if (event.key === "Escape" && typing) { setFilter(""); filter.blur(); return; }
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/") { event.preventDefault(); filter.focus(); filter.select(); }
    if (event.key === "j" || event.key === "k") {
      const summaries = items.filter((i) => !i.hidden).map((i) => i.firstElementChild.firstElementChild);
      const at = summaries.indexOf(document.activeElement);
      const next = summaries[event.key === "j" ? Math.min(at + 1, summaries.length - 1) : Math.max(at - 1, 0)];
      if (next) next.focus();
    }
  });

  /* Light and dark. */
  const theme = $("theme");
  theme.hidden = false;
  theme.addEventListener("click", () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });

  /* On paper, what failed is open. */
  addEventListener("beforeprint", () => {
    for (const item of items) {
      if (!item.hidden && item.matches(".fail,.error,.unfinished")) item.firstElementChild.open = true;
    }
  });

  for (const item of items) if (item.firstElementChild.open) fill(item);
  apply();
  follow();
})();
