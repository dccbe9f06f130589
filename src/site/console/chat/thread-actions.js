/** What a person does with the open thread, or with one of the list: fork, export, delete, unarchive. */

import { deleteThread } from "../../waypost.js";
import { newId } from "../../client/ids.js";
import { byId, el, toast } from "../shared/dom.js";
import { confirmed } from "./confirm.js";
import { Everything } from "./everything.js";
import { credentials, resourceId } from "./identity.js";
import { renameForm } from "./thread-row.js";

/**
 * @typedef {object} ChatParts
 * @property {import("./thread-view.js").ThreadView} thread the open one
 * @property {import("./thread-list.js").ThreadList} threads
 * @property {import("./problem-banner.js").ProblemBanner} problems
 * @property {import("./other-tabs.js").OtherTabs} others
 * @property {(threadId: string, instead?: boolean) => Promise<void>} go opens a thread; "": a new one; `instead` of the present place
 * @property {(threadId: string) => Promise<void>} enter the same, after the present place, and resolves when it is there
 * @property {() => void} focus moves on to the message box
 */

export class ThreadActions {
  #parts;

  /** @param {ChatParts} parts */
  constructor(parts) {
    this.#parts = parts;
    const { thread, problems } = parts;
    new Everything({ deleted: () => this.forgetAll(), failed: (error) => problems.show(error) });
    byId("unarchive").addEventListener("click", () => this.unarchive());
    // On a phone, another button shows them.
    byId("more-actions").addEventListener("click", () => {
      const isOpen = byId("chat-actions").toggleAttribute("data-open");
      byId("more-actions").setAttribute("aria-expanded", `${isOpen}`);
    });
    byId("rename").addEventListener("click", () => this.rename());
    byId("fork").addEventListener("click", () => this.fork());
    byId("export").addEventListener("click", () => this.export());
    byId("delete").addEventListener("click", () => this.delete(thread.threadId));
  }

  /** Gives the open thread another name, in the place of its title. */
  rename() {
    const { thread, threads } = this.#parts;
    const known = threads.get(thread.threadId);
    const title = byId("chat-title");
    if (!known || title.hidden) return;
    const end = () => {
      form.remove();
      title.hidden = false;
      removeEventListener("hashchange", end);
    };
    const { form, input } = renameForm(known, async (name) => {
      input.readOnly = true;
      if (name !== null && name !== threads.titleOf(known.threadId)) await threads.change(known, { title: name });
      end();
      byId("rename").focus();
    });
    title.before(form);
    title.hidden = true;
    addEventListener("hashchange", end);
    input.focus();
    input.select();
  }

  /** @param {string} [atMessageId] up to this message; without one, all of it */
  async fork(atMessageId) {
    const threadId = await this.#copy(atMessageId);
    if (!threadId) return;
    this.#parts.go(threadId);
    toast("Forked: you are now in the new thread");
  }

  /** Goes to a fork of what is before a message. Returns false if there can't be one. @param {string} messageId */
  async forkBefore(messageId) {
    const { thread, problems, enter } = this.#parts;
    const before = thread.messages.before(messageId);
    if (before === undefined) problems.tell("Load the earlier messages first: the fork begins with them.");
    if (before === undefined) return false;
    const threadId = before && (await this.#copy(before));
    if (before && !threadId) return false;
    await enter(threadId);
    toast("The edited message starts a fork: the other thread is unchanged");
    return true;
  }

  /** A thread with a copy of this one's messages: its id; "" if it could not be made. @param {string} [atMessageId] the last of them */
  async #copy(atMessageId) {
    const { thread, threads, problems, others } = this.#parts;
    const { chat, threadId } = thread;
    if (!chat || !thread.isBegun) return "";
    try {
      const metadata = { ...threads.get(threadId)?.metadata, title: threads.nextTitle(threadId) };
      const fork = await chat.fork({ threadId: newId(), atMessageId, metadata });
      const now = new Date().toISOString();
      const forkedFrom = { threadId, messageId: atMessageId };
      const session = { threadId: fork.threadId, resourceId: resourceId(), sessionId: fork.sessionId ?? "" };
      threads.touch({ ...session, createdAt: now, updatedAt: now, metadata, forkedFrom });
      others.tell(fork.threadId, "changed");
      return fork.threadId;
    } catch (error) {
      problems.show(error);
      return "";
    }
  }

  async export() {
    const { thread, problems } = this.#parts;
    try {
      const text = await thread.chat?.export("markdown");
      const url = URL.createObjectURL(new Blob([text ?? ""], { type: "text/markdown" }));
      el("a", { href: url, download: `chat-${thread.threadId.slice(0, 8)}.md` }).click();
      URL.revokeObjectURL(url);
    } catch (error) {
      problems.show(error);
    }
  }

  /** @param {string} messageId */
  async deleteMessage(messageId) {
    const { thread, problems, others, focus } = this.#parts;
    const { threadId } = thread;
    const consequence = "The model no longer sees it. The other messages stay.";
    if (!(await confirmed("Delete this message?", consequence, "Delete message"))) return;
    try {
      await thread.deleteMessage(messageId);
      others.tell(threadId, "changed", { deletedMessage: messageId });
      toast("Message deleted");
      focus();
    } catch (error) {
      problems.show(error);
    }
  }

  async unarchive() {
    const { thread, threads, focus } = this.#parts;
    const known = threads.get(thread.threadId);
    if (known) await threads.change(known, { archived: false });
    focus();
  }

  /** @param {string} threadId */
  async delete(threadId) {
    const { thread, threads, problems, others, go } = this.#parts;
    const title = threads.titleOf(threadId);
    const consequence = "Its messages and pages are deleted. Threads that were forked from it stay.";
    if (!(await confirmed(`Delete “${title}”?`, consequence, "Delete thread"))) return;
    try {
      await deleteThread(resourceId(), threadId, credentials());
      problems.clear();
      threads.drop(threadId);
      others.tell(threadId, "deleted");
      toast("Thread deleted");
      if (threadId === thread.threadId) await go("", true);
    } catch (error) {
      problems.show(error);
    }
  }

  async forgetAll() {
    const { threads, others, go } = this.#parts;
    threads.dropAll();
    others.tell("", "deleted");
    await go("", true);
  }
}
