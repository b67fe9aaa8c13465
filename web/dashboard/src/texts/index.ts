import type en from "./en/common";
import { Texts } from "./language";

/** What the frame and every page say. A page's own texts lie in a file of its own in each language. */
export const common = new Texts<typeof en>({ en: () => import("./en/common"), fr: () => import("./fr/common") });
