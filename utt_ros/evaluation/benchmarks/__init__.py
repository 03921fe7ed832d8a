"""The test rig behind `utt bench`: a load of phones, a naive pipeline, and what is measured."""
