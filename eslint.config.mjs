// Lints the extension, strict and typed (a promise that nobody awaits is an error), and the scripts around it.
import js from "@eslint/js";
import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

const NODE_GLOBALS = ["AbortController", "AbortSignal", "Buffer", "URL", "clearTimeout", "console", "fetch", "process", "setTimeout"];

const BROWSER_GLOBALS = [
  "Blob",
  "DecompressionStream",
  "ResizeObserver",
  "Response",
  "addEventListener",
  "atob",
  "document",
  "getSelection",
  "history",
  "localStorage",
  "location",
];

export default defineConfig(
  { ignores: ["extension/dist/"] },
  {
    files: ["**/*.mjs"],
    extends: [js.configs.recommended],
    languageOptions: { globals: Object.fromEntries(NODE_GLOBALS.map((name) => [name, "readonly"])) },
  },
  {
    files: ["server/testlens/report/client/*.mjs"],
    languageOptions: { globals: Object.fromEntries(BROWSER_GLOBALS.map((name) => [name, "readonly"])) },
  },
  {
    files: ["extension/**/*.ts"],
    extends: [js.configs.recommended, tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      eqeqeq: "error",
    },
  },
  {
    files: ["extension/test/**/*.ts"],
    rules: {
      // node:test returns a promise from test() that its runner awaits by itself.
      "@typescript-eslint/no-floating-promises": [
        "error",
        { allowForKnownSafeCalls: [{ from: "package", name: ["test", "suite"], package: "node:test" }] },
      ],
    },
  },
);
