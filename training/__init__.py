"""Shards to weights: loader, networks, losses, loop. The only room with torch."""
