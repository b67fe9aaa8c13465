import type en from "../en/categories";

const categories: typeof en = {
  title: "Catégories",
  lead: "Des groupes de contacts qui portent un nom : une campagne s’adresse à un ou plusieurs d’entre eux.",
  create: "Nouvelle catégorie",
  name: "Nom",
  people: "Contacts",
  since: "Depuis",
  add: "Ajouter la catégorie",
  rename: "Renommer",
  renameTitle: (name) => `Renommer ${name}`,
  remove: "Supprimer",
  removeTitle: (name) => `Supprimer la catégorie ${name} ?`,
  removeText: (count, shown) =>
    `${count === 1 ? "Son contact reste" : `Ses ${shown} contacts restent`}, aussi dans les autres catégories. Les campagnes déjà lancées continuent. C’est irréversible.`,
  removeEmpty: "Personne n’en fait partie. C’est irréversible.",
  actsFor: (name) => `${name} : `,
  none: "Aucune catégorie pour l’instant",
  noneText: "Créez-en une, puis mettez-y des contacts : par une importation, ou en les sélectionnant dans la liste des contacts.",
  created: (name) => `${name} a été ajoutée.`,
  renamed: (name) => `Renommée en ${name}.`,
  removed: (name) => `${name} a été supprimée.`,
  problems: {
    duplicate_category: { what: "Une catégorie porte déjà ce nom.", remedy: "Choisissez un autre nom." },
    category_in_use: {
      what: "Une campagne pas encore lancée s’adresse à cette catégorie.",
      remedy: "Retirez-la de la campagne, ou annulez la campagne ; puis supprimez-la.",
    },
  },
};

export default categories;
