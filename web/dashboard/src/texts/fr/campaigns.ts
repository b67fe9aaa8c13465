import type en from "../en/campaigns";

const campaigns: typeof en = {
  title: "Campagnes",
  create: "Nouvelle campagne",
  filter: "Afficher",
  filters: { all: "Toutes", running: "En cours", drafts: "Brouillons", ended: "Achevées" },
  name: "Nom",
  status: "État",
  people: "Personnes",
  sent: "Envoyés",
  replies: "Réponses",
  messageTwo: "Message 2",
  failed: "Échecs",
  when: "Quand",
  progress: (name) => `Avancement de ${name}`,
  created: (when) => `Créée ${when}`,
  launched: (when) => `Lancée ${when}`,
  scheduled: (when) => `Prévue ${when}`,
  completed: (when) => `Terminée ${when}`,
  none: "Aucune campagne",
  noneText:
    "Une campagne envoie le Message 1 aux personnes de vos catégories à un rythme prudent, et le Message 2 aussitôt à qui répond.",
  noneHere: "Aucune de ce type",
  noneHereText: "Choisissez un autre filtre pour voir les autres.",
};

export default campaigns;
