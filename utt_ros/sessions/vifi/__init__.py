"""Importer of recordings in the Vi-Fi layout."""
