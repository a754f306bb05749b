"""The methods that ship with vdbench: one file each, registered as anybody's are."""
