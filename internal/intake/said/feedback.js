// <reeve-feedback trace|run|session|join-key|ticket lang question> asks a page's
// reader whether an answer helped, and sends what they say to the Reeve that this
// file came from. No dependency, no cookie, no inline style or script.
(function () {
  "use strict";
  var me = document.currentScript, base = me.src.replace(/\/feedback\.js.*$/, ""), form = me.dataset.form || "";
  var WORDS = {
    en: { ask: "Did this help?", yes: "Yes", no: "No", more: "What was wrong?", contact: "Where to tell you what became of it (optional)", send: "Send", thanks: "Thank you.", fail: "That did not arrive. Try again." },
    de: { ask: "Hat das geholfen?", yes: "Ja", no: "Nein", more: "Was war falsch?", contact: "Wohin wir antworten können (freiwillig)", send: "Senden", thanks: "Danke.", fail: "Das kam nicht an. Bitte noch einmal." },
    fr: { ask: "Cela vous a-t-il aidé ?", yes: "Oui", no: "Non", more: "Qu'est-ce qui n'allait pas ?", contact: "Où vous répondre (facultatif)", send: "Envoyer", thanks: "Merci.", fail: "L'envoi a échoué. Réessayez." },
    es: { ask: "¿Le ha ayudado?", yes: "Sí", no: "No", more: "¿Qué estaba mal?", contact: "Dónde responderle (opcional)", send: "Enviar", thanks: "Gracias.", fail: "No llegó. Inténtelo de nuevo." }
  };
  function send(about, said) {
    var body = Object.assign({ form: form }, about, said);
    return fetch(base + "/feedback/form", {
      method: "POST", mode: "cors", credentials: "omit", keepalive: true,
      headers: { "Content-Type": "application/json" }, body: JSON.stringify(body)
    }).then(function (r) { if (!r.ok) throw new Error("feedback refused: " + r.status); });
  }
  // For pages that draw their own buttons.
  window.reeveFeedback = send;
  function make(tag, text, set) {
    var e = document.createElement(tag);
    if (text) e.textContent = text;
    for (var k in set || {}) e.setAttribute(k, set[k]);
    return e;
  }
  class Feedback extends HTMLElement {
    connectedCallback() {
      if (this.made) return;
      this.made = true;
      var self = this, w = WORDS[(this.getAttribute("lang") || document.documentElement.lang || "en").slice(0, 2)] || WORDS.en;
      this.key = (window.crypto && crypto.randomUUID) ? crypto.randomUUID() : String(Math.random()).slice(2) + Date.now();
      var group = make("span", "", { role: "group", "aria-label": this.getAttribute("question") || w.ask });
      group.append(make("span", (this.getAttribute("question") || w.ask) + " "));
      var status = make("span", "", { role: "status" });
      [[w.yes, 1], [w.no, 0]].forEach(function (c) {
        var b = make("button", c[0], { type: "button", "aria-pressed": "false", "data-value": c[1] });
        b.onclick = function () {
          group.querySelectorAll("button").forEach(function (x) { x.setAttribute("aria-pressed", String(x === b)); });
          self.say({ kind: "thumb", value: c[1] }, status, w);
          if (c[1] === 0) self.askMore(status, w); else if (self.more) { self.more.remove(); self.more = null; }
        };
        group.append(b, " ");
      });
      this.append(group, status);
    }
    about() {
      var out = { key: this.key }, self = this;
      ["trace", "run", "session", "ticket", "user"].forEach(function (n) { var v = self.getAttribute(n); if (v) out[n] = v; });
      var k = this.getAttribute("join-key");
      if (k) out.join_key = k;
      return out;
    }
    say(said, status, w) {
      status.textContent = "";
      return send(this.about(), said).then(function () { status.textContent = w.thanks; }, function () { status.textContent = w.fail; });
    }
    askMore(status, w) {
      if (this.more) return;
      var self = this, f = this.more = make("form"), text = make("textarea", "", { rows: 2, maxlength: 4000, "aria-label": w.more, placeholder: w.more });
      var contact = make("input", "", { type: "email", maxlength: 320, "aria-label": w.contact, placeholder: w.contact, autocomplete: "email" });
      f.append(text, contact, make("button", w.send, { type: "submit" }));
      f.onsubmit = function (e) {
        e.preventDefault();
        self.say({ kind: "thumb", value: 0, comment: text.value, contact: contact.value }, status, w).then(function () { f.remove(); self.more = null; });
      };
      this.append(f);
      text.focus();
    }
  }
  if (!customElements.get("reeve-feedback")) customElements.define("reeve-feedback", Feedback);
})();
