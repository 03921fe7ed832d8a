"""A stand-in for Stereolabs' module of this name, with its call signatures and no camera."""
