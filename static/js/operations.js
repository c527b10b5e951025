// Requests by form, for pages that work without this: the answer is shown as it comes, and JSON is searched.
//   form[data-answer="id"]   is sent in the background; what happens is shown in that element (operations/_live.html)
//   [data-stop]              hangs up, and with it Patchbay at OpenAI
//   [data-tree]              JSON as a tree: its search field, and the path of what has the focus; C copies the path
(() => {
  const seconds = (since) => `${((performance.now() - since) / 1000).toFixed(1)} s`;
  const size = (bytes) => (bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} KB` : `${(bytes / 1e6).toFixed(1)} MB`);
  let running = null; // the AbortController of what is under way

  // Server-sent events of a body that is being read. EventSource can only GET.
  async function* eventsOf(response) {
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const parts = (rest + value).split("\n\n");
      rest = parts.pop();
      for (const part of parts) {
        const [name, data] = part.split("\n");
        yield { name: name.slice(7), data: JSON.parse(data.slice(6)) };
      }
    }
  }

  // What a check said before holds no longer once a request was taken.
  const clearProblems = (form) => {
    for (const old of form.querySelectorAll(".notice[role=alert], .notice[role=status], .error")) old.remove();
    for (const field of form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
  };

  const live = (form, place) => {
    const shown = document.getElementById("answer-live").content.cloneNode(true).firstElementChild;
    document.getElementById(place).replaceWith(shown);
    shown.scrollIntoView({ block: "nearest" });
    const part = (name) => shown.querySelector(`[data-${name}]`);
    const caret = shown.querySelector(".caret");
    const began = performance.now();
    let letters = 0;
    const clock = setInterval(() => { part("elapsed").textContent = seconds(began); }, 100);
    const say = (state) => { part("state").textContent = state; };
    part("stop").addEventListener("click", () => { say("Stopping"); running?.abort(); });
    return {
      shown,
      say,
      over: () => clearInterval(clock),
      stopped: (state) => {
        say(state);
        part("stop").remove();
        caret.remove();
        part("text").setAttribute("aria-busy", "false");
        shown.querySelector(".status").classList.replace("status-busy", "status-note");
      },
      begun: ({ log }) => { clearProblems(form); part("log").href = log; part("log").hidden = false; },
      headers: ({ type }) => say(type.startsWith("text/event-stream") ? "Streaming" : "Answering"),
      text: (text) => {
        if (!letters) part("first").textContent = seconds(began);
        letters += text.length;
        caret.before(text);
        part("came").textContent = `${letters} letters`;
      },
      size: (bytes) => { part("came").textContent = size(bytes); },
      done: () => {},
    };
  };

  const showAnswer = async (url, place) => {
    await htmx.ajax("GET", url, { target: `#${place}`, swap: "outerHTML" });
    document.getElementById("h-answer")?.focus({ preventScroll: true });
  };

  const follow = async (form, body) => {
    const place = form.dataset.answer;
    running = new AbortController();
    const view = live(form, place);
    let answer = null, broken = false;
    try {
      const response = await fetch(form.action, {
        method: "POST", body, headers: { Accept: "text/event-stream" }, signal: running.signal,
      });
      const type = response.headers.get("content-type") ?? "";
      if (!type.startsWith("text/event-stream")) {
        view.over();
        return await showPage(response, form, view);
      }
      for await (const { name, data } of eventsOf(response)) {
        if (name === "begun") answer = data.answer;
        view[name]?.(data);
      }
    } catch (error) {
      broken = error.name !== "AbortError";
    } finally {
      view.over();
      running = null;
    }
    if (answer) return showAnswer(answer, place);
    view.stopped(broken ? "The connection to Patchbay broke" : "Stopped before it was sent");
  };

  // Not what happens, but a page: the form with what is wrong in it, the sign-in, a refusal.
  const showPage = async (response, form, view) => {
    if (response.redirected) return location.assign(response.url);
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const again = page.getElementById(form.id);
    if (!again) {
      view.text(page.querySelector("main")?.textContent.trim().replace(/\s+/g, " ") ?? "");
      return view.stopped(`Patchbay answered ${response.status}`);
    }
    keepFiles(form, again);
    form.replaceWith(again);
    view.shown.replaceWith(page.getElementById(view.shown.id));
    htmx.process(again);
    const notice = again.querySelector("[role=alert]") ?? again;
    notice.tabIndex = -1;
    notice.focus();
    notice.scrollIntoView({ block: "center" });
  };

  // A form that comes back has lost its files; the ones that were chosen are still here.
  const keepFiles = (old, again) => {
    for (const input of old.querySelectorAll("input[type=file]")) {
      const same = again.querySelector(`#${CSS.escape(input.id)}`);
      if (same && input.files.length) same.files = input.files;
    }
  };

  document.addEventListener("submit", (event) => {
    const form = event.target;
    // A button with an address of its own changes the form and sends nothing.
    if (!form.dataset.answer || event.defaultPrevented || event.submitter?.hasAttribute("formaction")) return;
    event.preventDefault();
    if (!running) follow(form, new FormData(form, event.submitter));
  });

  const find = (tree, wanted) => {
    const needle = wanted.trim().toLowerCase();
    let count = 0;
    for (const row of tree.querySelectorAll(".tree li")) {
      const head = row.querySelector(":scope > details > summary") ?? row;
      const hit = needle !== "" && head.textContent.toLowerCase().includes(needle);
      head.classList.toggle("tree-hit", hit);
      if (!hit) continue;
      count += 1;
      for (let up = row.parentElement.closest("details"); up && tree.contains(up); up = up.parentElement.closest("details")) up.open = true;
    }
    tree.querySelector("[data-tree-count]").textContent = needle ? `${count} found` : "";
    if (count) tree.querySelector(".tree-hit").scrollIntoView({ block: "nearest" });
  };

  const pathOf = (target) => target.closest?.("[data-tree] [data-path]");
  const copyPath = (row) => row.closest("[data-tree]").querySelector("[data-copy]").click();

  document.addEventListener("input", (event) => {
    if (event.target.matches("[data-tree-find]")) find(event.target.closest("[data-tree]"), event.target.value);
  });
  document.addEventListener("focusin", (event) => {
    const row = pathOf(event.target);
    if (row) row.closest("[data-tree]").querySelector("[data-tree-path]").textContent = row.dataset.path;
  });
  document.addEventListener("keydown", (event) => {
    const row = pathOf(event.target);
    if (row && event.key.toLowerCase() === "c" && !event.ctrlKey && !event.metaKey && !event.altKey) copyPath(row);
  });
  document.addEventListener("click", (event) => {
    const row = pathOf(event.target);
    if (row?.matches("button")) copyPath(row);
  });

  const ready = () => document.querySelectorAll("[data-tree-tools]").forEach((tools) => { tools.hidden = false; });
  document.addEventListener("htmx:afterSettle", ready);
  ready();
})();
