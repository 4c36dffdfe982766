"""What the members of the sample community are called, and what they write about."""

TOPICS = {
    topic: tuple(words.split())
    for topic, words in {
        "astronomy": "telescope comet galaxy nebula eclipse orbit planet meteor lens crater moon "
        "aurora constellation observatory satellite asteroid starlight tripod",
        "baking": "dough sourdough oven yeast flour crumb butter pastry rye icing tart loaf "
        "brioche cinnamon scale batter crust whisk",
        "chess": "opening endgame rook bishop gambit checkmate pawn tournament castling blunder "
        "knight clock rating sacrifice stalemate tactics queen board",
        "cycling": "saddle gravel pedal chain derailleur helmet sprint climb peloton tyre puncture "
        "handlebar cadence bottle descent spoke wheel brakes",
        "film": "director scene screenplay camera festival montage subtitle actor lighting "
        "premiere cinema documentary thriller popcorn soundtrack reel matinee sequel",
        "gardening": "compost seedling tomato pruning soil trowel mulch greenhouse perennial rose "
        "hedge basil watering slug harvest lavender orchard weed",
        "hiking": "trail summit ridge boots rucksack map compass valley shelter waterfall lake "
        "blister marker scramble viewpoint forest cairn pass",
        "music": "guitar melody chord rhythm piano choir vinyl rehearsal bass tempo drummer "
        "concert harmony violin encore amplifier lyrics fiddle",
        "painting": "canvas brush watercolour palette easel portrait pigment sketch landscape "
        "varnish gouache charcoal studio exhibition frame texture pastel mural",
        "pottery": "kiln glaze clay wheel bowl mug firing porcelain stoneware slip handle teapot "
        "vase bisque trimming workshop shelf earthenware",
        "reading": "novel chapter author library essay plot paperback poem bookshop narrator "
        "trilogy footnote memoir translation bookmark sentence heroine prologue",
        "sailing": "sail harbour anchor mast tide knot keel rudder regatta wind buoy crew jib "
        "mooring deck compass horizon lighthouse",
    }.items()
}

# {0} to {3} are words of the post's topic, {when} is one of WHEN.
SENTENCES = (
    "Spent the {when} with a {0} and far too much {1}.",
    "Does anybody know a good {0} for a first {1}?",
    "My {0} broke, so I learned about {1}, {2} and {3} instead.",
    "After years of {0}, the {1} finally makes sense to me.",
    "We talked about {0} and {1} all {when}.",
    "The secret is a patient {0}, then {1}, then {2}.",
    "Nobody warned me how much a {0} depends on its {1}.",
    "Three things that I would tell a beginner: {0}, {1}, {2}.",
    "This {when} the {0} was perfect and the {1} was not.",
    "I still prefer the old {0} over any {1}.",
)
TITLES = (
    "Notes on {0} and {1}",
    "My first {0}",
    "A question about {0}",
    "Why {0} needs {1}",
    "The {when} of the {0}",
    "Small wins with {0}",
)
WHEN = ("morning", "evening", "weekend", "afternoon", "holiday")

_FIRST = (
    "Ada Amir Anna Bao Carla Chidi Dalia Diego Edith Emeka Farah Felix Grace Hana Hugo Ines Ivan "
    "Jonas Kaito Lena Lucia Malik Marta Mei Nadia Noor Olga Omar Paula Priya Quinn Rafael Rosa "
    "Samir Sofia Tariq Uma Vera Yusuf Zoe"
)
_LAST = (
    "Abebe Albrecht Bergman Castro Dubois Eriksen Fontana Garcia Haddad Ito Jensen Kowalski Lange "
    "Moreau Nakamura Okafor Petrov Quiroga Rossi Silva Tanaka Ulrich Vargas Weber Yilmaz Zhou"
)
FIRST_NAMES, LAST_NAMES = _FIRST.split(), _LAST.split()
CITIES = ("Bergen", "Kraków", "Lagos", "Lyon", "Osaka", "Porto", "Riga", "Valparaíso")
