/** The view of chats: threads on one side, the open one in the middle, its pages on the other. */

import { ApiError } from "../../waypost.js";
import { dailyLimit } from "../daily-limit.js";
import { byId, el } from "../shared/dom.js";
import { setTitle } from "../views.js";
import { Composer } from "./composer.js";
import { Desk } from "./desk.js";
import { Drawer } from "./drawer.js";
import { Gallery } from "./gallery.js";
import { resourceId } from "./identity.js";
import { OtherTabs } from "./other-tabs.js";
import { TabTools } from "./tab-tools.js";
import { ThreadActions } from "./thread-actions.js";
import { ThreadList } from "./thread-list.js";
import { ThreadView } from "./thread-view.js";
import { addressOf, titleOf } from "./titles.js";
import { ProblemBanner } from "./problem-banner.js";

/** Stands in the address for a thread without messages. */
const NEW = "new";

export class ChatView {
  #desk = new Desk();
  #tools;
  #gallery = new Gallery();
  #problems = new ProblemBanner(() => this.#reopen());
  #threads = new ThreadList({
    failed: (error) => this.#problems.show(error),
    changed: (thread, change) => {
      this.#others.tell(thread.threadId, "changed", { thread, change });
      this.#describe();
    },
    remove: (thread) => this.#actions.delete(thread.threadId),
  });
  #thread = new ThreadView(
    {
      started: (start, sent) => this.#started(start, sent),
      ended: (sent) => this.#ended(sent),
      answering: (isAnswering) => this.#answering(isAnswering),
      session: (sessionId) => {
        this.#gallery.show(sessionId);
        this.#describe();
      },
      failed: (error) => this.#problems.show(error),
      replaced: () => this.#others.tell(this.#thread.threadId, "changed"),
      undone: () => this.#threads.refresh(),
    },
    {
      fork: (messageId) => this.#actions.fork(messageId),
      remove: (messageId) => this.#actions.deleteMessage(messageId),
      goOn: (messageId) => this.#goOn(messageId),
      again: (messageId) => this.#again(messageId),
      edit: (messageId, text) => this.#edit(messageId, text),
      hint: (messageId) => (this.#thread.messages.isLastQuestion(messageId) ? "Its answer is replaced." : "It starts a fork. This thread stays as it is."),
    },
  );
  #composer = new Composer((text) => this.#send(text), () => this.#stop());
  /** Resolves when the thread is chosen; a message waits for it. @type {Promise<void>} */
  #opened = Promise.resolve();
  #others = new OtherTabs((threadId, news, detail) => this.#hearOthers(threadId, news, detail));
  #actions = new ThreadActions({
    thread: this.#thread,
    threads: this.#threads,
    problems: this.#problems,
    others: this.#others,
    go: (threadId, instead) => this.#go(threadId || NEW, instead),
    enter: (threadId) => this.#enter(threadId || NEW),
    focus: () => this.#composer.focus(),
  });

  /** @param {import("../tab/tab.js").Tab} tab this page's own */
  constructor(tab) {
    this.#tools = new TabTools(tab, () => this.arrange());
    new Drawer();
    byId("new-thread").addEventListener("click", () => this.#go(NEW));
    const isSeen = () => document.visibilityState === "visible" && !byId("chat-view").hidden;
    const look = () => isSeen() && !dailyLimit.isShown && this.#look();
    document.addEventListener("visibilitychange", look);
    addEventListener("online", look);
  }

  /** Shows a thread. @param {string} wanted its id; "" for the one that is open, or else the most recent one */
  open(wanted) {
    this.#problems.clear();
    this.#tools.start();
    this.#opened = wanted === "" ? this.#openLast() : this.#open(wanted);
  }

  /** Puts the tab's questions, tools and board where the shown view has them. */
  arrange() {
    this.#desk.arrange(!byId("chat-view").hidden, this.#tools.isOn);
  }

  async #openLast() {
    const { threadId, isBegun } = this.#thread;
    if (threadId) return this.#go(isBegun ? threadId : NEW, true);
    await this.#threads.refresh();
    await this.#go(this.#threads.newest?.threadId ?? NEW, true);
  }

  /** @param {string} wanted */
  async #open(wanted) {
    if (byId("chat-title").getBoundingClientRect().top < 0) byId("chat-title").scrollIntoView({ block: "center" });
    if (wanted === this.#thread.threadId) return this.#look();
    if (wanted === NEW) {
      if (!this.#thread.threadId || this.#thread.isBegun) this.#thread.openNew();
    }
    this.#describe();
    const listed = this.#threads.isKnown ? Promise.resolve() : this.#threads.refresh();
    if (wanted !== NEW) listed.then(() => this.#threads.look(wanted)).then(() => this.#describe());
    if (wanted === NEW) return this.#composer.focus();
    // Not awaited: the history may arrive after the next message.
    this.#thread.open(this.#threads.get(wanted) ?? { threadId: wanted });
    this.#describe();
  }

  /** Shows what the server's health says about its model. @param {import("../health.js").Health | null} health */
  tellModel(health) {
    byId("echo-hint").hidden = health?.model !== "echo";
    const kept = health?.limits?.threadHistoryLimit;
    if (kept) byId("kept-hint").textContent = `The last ${kept} messages of a thread are kept.`;
  }

  /** @param {string} threadId @param {boolean} [instead] of the present place, not after it */
  async #go(threadId, instead = false) {
    const address = addressOf(threadId);
    if (!instead && location.hash !== address) {
      location.hash = address;
      return;
    }
    history.replaceState(null, "", address);
    await this.#open(threadId);
  }

  /** Goes there, and is there when this resolves. @param {string} threadId */
  #enter(threadId) {
    history.pushState(null, "", addressOf(threadId));
    this.#opened = this.#open(threadId);
    return this.#opened;
  }

  /** @param {string} text @param {boolean} [interrupt] */
  async #send(text, interrupt = false) {
    if (this.#thread.isAnswering && !interrupt) return this.#offerInterruption(text);
    this.#problems.clear();
    this.#composer.clear();
    let threadId = "";
    try {
      await this.#opened;
      ({ threadId } = this.#thread);
      await this.#thread.send(text, { interrupt, tools: this.#tools });
    } catch (error) {
      this.#composer.restore(text);
      const isInTheWay = error instanceof ApiError && error.code === "answer_running";
      // If the user has left that thread, there is nothing to interrupt here.
      if (isInTheWay && threadId === this.#thread.threadId) this.#offerInterruption(text);
      else this.#problems.show(error);
    }
  }

  /** @param {string} answerId of one that broke off */
  async #goOn(answerId) {
    this.#problems.clear();
    this.#composer.focus();
    try {
      await this.#thread.goOn(answerId, this.#tools);
    } catch (error) {
      this.#problems.show(error);
    }
  }

  /** @param {string} messageId of an answer, or of a question without one */
  async #again(messageId) {
    const question = this.#thread.messages.questionOf(messageId);
    if (question) await this.#ask(question);
    else this.#problems.tell("This question has more than text: ask it again where it was asked.");
  }

  /** @param {string} messageId @param {string} text */
  async #edit(messageId, text) {
    if (this.#thread.messages.isLastQuestion(messageId)) return this.#ask({ id: messageId, text });
    if (await this.#actions.forkBefore(messageId)) await this.#send(text);
  }

  /** @param {{ id: string, text: string }} question that is on the page */
  async #ask(question) {
    this.#problems.clear();
    this.#composer.focus();
    try {
      await this.#thread.askAgain(question, this.#tools);
    } catch (error) {
      this.#problems.show(error);
    }
  }

  /** @param {string} text */
  #offerInterruption(text) {
    this.#problems.offerInterruption(() => this.#send(this.#composer.text || text, true));
  }

  /** @param {boolean} isAnswering */
  #answering(isAnswering) {
    this.#composer.isAnswering(isAnswering);
    if (!isAnswering) this.#problems.withdrawOffer();
  }

  async #stop() {
    try {
      await this.#thread.stop();
    } catch (error) {
      this.#composer.allowStop();
      this.#problems.show(error);
    }
  }

  /**
   * @param {Extract<import("../../waypost.js").ChatEvent, { type: "start" }>} start
   * @param {import("./thread-events.js").SentMessage | null} sent
   */
  #started({ threadId, sessionId, forkedFrom }, sent) {
    const title = sent?.title;
    const now = new Date().toISOString();
    const metadata = title ? { metadata: { title } } : {};
    const thread = { threadId, resourceId: resourceId(), sessionId, createdAt: now, updatedAt: now, ...metadata };
    this.#threads.touch(forkedFrom ? { ...thread, forkedFrom } : thread);
    if (location.hash === addressOf(NEW)) history.replaceState(null, "", addressOf(threadId));
    if (sent) this.#others.tell(threadId, "answering");
    this.#describe();
  }

  /** @param {import("./thread-events.js").SentMessage | null} sent */
  #ended(sent) {
    this.#gallery.refresh();
    if (sent) this.#others.tell(this.#thread.threadId, "changed");
  }

  /** Loads everything again with the new credentials. */
  async #reopen() {
    const { threadId, isBegun } = this.#thread;
    if (!isBegun) this.#thread.openNew();
    await Promise.all([this.#threads.refresh(), isBegun && this.#thread.open({ threadId })]);
    this.#describe();
  }

  async #look() {
    await Promise.all([this.#threads.refresh(), this.#thread.refresh(), this.#gallery.refresh()]);
    this.#describe();
  }

  /** @param {string} threadId @param {import("./other-tabs.js").News} news @param {import("./other-tabs.js").Detail} detail */
  async #hearOthers(threadId, news, { thread, change, deletedMessage }) {
    // A tab that has shown no chats yet has nothing to update.
    if (!this.#threads.isKnown) return;
    const isOpen = threadId === this.#thread.threadId || (threadId === "" && this.#thread.isBegun);
    if (isOpen && news === "deleted") {
      await this.#go(NEW, true);
      this.#problems.tell("This thread was deleted in another tab.");
    }
    if (news === "deleted") return threadId === "" ? this.#threads.dropAll() : this.#threads.drop(threadId);
    if (thread && change) {
      this.#threads.learn(thread, change);
      return this.#describe();
    }
    if (deletedMessage !== undefined) return isOpen ? this.#thread.forget(deletedMessage) : undefined;
    await this.#threads.refresh();
    if (isOpen) await this.#thread.refresh();
  }

  /** Shows the title, origin and buttons of the open thread. */
  #describe() {
    const { threadId, isBegun } = this.#thread;
    const known = this.#threads.get(threadId);
    byId("chat-title").textContent = !isBegun ? "New thread" : known ? titleOf(known) : "Thread";
    setTitle("chat", `${isBegun && known ? titleOf(known) : "Chat"} · Waypost`);
    // An address may name a thread that does not exist.
    const exists = isBegun && (known !== null || !this.#thread.messages.isEmpty);
    for (const id of ["fork", "export", "delete"]) byId(id).toggleAttribute("disabled", !exists);
    byId("rename").toggleAttribute("disabled", !known);
    this.#threads.mark(isBegun ? threadId : "");
    byId("archived-note").hidden = !isBegun || !known?.archived;
    const origin = byId("origin");
    origin.hidden = !known?.forkedFrom;
    if (!known?.forkedFrom) return;
    const parent = known.forkedFrom.threadId;
    origin.replaceChildren("Fork of ", el("a", { href: addressOf(parent) }, this.#threads.titleOf(parent)));
  }
}
