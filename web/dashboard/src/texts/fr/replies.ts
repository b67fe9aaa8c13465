import type en from "../en/replies";

const replies: typeof en = {
  title: "Réponses",
  lead: "Ce que les gens ont répondu, le plus récent d’abord.",
  export: "Exporter",
  markAll: "Tout marquer comme lu",
  unread: (many) => `Non lues : ${many}`,
  isUnread: "Non lue",
  campaign: "Campagne",
  everyCampaign: "Toutes les campagnes",
  noCampaign: "Aucune campagne",
  type: "Genre",
  everyType: "Tous les genres",
  show: "Afficher",
  shows: { all: "Toutes", window: "Dans le délai", late: "Après le délai", optOut: "Désinscriptions" },
  types: {
    text: "Texte", emoji: "Emoji", voice: "Message vocal", audio: "Audio", image: "Image", video: "Vidéo", document: "Document",
    sticker: "Autocollant", location: "Lieu", reaction: "Réaction", poll: "Sondage", other: "Autre",
  },
  outcomes: {
    noise: "Pas une réponse", plain: "A écrit de soi-même", parked: "En vérification", opt_out: "Désinscription", follow_up: "Déclenche le message 2",
    final_reply: "A répondu", again: "A écrit à nouveau", late: "Après le délai", automatic: "Réponse automatique",
  },
  erased: "Personne effacée",
  openWhatsApp: "Ouvrir dans WhatsApp",
  openWhatsAppOf: (who) => `Ouvrir ${who} dans WhatsApp`,
  contact: "Contact",
  none: "Personne n’a encore répondu",
  noneText: "Les réponses apparaissent ici dès qu’elles arrivent, une fois qu’une campagne est en cours.",
  toCampaigns: "Aller aux campagnes",
  noneHere: "Rien ne correspond",
  noneHereText: "Choisissez une autre campagne ou un autre genre, ou affichez toutes les réponses.",
  showAll: "Afficher toutes les réponses",
};

export default replies;
