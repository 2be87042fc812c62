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

  // Milliseconds until it is tried again where the server does not answer, at first and at most; and how
  // long it may be away before that is said.
  const FIRST = 500;
  const LONGEST = 30_000;
  const PATIENCE = 3000;

  let source = null;
  let last = "";
  let waiting = false;
  let again = false;
  let rest = 0;
  let ended = 0;
  let trouble = "";
  let next = 0;
  let late = 0;
  let tries = 0;

  const isShown = (name) =>
    name === "*" || shown.some((one) => (one.endsWith("/") ? name.startsWith(one) : name === one));

  function listen() {
    if (source || document.hidden) return;
    const url = last ? `/news?after=${last}` : news;
    const typing = document.querySelector("[data-typing]");
    source = new EventSource(typing ? `${url}&thread=${encodeURIComponent(typing.dataset.thread)}` : url);
    source.onopen = () => {
      clearTimeout(late);
      late = 0;
      // What could not be shown meanwhile.
      if (again) refresh();
      else well();
    };
    source.addEventListener("typing", (event) => {
      const place = document.querySelector("[data-typing]");
      if (place) place.textContent = event.data === "yes" ? place.dataset.typing : "";
    });
    source.onmessage = (event) => {
      last = event.lastEventId;
      if (event.data.split(" ").some(isShown)) refresh();
    };
    source.onerror = () => {
      if (!late) late = setTimeout(() => say("away"), PATIENCE);
      // A browser comes back by itself, but not after an answer that is no stream.
      if (source && source.readyState === EventSource.CLOSED) ask();
    };
  }

  function stop() {
    if (source) source.close();
    source = null;
    clearTimeout(next);
    clearTimeout(late);
    next = late = 0;
  }

  // Why there is no news: somebody is signed out, or the server does not answer. Both may pass.
  async function ask() {
    stop();
    let status = 0;
    try {
      status = (await fetch("/news", { method: "HEAD" })).status;
    } catch {
      // There is no way to the server.
    }
    if (status === 401) say("out");
    else if (status !== 200) say("away");
    const time = Math.min(LONGEST, FIRST * 2 ** tries++);
    const goOn = status === 200 ? listen : ask;
    next = setTimeout(() => document.hidden || goOn(), time * (1 + Math.random() / 4));
  }

  function well() {
    tries = 0;
    say("");
  }

  // Say what is wrong where it is seen, until it is so no longer.
  function say(what) {
    if (what === trouble) return;
    trouble = what;
    told.classList.toggle("unseen", !what);
    told.textContent = what ? told.dataset[what] : "";
    if (what !== "out") return;
    const link = document.createElement("a");
    link.href = "/";
    link.target = "_blank";
    link.textContent = told.dataset.signIn;
    told.append(" ", link);
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
    let status = 0;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      status = answer.redirected ? 404 : answer.status;
      if (status === 200) put(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch {
      // The server is away.
    }
    ended = performance.now();
    rest = REST * (ended - began);
    waiting = false;
    if ([403, 404, 410].includes(status)) say("gone");
    else if (status === 200) well();
    else {
      // It is shown once there is an answer again.
      again = true;
      return ask();
    }
    if (again) refresh();
  }

  const pause = (time) => new Promise((done) => setTimeout(done, time));

  function put(fresh) {
    const atEnd = innerHeight + scrollY >= document.documentElement.scrollHeight - 80;
    const before = new Set(ids());
    // Where somebody types stays where it is before their eyes.
    const typing = document.activeElement.closest("textarea, input, select");
    const top = typing && typing.getBoundingClientRect().top;
    const focus = whereabouts(document.activeElement);
    shown = (fresh.body.dataset.about || about).split(" ");
    for (const old of document.querySelectorAll("[data-live]")) {
      const now = fresh.getElementById(old.id);
      if (now) morph(old, now);
    }
    focus();
    document.title = fresh.title;
    document.dispatchEvent(new Event("threadwell-shown"));
    if (typing && typing.isConnected) scrollBy(0, typing.getBoundingClientRect().top - top);
    if (!ids().some((id) => !before.has(id))) return;
    if (!trouble) told.textContent = told.dataset.new;
    setTimeout(() => trouble || (told.textContent = ""), SAID);
    if (atEnd && !typing) scrollTo(0, document.documentElement.scrollHeight);
  }

  // Where the focus goes if what has it is there no longer: to the link or the row that has its place now,
  // and from a button to what is around it. Another button would be pressed by mistake.
  function whereabouts(one) {
    const around = [];
    for (let up = one?.parentElement; up && up !== document.body; up = up.parentElement) around.push(up);
    const kind = one?.matches("a.row, li.message") ? one.localName + "." + one.classList[0] : "";
    const at = kind ? Array.from(document.querySelectorAll(kind)).indexOf(one) : 0;
    return () => {
      if (!one || one === document.body || one === document.activeElement) return;
      // What was moved has lost it.
      if (one.isConnected) return one.focus({ preventScroll: true });
      const now = kind ? Array.from(document.querySelectorAll(`main ${kind}`)) : [];
      const place = now[Math.min(at, now.length - 1)] || around.find((up) => up.isConnected) || document.getElementById("main");
      if (place.tabIndex < 0) place.tabIndex = -1;
      place.focus({ preventScroll: true });
    };
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
      if (isSaid(child) && !child.id) continue;
      const key = keyOf(child);
      if (!there.has(key)) there.set(key, []);
      there.get(key).push(child);
    }
    const wanted = Array.from(now.childNodes, (child) => {
      return [child, (there.get(keyOf(child)) || []).shift()];
    });
    for (const left of there.values()) left.forEach((child) => isSaid(child) || child.remove());
    const stays = new Set(wanted.map(([, same]) => same));
    let next = old.firstChild;
    for (const [child, same] of wanted) {
      // Around what is said here, what stands before and behind it is not moved either.
      while (next && isSaid(next) && !stays.has(next)) next = next.nextSibling;
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

  // Others have changed what is shown, as a form was told.
  document.addEventListener("threadwell-stale", refresh);
  addEventListener("online", () => source || ask());

  // Browsers keep few connections to a server: only what somebody looks at has one. In the title of a list
  // that nobody looks at stands all the same how many wait: that alone costs little to ask for.
  const GLANCE = 30_000;
  let glances = 0;
  async function glance() {
    try {
      const answer = await fetch("/news?waiting", { method: "HEAD" });
      const number = answer.headers.get("Threadwell-Waiting") || "";
      const title = document.title.replace(/^\(\d+\) /, "");
      if (document.hidden && (answer.ok || answer.status === 401)) document.title = Number(number) ? `(${number}) ${title}` : title;
    } catch {
      // The server is away: it is asked again.
    }
  }
  document.addEventListener("visibilitychange", () => {
    clearInterval(glances);
    if (!document.hidden) return listen();
    stop();
    if ("waits" in document.body.dataset) glances = setInterval(glance, GLANCE);
  });
  addEventListener("pagehide", stop);
  addEventListener("pageshow", listen);
  listen();
})();
