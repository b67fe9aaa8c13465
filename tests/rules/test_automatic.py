"""Replies that are no person, and people who must not be mistaken for one."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.automatic import Automatic, AutomaticKind, Limits, Reply, fingerprint, judge

AT = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
OURS = (
    "Bonjour Ana, notre atelier ouvre samedi à Lyon. Voulez-vous une place ? Répondez STOP pour ne plus rien recevoir."
)


def kind(body: str | None) -> AutomaticKind | None:
    found = judge(Reply(body=body, at=AT))
    return found.kind if found else None


@pytest.mark.parametrize(
    "body",
    [
        # WhatsApp Business, as it ships
        "Thank you for your message. We're unavailable right now, but will respond as soon as possible.",
        "Thank you for contacting Fictive Ltd! Please let us know how we can help you.",
        "Merci pour votre message. Nous ne sommes pas disponibles pour le moment, mais nous vous répondrons dès que "
        "possible.",
        "Merci d’avoir contacté Fictif ! Dites-nous comment nous pouvons vous aider.",
        "Gracias por tu mensaje. En este momento no podemos responder, pero lo haremos lo antes posible.",
        "¡Gracias por comunicarte con Ficción! ¿Cómo podemos ayudarte?",
        "Agradecemos sua mensagem. Não estamos disponíveis no momento, mas responderemos assim que possível.",
        "Fictício agradece seu contato. Como podemos ajudar?",
        "Vielen Dank für deine Nachricht. Wir sind derzeit nicht verfügbar, antworten aber so bald wie möglich.",
        "Danke für Ihre Nachricht! Wie können wir Ihnen helfen?",
        # written by shops and offices
        "Automatic reply: I am out of the office until Monday.",
        "Auto-reply 🤖",
        "Automatic reply: our opening hours are 9 to 5. Was your question answered?",
        "Thanks for reaching out! Our team will get back to you shortly.",
        "Welcome to Fictive Pizza! How can we help you today?",
        "Réponse automatique : je suis absente jusqu'au 12 mai.",
        "Nous avons bien reçu votre message. Notre équipe est prévenue ; nous vous rappellerons sous peu.",
        "Bienvenue chez Fictif. Nos horaires d'ouverture : lundi-vendredi 9h-18h",
        "Nous sommes actuellement fermés. Nous vous répondrons dans les plus brefs délais.",
        "Mensaje automático: gracias por escribirnos.",
        "Hemos recibido su mensaje. Le responderemos a la brevedad.",
        "Mensagem automática. Estou de férias.",
        "Obrigado pelo contato! Retornaremos o mais rápido possível.",
        "Abwesenheitsnotiz: Ich bin bis zum 12. Mai im Urlaub.",
        "Vielen Dank für Ihre Anfrage, wir melden uns schnellstmöglich bei Ihnen.",
        "Wir sind im Moment nicht erreichbar und melden uns so schnell wie möglich.",
    ],
)
def test_known_away_messages_are_recognised(body: str) -> None:
    assert kind(body) is AutomaticKind.AWAY
    assert kind(body.upper().replace("ß", "SS")) is AutomaticKind.AWAY


@pytest.mark.parametrize(
    "body",
    [
        None,
        "",
        "  ",
        "👍",
        "Oui",
        "Thank you for your message!",
        "Thanks for your message, yes I'm interested. What time does it start?",
        "I'm not available on Saturday, is there another day?",
        "We are closed on Saturdays, could you come on Monday?",
        "Can you get back to me as soon as possible?",
        "How can I help?",
        "Sorry, I'm driving, I will answer you later",
        "Merci pour votre message, ça m'intéresse !",
        "Merci de votre message. Je ne suis pas intéressée.",
        "Je suis au travail, je regarde ce soir",
        "Je vous réponds dès que possible",
        "Pouvez-vous me rappeler au plus vite ?",
        "Gracias por tu mensaje, me interesa mucho",
        "No estoy disponible el sábado",
        "¿Me pueden responder lo antes posible?",
        "Obrigada pela mensagem! Quero sim",
        "Estou de férias, mas quero o meu lugar",
        "Danke für die Nachricht, ich komme gern",
        "Ich bin im Urlaub, aber gern beim nächsten Mal",
        "Bitte melden Sie sich so schnell wie möglich bei mir",
        "Is this an automated message, or are you real?",
        "C'est un message automatique ?",
        "¿Es una respuesta automática?",
    ],
)
def test_people_are_not_mistaken_for_machines(body: str | None) -> None:
    assert kind(body) is None


def test_our_own_text_that_comes_back_is_an_echo() -> None:
    for body in (OURS, OURS.upper(), f"  {OURS} ", f"> {OURS}"):
        found = judge(Reply(body=body, at=AT, ours=["Bonjour", OURS]))
        assert found == Automatic(AutomaticKind.ECHO, "our own text came back")


@pytest.mark.parametrize(
    ("ours", "body"),
    [
        ("Bonjour !", "Bonjour"),
        ("Are you in?", "are you in"),
        (OURS, OURS + " Oui, pour deux personnes s'il vous plaît, samedi matin de préférence !"),
        (OURS, "samedi à Lyon"),
        (OURS, "Voulez-vous une place ?"),
    ],
)
def test_who_repeats_a_greeting_or_quotes_us_to_answer_is_no_echo(ours: str, body: str) -> None:
    assert judge(Reply(body=body, at=AT, ours=[ours])) is None


LONG = "Le magasin se trouve au 12 rue de la Fiction, vous y trouverez tout notre catalogue."


@pytest.mark.parametrize(
    ("after_sent", "after_delivered", "body", "instant"),
    [
        (5.0, 2.0, LONG, True),
        (5.0, 3.0, LONG, True),
        (9.0, 3.1, LONG, False),
        (2.0, None, LONG, True),
        (2.0, -1.0, LONG, True),  # the acknowledgement came after the reply: the send is what is known
        (60.0, -1.0, LONG, False),
        (None, None, LONG, False),
        (-1.0, None, LONG, False),
        (2.0, 1.0, "Oui !", False),
        (2.0, 1.0, LONG[:59], False),
        (2.0, 1.0, None, False),
    ],
)
def test_a_long_text_within_three_seconds_of_delivery_is_canned(
    after_sent: float | None, after_delivered: float | None, body: str | None, instant: bool
) -> None:
    def ago(seconds: float | None) -> datetime | None:
        return None if seconds is None else AT - timedelta(seconds=seconds)

    found = judge(Reply(body=body, at=AT, sent_at=ago(after_sent), delivered_at=ago(after_delivered)))
    assert (found is not None and found.kind is AutomaticKind.INSTANT) is instant
    assert found is None or found.why.endswith(" s")


def test_a_long_text_that_many_others_sent_too_is_canned() -> None:
    assert judge(Reply(body=LONG, at=AT, same_text_contacts=4)) is None
    found = judge(Reply(body=LONG, at=AT, same_text_contacts=5))
    assert found == Automatic(AutomaticKind.SAME_TEXT, "5 other contacts sent the same text")
    assert judge(Reply(body="Oui, je suis intéressée", at=AT, same_text_contacts=500)) is None
    assert judge(Reply(body="Oui", at=AT, same_text_contacts=2), Limits(same_text_length=3, same_text_contacts=2))


@given(st.text(max_size=300))
def test_texts_that_differ_in_case_and_signs_only_have_one_fingerprint(body: str) -> None:
    assert fingerprint(f" {body}!  ") == fingerprint(body)
    assert fingerprint(f"«{body}»\n") == fingerprint(body)


@given(st.text(max_size=24), st.integers(0, 1000), st.floats(0, 10))
def test_a_short_text_is_judged_by_its_words_alone(body: str, others: int, seconds: float) -> None:
    arrived = AT - timedelta(seconds=seconds)
    seen = judge(Reply(body=body, at=AT, delivered_at=arrived, ours=[body], same_text_contacts=others))
    assert seen is None or seen.kind in (AutomaticKind.AWAY, AutomaticKind.ECHO)
    assert seen == judge(Reply(body=body, at=AT, ours=[body]))


@given(st.text(max_size=5000))
def test_any_text_is_judged_without_a_fuss(body: str) -> None:
    found = judge(Reply(body=body, at=AT))
    assert found is None or found.why
