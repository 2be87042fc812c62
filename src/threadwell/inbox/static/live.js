// What a page shows is kept up to date: the server's news names the resources that have changed, and
// where this page shows one of them, the page is asked for anew and what differs in it is put in place.
"use strict";

(() => {
  const { news, about } = document.body.dataset;
  const told = document.getElementById("news");
  if (!news || !window.EventSource) return;

  let shown = about.split(" ");
  // The first news is shown at once; then it rests so many times as long as the page took, and what
  // has come meanwhile is shown together.
  const REST = 4;
  // How long a word about what is new stays, for who listens to the page.
  const SAID = 5000;

  let source = null;
  let last = "";
  let waiting = false;
  let again = false;
  let rest = 0;
  let ended = 0;

  const isShown = (name) =>
    name === "*" || shown.some((one) => (one.endsWith("/") ? name.startsWith(one) : name === one));

  function listen() {
    if (source || document.hidden) return;
    const url = last ? `/news?after=${last}` : news;
    const typing = document.querySelector("[data-typing]");
    source = new EventSource(typing ? `${url}&thread=${encodeURIComponent(typing.dataset.thread)}` : url);
    source.addEventListener("typing", (event) => {
      const place = document.querySelector("[data-typing]");
      if (place) place.textContent = event.data === "yes" ? place.dataset.typing : "";
    });
    source.onmessage = (event) => {
      last = event.lastEventId;
      if (event.data.split(" ").some(isShown)) refresh();
    };
    source.onerror = () => {
      // A browser comes back by itself, unless it was told not to.
      if (source && source.readyState === EventSource.CLOSED) {
        stop();
        told.textContent = told.dataset.lost;
        told.classList.remove("unseen");
      }
    };
  }

  function stop() {
    if (source) source.close();
    source = null;
  }

  async function refresh() {
    if (waiting) {
      again = true;
      return;
    }
    waiting = true;
    const left = rest - (performance.now() - ended);
    if (left > 0) await pause(left);
    again = false;
    const began = performance.now();
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (answer.ok) put(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch {
      // The server is away; with the next news it is asked again.
    }
    ended = performance.now();
    rest = REST * (ended - began);
    waiting = false;
    if (again) refresh();
  }

  const pause = (time) => new Promise((done) => setTimeout(done, time));

  function put(fresh) {
    const atEnd = innerHeight + scrollY >= document.documentElement.scrollHeight - 80;
    const before = new Set(ids());
    // Where somebody types stays where it is before their eyes.
    const typing = document.activeElement.closest("textarea, input, select");
    const top = typing && typing.getBoundingClientRect().top;
    shown = (fresh.body.dataset.about || about).split(" ");
    for (const old of document.querySelectorAll("[data-live]")) {
      const now = fresh.getElementById(old.id);
      if (now) morph(old, now);
    }
    if (typing && typing.isConnected) scrollBy(0, typing.getBoundingClientRect().top - top);
    if (!ids().some((id) => !before.has(id))) return;
    told.textContent = told.dataset.new;
    setTimeout(() => (told.textContent = ""), SAID);
    if (atEnd && !typing) scrollTo(0, document.documentElement.scrollHeight);
  }

  const ids = () => Array.from(document.querySelectorAll(".message"), (one) => one.id);

  // Make an element like another one, and leave what is alike as it is: what has the focus keeps it,
  // and what somebody has typed or unfolded stays.
  function morph(old, now) {
    for (const { name } of Array.from(old.attributes)) {
      if (!now.hasAttribute(name) && !isKept(old, name)) old.removeAttribute(name);
    }
    for (const { name, value } of now.attributes) {
      if (old.getAttribute(name) !== value && !isKept(old, name)) old.setAttribute(name, value);
    }
    // What somebody wrote may have come from the server, as after a mistake.
    if (old.localName === "textarea") return;
    const there = new Map();
    for (const child of old.childNodes) {
      const key = keyOf(child);
      if (!there.has(key)) there.set(key, []);
      there.get(key).push(child);
    }
    const wanted = Array.from(now.childNodes, (child) => {
      return [child, (there.get(keyOf(child)) || []).shift()];
    });
    for (const left of there.values()) left.forEach((child) => isSaid(child) || child.remove());
    let next = old.firstChild;
    for (const [child, same] of wanted) {
      if (!same) {
        old.insertBefore(document.importNode(child, true), next);
        continue;
      }
      // What stays in its order is not moved: it would lose the focus.
      if (same === next) next = next.nextSibling;
      else old.insertBefore(same, next);
      if (same.nodeType === Node.ELEMENT_NODE) morph(same, child);
      else if (same.nodeValue !== child.nodeValue) same.nodeValue = child.nodeValue;
    }
  }

  // What was wrong with a form, and what is kept while the page is open: the page that is asked for anew
  // knows nothing of it.
  const isSaid = (child) =>
    child.nodeType === Node.ELEMENT_NODE && (child.role === "alert" || "kept" in child.dataset);

  const isKept = (element, name) =>
    (name === "open" && element.localName === "details") ||
    (["aria-controls", "aria-activedescendant"].includes(name) && element.localName === "textarea") ||
    (name === "selected" && element.localName === "option") ||
    (["value", "checked"].includes(name) && ["input", "textarea", "select"].includes(element.localName));

  // What is the same thing before and after. A button that does something else is another one.
  function keyOf(node) {
    if (node.nodeType !== Node.ELEMENT_NODE) return node.nodeName;
    const own = (one) => one.id || one.getAttribute("href") || one.getAttribute("value") || "";
    const inside = node.localName === "li" && !node.id ? node.querySelector("[href]") : null;
    return `${node.localName} ${own(node) || (inside ? own(inside) : "")}`;
  }

  // A patient who has an app is told that somebody types.
  let typed = 0;
  document.addEventListener("input", (event) => {
    const place = document.querySelector("[data-typing]");
    if (!place || event.target.name !== "text" || Date.now() - typed < 3000) return;
    if (!event.target.closest("section").contains(place)) return;
    typed = Date.now();
    fetch(`/typing?thread=${encodeURIComponent(place.dataset.thread)}`, { method: "POST" }).catch(() => {});
  });

  // Browsers keep few connections to a server: only what somebody looks at has one.
  document.addEventListener("visibilitychange", () => (document.hidden ? stop() : listen()));
  addEventListener("pagehide", stop);
  addEventListener("pageshow", listen);
  listen();
})();
