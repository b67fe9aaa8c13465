import type en from "../en/overview";

const overview: typeof en = {
  title: "Vue d’ensemble",
};

export default overview;
