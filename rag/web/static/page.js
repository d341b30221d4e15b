// Gradio renders the HTML that web/answer_html.py and web/reader_html.py make; this file only passes clicks on to it
// and moves focus and scroll. It never puts text into the page as markup.
window.footnote ??= (() => {
  const texts = window.footnoteTexts; // rag/texts.py
  const narrow = window.matchMedia("(max-width: 900px)");
  const unfolded = new Set(); // ids of the <details> that the visitor opened
  const since = new Map(); // id of a working exchange → when it was first seen
  let opener = null; // what had the focus before the sheet covered it
  let followed = null; // selects what takes the focus in what the pane shows next

  // A text with its braces filled in; not with what is in the values.
  const filled = (text, ...values) => text.replaceAll("{}", () => values.shift());

  const side = () => document.getElementById("side");
  const question = () => document.querySelector("#question textarea");

  function layOut() {
    const sheet = narrow.matches && side()?.hasAttribute("data-open");
    for (const id of ["bar", "chat"]) document.getElementById(id)?.toggleAttribute("inert", sheet);
    side()?.toggleAttribute("inert", narrow.matches && !sheet);
  }

  function showPane(from) {
    opener = from;
    side()?.setAttribute("data-open", "");
    layOut();
    if (narrow.matches) seen()?.focus({ preventScroll: true });
  }

  // The heading of what the pane shows; in the list, the article that the visitor comes from.
  function seen() {
    const article = side()?.querySelector('.pane:not([data-view="library"]) h2');
    return article ?? window.footnoteShelf?.returned();
  }

  function hidePane() {
    if (!side()?.hasAttribute("data-open")) return;
    side().removeAttribute("data-open");
    layOut();
    if (narrow.matches) opener?.focus();
  }

  // What the pane shows next takes the focus along if it was in there, or on a phone.
  function goes(button, sheet) {
    followed = side().contains(button) || (narrow.matches && sheet) ? "h2" : null;
    if (!sheet) hidePane();
    else if (!side().contains(button)) showPane(button);
  }

  // Scrolls the pane to the strong mark, or to its top if there is none.
  function reveal() {
    const mark = side()?.querySelector("mark.current");
    if (mark) mark.scrollIntoView({ block: "center" });
    else if (side()) side().scrollTop = 0;
    markShown();
    const next = followed === "h2" ? seen() : followed && side()?.querySelector(followed);
    next?.focus({ preventScroll: Boolean(mark) || followed !== "h2" });
    followed = null;
  }

  // What the pane shows stays marked in the conversation.
  function markShown() {
    for (const button of document.querySelectorAll("#thread [data-article]")) {
      const current = String(isShown(button.dataset));
      if (button.getAttribute("aria-current") !== current) button.setAttribute("aria-current", current);
    }
  }

  function isShown(wanted) {
    const shown = side()?.querySelector('.pane[data-view="article"]')?.dataset;
    return ["exchange", "article", "start", "end"].every((key) => shown?.[key] === wanted[key]);
  }

  // Calls trigger({...}) for a click on anything that opens an article or the list of articles.
  function opens(element, trigger) {
    element.addEventListener("click", (event) => {
      const button = event.target.closest("[data-article], [data-library]");
      if (!button || button.matches(".pane")) return;
      followed = narrow.matches || side().contains(button) ? "h2" : null;
      if (button.dataset.step) followed = `[data-step="${button.dataset.step}"]`;
      if ("library" in button.dataset) {
        trigger("select", { library: true });
      } else if (isShown(button.dataset)) {
        reveal();
      } else {
        trigger("select", { ...button.dataset });
      }
      if (!side().contains(button)) showPane(button);
    });
  }

  function tick() {
    for (const elapsed of document.querySelectorAll(".exchange .elapsed")) {
      const id = elapsed.closest(".exchange").id;
      if (!since.has(id)) since.set(id, Date.now());
      const seconds = Math.floor((Date.now() - since.get(id)) / 1000);
      const text = seconds < 2 ? "" : filled(texts.seconds, seconds);
      if (elapsed.textContent !== text) elapsed.textContent = text;
    }
  }

  // The exchange that is being answered: a new question scrolls up to the top, once.
  function follows(element, watch) {
    let last = "";
    watch("value", () => {
      const exchange = element.querySelector(".exchange");
      if (!exchange) since.clear();
      tick();
      if (exchange && exchange.id !== last) exchange.scrollIntoView({ block: "start" });
      if (!element.querySelector(".status") && document.activeElement === document.body) {
        // At the start, or the Stop button went and took the focus with it. Not on a phone, where
        // its keyboard would cover the answer.
        if (!narrow.matches) question()?.focus({ preventScroll: true });
      }
      last = exchange?.id ?? "";
    });
  }

  // Better questions to begin with come a little later than the page: they take the place of those
  // that it began with, unless somebody is about to choose one.
  function suggests(element, watch) {
    watch("value", () => {
      const list = document.querySelector(".welcome ul");
      const better = element.querySelector("ul");
      if (!list || !better?.children.length || list.matches(":hover, :focus-within")) return;
      if (list.innerHTML !== better.innerHTML) list.innerHTML = better.innerHTML;
    });
  }

  document.addEventListener("click", (event) => {
    const target = event.target;
    const summary = target.closest("summary");
    if (summary?.parentElement.id) {
      const details = summary.parentElement; // its state has not changed yet
      if (details.open) unfolded.delete(details.id);
      else unfolded.add(details.id);
    }
    if (target.closest("[data-show-pane]")) showPane(target.closest("[data-show-pane]"));
    if (target.closest("[data-close]")) hidePane();
    const example = target.closest("[data-ask]");
    if (example && question()) {
      question().value = example.dataset.ask;
      question().dispatchEvent(new Event("input", { bubbles: true }));
      question().focus();
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hidePane();
  });
  narrow.addEventListener("change", layOut);
  setInterval(tick, 1000);
  // Gradio's update of the page takes away attributes that the new markup does not have, and an
  // exchange that is finished moves from the current component to the past one.
  new MutationObserver(() => {
    markShown();
    for (const id of unfolded) {
      const details = document.getElementById(id);
      if (details && !details.open) details.open = true;
    }
  }).observe(document.documentElement, {
    subtree: true, childList: true, attributes: true, attributeFilter: ["open", "aria-current"],
  });

  return { opens, follows, suggests, reveal, layOut, hidePane, goes, filled };
})();
