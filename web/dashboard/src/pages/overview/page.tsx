import { PageHead } from "~/parts/frame";
import { useTexts } from "~/texts/language";
import { overview } from "./texts";

export default function Overview() {
  const t = useTexts(overview);
  return <PageHead title={t.title} />;
}
