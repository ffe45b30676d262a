// Pages of sites: what the server knows arrives by itself, with every heartbeat of the live line. A part is
// put in place as the server renders it; what has the focus stays where it is.
"use strict";
(() => {
  const name = "[data-live-part]";
  if (!document.querySelector(name)) return;
  let busy = false;
  document.addEventListener("axlegate", async (e) => {
    const part = document.querySelector(name);
    if (busy || document.hidden && e.detail.kind === "status" || part.contains(document.activeElement) && document.activeElement.tagName === "BUTTON") return;
    busy = true;
    try {
      const answer = await fetch(part.dataset.liveFrom, { headers: { Accept: "text/html" } });
      if (!answer.ok || answer.redirected) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector(name);
      if (!fresh || fresh.innerHTML === part.innerHTML) return;
      const focus = part.contains(document.activeElement) && document.activeElement.getAttribute("href");
      part.replaceChildren(...fresh.childNodes);
      const again = focus && [...part.querySelectorAll("a")].find((a) => a.getAttribute("href") === focus);
      if (again) again.focus();
    } catch { /* not reachable: the live line says so */ } finally {
      busy = false;
    }
  });
})();
