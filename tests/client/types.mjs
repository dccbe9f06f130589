/**
 * src/site/waypost.d.ts: the types of all exports of the client in one file, made by `tsc` from the JSDoc.
 *
 *     node tests/client/types.mjs           fails if the file is stale
 *     node tests/client/types.mjs --write   writes it
 */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
const site = join(root, "src/site");
const target = join(site, "waypost.d.ts");

const HEAD = `/**
 * The types of waypost.js. Generated from its JSDoc by tests/client/types.mjs: do not edit.
 */

`;

/** The paths of all files below `folder`, sorted. @param {string} folder */
function filesOf(folder) {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map((entry) => join(relative(folder, entry.parentPath), entry.name)).sort();
}

/** What `tsc` makes of each module. @returns {string[]} */
function emitted() {
  const folder = mkdtempSync(join(tmpdir(), "waypost-types-"));
  try {
    const modules = filesOf(join(site, "client")).filter((name) => name.endsWith(".js"));
    const options = "--ignoreConfig --allowJs --strict --target es2024 --lib es2024,dom,dom.iterable --module nodenext";
    const output = `--types --declaration --emitDeclarationOnly --rootDir ${site} --outDir ${folder}`.split(" ");
    output.splice(1, 0, "");
    const files = modules.map((name) => join(site, "client", name));
    execFileSync(join(root, "node_modules/.bin/tsc"), [...files, ...options.split(" "), ...output], { stdio: "pipe" });
    return filesOf(join(folder, "client")).map((name) => readFileSync(join(folder, "client", name), "utf8"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Top-level declarations by name, each with the comment right before it. */
function declarations(sources) {
  const found = new Map();
  const pattern = /((?:\/\*\*(?:(?!\*\/)[^])*\*\/\n)?)export (?:declare )?((class|function|type|const) (\w+)[^]*?)(?=\n(?:\/\*\*|export |$)|$(?![^]))/g;
  for (const source of sources) {
    // What the module says about itself belongs to no declaration.
    const body = source.replace(/^\/\*\*[^]*?\*\/\n/, "");
    for (const [, comment, text, kind, name] of body.matchAll(pattern)) {
      // A name that is only passed on from another module is declared there.
      if (/^type \w+ = import\(/.test(text)) continue;
      const said = comment.includes("@typedef") || comment.includes("@template") ? "" : comment;
      const declared = `${said}export ${kind === "type" ? "" : "declare "}${text.trim()}`;
      found.set(name, declared.replace(/import\("[^"]+"\)\./g, ""));
    }
  }
  return found;
}

/** The declarations that `names` need, and those need in turn. */
function reachable(names, all) {
  const wanted = new Set();
  const queue = [...names];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (wanted.has(name) || !all.has(name)) continue;
    wanted.add(name);
    const code = all.get(name).replace(/\/\*\*[^]*?\*\//g, "");
    queue.push(...new Set(code.match(/\b[A-Z]\w+\b/g)));
  }
  return wanted;
}

function build() {
  const face = readFileSync(join(site, "waypost.js"), "utf8");
  const exported = [...face.matchAll(/^export \{([^}]*)\}/gm)].flatMap(([, list]) => list.split(",").map((n) => n.trim()));
  const all = declarations(emitted());
  for (const name of exported) if (!all.has(name)) throw new Error(`tsc has emitted no declaration of ${name}.`);
  const wanted = reachable(exported, all);
  const parts = [...wanted].sort().map((name) => {
    const isPublic = exported.includes(name) || all.get(name).includes("export type ");
    return isPublic ? all.get(name) : all.get(name).replace("export declare ", "declare ");
  });
  // Without this line, everything declared in a .d.ts counts as exported.
  return `${HEAD}${parts.join("\n\n")}\n\nexport {};\n`;
}

const built = build();
if (process.argv.includes("--write")) {
  writeFileSync(target, built);
} else if (readFileSync(target, "utf8") !== built) {
  console.error("src/site/waypost.d.ts is stale: run node tests/client/types.mjs --write");
  process.exit(1);
}
