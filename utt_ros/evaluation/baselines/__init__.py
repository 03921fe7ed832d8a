"""Methods of others that ours is compared with, honestly tuned; torch."""
