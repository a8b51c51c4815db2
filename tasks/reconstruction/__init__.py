"""From a photograph to a person: everything but the nets, which run in a program of their own."""
