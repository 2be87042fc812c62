// Keys for those who work with the pages all day. Each does what a link or a button of the page does, so that
// nothing is lost without them; whoever does not want them switches them off in the help.
"use strict";

(() => {
  const help = document.getElementById("keys");
  const opener = document.getElementById("keys-open");
  const wanted = document.getElementById("keys-wanted");
  if (!help || !opener || !wanted) return;

  const OFF = "threadwell-keys-off";
  const kept = (change) => {
    // A browser may keep nothing for us.
    try {
      return change();
    } catch {
      return null;
    }
  };
  wanted.checked = !kept(() => localStorage.getItem(OFF));
  wanted.addEventListener("change", () =>
    kept(() => (wanted.checked ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, "1"))),
  );
  opener.hidden = false;
  opener.addEventListener("click", () => help.showModal());

  const first = (selector) => document.querySelector(selector);
  const press = (value) => () => {
    const button = first(`main button[name="act"][value="${value}"]`);
    if (button) button.click();
    return button;
  };
  const go = (selector) => () => {
    const place = first(selector);
    if (place) place.focus();
    return place;
  };
  const open = (selector) => () => {
    const link = first(selector);
    if (link) link.click();
    return link;
  };

  // Rows of a list, or messages of a thread.
  const stops = () => {
    const rows = Array.from(document.querySelectorAll("main a.row"));
    return rows.length ? rows : Array.from(document.querySelectorAll("main li.message"));
  };
  const step = (by, fits = () => true) => () => {
    const all = stops();
    const at = all.findIndex((one) => one.contains(document.activeElement));
    const from = at < 0 ? (by > 0 ? -1 : all.length) : at;
    for (let next = from + by; next >= 0 && next < all.length; next += by) {
      if (!fits(all[next])) continue;
      all[next].focus();
      all[next].scrollIntoView({ block: "nearest" });
      return true;
    }
    return all.length > 0;
  };
  const isNew = (one) => one.querySelector(".unread") || one.previousElementSibling?.matches(".fresh");

  const acts = {
    j: step(1),
    k: step(-1),
    n: step(1, isNew),
    r: go("form.reply textarea, [data-answer] input:not([type=hidden])"),
    s: open('a[href$="/split"]'),
    c: press("claim"),
    e: press("close"),
    m: () => {
      const link = document.activeElement.closest?.("li.message")?.querySelector('a[href*="/messages/"]');
      if (link) link.click();
      return link;
    },
    u: open(".crumb a"),
    "/": go('form[role="search"] input[type="search"]'),
    "?": () => (help.showModal(), true),
  };

  document.addEventListener("keydown", (event) => {
    const field = event.target.closest?.("textarea, select, input:not([type=checkbox]):not([type=radio])");
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.matches("form.reply textarea")) {
      event.preventDefault();
      event.target.form.querySelector('[value="reply"]').click();
      return;
    }
    const next = event.target.closest?.("[data-answer]")?.querySelector('button[value="next"]');
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && next) {
      event.preventDefault();
      next.click();
      return;
    }
    if (field && event.key === "Escape" && !event.defaultPrevented) field.blur();
    if (field || help.open || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (!wanted.checked || !Object.hasOwn(acts, event.key)) return;
    if (acts[event.key]()) event.preventDefault();
  });

  // An open session begins where it goes on: at its last message, with the reply below it.
  const end = first("[data-open] form.reply") && Array.from(document.querySelectorAll("li.message")).pop();
  if (end && !location.hash && scrollY === 0) end.scrollIntoView({ block: "center" });
})();
