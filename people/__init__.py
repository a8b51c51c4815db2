"""People of our own: closed, clothed, textured, jointed figures made from a seed.

In the order of the work: figure (who it is), skeleton (rest joints and bones), pose, body, clothes
and hair (signed distances), meshing, skinning, folds, atlas, paint, wholebody (the annotated
joints), person (all of it together), rooms (backgrounds), writer (the published folder layouts).
Lengths are centimetres of the canonical figure of 175 cm unless a name says otherwise.
"""
