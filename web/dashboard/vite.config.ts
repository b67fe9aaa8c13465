import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Put the style of the entry into the shell: the first paint then waits for no second file. */
function criticalStyle(): Plugin {
  return {
    name: "critical-style",
    enforce: "post",
    generateBundle(_, bundle) {
      const shell = bundle["index.html"];
      if (shell?.type !== "asset") throw new Error("the build has no index.html");
      shell.source = String(shell.source).replace(/\s*<link rel="stylesheet"[^>]*href="\/([^"]+)"[^>]*>/g, (_, name: string) => {
        const sheet = bundle[name];
        if (sheet?.type !== "asset") throw new Error(`the shell names ${name}, which was not built`);
        Reflect.deleteProperty(bundle, name);
        return `\n<style>${String(sheet.source).trim()}</style>`;
      });
    },
  };
}

export default defineConfig({
  plugins: [criticalStyle()],
  resolve: { alias: { "~": here("./src") } },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: here("../static"),
    emptyOutDir: true,
    target: "es2022",
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    assetsInlineLimit: 0,
  },
  server: { proxy: { "/api": "http://127.0.0.1:8000" } },
});
