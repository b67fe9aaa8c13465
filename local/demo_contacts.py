"""More contacts for the demo: names from several countries, numbers from ranges reserved for fiction only.

No telephone of these ranges rings anywhere. The same seed draws the same people.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from pathlib import Path

COLUMNS = ("phone", "name", "category", "city", "opted_out", "consent_source")
MOST = 50_000
"""Contacts that a demo may have: the ranges hold some 60,000 numbers."""

_AUSTRALIAN = (
    "570006", "570156", "570157", "570158", "570159", "570110", "570313", "570737", "571266", "571491", "571804",
    "572549", "572665", "572983", "573770", "573087", "574118", "574632", "575254", "575789", "576398", "576801",
    "577426", "577644", "578957", "578148", "578888", "578212", "579760", "579455",
)  # fmt: skip
_BRITISH = ("207946", *(f"{area}496" for area in (113, 114, 116, 117, 118, 121, 131, 141, 151, 161)))
_AMERICAN = (202, 212, 305, 312, 415, 416, 418, 438, 514, 604, 613, 617)

_PEOPLE = {
    "FR": (
        "Camille Amélie Léa Manon Chloé Inès Zoé Juliette Louise Hugo Lucas Théo Nathan Jules Maël Élodie Aïcha Fatou "
        "Mamadou Youssef Karim Anaïs Noémie Benoît",
        "Martin Bernard Dubois Petit Durand Leroy Moreau Lefèvre Girard Roux Fontaine Chevalier Diallo Traoré Benali "
        "Nguyen Lambert Faure",
        "Paris Lyon Marseille Nantes Rennes Lille Bordeaux Toulouse Strasbourg Grenoble",
    ),
    "GB": (
        "Oliver Amelia Harry Isla Jack Ava George Emily Arjun Priya Callum Niamh Rhys Freya",
        "Smith Jones Taylor Brown Williams Evans Patel Khan Murphy Campbell Hughes Okafor",
        "London Leeds Sheffield Leicester Bristol Reading Birmingham Edinburgh Glasgow Liverpool Manchester",
    ),
    "US": (
        "Emma Liam Olivia Noah Sophia Mason Isabella Ethan Mia Logan Maya Carlos Aaliyah Wei",
        "Johnson Davis Miller Garcia Rodriguez Wilson Anderson Lopez Tremblay Gagnon Chen Washington",
        "Washington Miami Chicago Boston Toronto Montréal Vancouver Ottawa Québec",
    ),
    "DE": ("Jürgen Anke Lukas Mia Sören Käthe Emre Lena", "Müller Schäfer Weber Yılmaz Groß Köhler", "Berlin Köln"),
    "SE": ("Åsa Björn Linnéa Elsa Nils Örjan", "Andersson Åberg Lindqvist Öberg Nilsson", "Göteborg Malmö"),
    "AU": ("Charlotte Jack Matilda Cooper Ruby Lachlan", "Kelly Nguyen Walker Singh Thompson", "Sydney Perth Hobart"),
}
_WEIGHTS = {"FR": 62, "GB": 20, "US": 12, "DE": 3, "SE": 2, "AU": 1}


def more(many: int, seed: int, taken: set[str]) -> Iterator[dict[str, str]]:
    """Yield ``many`` rows with numbers in E.164 that are not in ``taken``, which grows by them."""
    draw = random.Random(seed)  # the same people for the same seed, nothing is secret here
    countries, weights = list(_WEIGHTS), list(_WEIGHTS.values())
    while many:
        country = draw.choices(countries, weights)[0]
        phone = number(country, draw)
        if phone in taken:
            continue
        taken.add(phone)
        many -= 1
        first, last, city = (draw.choice(words.split()) for words in _PEOPLE[country])
        yield {
            "phone": phone,
            "name": f"{first} {last}",
            "category": draw.choice(("Clients", "Prospects")),
            "city": city,
            "opted_out": "oui" if draw.random() < 0.03 else "",
            "consent_source": draw.choice(("boutique", "site web", "newsletter", "salon", "web form")),
        }


def number(country: str, draw: random.Random) -> str:
    """Draw one number in E.164 from the ranges that ``country`` reserves for fiction."""
    match country:
        case "FR":
            return f"+33{draw.choice(('19900', '26191', '35301', '46571', '53649'))}{draw.randrange(10_000):04}"
        case "GB":
            return f"+44{draw.choice(_BRITISH)}{draw.randrange(1000):04}"
        case "US":
            return f"+1{draw.choice(_AMERICAN)}555{draw.randrange(100, 200):04}"
        case "DE":
            # 30 231259… is the simulator's own.
            return draw.choice((f"+49176040690{draw.randrange(100):02}", f"+493023125{draw.randrange(900):03}"))
        case "SE":
            return f"+46701740{draw.randrange(605, 700):03}"
        case _:
            return f"+61491{draw.choice(_AUSTRALIAN)}"


def read(file: Path) -> list[dict[str, str]]:
    """Return the rows of a contacts file."""
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def write(file: Path, rows: list[dict[str, str]]) -> None:
    """Write rows as a contacts file."""
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
