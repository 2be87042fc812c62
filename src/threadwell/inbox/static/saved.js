// A saved reply is put in by typing "/" and the beginning of its name, at the beginning of a line. What it says is
// filled in by the server, as the button beside the choice does it.
"use strict";

(() => {
  let box = null; // where somebody types
  let list = null;
  let at = 0;
  const said = document.getElementById("news");

  const typed = () => {
    const before = box.value.slice(0, box.selectionStart);
    return /(^|\n)\/([^\n]{0,40})$/.exec(before);
  };
  const options = (form) => Array.from(form.elements.saved?.options || []).filter((one) => one.value);
  const plain = (text) => text.toLowerCase().normalize("NFD").replace(/\p{M}/gu, "");

  function show() {
    const found = typed();
    const some = found
      ? options(box.form).filter((one) => plain(`${one.text} ${one.value}`).includes(plain(found[2].trim())))
      : [];
    if (!some.length) return hide();
    if (!list) {
      list = document.createElement("ul");
      list.id = "saved-list";
      list.className = "saved-list";
      list.setAttribute("role", "listbox");
      list.setAttribute("aria-label", "Saved replies");
      list.dataset.kept = "";
      list.addEventListener("mousedown", (event) => {
        const one = event.target.closest("[role=option]");
        event.preventDefault();
        if (one) choose(one.dataset.value);
      });
      box.after(list);
      box.setAttribute("aria-controls", list.id);
      if (said) said.textContent = `${some.length} saved ${some.length === 1 ? "reply" : "replies"}`;
    }
    at = Math.min(at, some.length - 1);
    list.replaceChildren(
      ...some.slice(0, 8).map((one, number) => {
        const item = document.createElement("li");
        item.id = `saved-${number}`;
        item.setAttribute("role", "option");
        item.setAttribute("aria-selected", String(number === at));
        item.dataset.value = one.value;
        item.textContent = one.text;
        return item;
      }),
    );
    box.setAttribute("aria-activedescendant", `saved-${at}`);
  }

  function hide() {
    if (!list) return;
    list.remove();
    list = null;
    at = 0;
    box.removeAttribute("aria-controls");
    box.removeAttribute("aria-activedescendant");
  }

  async function choose(name) {
    const found = typed();
    const place = box;
    const start = place.selectionStart - found[2].length - 1;
    const rest = place.value.slice(place.selectionStart);
    place.value = place.value.slice(0, start) + rest;
    hide();
    const form = place.form;
    const sent = new URLSearchParams({ thread: form.elements.thread.value, act: "saved", saved: name, text: "" });
    try {
      const answer = await fetch(form.action, { method: "POST", body: sent });
      if (!answer.ok) throw new Error();
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      place.setRangeText(page.getElementById(place.id).value, start, start, "end");
      place.dispatchEvent(new Event("input", { bubbles: true }));
    } catch {
      // As without script: the page says what is wrong with it.
      form.elements.saved.value = name;
      form.querySelector('[value="saved"]').click();
    }
    place.focus();
  }

  document.addEventListener("input", (event) => {
    if (!event.target.matches("form.reply textarea") || !event.target.form.elements.saved) return;
    if (box !== event.target) hide();
    box = event.target;
    show();
  });
  document.addEventListener("keydown", (event) => {
    if (!list || event.target !== box) return;
    const many = list.children.length;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") at = (at + (event.key === "ArrowDown" ? 1 : many - 1)) % many;
    else if (event.key === "Enter" || event.key === "Tab") choose(list.children[at].dataset.value);
    else if (event.key === "Escape") return event.preventDefault(), hide();
    else return;
    event.preventDefault();
    if (list) show();
  }, true);
  document.addEventListener("focusout", (event) => event.target === box && hide());
})();
