// The queue: keys, a whole line as a link, and a quiet word on what is new. Nothing moves under the reader.
"use strict";
(() => {
  const filters = document.getElementById("filters");
  if (!filters) return;
  const $ = (id) => document.getElementById(id);
  const lines = () => [...document.querySelectorAll("#queue .line")];

  // ---- what is new
  const note = $("fresh-matters"), seen = new Set(note.dataset.seen.trim().split(/\s+/).map(Number));
  const newest = Math.max(0, ...seen), fresh = new Set(), changed = new Set();
  document.addEventListener("axlegate", (e) => {
    const { kind, matter } = e.detail;
    if (kind === "status") return;
    if (kind === "alert-raised" && matter > newest) fresh.add(matter);
    else if (seen.has(matter)) changed.add(matter);
    const words = [];
    if (fresh.size) words.push(`${fresh.size} ${note.dataset.new}`);
    if (changed.size) words.push(`${changed.size} ${note.dataset.changed}`);
    if (kind === "reload") words.push("…");
    if (!words.length) return;
    note.querySelector("span").textContent = words.join(", ");
    note.hidden = false;
  });

  // On a narrow screen the lines come first.
  const all = $("filters-all");
  if (matchMedia("(max-width: 900px)").matches && !("used" in all.dataset)) all.open = false;

  // ---- hands
  document.addEventListener("click", (e) => {
    const line = e.target.closest("#queue .line");
    if (!line || e.target.closest("a, button") || e.button || String(getSelection())) return;
    const a = line.querySelector("a");
    if (e.ctrlKey || e.metaKey) open(a.href);
    else a.click();
  });
  const help = $("help");
  $("help-open").hidden = false;
  $("help-open").addEventListener("click", () => help.showModal());
  const go = (rel) => {
    const a = document.querySelector(`.pages a[rel="${rel}"]`);
    if (a) a.click();
  };
  document.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || help.open || /^(INPUT|TEXTAREA|SELECT)$/.test(e.target.tagName)) return;
    switch (e.key) {
      case "j": case "k": {
        const rows = lines();
        const i = rows.findIndex((l) => l.contains(document.activeElement));
        const line = rows[i < 0 ? 0 : Math.max(0, Math.min(rows.length - 1, i + (e.key === "j" ? 1 : -1)))];
        if (!line) return;
        line.querySelector("a").focus();
        line.scrollIntoView({ block: "nearest" });
        break;
      }
      case "/":
        all.open = true;
        $("f-plate").focus();
        $("f-plate").select();
        break;
      case "n": go("next"); break;
      case "p": go("prev"); break;
      case "g":
        if (!note.hidden) note.querySelector("a").click();
        break;
      case "?": help.showModal(); break;
      default: return;
    }
    e.preventDefault();
  });
})();
