// Conversations that are kept, and ratings: passes clicks on to rag/web/history.py, asks before it
// deletes, and remembers over a reload which conversation this tab shows.
window.kept ??= (() => {
  const KEY = "footnote.conversation";

  function remembered() {
    try { return sessionStorage.getItem(KEY) ?? ""; } catch { return ""; } // storage is forbidden
  }

  function remember(element) {
    const id = element.querySelector("[data-remember]")?.dataset.remember;
    try { if (id !== undefined) sessionStorage.setItem(KEY, id); } catch { /* a reload forgets */ }
  }

  // Shows one of an entry's hidden parts (a new title, or the question before deleting), or none.
  function unfold(entry, part) {
    for (const each of entry.querySelectorAll("[data-part]")) each.hidden = each.dataset.part !== part;
    entry.querySelector(".tools").hidden = part !== null;
    const first = part === "delete" ? "[data-part=delete] [data-fold]" : `[data-part=${part}] input`;
    if (part !== null) entry.querySelector(first).focus();
  }

  function act(button, trigger) {
    const entry = button.closest("[data-conversation]");
    const form = button.closest("form");
    const wanted = { ...button.dataset };
    if (entry) wanted.conversation = entry.dataset.conversation;
    if (form) for (const field of form.querySelectorAll("input")) wanted[field.name] = field.value;
    if (wanted.act === "list" || wanted.act === "open") footnote.goes(button, wanted.act === "list");
    trigger("submit", wanted);
  }

  // Calls trigger("submit", {act, …}) for a click on anything that concerns kept conversations.
  function acts(element, trigger) {
    element.addEventListener("click", (event) => {
      const entry = event.target.closest("[data-conversation]");
      const button = event.target.closest("[data-act]");
      if (button?.type === "submit") return; // its form says so
      if (button) act(button, trigger);
      const part = event.target.closest("[data-unfold]")?.dataset.unfold;
      if (entry && part) unfold(entry, part);
      if (entry && event.target.closest("[data-fold]")) {
        const opened = event.target.closest("[data-part]").dataset.part;
        unfold(entry, null);
        entry.querySelector(`[data-unfold=${opened}]`).focus();
      }
    });
    element.addEventListener("submit", (event) => {
      event.preventDefault();
      act(event.target.querySelector("[data-act]"), trigger);
    });
  }

  return { acts, remember, remembered };
})();
