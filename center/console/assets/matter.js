// The page of one matter: what others do arrives by itself, and what is being typed stays.
"use strict";
(() => {
  const matter = document.querySelector(".matter");
  if (!matter) return;
  const id = Number(matter.dataset.matter);
  const part = (root, name) => root.querySelector(`[data-part="${name}"]`);
  const acts = () => part(matter, "acts");

  // A form is touched from the first letter on, and stays so until it is empty again.
  const touched = () => Boolean(matter.querySelector(".refused")) ||
    [...acts().querySelectorAll("input:not([type=hidden]), textarea, select")].some((f) => f.value !== "");

  let asked = 0;
  const renew = async () => {
    const mine = ++asked;
    let html;
    try {
      const answer = await fetch(`/matters/${id}`, { headers: { Accept: "text/html" } });
      if (!answer.ok || answer.redirected || mine !== asked) return;
      html = await answer.text();
    } catch { return; } // the live line tells that something is wrong
    if (mine !== asked) return;
    const fresh = new DOMParser().parseFromString(html, "text/html").querySelector(".matter");
    if (!fresh || fresh.dataset.matter !== String(id)) return;
    const changed = fresh.dataset.version !== matter.dataset.version;
    const known = new Set([...matter.querySelectorAll("[data-act]")].map((m) => m.dataset.act));
    for (const now of fresh.querySelectorAll("[data-part]")) {
      const name = now.dataset.part, old = part(matter, name);
      if (name === "acts") {
        if (touched()) {
          if (changed) document.getElementById("acts-changed").hidden = false;
          continue;
        }
        const open = old.querySelector("details[open]"), focused = old.contains(document.activeElement) && document.activeElement.id;
        old.replaceWith(now);
        const same = open && document.getElementById(open.id);
        if (same) same.open = true;
        const again = focused && document.getElementById(focused);
        if (again) again.focus();
      } else if (old) {
        old.replaceWith(now);
      } else { // a part that there was not: the static weighing stands before the record
        matter.querySelector(".matter-main").insertBefore(now, part(matter, "record") || part(matter, "proof"));
      }
    }
    for (const m of matter.querySelectorAll("[data-act]")) if (!known.has(m.dataset.act)) m.classList.add("moment-fresh");
    matter.dataset.version = fresh.dataset.version;
  };
  document.addEventListener("axlegate", (e) => {
    if (e.detail.matter === id) renew();
    if (e.detail.kind === "reload") touched() ? renew() : location.reload();
  });
  document.addEventListener("submit", (e) => {
    for (const b of e.target.querySelectorAll("button")) b.disabled = true; // one act, once
  });
  addEventListener("pageshow", () => { for (const b of matter.querySelectorAll("form button")) b.disabled = false; });
  const wrong = matter.querySelector(".field-wrong input, .field-wrong select, .field-wrong textarea");
  if (wrong) wrong.focus();
})();
