"""The words of the synthetic shop: categories, kinds of product, brands, models, attributes.

All brands are made up. A kind's `spec` values carry a unit; `unit_words` are other ways in which
shoppers write it.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["BRANDS", "KINDS", "MODELS", "UNIT_WORDS", "Kind"]


class Kind(NamedTuple):
    """One kind of product.

    Attributes:
        category: The category it is sold in.
        noun: What a title calls it.
        synonyms: What shoppers call it besides.
        attributes: Qualities a product of this kind may have.
        unit: The unit of its size.
        sizes: The sizes sold, in that unit.
        price: A usual price in euros.
        use: What shoppers say they need it for.
    """

    category: str
    noun: str
    synonyms: tuple[str, ...]
    attributes: tuple[str, ...]
    unit: str
    sizes: tuple[str, ...]
    price: float
    use: str


def _kind(line: str) -> Kind:
    category, noun, synonyms, attributes, unit, sizes, price, use = line.split("|")
    return Kind(
        category,
        noun,
        tuple(synonyms.split(",")),
        tuple(attributes.split(",")),
        unit,
        tuple(sizes.split(",")),
        float(price),
        use,
    )


# category | noun | synonyms | attributes | unit | sizes | price | use
_LINES = """
camping|tent|dome tent,festival tent|lightweight,waterproof,green|person|2,3,4,6|140|festival
camping|sleeping bag|mummy bag,camp bed bag|down,synthetic,compact|season|1,2,3,4|80|winter
camping|sleeping mat|roll mat,camping mat|inflatable,foam,insulated|cm|3,5,8|45|camping
camping|camping chair|folding chair,camp seat|folding,padded,low|kg|2,3,4|35|festival
camping|cool box|cooler,ice box|electric,wheeled,rigid|l|20,30,45|60|picnic
camping|camp pillow|travel pillow,neck cushion|inflatable,foam,compact|g|90,150,240|18|travel
kitchen|kettle|water boiler,electric jug|steel,glass,cordless|l|1,1.5,1.7|38|tea
kitchen|frying pan|skillet,saute pan|non-stick,cast iron,copper|cm|20,24,28|42|induction
kitchen|chef knife|kitchen knife,cooks knife|forged,serrated,ceramic|cm|16,20,24|55|vegetables
kitchen|saucepan|cooking pot,pot with lid|steel,enamel,copper|l|1,2,3|39|induction
kitchen|baking tray|oven tray,cookie sheet|non-stick,deep,perforated|cm|30,38,42|16|bread
kitchen|cutting board|chopping board,carving board|bamboo,oak,plastic|cm|30,40,50|24|meat
lighting|floor lamp|standing lamp,reading lamp|brass,dimmable,oak|cm|120,150,180|95|living room
lighting|desk lamp|table lamp,study lamp|dimmable,adjustable,white|w|4,7,11|40|office
lighting|led bulb|light bulb,lamp bulb|warm white,dimmable,smart|w|4,6,9|8|kitchen
lighting|string lights|fairy lights,party lights|solar,warm white,waterproof|m|5,10,20|22|balcony
lighting|head torch|headlamp,head light|rechargeable,waterproof,compact|lm|200,400,800|34|running
lighting|pendant lamp|ceiling lamp,hanging light|brass,glass,rattan|cm|25,35,50|85|dining table
garden|garden hose|hosepipe,water hose|flexible,reinforced,green|m|10,20,30|32|balcony
garden|plant pot|flower pot,planter|terracotta,glazed,hanging|cm|14,20,30|15|herbs
garden|secateurs|pruning shears,garden clippers|bypass,ratchet,forged|cm|18,20,22|27|roses
garden|watering can|flower can,water can|steel,plastic,long spout|l|2,5,10|19|indoor plants
garden|bird feeder|bird table,feeding station|hanging,steel,wooden|cm|20,30,40|21|small birds
garden|garden gloves|work gloves,thorn gloves|leather,waterproof,cotton|size|7,8,9,10|12|roses
bedding|duvet|quilt,comforter|down,wool,cotton|tog|4.5,10.5,13.5|75|winter
bedding|bed pillow|head pillow,sleeping pillow|down,memory foam,firm|cm|50,60,80|28|side sleepers
bedding|fitted sheet|bed sheet,mattress sheet|cotton,jersey,linen|cm|90,140,160,180|25|box spring
bedding|blanket|throw,sofa throw|wool,fleece,cotton|cm|130,150,200|40|sofa
bedding|mattress topper|bed topper,mattress pad|memory foam,latex,wool|cm|4,6,8|120|hotel bed
bedding|duvet cover|quilt cover,bed linen set|cotton,linen,striped|cm|135,155,200|45|summer
storage|storage box|plastic box,tub with lid|stackable,clear,wheeled|l|20,45,60|14|attic
storage|wall shelf|floating shelf,bookshelf|oak,white,steel|cm|40,60,80|30|books
storage|clothes rack|garment rail,coat rail|folding,wheeled,steel|cm|90,120,150|48|bedroom
storage|shoe rack|shoe shelf,boot rack|bamboo,stackable,steel|pairs|8,12,20|33|hallway
storage|laundry basket|washing basket,laundry hamper|bamboo,folding,cotton|l|40,60,90|29|bathroom
storage|coat hooks|wall hooks,hook rail|oak,brass,white|pack|3,5,8|17|hallway
hiking|backpack|rucksack,day pack|waterproof,lightweight,padded|l|20,35,50,65|90|day trips
hiking|hiking boots|walking boots,trail shoes|leather,waterproof,light|eu|38,40,42,44|130|mountains
hiking|trekking poles|walking poles,hiking sticks|carbon,folding,light|cm|110,120,135|60|mountains
hiking|water bottle|drinking bottle,sports bottle|steel,glass,leakproof|ml|500,750,1000|20|school
hiking|rain jacket|rain coat,shell jacket|breathable,light,packable|size|36,38,40,42|110|cycling
hiking|dry bag|waterproof sack,roll top bag|rugged,lightweight,clear|l|5,13,35|24|kayak
grilling|gas stove|camp stove,gas cooker|folding,compact,piezo|kw|2,3,5|50|camping
grilling|charcoal grill|bbq,barbecue|portable,enamel,lidded|cm|37,47,57|120|balcony
grilling|thermos flask|vacuum flask,insulated jug|steel,leakproof,wide neck|l|0.5,0.75,1|30|coffee
grilling|mess kit|camp cookware,cook set|titanium,aluminium,nesting|pieces|2,4,8|34|scouts
grilling|fire pit|fire bowl,garden fire|steel,rust,portable|cm|50,60,80|140|patio
grilling|grill tongs|bbq tongs,meat tongs|steel,long,locking|cm|30,40,45|13|barbecue
"""

KINDS = tuple(_kind(line) for line in _LINES.strip().splitlines())
"""Every kind of product; neighbours in pairs (0 and 1, 2 and 3, …) are half-way substitutes."""

BRANDS = (
    *("Norrvik", "Tallbeck", "Brightmoor", "Casarin", "Oakfen", "Pineholt"),
    *("Lumivar", "Hearthley", "Kestrin", "Wendlow", "Solmarke", "Dunmere"),
)

MODELS = (
    *("Alder", "Aster", "Basin", "Birch", "Bramble", "Breck", "Cairn", "Calla"),
    *("Cinder", "Clover", "Cove", "Crest", "Dale", "Drift", "Ember", "Fable"),
    *("Fern", "Fjord", "Flint", "Gale", "Glade", "Grove", "Harbour", "Hazel"),
    *("Heath", "Holm", "Iris", "Juniper", "Kite", "Larch", "Linden", "Loch"),
    *("Maple", "Marsh", "Mesa", "Moss", "Nimbus", "Onyx", "Otter", "Pebble"),
    *("Plover", "Quill", "Raven", "Reed", "Ridge", "Rowan", "Sable", "Sedge"),
    *("Skua", "Sorrel", "Spruce", "Teal", "Thistle", "Tundra", "Vale", "Willow"),
    *("Wren", "Yarrow"),
)

UNIT_WORDS = {
    "l": ("litre", "l"),
    "cm": ("cm", "centimetre"),
    "m": ("m", "metre"),
    "ml": ("ml",),
    "w": ("w", "watt"),
    "kg": ("kg", "kilo"),
    "g": ("g", "gram"),
    "lm": ("lm", "lumen"),
    "kw": ("kw",),
    "person": ("person", "man"),
    "season": ("season",),
    "tog": ("tog",),
    "size": ("size",),
    "eu": ("eu",),
    "pairs": ("pairs",),
    "pack": ("pack",),
    "pieces": ("pieces", "pcs"),
}
"""Unit of a kind → how shoppers write it."""
