"""Distilled sets that other people's code made: files of tensors and folders of videos. Nothing in them is executed."""
