"""SMPL-X fits of scans: read safely, turned to the front, held against the scan."""
