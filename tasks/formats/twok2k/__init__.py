"""The published 2K2K data set: PERS/, ORTH/ and list/."""
