/** The fake servers of these tests: stopping one must not fail the next test. */

import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";

import { FakeChat } from "./fake-chat.mjs";
import { FakeServer } from "./fake-server.mjs";

for (const Fake of [FakeServer, FakeChat]) {
  test(`${Fake.name} ends in the middle of a body without a rejection that nobody handles`, async () => {
    const fake = await new Fake().start();
    const socket = connect(new URL(fake.url).port, "127.0.0.1");
    socket.on("error", () => {});
    socket.write("POST /api/x HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{");
    await once(fake.server, "request");
    fake.stop();
    await once(socket, "close");
    await new Promise(setImmediate);
  });
}
