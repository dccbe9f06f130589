/** The console: a tab as a host with an agent beside it, and chats. `#join=CODE` opens the agent's side alone. */

import { Agent } from "./agent/agent.js";
import { ChatView } from "./chat/chat-view.js";
import { byId, copies } from "./shared/dom.js";
import { tabs } from "./shared/tabs.js";
import { dailyLimit } from "./daily-limit.js";
import { showHealth } from "./health.js";
import { hostModule } from "./tab/snippets.js";
import { Tab } from "./tab/tab.js";
import { RequestLog } from "./tab/request-log.js";
import { place, show } from "./views.js";

const log = new RequestLog();
const tab = new Tab(log);
const agent = new Agent(tab);
log.onRepeat = (tool, args) => agent.callOwn(tool, args);
const chats = new ChatView(tab);

/** Each view starts when it is first shown: chatting needs no session, and a session needs no chat. */
function follow() {
  const now = place();
  if (!now) return;
  // A page with an open session keeps showing it beside the agent.
  show(now.view === "agent" && tab.code ? "session" : now.view);
  chats.arrange();
  if (now.view === "session") tab.start();
  if (now.view === "agent") agent.join(now.value, now.key);
  if (now.view === "chat") chats.open(now.value);
}

byId("open-tab").addEventListener("click", () => {
  show("session");
  tab.start();
  byId("tab").scrollIntoView();
});
addEventListener("hashchange", follow);

tabs(byId("connect-ways"), "waypost.way");
byId("module").textContent = hostModule(location.origin);
copies(byId("copy-module"), () => hostModule(location.origin));

follow();
showHealth().then((health) => {
  chats.tellModel(health);
  dailyLimit.show(health?.dailyLimit);
});
