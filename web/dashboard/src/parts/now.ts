import { useEffect, useState } from "preact/hooks";

/** The time, anew every so many seconds, for what is told from now. */
export function useNow(every = 10): Date {
  const [now, setNow] = useState(() => new Date());
  useEffect(() => {
    const clock = setInterval(() => setNow(new Date()), every * 1000);
    return () => clearInterval(clock);
  }, [every]);
  return now;
}
