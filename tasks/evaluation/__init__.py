"""How far a reconstruction is from its scan: measures, alignments, tables."""
