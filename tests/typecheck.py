"""The checker behind shape annotations while tests run: an int may stand where a float may."""

from beartype import BeartypeConf, beartype

check = beartype(conf=BeartypeConf(is_pep484_tower=True))
