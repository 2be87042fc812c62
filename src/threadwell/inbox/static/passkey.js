// Passkeys. A form with data-passkey asks the server what is to be signed, has the browser and its authenticator
// sign it, and is then sent as any other form, with the answer in its field "passkey".
"use strict";

(() => {
  if (!window.PublicKeyCredential || !navigator.credentials) return;

  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));
  const text = (buffer) =>
    btoa(Array.from(new Uint8Array(buffer), (one) => String.fromCharCode(one)).join(""))
      .replace(/\+/g, "-")
      .replace(/\//g, "_")
      .replace(/=+$/, "");
  const keys = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));

  // What the server says has bytes in base64url, as its answers do; browsers that read that themselves are new.
  const asked = (told) => ({
    ...told,
    challenge: bytes(told.challenge),
    ...(told.user && { user: { ...told.user, id: bytes(told.user.id) } }),
    ...(told.allowCredentials && { allowCredentials: keys(told.allowCredentials) }),
    ...(told.excludeCredentials && { excludeCredentials: keys(told.excludeCredentials) }),
  });

  function answered(made) {
    const { response } = made;
    const told = { clientDataJSON: text(response.clientDataJSON) };
    if (response.attestationObject) {
      told.attestationObject = text(response.attestationObject);
      told.transports = response.getTransports ? response.getTransports() : [];
    } else {
      told.authenticatorData = text(response.authenticatorData);
      told.signature = text(response.signature);
      if (response.userHandle) told.userHandle = text(response.userHandle);
    }
    return JSON.stringify({
      id: made.id,
      rawId: text(made.rawId),
      type: made.type,
      response: told,
      clientExtensionResults: {},
    });
  }

  const mistakes = {
    NotAllowedError: "No passkey was used. Try again, or come in another way.",
    InvalidStateError: "That passkey is here already.",
    SecurityError: "Passkeys do not work at this address. Open the pages at the address of your practice.",
  };

  async function go(form) {
    const said = form.querySelector("[role=alert]");
    said.textContent = "";
    try {
      const answer = await fetch(form.dataset.passkey, { method: "POST" });
      if (!(answer.headers.get("content-type") || "").includes("json")) throw new Error("The server does not answer as it should. Open this page anew.");
      const told = await answer.json();
      if (!answer.ok) throw new Error(told.mistake);
      const publicKey = asked(told);
      const made = publicKey.user
        ? await navigator.credentials.create({ publicKey })
        : await navigator.credentials.get({ publicKey });
      form.elements.passkey.value = answered(made);
    } catch (error) {
      said.textContent = mistakes[error.name] || error.message;
      return;
    }
    HTMLFormElement.prototype.submit.call(form);
  }

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      go(form);
    });
  }
  for (const one of document.querySelectorAll("[data-no-passkey]")) one.hidden = true;
})();
