"""From a scan to the rows of its shard."""
