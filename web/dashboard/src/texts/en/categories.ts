const categories = {
  title: "Categories",
  lead: "Named groups of contacts: a campaign goes to one or several of them.",
  create: "New category",
  name: "Name",
  people: "Contacts",
  since: "Since",
  add: "Add the category",
  rename: "Rename",
  renameTitle: (name: string) => `Rename ${name}`,
  remove: "Delete",
  removeTitle: (name: string) => `Delete the category ${name}?`,
  removeText: (count: number, shown: string) =>
    `${count === 1 ? "Its contact stays" : `Its ${shown} contacts stay`}, also in other categories. Campaigns that were launched already go on. It cannot be undone.`,
  removeEmpty: "Nobody is in it. It cannot be undone.",
  actsFor: (name: string) => `${name}: `,
  none: "No categories yet",
  noneText: "Make one, then put contacts into it: by an import, or by selecting them in the list of contacts.",
  created: (name: string) => `${name} was added.`,
  renamed: (name: string) => `Renamed to ${name}.`,
  removed: (name: string) => `${name} was deleted.`,
  problems: {
    duplicate_category: { what: "A category with this name exists already.", remedy: "Choose another name." },
    category_in_use: {
      what: "A campaign that is not launched yet is sent to this category.",
      remedy: "Take it out of the campaign, or cancel the campaign; then delete it.",
    },
  } as Record<string, { what: string; remedy: string } | undefined>,
};

export default categories;
