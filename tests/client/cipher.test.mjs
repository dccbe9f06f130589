/** The cipher: what it binds, what it refuses, and that its description is enough to implement it. */

import assert from "node:assert/strict";
import { createCipheriv, createDecipheriv, hkdfSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { fromBase64url, toBase64url } from "../../src/site/client/crypto/base64url.js";
import { Cipher, newKey } from "../../src/site/client/crypto/cipher.js";
import { inviteLink, plainCode, readInvite } from "../../src/site/client/session/invite.js";

const VECTORS = JSON.parse(readFileSync(new URL("encryption-vectors.json", import.meta.url), "utf8"));
const CODE = "K7Q2M9XA";
const CALL = { id: "r1", tool: "add" };
const REFUSED = { name: "DecryptionError", code: "decryption_failed" };
const key = newKey();
const cipher = new Cipher(CODE, key);

for (const kind of ["request", "progress", "answer"]) {
  test(`a ${kind} is decrypted by the other end, and by no other key`, async () => {
    const value = { text: "Grüße \u{1f9ed} \ud800 \"'", list: [1, null, { deep: true }], "": 0 };
    const envelope = await cipher.seal(kind, CALL, value);
    const wellFormed = { ...value, text: value.text.toWellFormed() };
    assert.deepEqual(await new Cipher(CODE, key).open(kind, CALL, envelope), wellFormed);
    await assert.rejects(new Cipher(CODE, newKey()).open(kind, CALL, envelope), REFUSED);
  });
}

test("an envelope can be moved to no other kind, session, request or tool", async () => {
  for (const kind of ["request", "progress", "answer"]) {
    const envelope = await cipher.seal(kind, CALL, 1);
    for (const other of ["request", "progress", "answer"].filter((name) => name !== kind)) {
      await assert.rejects(cipher.open(other, CALL, envelope), REFUSED, `${kind} as ${other}`);
    }
    await assert.rejects(new Cipher("K7Q2M9XB", key).open(kind, CALL, envelope), REFUSED);
    await assert.rejects(cipher.open(kind, { ...CALL, id: "r2" }, envelope), REFUSED);
    await assert.rejects(cipher.open(kind, { ...CALL, tool: "sub" }, envelope), REFUSED);
    await assert.rejects(cipher.open(kind, CALL, { ...envelope, $waypost: "e2e2" }), REFUSED);
  }
});

test("what a message is bound to can't be read in two ways", async () => {
  const envelope = await cipher.seal("request", { id: "r1", tool: 'a","b' }, 1);
  await assert.rejects(cipher.open("request", { id: 'r1","a', tool: "b" }, envelope), REFUSED);
  await assert.rejects(cipher.open("request", { id: "r1a", tool: "b" }, await cipher.seal("request", { id: "r1", tool: "ab" }, 1)), REFUSED);
});

test("changing any single bit is detected", async () => {
  const envelope = await cipher.seal("answer", CALL, { result: "to the letter" });
  for (const part of ["n", "c"]) {
    const bytes = fromBase64url(envelope[part]);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Uint8Array.from(bytes);
      changed[bit >> 3] ^= 1 << (bit & 7);
      await assert.rejects(cipher.open("answer", CALL, { ...envelope, [part]: toBase64url(changed) }), REFUSED);
    }
  }
});

const MISSHAPEN = [null, 1, "e2e1", [], {}, { $waypost: "e2e1" }, { $waypost: "e2e1", n: "", c: "" }, { $waypost: "e2e1", n: "AAAAAAAAAAAAAAAA", c: "=" }];
for (const envelope of [...MISSHAPEN, { $waypost: "e2e1", n: 1, c: {} }, { $waypost: "e2e1", n: "AAAAAAAAAAAAAAAA", c: "" }]) {
  test(`${JSON.stringify(envelope)} is no envelope`, async () => {
    await assert.rejects(cipher.open("request", CALL, envelope), REFUSED);
  });
}

test("a ciphertext that was cut or has something added is refused", async () => {
  const envelope = await cipher.seal("request", CALL, {});
  const bytes = fromBase64url(envelope.c);
  for (const other of [bytes.slice(1), bytes.slice(0, -1), bytes.slice(0, 15), Uint8Array.of(...bytes, 0)]) {
    await assert.rejects(cipher.open("request", CALL, { ...envelope, c: toBase64url(other) }), REFUSED);
  }
});

test("no nonce comes twice, also for the same message, and from another page with the same key", async () => {
  const pages = [cipher, new Cipher(CODE, key)];
  const nonces = new Set();
  for (let n = 0; n < 1000; n++) for (const page of pages) nonces.add((await page.seal("request", CALL, {})).n);
  assert.equal(nonces.size, 2000);
});

test("a page encrypts no more than random nonces allow", async () => {
  const worn = new Cipher(CODE, key, { limit: 2 });
  await worn.seal("request", CALL, {});
  await worn.seal("answer", CALL, {});
  await assert.rejects(worn.seal("request", CALL, {}), { name: "WaypostError", code: "key_worn_out" });
});

test("messages of up to 256 bytes have one length, longer ones are padded as well", async () => {
  const length = async (value) => fromBase64url((await cipher.seal("request", CALL, value)).c).length - 16;
  assert.deepEqual(await Promise.all(["", "x".repeat(254), "x".repeat(255), "ü".repeat(128)].map(length)), [256, 256, 512, 512]);
});

test("the keys that messages are encrypted with can't be taken out of the browser", async (context) => {
  const derive = context.mock.method(crypto.subtle, "deriveKey");
  const load = context.mock.method(crypto.subtle, "importKey");
  const fresh = new Cipher(CODE, key);
  await fresh.seal("request", CALL, {});
  await fresh.seal("answer", CALL, {});
  const made = await Promise.all([...derive.mock.calls, ...load.mock.calls].map(({ result }) => result));
  assert.deepEqual(made.map(({ extractable }) => extractable), [false, false, false, false]);
});

for (const { kind, code, id, tool, key: secret, text, nonce, ciphertext } of VECTORS) {
  test(`the vector of a ${kind} is what its description says, and is opened`, async () => {
    const direction = kind === "request" ? "request" : "answer";
    const derived = hkdfSync("sha256", Buffer.from(secret, "base64url"), code, `waypost e2e v1 ${direction}`, 32);
    const bound = Buffer.from(JSON.stringify(["e2e1", kind, code, id, tool]));
    const iv = Buffer.from(nonce, "base64url");
    const gcm = createCipheriv("aes-256-gcm", new Uint8Array(derived), iv).setAAD(bound);
    const padded = Buffer.concat([Buffer.from(text), Buffer.alloc(256, " ")], 256);
    const sealed = Buffer.concat([gcm.update(padded), gcm.final(), gcm.getAuthTag()]);
    assert.equal(sealed.toString("base64url"), ciphertext);
    const envelope = { $waypost: "e2e1", n: nonce, c: ciphertext };
    assert.deepEqual(await new Cipher(code, secret).open(kind, { id, tool }, envelope), JSON.parse(text));
  });
}

test("an implementation written from the description decrypts our messages", async () => {
  const { n, c } = await cipher.seal("request", CALL, { a: 1 });
  const derived = hkdfSync("sha256", Buffer.from(key, "base64url"), CODE, "waypost e2e v1 request", 32);
  const sealed = Buffer.from(c, "base64url");
  const gcm = createDecipheriv("aes-256-gcm", new Uint8Array(derived), Buffer.from(n, "base64url"));
  gcm.setAAD(Buffer.from('["e2e1","request","K7Q2M9XA","r1","add"]')).setAuthTag(sealed.subarray(-16));
  assert.equal(Buffer.concat([gcm.update(sealed.subarray(0, -16)), gcm.final()]).toString(), '{"a":1}'.padEnd(256));
});

test("a key is 32 bytes of base64url; what is no key is never repeated in the error", () => {
  assert.equal(fromBase64url(newKey()).length, 32);
  for (const wrong of ["", "short", `${key}A`, key.slice(1), `${key.slice(1)}!`]) {
    assert.throws(() => new Cipher(CODE, wrong), (error) => error.code === "invalid_key" && !error.message.includes(wrong || "%"));
  }
});

test("a page that can't encrypt gets an error that says so", (context) => {
  context.mock.getter(crypto, "subtle", () => undefined);
  assert.throws(() => newKey(), { code: "encryption_unavailable" });
  assert.throws(() => new Cipher(CODE, key), { code: "encryption_unavailable" });
});

test("base64url agrees with other implementations", () => {
  for (let length = 0; length < 70; length++) {
    const bytes = crypto.getRandomValues(new Uint8Array(length));
    assert.equal(toBase64url(bytes), Buffer.from(bytes).toString("base64url"));
    assert.deepEqual(fromBase64url(toBase64url(bytes)), bytes);
  }
  for (const wrong of ["A", "AAAAA", "A+AA", "A/AA", "AA==", "AA A", "ü"]) assert.equal(fromBase64url(wrong), null);
});

test("a link names the server, and the code and the key after the #", () => {
  const link = inviteLink({ baseUrl: "https://tab.example/", code: CODE, key });
  assert.equal(link, `https://tab.example/#join=${CODE}&key=${key}`);
  assert.deepEqual(readInvite(link), { code: CODE, key, baseUrl: "https://tab.example" });
  assert.equal(inviteLink({ baseUrl: "https://tab.example/", code: CODE }), `https://tab.example/#join=${CODE}`);
  assert.deepEqual(readInvite(` #join=${CODE} `), { code: CODE, key: undefined, baseUrl: undefined });
  assert.deepEqual(readInvite(" k7q2-m9xa "), { code: "k7q2m9xa" });
  assert.deepEqual(readInvite("k7q2 \u2013 m9xa\n"), { code: "k7q2m9xa" });
  assert.equal(readInvite("https://tab.example/#join=K7Q2%20M9XA").code, "K7Q2M9XA");
  assert.throws(() => readInvite(`https://tab.example/#key=${key}`), (error) => error.code === "invalid_link" && !error.message.includes(key));
});

test("a code is normalised as the server does", () => {
  assert.equal(plainCode(" k7q2-m9xa-oil0 "), "K7Q2M9XA0110");
  const ids = readFileSync(new URL("../../src/waypost_worker/ids.py", import.meta.url), "utf8");
  const [, ignored] = ids.match(/^SEPARATORS = r"(.+)"$/m);
  for (let at = 0; at < 0x10000; at++) {
    const between = String.fromCharCode(at);
    if (/[0-9a-z]/i.test(between)) continue;
    assert.equal(plainCode(`k7q2${between}m9xa`) === "K7Q2M9XA", new RegExp(`[${ignored}]`).test(between), at.toString(16));
  }
});
