const overview = {
  title: "Overview",
};

export default overview;
