// Small helps for pages that work without them. Everything is delegated from the document, so that parts swapped in by
// htmx need no set-up, and no page carries script of its own. The attributes are listed here:
//   data-copy="id"         button: copies the text of that element
//   data-open="id"         button or link: opens that <dialog> as modal; a link stays the way without script
//   data-close             button: closes the dialog around it
//   data-dismiss           button: removes the toast or notice around it
//   data-autosubmit        select, checkbox: sends its form when changed
//   data-print             button, hidden without script: prints the page
//   data-fill='{"n": 5}'   radio: writes these values into the fields of its form when chosen
//   data-live              element that polls: rests while the reader has scrolled down or left the tab;
//                          every [data-live-rest] is shown meanwhile
(() => {
  const root = document.documentElement;
  const scrolled = () => window.scrollY > 80;

  const COPIED_FOR = 1800; // ms
  const textOf = (source) => {
    const lines = [...source.querySelectorAll("ol > li")];
    return lines.length ? lines.map((line) => line.textContent).join("\n") : source.textContent.trim();
  };
  const copy = async (button) => {
    const label = button.querySelector("[data-label-text]") ?? button;
    const before = label.dataset.before ?? label.textContent;
    label.dataset.before = before;
    const source = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(textOf(source));
      label.textContent = "Copied";
    } catch {
      // Browsers offer the clipboard on https and localhost only: mark the text, so that the keyboard can copy it.
      getSelection().selectAllChildren(source);
      label.textContent = "Press Ctrl+C";
    }
    setTimeout(() => { label.textContent = before; }, COPIED_FOR);
  };

  const fill = (choice) => {
    for (const [name, value] of Object.entries(JSON.parse(choice.dataset.fill))) {
      const field = choice.form?.elements.namedItem(name);
      if (!field) continue;
      field.value = value;
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
  };

  const switchTheme = () => {
    const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    root.dataset.theme = (root.dataset.theme || system) === "dark" ? "light" : "dark";
    // The server reads this cookie, so that the next page comes in the right colours at once.
    document.cookie = `theme=${root.dataset.theme}; path=/; max-age=31536000; samesite=lax`;
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-copy], [data-open], [data-close], [data-dismiss], [data-print]");
    if (!button) return;
    if (button.dataset.copy) copy(button);
    if (button.dataset.open) {
      event.preventDefault();
      document.getElementById(button.dataset.open)?.showModal();
    }
    if (button.hasAttribute("data-print")) print();
    if (button.hasAttribute("data-close")) button.closest("dialog")?.close();
    if (button.hasAttribute("data-dismiss")) button.closest(".toast, .notice")?.remove();
  });

  document.addEventListener("change", (event) => {
    if (event.target.dataset?.fill) fill(event.target);
    if (event.target.hasAttribute?.("data-autosubmit")) event.target.form?.requestSubmit();
  });

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.hasAttribute("data-theme-form")) {
      event.preventDefault();
      switchTheme();
    } else if (form.method === "post" && !event.defaultPrevented) {
      // A second press while the first is under way would do the thing twice.
      if (form.dataset.sent) event.preventDefault();
      form.dataset.sent = "1";
      event.submitter?.setAttribute("aria-busy", "true");
    }
  });
  const settle = (form) => {
    delete form.dataset.sent;
    form.querySelectorAll("[aria-busy]").forEach((part) => part.removeAttribute("aria-busy"));
  };
  // Back from the browser's own cache: the page is as it was left, in the middle of sending.
  addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach(settle));

  // A form that was sent is on its way to the next page: what it would keep now, htmx need not save any more.
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.target.dataset.sent) event.preventDefault();
  });

  document.querySelectorAll("[data-print]").forEach((button) => { button.hidden = false; });

  const showRest = () => {
    const rest = scrolled() || document.hidden;
    document.querySelectorAll("[data-live-rest]").forEach((part) => { part.hidden = !rest; });
  };
  addEventListener("scroll", showRest, { passive: true });
  document.addEventListener("visibilitychange", showRest);
  // Nobody sees what a hidden tab asks for.
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (document.hidden && event.target.matches?.("[hx-trigger*='every ']")) event.preventDefault();
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.target.hasAttribute("data-live") && (scrolled() || document.hidden)) event.preventDefault();
  });

  const trouble = (message) => {
    const notice = document.getElementById("trouble");
    if (!notice) return;
    notice.querySelector("p").textContent = message;
    notice.hidden = !message;
  };
  const ANSWERS = {
    403: "Patchbay refused this: the role it needs is no longer yours. Reload the page.",
    404: "What this page shows is no longer there. Reload the page.",
  };
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.successful) trouble("");
  });
  document.addEventListener("htmx:sendError", () => trouble("Patchbay does not answer. What is shown here may be old."));
  document.addEventListener("htmx:responseError", (event) => {
    const status = event.detail.xhr.status;
    trouble(ANSWERS[status] ?? `Patchbay answered ${status}. What is shown here may be old. Reload the page.`);
  });
})();
