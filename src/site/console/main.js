/** The console: this tab as a host on the left, an agent on the right. `#join=CODE` opens the agent's side alone. */

import { Agent } from "./agent.js";
import { byId, copies } from "./dom.js";
import { showHealth } from "./health.js";
import { hostModule } from "./snippets.js";
import { Tab } from "./tab.js";
import { Traffic } from "./traffic.js";

const tab = new Tab(new Traffic());
const agent = new Agent(() => tab.code);

/** The code in the page's address, if it is an invitation. */
function invitation() {
  return new URLSearchParams(location.hash.slice(1)).get("join");
}

/** @param {boolean} isAlone */
function showAgentAlone(isAlone) {
  document.body.classList.toggle("agent-alone", isAlone);
}

function openTab() {
  showAgentAlone(false);
  tab.start();
}

function follow() {
  const code = invitation();
  if (code === null) return false;
  agent.join(code);
  return true;
}

byId("open-tab").addEventListener("click", () => {
  openTab();
  byId("tab").scrollIntoView();
});
addEventListener("hashchange", follow);

byId("module").textContent = hostModule(location.origin);
copies(byId("copy-module"), () => hostModule(location.origin));

if (follow()) showAgentAlone(true);
else openTab();
showHealth();
