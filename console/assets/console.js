// What pages gain where scripts run: values that follow the balance, buttons that copy, a page that looks again. Everything
// works without.
"use strict";

// <body data-…> is not ours to fill: a page that wants live values has one element with data-live, the address of a stream. Each event
// is JSON; an element with data-value="name" shows the member of that name, a <progress data-value> takes it as its value.
for (const source of document.querySelectorAll("[data-live]")) {
  const stream = new EventSource(source.dataset.live);
  stream.onmessage = (event) => {
    const values = JSON.parse(event.data);
    for (const place of document.querySelectorAll("[data-value]")) {
      const value = values[place.dataset.value];
      if (value === undefined) continue;
      if (place instanceof HTMLProgressElement) place.value = value;
      else if (place.textContent !== String(value)) place.textContent = value;
    }
    // An element with data-changed="name" shows itself when the member of that name is another than data-was.
    for (const note of document.querySelectorAll("[data-changed]")) {
      note.hidden = String(values[note.dataset.changed]) === note.dataset.was;
    }
  };
  // The server ends each stream after a while on purpose; the browser asks again by itself. Where that is refused (the session is over), the
  // page says that it changes no more.
  stream.onerror = () => {
    if (stream.readyState === EventSource.CLOSED) {
      for (const note of document.querySelectorAll("[data-live-over]")) note.hidden = false;
    }
  };
  addEventListener("pagehide", () => stream.close());
}

// <button type="button" data-copy="id"> copies what the element of that id says.
for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    const said = button.textContent;
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = said; }, 2000);
  });
}

// <meta name="look-again" content="seconds">: a page that waits for something loads itself again.
const again = document.querySelector('meta[name="look-again"]');
if (again) setTimeout(() => location.reload(), Number(again.content) * 1000);
