"""The published folder layouts, one package a format: written, read back and checked."""
