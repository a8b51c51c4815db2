"""The ground floor: frozen values, conventions, settings and the shard schema.

Imports no torch, no GL and no Prefect.
"""
