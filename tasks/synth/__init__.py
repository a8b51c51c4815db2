"""People of our own: closed, clothed, textured, jointed figures made from a seed.

Rooms, in the order of the work: figure (who it is), skeleton (rest joints and bones), pose,
body, clothes and hair (signed distances), meshing, skinning, folds, atlas, paint, joints,
person (all of it together), backgrounds, writer (the published folder layouts).
"""
