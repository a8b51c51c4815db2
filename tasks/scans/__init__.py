"""Scans from disk: which files a scan has, what is in them, and what is wrong with them."""
