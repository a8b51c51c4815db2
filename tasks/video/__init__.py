"""Videos: their frames are read and cropped, matched part by part, and written as shards."""
