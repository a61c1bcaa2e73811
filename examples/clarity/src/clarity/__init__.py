"""Clarity stores what wearables measure and tells how people sleep."""
